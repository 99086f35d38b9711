"""Read models: rebuilt from the archive at any time, whatever the streams still hold.

`event_id`, or `id` where the two are the same, names the archived event that holds the whole
payload; the columns are what lists sort, filter and join by.
"""

from sqlalchemy import Boolean, Column, Float, Index, Integer, String, Table, Text

from gateway.adapters.primary_tables import metadata
from signalbox.runtime.db import ExactDecimal, Json, UtcDateTime

signals = Table(
    "signals",
    metadata,
    Column("id", String(36), primary_key=True),  # also the event's id
    Column("source_type", String(16), nullable=False),
    Column("source_id", String(128), nullable=False),
    Column("symbol", String(24), nullable=False),
    Column("action", String(8), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_signals_at", "at", "id"),
    Index("ix_signals_symbol", "symbol", "at"),
    Index("ix_signals_source", "source_type", "source_id", "at"),
)

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("signal_id", String(36), nullable=False, index=True),
    Column("valid_until", UtcDateTime, nullable=False),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", String(36), primary_key=True),  # also the event's id
    Column("signal_id", String(36), nullable=False, index=True),
    Column("bot", String(64), nullable=False),
    Column("symbol", String(24), nullable=False),
    Column("source_type", String(16), nullable=False),
    Column("source_id", String(128), nullable=False),
    Column("round", Integer, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_verdicts_at", "at", "id"),
    Index("ix_verdicts_bot", "bot", "symbol", "at"),
    Index("ix_verdicts_outcome", "outcome", "at"),
)

rounds = Table(
    "rounds",  # the latest round of each bot on each signal
    metadata,
    Column("signal_id", String(36), primary_key=True),
    Column("bot", String(64), primary_key=True),
    Column("round", Integer, nullable=False),
    Column("verdict_id", String(36), nullable=False),
    Column("waits_until", UtcDateTime),  # of a verdict that waits for a person
)
_WAITING = rounds.c.waits_until.is_not(None)
Index(
    "ix_rounds_waits_until",
    rounds.c.waits_until,
    rounds.c.verdict_id,
    sqlite_where=_WAITING,
    postgresql_where=_WAITING,
)

orders = Table(
    "orders",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("event_id", String(36), nullable=False),  # its latest state
    Column("bot", String(64), nullable=False),
    Column("account", String(64), nullable=False),
    Column("symbol", String(24), nullable=False),
    Column("side", String(4)),
    Column("state", String(20), nullable=False),
    Column("final", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("source_type", String(16), nullable=False),
    Column("source_id", String(128), nullable=False),
    Column("signal_id", String(36), index=True),
    Column("verdict_id", String(36), index=True),
    Column("at", UtcDateTime, nullable=False),  # of its first state
    Index("ix_orders_at", "at", "id"),
    Index("ix_orders_bot", "bot", "symbol", "at"),
    Index("ix_orders_final", "final", "bot"),
)

order_steps = Table(
    "order_steps",  # every state an order went through
    metadata,
    Column("event_id", String(36), primary_key=True),
    Column("order_id", String(32), nullable=False, index=True),
    Column("state", String(20), nullable=False),
    Column("filled", ExactDecimal, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("severity", String(8), nullable=False),
    Column("code", String(64), nullable=False),
    Column("about", String(128), nullable=False),
    Column("service", String(64), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_alerts_at", "at", "id"),
)

alarms = Table(
    "alarms",  # the latest word of each alert: what is wrong now
    metadata,
    Column("service", String(64), primary_key=True),
    Column("code", String(64), primary_key=True),
    Column("about", String(128), primary_key=True),
    Column("id", String(36), nullable=False),
    Column("active", Boolean, nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", String(36), primary_key=True),  # also the event's id
    Column("service", String(64), nullable=False),
    Column("stream", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_dead_letters_at", "at", "id"),
)

states = Table(
    "states",
    metadata,
    Column("service", String(64), primary_key=True),
    Column("kind", String(64), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("body", Json, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

quantconnect_signals = Table(
    "quantconnect_signals",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("config_id", String(64), nullable=False, index=True),
    Column("symbol", String(24), nullable=False, index=True),
    Column("signal", String(8), nullable=False),
    Column("confidence", ExactDecimal, nullable=False),
    Column("price", ExactDecimal),
    Column("timestamp", UtcDateTime, nullable=False, index=True),
    Column("processed", Boolean, nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
)

backtests = Table(
    "backtests",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("config_id", String(64), nullable=False),
    Column("project_id", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("at", UtcDateTime, nullable=False),  # when this was said of it
    Column("body", Json, nullable=False),
    Index("ix_backtests_created", "created_at", "id"),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("signal_id", String(36), nullable=False, index=True),
    Column("source_type", String(16), nullable=False),
    Column("source_id", String(128), nullable=False),
    Column("symbol", String(24), nullable=False),
    Column("action", String(8), nullable=False),
    Column("confidence", ExactDecimal, nullable=False),
    Column("horizon_s", Float, nullable=False),
    Column("entry_price", ExactDecimal, nullable=False),
    Column("exit_price", ExactDecimal, nullable=False),
    Column("forward_return", ExactDecimal, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_outcomes_source", "source_type", "source_id", "at"),
)
