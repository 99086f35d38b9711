"""What nothing rebuilds: users, configuration, and the archive of events."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from signalbox.runtime.db import ExactDecimal, Json, UtcDateTime, new_metadata

metadata = new_metadata()

users = Table(
    "users",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("username", String(64), nullable=False, unique=True),
    Column("password_hash", String(256), nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", String(64), primary_key=True),  # SHA-256 of the token, hexadecimal
    Column("user_id", String(32), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

failures = Table(
    "failures",  # sign-ins in a row that failed
    metadata,
    Column("key", String(200), primary_key=True),  # account:<hash of the name> or address:<address>
    Column("count", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False, index=True),
)

api_tokens = Table(
    "api_tokens",  # of programs; deleted when they are taken back
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),  # their signals' source id
    Column("hash", String(64), nullable=False),  # SHA-256 of the token, hexadecimal
    Column("scopes", String(64), nullable=False),  # with spaces between
    Column("created_by", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),
)

submissions = Table(
    "submissions",  # signals that were handed in, so that a repeat gets the same answer
    metadata,
    Column("source_type", String(16), primary_key=True),
    Column("source_id", String(128), primary_key=True),
    Column("key", String(64), primary_key=True),  # the sender's idempotency key
    Column("body_hash", String(64), nullable=False),
    Column("answer", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
)

bots = Table(
    "bots",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("bound_version", Integer, nullable=False),
    Column("body", Json, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("mode", String(8), nullable=False),
    Column("body", Json, nullable=False),
)

quantconnect_configs = Table(
    "quantconnect_configs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("user_id", String(32), nullable=False, index=True),  # who made it
    Column("name", String(128), nullable=False),
    Column("api_key", String(128), nullable=False),  # QuantConnect's user id
    Column("api_secret", Text, nullable=False),  # the API token, sealed to qc-ingest
    Column("api_secret_hint", String(4), nullable=False),
    Column("api_secret_at", UtcDateTime),
    Column("fingerprint", String(64), nullable=False),
    Column("target", String(8), nullable=False),
    Column("algorithm_id", BigInteger),  # the project that is followed; none follows all
    Column("algorithm_name", String(256), nullable=False),
    Column("is_active", Boolean, nullable=False, index=True),
    Column("signals_from", String(16), nullable=False),
    Column("default_confidence", ExactDecimal, nullable=False),
    Column("max_age_s", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("webhook", Json),  # its secrets sealed to the gateway, and what may be shown of them
)

pushes = Table(
    "pushes",  # calls of webhooks, so that a repeat is known
    metadata,
    Column("id", String(36), primary_key=True),  # also the event's id
    Column("config_id", String(64), nullable=False),
    Column("received_at", UtcDateTime, nullable=False, index=True),
    Index("ix_pushes_config", "config_id", "received_at"),
)

strategies = Table(
    "strategies",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("body", Json, nullable=False),
)

switches = Table(
    "switches",  # flags, kill_switch, market
    metadata,
    Column("name", String(32), primary_key=True),
    Column("body", Json, nullable=False),
)

config_versions = Table(
    "config_versions",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("author", String(128), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("documents", Json, nullable=False),  # by service
)

markers = Table(
    "markers",  # what is done once in a database's life
    metadata,
    Column("name", String(64), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)

events = Table(
    "events",  # every stream but MARKET, for good
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String(36), nullable=False, unique=True),
    Column("stream", String(16), nullable=False),
    Column("type", String(64), nullable=False),
    Column("subject", Text, nullable=False),
    Column("source", String(64), nullable=False),
    Column("correlation_id", String(36), nullable=False, index=True),
    Column("bot", String(64)),
    Column("symbol", String(24)),
    Column("at", UtcDateTime, nullable=False),  # wall time at which it was made
    Column("body", Text, nullable=False),
)
Index("ix_events_type_seq", events.c.type, events.c.seq)
