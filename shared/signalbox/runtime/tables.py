"""The tables that every service with a database has beside its own."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

RUNTIME_TABLES = ("inbox", "outbox", "attempts", "answers", "fence")


def new_metadata() -> MetaData:
    """Fresh metadata that already holds the runtime's tables.

    `batch` is the time of the transaction in microseconds times 4096, plus a number of the process:
    unique, and in order of commit within a process.
    """
    metadata = MetaData()
    Table(
        "inbox",  # handled messages: what is here is never handled again
        metadata,
        Column("consumer", String(64), primary_key=True),
        Column("id", String(36), primary_key=True),
        Column("batch", BigInteger, nullable=False, index=True),
    )
    _add_outbox(metadata)
    Table(
        "attempts",  # messages that failed: how often
        metadata,
        Column("consumer", String(64), primary_key=True),
        Column("id", String(36), primary_key=True),
        Column("count", Integer, nullable=False),
    )
    Table(
        "answers",  # what a command answered, so that a repeat acts once
        metadata,
        Column("request_id", String(128), primary_key=True),
        Column("body", Text, nullable=False),
        Column("batch", BigInteger, nullable=False, index=True),
    )
    Table(
        "fence",  # one row: who may write
        metadata,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("number", BigInteger, nullable=False),
        Column("holder", String(64), nullable=False),
        Column("expires_at", BigInteger, nullable=False),  # wall time, microseconds
    )
    return metadata


def _add_outbox(metadata: MetaData) -> None:
    outbox = Table(
        "outbox",  # events to publish, kept as long as the streams keep them
        metadata,
        Column("batch", BigInteger, primary_key=True, autoincrement=False),
        Column("n", Integer, primary_key=True, autoincrement=False),
        Column("id", String(128), nullable=False),
        Column("subject", String(512), nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("trace", String(55), nullable=False),
        Column("sent", Boolean, nullable=False),
    )
    Index(
        "ix_outbox_unsent",
        outbox.c.batch,
        sqlite_where=text("sent = 0"),
        postgresql_where=text("NOT sent"),
    )
