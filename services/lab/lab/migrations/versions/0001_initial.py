"""The first schema."""

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import ExactDecimal, UtcDateTime
from signalbox.runtime.migrate import create_runtime_tables, drop_runtime_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_runtime_tables()
    op.create_table(
        "scores",
        sa.Column("signal_id", sa.String(36), primary_key=True),
        sa.Column("source_type", sa.String(16), nullable=False),
        sa.Column("source_id", sa.String(128), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("action", sa.String(8), nullable=False),
        sa.Column("confidence", ExactDecimal, nullable=False),
        sa.Column("raised_at", UtcDateTime, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("why", sa.String(16), nullable=False),
        sa.Column("forward_return", ExactDecimal, nullable=True),
        sa.Column("ended_at", UtcDateTime, nullable=True),
    )
    op.create_index("ix_scores_due", "scores", ["state", "due_at"])
    op.create_index("ix_scores_ended", "scores", ["ended_at"])


def downgrade() -> None:
    op.drop_table("scores")
    drop_runtime_tables()
