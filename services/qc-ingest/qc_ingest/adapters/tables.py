"""The tables of qc-ingest."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table, Text

from signalbox.runtime.db import ExactDecimal, Json, UtcDateTime, new_metadata

metadata = new_metadata()

cursors = Table(
    "cursors",  # how far each list of each deployment has been read
    metadata,
    Column("config_id", String(64), primary_key=True),
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("deploy_id", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("next_index", Integer, nullable=False),
    Column("reread_from", Integer, nullable=False),
    Column("history", Boolean, nullable=False),
    Column("closed", Boolean, nullable=False),
)

known = Table(
    "known",  # every word that was ever seen, so that none is counted twice
    metadata,
    Column("config_id", String(64), primary_key=True),
    Column("own_id", String(128), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("project_id", BigInteger, nullable=False),
    Column("deploy_id", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", String(256), nullable=False),
    Column("symbol", String(32), nullable=False),
    Column("direction", String(16), nullable=False),
    Column("valid_until", UtcDateTime),
    Column("seen_at", UtcDateTime, nullable=False, index=True),
    Column("body", Json),
)

leases = Table(
    "leases",  # which replica polls which config
    metadata,
    Column("config_id", String(64), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

connections = Table(
    "connections",  # how each config's last polling cycle went
    metadata,
    Column("config_id", String(64), primary_key=True),
    Column("trouble", String(16)),
    Column("connected", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("since", UtcDateTime),
    Column("last_ok_at", UtcDateTime),
    Column("last_error", String(1024), nullable=False),
    Column("clock_skew_s", Json),
)

jobs = Table(
    "jobs",  # deployments and backtests that somebody asked for, and how far each is
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("config_id", String(64), nullable=False, index=True),
    Column("project_id", BigInteger, nullable=False),
    Column("target", String(16), nullable=False),
    Column("requested_by", String(128), nullable=False),
    Column("asked", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("status", String(16), nullable=False),
    Column("step", String(32), nullable=False),
    Column("step_since", UtcDateTime, nullable=False),
    Column("percent", Integer, nullable=False),
    Column("message", String(2048), nullable=False),
    Column("project_name", String(128), nullable=False),
    Column("organization_id", String(64), nullable=False),
    Column("compile_id", String(80), nullable=False),
    Column("node_id", String(64), nullable=False),
    Column("earlier_id", String(64), nullable=False),
    Column("sent_at", UtcDateTime),
    Column("quantconnect_id", String(64), nullable=False),
    Column("found", Json, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("cancel", Boolean, nullable=False),
    Column("due_at", UtcDateTime, index=True),
    Column("holder", String(64)),
    Column("expires_at", UtcDateTime),
)

results = Table(
    "results",  # what a finished backtest left behind
    metadata,
    Column("backtest_id", String(36), primary_key=True),
    Column("performance", Json, nullable=False),
    Column("error", Text, nullable=False),
    Column("stacktrace", Text, nullable=False),
    Column("notes", Json, nullable=False),
    Column("equity", Json, nullable=False),
    Column("benchmark", Json, nullable=False),
    Column("drawdown", Json, nullable=False),
)

pages = Table(
    "pages",  # trades, orders and insights of finished backtests, a hundred a row
    metadata,
    Column("backtest_id", String(36), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("start", Integer, primary_key=True, autoincrement=False),
    Column("length", Integer, nullable=False),
    Column("is_last", Boolean, nullable=False),
    Column("rows", Json, nullable=False),
)

performance = Table(
    "performance",  # how live deployments did, at most one row in ten minutes
    metadata,
    Column("config_id", String(64), primary_key=True),
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, primary_key=True),
    Column("deploy_id", String(64), nullable=False),
    Column("equity", ExactDecimal),
    Column("holdings", ExactDecimal),
    Column("unrealized", ExactDecimal),
    Column("net_profit", ExactDecimal),
    Column("fees", ExactDecimal),
    Column("total_return", ExactDecimal),
)
