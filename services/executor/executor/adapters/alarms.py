"""The rows of what people were told of and that is not over."""

from dataclasses import asdict

from sqlalchemy import Connection, delete, select

from executor.adapters import tables
from executor.domain.alarms import Alarm
from signalbox.runtime.db import upsert

_PUT = upsert(tables.alarms, ["code", "about"])


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
