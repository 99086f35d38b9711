"""Column types that keep money and time exact on SQLite and PostgreSQL, and the inserts that both
know.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Insert, String, Table, Text, UpdateBase
from sqlalchemy.dialects.postgresql import insert as insert_on_conflict
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeDecorator

from signalbox.contracts.ids import plain

_write_json = json.JSONEncoder(separators=(",", ":")).encode
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CHUNK = 900  # values in one IN list; SQLite takes 32,766 variables, PostgreSQL's driver 65,535
_MICROSECOND = timedelta(microseconds=1)


def _text_of(value: Decimal | None) -> str | None:
    if value is None:
        return None
    if not value.is_finite():
        raise ValueError(f"{value!r} is not a finite decimal")
    return plain(value)


def _microseconds_of(value: datetime | None) -> int | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return (value - _EPOCH) // _MICROSECOND


def _json_of(value: Any) -> str | None:
    return None if value is None else _write_json(value)


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal as canonical text: every digit kept. Sums and comparisons belong in Python."""

    impl = String(48)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Decimal | None], str | None]:
        """The conversion itself, without the wrapper that a derived type gets: it is hot."""
        return _text_of

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Refuse what is not a finite decimal."""
        return _text_of(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """The decimal that was stored."""
        return None if value is None else Decimal(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time as microseconds since 1970: exact, sortable, the same on every database."""

    impl = BigInteger
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], int | None]:
        """The conversion itself, as above."""
        return _microseconds_of

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Refuse what has no zone."""
        return _microseconds_of(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """The time that was stored, in UTC."""
        return None if value is None else _EPOCH + value * _MICROSECOND


class Json(TypeDecorator[Any]):
    """A value of JSON's own types, as compact text."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str | None]:
        """The conversion itself, as above."""
        return _json_of

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """The value as text."""
        return _json_of(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """The value that was stored."""
        return None if value is None else json.loads(value)


def upsert(table: Table, keys: Sequence[str]) -> Insert:
    """Insert, or overwrite every other column of the row with these keys.

    Both databases speak the same ON CONFLICT; the PostgreSQL construct compiles for SQLite too.
    """
    statement = insert_on_conflict(table)
    others = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    if not others:
        return statement.on_conflict_do_nothing()
    return statement.on_conflict_do_update(index_elements=list(keys), set_=others)


@lru_cache(maxsize=256)
def _compiled(
    statement: UpdateBase, dialect: Dialect, names: tuple[str, ...]
) -> tuple[str, tuple[tuple[str, Any], ...], bool]:
    """A statement's text for the driver, its values in order with their converters, positional."""
    found = statement.compile(dialect=dialect, column_keys=list(names))
    convert = found._bind_processors
    order = found.positiontup if found.positional else list(found.binds)
    wanted = tuple((name, convert.get(name)) for name in order or ())
    return str(found), wanted, bool(found.positional)


def run_many(sql: Connection, statement: UpdateBase, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute a statement that lives as long as the module for many rows with the same keys.

    What `Connection.execute` does, with the work that is the same for every row done once.
    """
    if not rows:
        return
    text, wanted, positional = _compiled(statement, sql.dialect, tuple(rows[0]))
    values: list[Any] = [
        [row[name] if to is None else to(row[name]) for name, to in wanted] for row in rows
    ]
    if positional:
        drive(sql, text, values)
    else:
        names = [name for name, _ in wanted]
        drive(sql, text, [dict(zip(names, row, strict=True)) for row in values])


def drive(sql: Connection, text: str, rows: Sequence[Any] = ((),)) -> Sequence[tuple[Any, ...]]:
    """Execute the driver's own SQL for every row of values; fetches what a single one finds. What
    `exec_driver_sql` does, without its bookkeeping: for the statements of every transaction.

    Raises:
        DBAPIError: as SQLAlchemy would.
    """
    if not sql.in_transaction():
        sql.begin()
    cursor = sql.connection.cursor()
    try:
        if len(rows) == 1:
            cursor.execute(text, rows[0])
            return cursor.fetchall() if cursor.description else []
        cursor.executemany(text, rows)
    except sql.dialect.loaded_dbapi.Error as error:
        found = DBAPIError.instance(
            text, None, error, sql.dialect.loaded_dbapi.Error, dialect=sql.dialect
        )
        raise found from error
    finally:
        cursor.close()
    return []


def mark_of(sql: Connection) -> str:
    """How the driver marks the place of a value."""
    return "?" if sql.dialect.paramstyle == "qmark" else "%s"


def rows_in(
    sql: Connection, query: str, values: Collection[str], *before: str
) -> Iterator[tuple[Any, ...]]:
    """The rows in which the column that `query` ends with holds one of these values, straight
    through the driver; `before` are the values of the query's other conditions, marked with `?`.
    """
    mark = mark_of(sql)
    head = query.replace("?", mark)
    listed = tuple(values)
    for start in range(0, len(listed), _CHUNK):
        some = listed[start : start + _CHUNK]
        marks = ", ".join([mark] * len(some))
        yield from drive(sql, f"{head} IN ({marks})", [(*before, *some)])


def insert_many(sql: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert plain rows, every column in order, straight through the driver: the hottest path.

    Values must be what the driver itself takes: no column type converts them.
    """
    if rows:
        mark = mark_of(sql)
        names = ", ".join(column.name for column in table.columns)
        marks = ", ".join([mark] * len(table.columns))
        statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - names of our own tables
        drive(sql, statement, rows)


def insert_new(table: Table) -> Insert:
    """Insert unless a row with the same key is there."""
    return insert_on_conflict(table).on_conflict_do_nothing()
