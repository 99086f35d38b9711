"""The executor's own tables. Closed lots are gone from here; what they earned is in the fills'
slices.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, text

from signalbox.runtime.db import ExactDecimal, Json, UtcDateTime, new_metadata

metadata = new_metadata()

orders = Table(
    "orders",
    metadata,
    Column("order_id", String(32), primary_key=True),
    Column("intent_id", String(36), nullable=False),
    Column("verdict_id", String(36)),
    Column("signal_id", String(36)),
    Column("correlation_id", String(36), nullable=False),
    Column("bot", String(64), nullable=False),
    Column("account", String(64), nullable=False),
    Column("mode", String(8), nullable=False),
    Column("symbol", String(24), nullable=False),
    Column("side", String(4)),
    Column("purpose", String(16), nullable=False),
    Column("leg", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("kind", String(8), nullable=False, server_default="market"),
    Column("limit_price", ExactDecimal),
    Column("stop_price", ExactDecimal),
    Column("quantity", ExactDecimal),
    Column("filled", ExactDecimal, nullable=False),
    Column("average_price", ExactDecimal),
    Column("notional", ExactDecimal, nullable=False),
    Column("state", String(20), nullable=False),
    Column("open", Boolean, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("message", Text, nullable=False),
    Column("numbers", Json, nullable=False),
    Column("source_type", String(16), nullable=False),
    Column("source_id", String(128), nullable=False),
    Column("confidence", ExactDecimal),
    Column("broker", String(16), nullable=False),
    Column("broker_order_id", String(64), nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("config_version", BigInteger, nullable=False),
    Column("planned_at", UtcDateTime, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("quoted_at", UtcDateTime),
    Column("targets", Json, nullable=False),
    Column("arrival", ExactDecimal),
    Column("signal_price", ExactDecimal),
    Column("trigger", String(16)),
    Column("guard", Json),  # what protects the lots that an entry opens
    Column("submission", Json),  # how far an order has come on its way to a broker
    Column("follow", Json),  # the entry that comes after an exit, once it is filled
)
Index(
    "ix_orders_open",
    orders.c.bot,
    orders.c.symbol,
    sqlite_where=text("open = 1"),
    postgresql_where=text("open"),
)

Index(
    "ix_orders_account",  # what is at brokers, and what they may still tell of
    orders.c.account,
    orders.c.state,
    sqlite_where=text("submission IS NOT NULL"),
    postgresql_where=text("submission IS NOT NULL"),
)
Index(
    "ix_orders_broker_order_id",
    orders.c.broker_order_id,
    sqlite_where=text("submission IS NOT NULL"),
    postgresql_where=text("submission IS NOT NULL"),
)

fills = Table(
    "fills",
    metadata,
    Column("fill_id", String(128), primary_key=True),
    Column("order_id", String(32), nullable=False, index=True),
    Column("bot", String(64), nullable=False),
    Column("account", String(64), nullable=False),
    Column("symbol", String(24), nullable=False),
    Column("side", String(4), nullable=False),
    Column("quantity", ExactDecimal, nullable=False),
    Column("price", ExactDecimal, nullable=False),
    Column("fee", ExactDecimal, nullable=False),
    Column("bid", ExactDecimal),
    Column("ask", ExactDecimal),
    Column("quoted_at", UtcDateTime),
    Column("slippage_bps", ExactDecimal),
    Column("slices", Json, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

lots = Table(
    "lots",
    metadata,
    Column("lot_id", String(36), primary_key=True),
    Column("bot", String(64), nullable=False),
    Column("account", String(64), nullable=False),
    Column("symbol", String(24), nullable=False),
    Column("source_type", String(16), nullable=False),
    Column("source_id", String(128), nullable=False),
    Column("confidence", ExactDecimal),
    Column("quantity", ExactDecimal, nullable=False),
    Column("entry_price", ExactDecimal, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("order_id", String(32), nullable=False),
    Column("protection", Json),
)
Index("ix_lots_bot_symbol", lots.c.bot, lots.c.symbol)

positions = Table(
    "positions",
    metadata,
    Column("bot", String(64), primary_key=True),
    Column("account", String(64), primary_key=True),
    Column("symbol", String(24), primary_key=True),
    Column("quantity", ExactDecimal, nullable=False),
    Column("cost", ExactDecimal, nullable=False),
    Column("realised", ExactDecimal, nullable=False),
    Column("price", ExactDecimal, nullable=False),
)

books = Table(
    "books",
    metadata,
    Column("bot", String(64), primary_key=True),
    Column("account", String(64), primary_key=True),
    Column("started_with", ExactDecimal, nullable=False),
    Column("cash", ExactDecimal, nullable=False),
    Column("realised", ExactDecimal, nullable=False),
    Column("fees", ExactDecimal, nullable=False),
    Column("recent", Json, nullable=False),
    Column("risk", Json),  # the day's first equity, losses in a row, a lock
)

tracks = Table(
    "tracks",
    metadata,
    Column("bot", String(64), primary_key=True),
    Column("symbol", String(24), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("halted", String(64), nullable=False),
    Column("repeat", Json),  # the last entry
)

brokers = Table(
    "brokers",  # up to where the executions of an account at a broker are booked
    metadata,
    Column("account", String(64), primary_key=True),
    Column("filled_at", UtcDateTime, nullable=False),  # wall time of the newest one seen
)

broker_accounts = Table(
    "broker_accounts",  # which account at its broker an account of ours is
    metadata,
    Column("account", String(64), primary_key=True),
    Column("broker_id", String(128), nullable=False),
)

alarms = Table(
    "alarms",  # troubles that people were told of and that are not over
    metadata,
    Column("code", String(64), primary_key=True),
    Column("about", String(128), primary_key=True),
    Column("order_id", String(32), nullable=False),  # empty where it is not one order's
    Column("detail", String(256), nullable=False),
)

corrections = Table(
    "corrections",  # what people have said that an account holds
    metadata,
    Column("request_id", String(128), primary_key=True),
    Column("bot", String(64), nullable=False),
    Column("account", String(64), nullable=False),
    Column("symbol", String(24), nullable=False),
    Column("made_by", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked", Json, nullable=False),
    Column("held_before", ExactDecimal, nullable=False),
    Column("held_after", ExactDecimal, nullable=False),
    Column("split_units", ExactDecimal, nullable=False),  # of the difference, by a split: no fill
    Column("at", UtcDateTime, nullable=False),  # market time
    Column("made_at", UtcDateTime, nullable=False),  # wall time
)
Index("ix_corrections_bot_symbol", corrections.c.bot, corrections.c.symbol)

withdrawals = Table(
    "withdrawals",  # signals that were taken back or shortened
    metadata,
    Column("signal_id", String(36), primary_key=True),
    Column("valid_until", UtcDateTime, nullable=False),  # market time
    Column("heard_at", UtcDateTime, nullable=False),  # wall time
)

editions = Table(
    "editions",  # one row: which transaction has last changed what is above
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
)
