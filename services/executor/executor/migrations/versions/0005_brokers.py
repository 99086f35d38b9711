"""Orders at brokers over the network."""

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import Json, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SENT = sa.text("submission IS NOT NULL")


def upgrade() -> None:
    """From the tables before, where no order has ever gone to a broker."""
    op.add_column("orders", sa.Column("submission", Json))
    for name, columns in (
        ("ix_orders_account", ["account", "state"]),
        ("ix_orders_broker_order_id", ["broker_order_id"]),
    ):
        op.create_index(name, "orders", columns, sqlite_where=_SENT, postgresql_where=_SENT)
    op.create_table(
        "brokers",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("filled_at", UtcDateTime, nullable=False),
    )


def downgrade() -> None:
    """Back; what is at a broker stays there."""
    op.drop_table("brokers")
    op.drop_index("ix_orders_broker_order_id", "orders")
    op.drop_index("ix_orders_account", "orders")
    op.drop_column("orders", "submission")
