"""Limit and stop orders."""

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import ExactDecimal

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From the tables before, where every order is at the market."""
    kind = sa.Column("kind", sa.String(8), nullable=False, server_default="market")
    op.add_column("orders", kind)
    op.add_column("orders", sa.Column("limit_price", ExactDecimal))
    op.add_column("orders", sa.Column("stop_price", ExactDecimal))


def downgrade() -> None:
    """Back; whatever an order was, it looks like one at the market."""
    op.drop_column("orders", "stop_price")
    op.drop_column("orders", "limit_price")
    op.drop_column("orders", "kind")
