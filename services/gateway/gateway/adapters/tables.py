"""Every table of the gateway, for migrations and for whoever opens the database."""

from gateway.adapters import book_tables, llm_tables, read_tables
from gateway.adapters.primary_tables import metadata

__all__ = ["READ_MODELS", "metadata"]

READ_MODELS = (
    read_tables.signals,
    read_tables.withdrawals,
    read_tables.verdicts,
    read_tables.rounds,
    read_tables.orders,
    read_tables.order_steps,
    read_tables.alerts,
    read_tables.alarms,
    read_tables.dead_letters,
    read_tables.states,
    read_tables.quantconnect_signals,
    read_tables.backtests,
    read_tables.outcomes,
    llm_tables.llm_trading_decisions,
    llm_tables.llm_usage,
    book_tables.trades,
    book_tables.slices,
    book_tables.earnings,
    book_tables.positions,
    book_tables.lots,
    book_tables.equity,
    book_tables.equity_days,
    book_tables.equity_curves,
    book_tables.books,
)
