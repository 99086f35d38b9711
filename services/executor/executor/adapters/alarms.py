"""Troubles that people were told of and that are not over."""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, select

from executor.adapters import tables
from signalbox.runtime.db import upsert

_PUT = upsert(tables.alarms, ["code", "about"])


@dataclass(frozen=True, slots=True)
class Alarm:
    """One of them."""

    code: str
    about: str
    order_id: str = ""  # where it is an order's, and over with that
    detail: str = ""  # at most 256 characters; another one is told anew


def load(sql: Connection) -> list[Alarm]:
    """All of them."""
    return [Alarm(**row._mapping) for row in sql.execute(select(tables.alarms))]


def put(sql: Connection, alarm: Alarm) -> None:
    """Remember one."""
    sql.execute(_PUT, [asdict(alarm)])


def drop(sql: Connection, alarm: Alarm) -> None:
    """Forget one."""
    rows = tables.alarms.c
    sql.execute(delete(tables.alarms).where(rows.code == alarm.code, rows.about == alarm.about))
