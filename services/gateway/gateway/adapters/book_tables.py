"""Read models of what was bought and sold, what is held, and what it earned."""

from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from gateway.adapters.primary_tables import metadata
from signalbox.runtime.db import ExactDecimal, Json, UtcDateTime

trades = Table(
    "trades",  # fills
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", String(32), nullable=False, index=True),
    Column("bot", String(64), nullable=False),
    Column("account", String(64), nullable=False),
    Column("mode", String(8), nullable=False),
    Column("symbol", String(24), nullable=False),
    Column("side", String(4), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("quantity", ExactDecimal, nullable=False),
    Column("price", ExactDecimal, nullable=False),
    Column("fee", ExactDecimal, nullable=False),
    Column("realised_pnl", ExactDecimal, nullable=False),
    Column("slippage_bps", ExactDecimal),
    Column("source_type", String(16), nullable=False),
    Column("source_id", String(128), nullable=False),
    Column("confidence", ExactDecimal),  # of the source that asked
    Column("ai_confidence", ExactDecimal),  # the same, where that source is a language model
    Column("signal_id", String(36), index=True),
    Column("verdict_id", String(36)),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_trades_at", "at", "id"),
    Index("ix_trades_bot", "bot", "symbol", "at"),
    Index("ix_trades_source", "source_type", "source_id", "at"),
)

slices = Table(
    "slices",  # which fill opened or closed how much of which lot
    metadata,
    Column("lot_id", String(36), primary_key=True),
    Column("fill_id", Text, primary_key=True),
    Column("effect", String(8), nullable=False),
    Column("source_type", String(16), nullable=False),
    Column("source_id", String(128), nullable=False),
    Column("quantity", ExactDecimal, nullable=False),
    Column("entry_price", ExactDecimal, nullable=False),
    Column("realised_pnl", ExactDecimal, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_slices_fill", "fill_id"),
)

earnings = Table(
    "earnings",  # sums over slices by market day
    metadata,
    Column("day", UtcDateTime, primary_key=True, autoincrement=False),
    Column("bot", String(64), primary_key=True),
    Column("symbol", String(24), primary_key=True),
    Column("source_type", String(16), primary_key=True),
    Column("source_id", String(128), primary_key=True),
    Column("realised_pnl", ExactDecimal, nullable=False),
    Column("fees", ExactDecimal, nullable=False),
    Column("gross_profit", ExactDecimal, nullable=False),
    Column("gross_loss", ExactDecimal, nullable=False),
    Column("trades", Integer, nullable=False),
    Column("wins", Integer, nullable=False),
    Column("losses", Integer, nullable=False),
    Column("fills", Integer, nullable=False),
    Column("traded", ExactDecimal, nullable=False),
    Column("measured", ExactDecimal, nullable=False),  # of `traded`, at a known slippage
    Column("slipped", ExactDecimal, nullable=False),  # basis points times `measured`
    Column("squares", ExactDecimal, nullable=False),  # of the profits of closed parts
)

positions = Table(
    "positions",
    metadata,
    Column("bot", String(64), primary_key=True),
    Column("account", String(64), primary_key=True),
    Column("symbol", String(24), primary_key=True),
    Column("quantity", ExactDecimal, nullable=False),
    Column("average_price", ExactDecimal),
    Column("realised_pnl", ExactDecimal, nullable=False),
    Column("open", Boolean, nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
)

lots = Table(
    "lots",  # open quantity, by the source that owns it
    metadata,
    Column("id", String(36), primary_key=True),
    Column("bot", String(64), nullable=False),
    Column("account", String(64), nullable=False),
    Column("symbol", String(24), nullable=False),
    Column("source_type", String(16), nullable=False),
    Column("source_id", String(128), nullable=False),
    Column("confidence", ExactDecimal),
    Column("quantity", ExactDecimal, nullable=False),
    Column("entry_price", ExactDecimal, nullable=False),
    Column("order_id", String(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),  # when it was opened
    Column("protection", Json),  # stop, target, trailing stop, time
    Index("ix_lots_book", "bot", "account", "symbol"),
)

_VALUES = (
    "equity",
    "cash",
    "exposure_gross",
    "exposure_net",
    "realised_pnl",
    "unrealised_pnl",
    "fees",
)

equity = Table(
    "equity",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("bot", String(64), nullable=False),
    Column("account", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    *(Column(name, ExactDecimal, nullable=False) for name in _VALUES),
    Index("ix_equity_at", "at", "id"),
    Index("ix_equity_bot", "bot", "at"),
)

books = Table(
    "books",  # the newest row of equity, by bot and account
    metadata,
    Column("bot", String(64), primary_key=True),
    Column("account", String(64), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    *(Column(name, ExactDecimal, nullable=False) for name in _VALUES),
)


def _stretch() -> tuple[Column[Any], ...]:
    """A part of a curve: its ends, extremes and deepest fall."""
    return (
        Column("first", ExactDecimal, nullable=False),
        Column("last", ExactDecimal, nullable=False),
        Column("last_at", UtcDateTime, nullable=False),
        Column("high", ExactDecimal, nullable=False),
        Column("high_at", UtcDateTime, nullable=False),
        Column("low", ExactDecimal, nullable=False),
        Column("low_at", UtcDateTime, nullable=False),
        Column("peak", ExactDecimal, nullable=False),
        Column("peak_at", UtcDateTime, nullable=False),
        Column("trough", ExactDecimal, nullable=False),
        Column("trough_at", UtcDateTime, nullable=False),
        Column("marks", Integer, nullable=False),
        Column("exposure", ExactDecimal, nullable=False),
    )


equity_days = Table(
    "equity_days",  # the curve of each market day in one row
    metadata,
    Column("day", UtcDateTime, primary_key=True, autoincrement=False),
    Column("bot", String(64), primary_key=True),
    Column("account", String(64), primary_key=True),
    *_stretch(),
    Index("ix_equity_days_book", "bot", "account", "day"),
)

equity_curves = Table(
    "equity_curves",  # the whole curve in one row
    metadata,
    Column("bot", String(64), primary_key=True),
    Column("account", String(64), primary_key=True),
    *_stretch(),
)
