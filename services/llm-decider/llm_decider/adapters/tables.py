"""The tables of llm-decider."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text

from signalbox.runtime.db import ExactDecimal, Json, UtcDateTime, new_metadata

metadata = new_metadata()

watches = Table(
    "watches",  # what each config has seen of each symbol
    metadata,
    Column("config_id", String(64), primary_key=True),
    Column("symbol", String(24), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("last_opened_at", UtcDateTime),
    Column("bars", Integer),
    Column("asked_at", UtcDateTime),
    Column("asked_price", ExactDecimal),
)

intents = Table(
    "intents",  # decisions that are to be made; gone once a call has taken them
    metadata,
    Column("decision_id", String(36), primary_key=True),
    Column("config_id", String(64), nullable=False),
    Column("symbol", String(24), nullable=False),
    Column("trigger", String(16), nullable=False),
    Column("trigger_key", String(160), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

calls = Table(
    "calls",  # one question about some symbols; whoever holds the lease asks it
    metadata,
    Column("call_id", String(36), primary_key=True),
    Column("config_id", String(64), nullable=False),
    Column("trigger", String(16), nullable=False),
    Column("trigger_key", String(160), nullable=False),
    Column("symbols", Json, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("deadline", UtcDateTime, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("asked_by", String(128), nullable=False),
    Column("done", Boolean, nullable=False),
    Column("holder", String(64), nullable=False),
    Column("leased_until", UtcDateTime, nullable=False),
    Column("messages", Json),  # what was asked, as rendered
)
Index("ix_calls_open", calls.c.done, calls.c.leased_until)

decisions = Table(
    "decisions",  # which call answers for a decision; what is here is never asked again
    metadata,
    Column("decision_id", String(36), primary_key=True),
    Column("call_id", String(36), nullable=False, index=True),
    Column("symbol", String(24), nullable=False),
)

llm_attempts = Table(
    "llm_attempts",  # every request to a provider, with its money
    metadata,
    Column("attempt_id", String(36), primary_key=True),
    Column("call_id", String(36), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("config_id", String(64), nullable=False),
    Column("payers", Json, nullable=False),
    Column("provider", String(16), nullable=False),
    Column("model", String(128), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("reserved_usd", ExactDecimal, nullable=False),
    Column("state", String(16), nullable=False),
    Column("cost_usd", ExactDecimal, nullable=False),
    Column("latency_ms", Float, nullable=False),
    Column("status", Integer),
    Column("request_id", String(128), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("error", String(2000), nullable=False),
    Column("usage", Json, nullable=False),
    Column("raw_text", Text, nullable=False),
    Index("ix_llm_attempts_state", "state", "at", "attempt_id"),
)

purses = Table(
    "purses",  # the budget ledger: one row per scope and period, locked in the order of its key
    metadata,
    Column("scope", String(80), primary_key=True),
    Column("period", String(8), primary_key=True),
    Column("key", String(10), primary_key=True),
    Column("spent", ExactDecimal, nullable=False),
    Column("reserved", ExactDecimal, nullable=False),
    Column("held", ExactDecimal, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("alerted", Integer, nullable=False),
    Column("alerted_of", ExactDecimal),
)

cache = Table(
    "cache",  # whole answers by what was asked
    metadata,
    Column("key", String(64), primary_key=True),
    Column("body", Json, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

positions = Table(
    "positions",  # what each bot holds, as the executor last said
    metadata,
    Column("bot", String(64), primary_key=True),
    Column("symbol", String(24), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("body", Json, nullable=False),
)

connections = Table(
    "connections",  # how each config's provider was found last
    metadata,
    Column("config_id", String(64), primary_key=True),
    Column("connected", Boolean, nullable=False),
    Column("trouble", String(32), nullable=False),
    Column("since", UtcDateTime),
    Column("last_ok_at", UtcDateTime),
    Column("last_error", String(2000), nullable=False),
    Column("warnings", Json, nullable=False),
)
