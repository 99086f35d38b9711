"""What people correct in the books."""

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import ExactDecimal, Json, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From the tables before; older corrections are orders of the source `external` only."""
    op.create_table(
        "corrections",
        sa.Column("request_id", sa.String(128), primary_key=True),
        sa.Column("bot", sa.String(64), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("made_by", sa.String(128), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("asked", Json, nullable=False),
        sa.Column("held_before", ExactDecimal, nullable=False),
        sa.Column("held_after", ExactDecimal, nullable=False),
        sa.Column("split_units", ExactDecimal, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_corrections_bot_symbol", "corrections", ["bot", "symbol"])


def downgrade() -> None:
    """Back."""
    op.drop_table("corrections")
