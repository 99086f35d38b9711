"""The tables of qc-ingest."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table

from signalbox.runtime.db import Json, UtcDateTime, new_metadata

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
