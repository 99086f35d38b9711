"""The lab's own tables."""

from sqlalchemy import Column, Index, Integer, String, Table

from signalbox.runtime.db import ExactDecimal, UtcDateTime, new_metadata

metadata = new_metadata()

scores = Table(
    "scores",  # one row per signal: what is to be scored, and what came of it
    metadata,
    Column("signal_id", String(36), primary_key=True),
    Column("source_type", String(16), nullable=False),
    Column("source_id", String(128), nullable=False),
    Column("symbol", String(24), nullable=False),
    Column("action", String(8), nullable=False),
    Column("confidence", ExactDecimal, nullable=False),
    Column("raised_at", UtcDateTime, nullable=False),  # market time, as is the next
    Column("due_at", UtcDateTime, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # waiting, scored, unscored
    Column("why", String(16), nullable=False),  # why it has no score, else empty
    Column("forward_return", ExactDecimal, nullable=True),
    Column("ended_at", UtcDateTime, nullable=True),  # wall time
    Index("ix_scores_due", "state", "due_at"),
    Index("ix_scores_ended", "ended_at"),
)
