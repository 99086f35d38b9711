"""Signals that were taken back, for as long as a verdict on them may still come."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, delete, select

from executor.adapters import tables
from signalbox.runtime.columns import run_many
from signalbox.runtime.db import upsert

_KEPT = timedelta(days=7)  # wall time; no signal stands longer
_PUT = upsert(tables.withdrawals, ["signal_id"])


def load(sql: Connection) -> dict[UUID, datetime]:
    """Until when each signal may be acted on, in market time."""
    rows = sql.execute(select(tables.withdrawals.c.signal_id, tables.withdrawals.c.valid_until))
    return {UUID(row.signal_id): row.valid_until for row in rows.all()}


def waiting_for(sql: Connection, signals: Collection[UUID]) -> set[str]:
    """Bots with an open order that one of these signals asked for."""
    orders, names = tables.orders.c, [str(signal) for signal in signals]
    query = select(orders.bot).where(orders.open, orders.signal_id.in_(names)).distinct()
    return set(sql.scalars(query))


def save(sql: Connection, changed: Mapping[UUID, datetime], wall: datetime) -> bool:
    """Keep what was taken back now, and forget what was long ago; returns whether any was."""
    old = tables.withdrawals.c.heard_at < wall - _KEPT
    gone = sql.execute(delete(tables.withdrawals).where(old)).rowcount
    rows = [
        {"signal_id": str(signal), "valid_until": until, "heard_at": wall}
        for signal, until in changed.items()
    ]
    run_many(sql, _PUT, rows)
    return gone > 0
