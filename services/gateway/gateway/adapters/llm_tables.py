"""Language models: configuration and prompts, and the read models of what the models answered."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from gateway.adapters.primary_tables import metadata
from signalbox.runtime.db import ExactDecimal, Json, UtcDateTime

llm_trading_configs = Table(
    "llm_trading_configs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("user_id", String(32), nullable=False, index=True),  # who made it
    Column("name", String(128), nullable=False),
    Column("provider", String(16), nullable=False),
    Column("api_key", Text, nullable=False),  # sealed to llm-decider
    Column("api_key_hint", String(4), nullable=False),
    Column("api_key_at", UtcDateTime),
    Column("fingerprint", String(64), nullable=False),
    Column("target", String(8), nullable=False),
    Column("model", String(128), nullable=False),  # empty until a person has picked one
    Column("prompt_template", String(64), nullable=False),  # id of a prompt
    Column("max_tokens", Integer, nullable=False),
    Column("temperature", ExactDecimal),
    Column("is_active", Boolean, nullable=False, index=True),
    Column("settings", Json, nullable=False),  # everything else of LlmConfig, by its names
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

prompts = Table(
    "prompts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("active_version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),  # when a version came or was activated
)

prompt_versions = Table(
    "prompt_versions",  # they never change
    metadata,
    Column("prompt_id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("name", String(128), nullable=False),
    Column("system", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("hash", String(64), nullable=False),  # SHA-256 of both parts, hexadecimal
    Column("created_by", String(128), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

prompt_activations = Table(
    "prompt_activations",  # who let decisions use which version, and when
    metadata,
    Column("prompt_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # counts from 1
    Column("version", Integer, nullable=False),
    Column("previous", Integer),
    Column("by", String(128), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

llm_trading_decisions = Table(
    "llm_trading_decisions",
    metadata,
    Column("id", String(36), primary_key=True),  # also the event's id
    Column("config_id", String(64), nullable=False),
    Column("symbol", String(24), nullable=False),
    Column("decision", String(8)),  # the action; none where there is no answer
    Column("outcome", String(16), nullable=False),
    Column("target", String(8)),  # real or sandbox; none where llm-decider did not say
    Column("reasoning", Text, nullable=False),
    Column("confidence", ExactDecimal),
    Column("market_data", Json, nullable=False),  # what the model was shown
    Column("cost", ExactDecimal, nullable=False),  # US dollars
    Column("processed", Boolean, nullable=False, index=True),
    Column("provider", String(128), nullable=False),
    Column("model", String(128), nullable=False),
    Column("prompt_version", String(128), nullable=False),
    Column("call_id", String(36)),
    Column("attempts", Integer, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("signal_id", String(36), index=True),
    Column("created_at", UtcDateTime, nullable=False),  # wall time of the answer
    Index("ix_llm_trading_decisions_created_at", "created_at", "id"),
    Index("ix_llm_trading_decisions_config_id", "config_id", "created_at"),
    Index("ix_llm_trading_decisions_symbol", "symbol", "created_at"),
)

COUNTED = (
    "decisions",
    "answered",
    "refused",
    "truncated",
    "invalid",
    "failed",
    "over_budget",
    "buys",
    "sells",
    "closes",
    "holds",
    "abstained",
    "cached",
    "dry_runs",
    "signals",
    "tokens_in",
    "tokens_out",
    "tokens_cached",
    "tokens_reasoning",
    "latency_ms",
)
SUMMED = ("cost_usd", "estimated_usd")

llm_usage = Table(
    "llm_usage",  # sums over decisions by wall-clock day, UTC
    metadata,
    Column("day", UtcDateTime, primary_key=True, autoincrement=False),
    Column("config_id", String(64), primary_key=True),
    Column("symbol", String(24), primary_key=True),
    Column("provider", String(128), primary_key=True),
    Column("model", String(128), primary_key=True),
    Column("prompt_version", String(128), primary_key=True),
    Column("target", String(8), primary_key=True),  # empty where llm-decider did not say
    *(Column(name, ExactDecimal, nullable=False) for name in SUMMED),
    *(Column(name, BigInteger, nullable=False) for name in COUNTED),
)
