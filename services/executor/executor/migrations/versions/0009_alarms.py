"""Troubles that people were told of and that are not over."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From the tables before; what was told until now is not known here, and is told anew."""
    op.create_table(
        "alarms",
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("about", sa.String(128), primary_key=True),
        sa.Column("order_id", sa.String(32), nullable=False),
        sa.Column("detail", sa.String(256), nullable=False),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("alarms")
