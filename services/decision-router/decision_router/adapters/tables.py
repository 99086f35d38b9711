"""The router's own tables."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from signalbox.runtime.db import UtcDateTime, new_metadata

metadata = new_metadata()

states = Table(
    "states",  # what each bot remembers of each symbol
    metadata,
    Column("bot", String(64), primary_key=True),
    Column("symbol", String(24), primary_key=True),
    Column("sequence", BigInteger, nullable=False),  # of the last verdict
    Column("body", Text, nullable=False),
)

rounds = Table(
    "rounds",  # verdicts that wait for a person, and for a while those that have waited
    metadata,
    Column("verdict_id", String(36), primary_key=True),  # of round 0
    Column("signal_id", String(36), nullable=False, index=True),
    Column("bot", String(64), nullable=False),
    Column("symbol", String(24), nullable=False),
    Column("epoch", Integer, nullable=False),  # of the market clock, as are the next two
    Column("evaluated_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("event", Text, nullable=False),  # round 0 as it was published
    Column("outcome", String(16), nullable=False),  # `pending`, or that of round 1
    Column("reason", String(32), nullable=False),
    Column("decided_by", String(128), nullable=False),  # empty when no person did
    Column("ended_at", UtcDateTime, nullable=True),  # wall time
    Index("ix_rounds_due", "outcome", "expires_at"),
    Index("ix_rounds_ended", "ended_at"),
)
