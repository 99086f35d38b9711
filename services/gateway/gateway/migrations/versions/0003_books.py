"""Read models of fills, holdings and equity."""

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import ExactDecimal, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From the tables before."""
    _trades()
    _slices()
    _holdings()
    _equity()


def downgrade() -> None:
    """Back."""
    for table in ("books", "equity", "lots", "positions", "earnings", "slices", "trades"):
        op.drop_table(table)


def _trades() -> None:
    op.create_table(
        "trades",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("order_id", sa.String(32), nullable=False),
        sa.Column("bot", sa.String(64), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("side", sa.String(4), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("quantity", ExactDecimal, nullable=False),
        sa.Column("price", ExactDecimal, nullable=False),
        sa.Column("fee", ExactDecimal, nullable=False),
        sa.Column("realised_pnl", ExactDecimal, nullable=False),
        sa.Column("slippage_bps", ExactDecimal),
        sa.Column("source_type", sa.String(16), nullable=False),
        sa.Column("source_id", sa.String(128), nullable=False),
        sa.Column("confidence", ExactDecimal),
        sa.Column("ai_confidence", ExactDecimal),
        sa.Column("signal_id", sa.String(36)),
        sa.Column("verdict_id", sa.String(36)),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_trades_at", "trades", ["at", "id"])
    op.create_index("ix_trades_bot", "trades", ["bot", "symbol", "at"])
    op.create_index("ix_trades_order_id", "trades", ["order_id"])
    op.create_index("ix_trades_signal_id", "trades", ["signal_id"])
    op.create_index("ix_trades_source", "trades", ["source_type", "source_id", "at"])


def _slices() -> None:
    op.create_table(
        "slices",
        sa.Column("lot_id", sa.String(36), primary_key=True),
        sa.Column("fill_id", sa.Text, primary_key=True),
        sa.Column("effect", sa.String(8), nullable=False),
        sa.Column("source_type", sa.String(16), nullable=False),
        sa.Column("source_id", sa.String(128), nullable=False),
        sa.Column("quantity", ExactDecimal, nullable=False),
        sa.Column("entry_price", ExactDecimal, nullable=False),
        sa.Column("realised_pnl", ExactDecimal, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_slices_fill", "slices", ["fill_id"])
    op.create_table(
        "earnings",
        sa.Column("day", UtcDateTime, primary_key=True, autoincrement=False),
        sa.Column("bot", sa.String(64), primary_key=True),
        sa.Column("symbol", sa.String(24), primary_key=True),
        sa.Column("source_type", sa.String(16), primary_key=True),
        sa.Column("source_id", sa.String(128), primary_key=True),
        sa.Column("realised_pnl", ExactDecimal, nullable=False),
        sa.Column("fees", ExactDecimal, nullable=False),
        sa.Column("gross_profit", ExactDecimal, nullable=False),
        sa.Column("gross_loss", ExactDecimal, nullable=False),
        sa.Column("trades", sa.Integer, nullable=False),
        sa.Column("wins", sa.Integer, nullable=False),
        sa.Column("losses", sa.Integer, nullable=False),
        sa.Column("fills", sa.Integer, nullable=False),
    )


def _holdings() -> None:
    op.create_table(
        "positions",
        sa.Column("bot", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("symbol", sa.String(24), primary_key=True),
        sa.Column("quantity", ExactDecimal, nullable=False),
        sa.Column("average_price", ExactDecimal),
        sa.Column("realised_pnl", ExactDecimal, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_positions_open", "positions", ["open"])
    op.create_table(
        "lots",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("bot", sa.String(64), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("source_type", sa.String(16), nullable=False),
        sa.Column("source_id", sa.String(128), nullable=False),
        sa.Column("confidence", ExactDecimal),
        sa.Column("quantity", ExactDecimal, nullable=False),
        sa.Column("entry_price", ExactDecimal, nullable=False),
        sa.Column("order_id", sa.String(32), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_lots_book", "lots", ["bot", "account", "symbol"])


def _equity() -> None:
    op.create_table(
        "equity",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("bot", sa.String(64), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("equity", ExactDecimal, nullable=False),
        sa.Column("cash", ExactDecimal, nullable=False),
        sa.Column("exposure_gross", ExactDecimal, nullable=False),
        sa.Column("exposure_net", ExactDecimal, nullable=False),
        sa.Column("realised_pnl", ExactDecimal, nullable=False),
        sa.Column("unrealised_pnl", ExactDecimal, nullable=False),
        sa.Column("fees", ExactDecimal, nullable=False),
    )
    op.create_index("ix_equity_at", "equity", ["at", "id"])
    op.create_index("ix_equity_bot", "equity", ["bot", "at"])
    op.create_table(
        "books",
        sa.Column("bot", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("equity", ExactDecimal, nullable=False),
        sa.Column("cash", ExactDecimal, nullable=False),
        sa.Column("exposure_gross", ExactDecimal, nullable=False),
        sa.Column("exposure_net", ExactDecimal, nullable=False),
        sa.Column("realised_pnl", ExactDecimal, nullable=False),
        sa.Column("unrealised_pnl", ExactDecimal, nullable=False),
        sa.Column("fees", ExactDecimal, nullable=False),
    )
