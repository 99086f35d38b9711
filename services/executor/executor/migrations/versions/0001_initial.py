"""Orders, fills, lots, positions, books, and how far the verdicts are applied."""

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import ExactDecimal, Json, UtcDateTime
from signalbox.runtime.migrate import create_runtime_tables, drop_runtime_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make everything."""
    create_runtime_tables()
    _create_orders()
    _create_fills()
    _create_lots()
    _create_books()


def downgrade() -> None:
    """Remove everything."""
    for table in ("tracks", "books", "positions", "lots", "fills", "orders"):
        op.drop_table(table)
    drop_runtime_tables()


def _create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("order_id", sa.String(32), primary_key=True),
        sa.Column("intent_id", sa.String(36), nullable=False),
        sa.Column("verdict_id", sa.String(36)),
        sa.Column("signal_id", sa.String(36)),
        sa.Column("correlation_id", sa.String(36), nullable=False),
        sa.Column("bot", sa.String(64), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("side", sa.String(4)),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("leg", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("quantity", ExactDecimal),
        sa.Column("filled", ExactDecimal, nullable=False),
        sa.Column("average_price", ExactDecimal),
        sa.Column("notional", ExactDecimal, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("numbers", Json, nullable=False),
        sa.Column("source_type", sa.String(16), nullable=False),
        sa.Column("source_id", sa.String(128), nullable=False),
        sa.Column("confidence", ExactDecimal),
        sa.Column("broker", sa.String(16), nullable=False),
        sa.Column("broker_order_id", sa.String(64), nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("config_version", sa.BigInteger, nullable=False),
        sa.Column("planned_at", UtcDateTime, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime),
        sa.Column("quoted_at", UtcDateTime),
        sa.Column("targets", Json, nullable=False),
        sa.Column("arrival", ExactDecimal),
        sa.Column("signal_price", ExactDecimal),
    )
    op.create_index(
        "ix_orders_open",
        "orders",
        ["bot", "symbol"],
        sqlite_where=sa.text("open = 1"),
        postgresql_where=sa.text("open"),
    )


def _create_fills() -> None:
    op.create_table(
        "fills",
        sa.Column("fill_id", sa.String(128), primary_key=True),
        sa.Column("order_id", sa.String(32), nullable=False),
        sa.Column("bot", sa.String(64), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("side", sa.String(4), nullable=False),
        sa.Column("quantity", ExactDecimal, nullable=False),
        sa.Column("price", ExactDecimal, nullable=False),
        sa.Column("fee", ExactDecimal, nullable=False),
        sa.Column("bid", ExactDecimal),
        sa.Column("ask", ExactDecimal),
        sa.Column("quoted_at", UtcDateTime),
        sa.Column("slippage_bps", ExactDecimal),
        sa.Column("slices", Json, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_fills_order_id", "fills", ["order_id"])


def _create_lots() -> None:
    op.create_table(
        "lots",
        sa.Column("lot_id", sa.String(36), primary_key=True),
        sa.Column("bot", sa.String(64), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("source_type", sa.String(16), nullable=False),
        sa.Column("source_id", sa.String(128), nullable=False),
        sa.Column("confidence", ExactDecimal),
        sa.Column("quantity", ExactDecimal, nullable=False),
        sa.Column("entry_price", ExactDecimal, nullable=False),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("order_id", sa.String(32), nullable=False),
    )
    op.create_index("ix_lots_bot_symbol", "lots", ["bot", "symbol"])


def _create_books() -> None:
    op.create_table(
        "positions",
        sa.Column("bot", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("symbol", sa.String(24), primary_key=True),
        sa.Column("quantity", ExactDecimal, nullable=False),
        sa.Column("cost", ExactDecimal, nullable=False),
        sa.Column("realised", ExactDecimal, nullable=False),
        sa.Column("price", ExactDecimal, nullable=False),
    )
    op.create_table(
        "books",
        sa.Column("bot", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("started_with", ExactDecimal, nullable=False),
        sa.Column("cash", ExactDecimal, nullable=False),
        sa.Column("realised", ExactDecimal, nullable=False),
        sa.Column("fees", ExactDecimal, nullable=False),
        sa.Column("recent", Json, nullable=False),
    )
    op.create_table(
        "tracks",
        sa.Column("bot", sa.String(64), primary_key=True),
        sa.Column("symbol", sa.String(24), primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("halted", sa.String(64), nullable=False),
    )
