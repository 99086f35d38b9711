"""Signals that their sources have taken back."""

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From the tables before; what was taken back until now is read again from the stream."""
    op.create_table(
        "withdrawals",
        sa.Column("signal_id", sa.String(36), primary_key=True),
        sa.Column("valid_until", UtcDateTime, nullable=False),
        sa.Column("heard_at", UtcDateTime, nullable=False),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("withdrawals")
