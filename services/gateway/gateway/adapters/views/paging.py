"""Lists sorted by time and key, cut by keyset: no page skips or repeats a row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    tuple_,
    type_coerce,
)

from gateway.domain.cursor import Cursor, Page


@dataclass(frozen=True, slots=True)
class Span:
    """From (inclusive) until (exclusive); none is open."""

    start: datetime | None = None
    end: datetime | None = None

    def within(self, at: Column[Any]) -> list[ColumnElement[bool]]:
        """The conditions on a time column."""
        after = [at >= self.start] if self.start else []
        return after + ([at < self.end] if self.end else [])


ALWAYS = Span()


def equal(pairs: Sequence[tuple[Column[Any], object | None]]) -> list[ColumnElement[bool]]:
    """One condition for each value that is given."""
    return [column == value for column, value in pairs if value is not None]


def cut(
    sql: Connection,
    query: Select[Any],
    at: Column[Any],
    key: Column[Any],
    page: Page,
    *,
    rising: bool = False,
) -> tuple[list[Row[Any]], str | None]:
    """The rows of one page, newest first or `rising`, and the cursor of the next one."""
    moment = type_coerce(at, BigInteger)
    if page.after is not None:
        place, seen = tuple_(moment, key), (page.after.at_us, page.after.key)
        query = query.where(place > seen if rising else place < seen)
    query = query.add_columns(moment.label("cursor_at"), key.label("cursor_key"))
    order = (at.asc(), key.asc()) if rising else (at.desc(), key.desc())
    query = query.order_by(*order).limit(page.limit + 1)
    rows = list(sql.execute(query))
    if len(rows) <= page.limit:
        return rows, None
    last = rows[page.limit - 1]
    return rows[: page.limit], Cursor(last.cursor_at, str(last.cursor_key)).encode()
