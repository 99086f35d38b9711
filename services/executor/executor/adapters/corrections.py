"""What people have corrected in the books: who, when, why, from what to what."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from executor.adapters import tables

_C = tables.corrections.c


def made(sql: Connection, request_id: str) -> tuple[dict[str, Any], str] | None:
    """What a correction asked for that was made under this request, and in which account; None when
    none was.
    """
    found = sql.execute(select(_C.asked, _C.account).where(_C.request_id == request_id)).first()
    return (found.asked, found.account) if found else None


def add(sql: Connection, row: dict[str, Any]) -> None:
    """Keep one for good."""
    sql.execute(insert(tables.corrections), [row])


def newest(sql: Connection, bot: str, account: str, symbol: str) -> datetime | None:
    """Market time of the last one of a holding."""
    mine = (_C.bot == bot, _C.account == account, _C.symbol == symbol)
    found: datetime | None = sql.scalar(select(func.max(_C.at)).where(*mine))
    return found
