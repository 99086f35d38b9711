"""Webhooks of QuantConnect accounts, the pushes that came in, and backtests."""

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import Json, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From the tables before."""
    op.add_column("quantconnect_configs", sa.Column("webhook", Json))
    op.create_table(
        "pushes",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("config_id", sa.String(64), nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_pushes_config", "pushes", ["config_id", "received_at"])
    op.create_index("ix_pushes_received_at", "pushes", ["received_at"])
    op.create_table(
        "backtests",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("config_id", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("body", Json, nullable=False),
    )
    op.create_index("ix_backtests_created", "backtests", ["created_at", "id"])


def downgrade() -> None:
    """Back."""
    op.drop_table("backtests")
    op.drop_table("pushes")
    op.drop_column("quantconnect_configs", "webhook")
