"""The first schema."""

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import UtcDateTime
from signalbox.runtime.migrate import create_runtime_tables, drop_runtime_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_runtime_tables()
    op.create_table(
        "states",
        sa.Column("bot", sa.String(64), primary_key=True),
        sa.Column("symbol", sa.String(24), primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "rounds",
        sa.Column("verdict_id", sa.String(36), primary_key=True),
        sa.Column("signal_id", sa.String(36), nullable=False),
        sa.Column("bot", sa.String(64), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("evaluated_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("decided_by", sa.String(128), nullable=False),
        sa.Column("ended_at", UtcDateTime, nullable=True),
    )
    op.create_index("ix_rounds_signal_id", "rounds", ["signal_id"])
    op.create_index("ix_rounds_due", "rounds", ["outcome", "expires_at"])
    op.create_index("ix_rounds_ended", "rounds", ["ended_at"])


def downgrade() -> None:
    op.drop_table("rounds")
    op.drop_table("states")
    drop_runtime_tables()
