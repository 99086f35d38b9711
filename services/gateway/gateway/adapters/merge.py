"""Brings a batch of changes into the read models with one statement per table and kind."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, localcontext
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.dialects.postgresql import insert as insert_on_conflict

from gateway.adapters.llm_tables import llm_trading_decisions
from gateway.adapters.primary_tables import metadata
from gateway.adapters.read_tables import quantconnect_signals, rounds
from gateway.domain.changes import Add, Change, Extend, Latest, New, Put, Replace, Row, Settle
from gateway.domain.curve import STRETCH, Stretch
from signalbox.runtime.db import insert_new, upsert

Key = tuple[object, ...]
_WIDE = Context(prec=60)  # sums of money are exact
_CHUNK = 400  # keys in one IN list
_SIGNAL_OF = {
    quantconnect_signals.name: quantconnect_signals.c.id,
    llm_trading_decisions.name: llm_trading_decisions.c.signal_id,
}  # by table: the column that names a row's signal


@dataclass(slots=True)
class Batch:
    """Changes of many events, folded so that each row is written once."""

    news: dict[str, list[Row]] = field(default_factory=dict)
    puts: dict[tuple[str, tuple[str, ...], tuple[str, ...]], dict[Key, Row]] = field(
        default_factory=dict
    )
    latest: dict[tuple[str, tuple[str, ...], str], dict[Key, Row]] = field(default_factory=dict)
    sums: dict[str, dict[Key, tuple[Row, dict[str, Decimal | int]]]] = field(default_factory=dict)
    replaced: dict[str, dict[Key, Replace]] = field(default_factory=dict)
    curves: dict[str, dict[Key, Stretch]] = field(default_factory=dict)
    settled: dict[str, dict[str, None]] = field(default_factory=dict)

    def add(self, change: Change) -> None:
        """Fold one change in."""
        _FOLDS[type(change)](self, change)

    def write(self, sql: Connection) -> None:
        """Write everything; `processed` last, since it looks at what the others wrote."""
        for name, rows in self.news.items():
            sql.execute(insert_new(metadata.tables[name]), rows)
        for (name, keys, keep), put in self.puts.items():
            statement = _put(metadata.tables[name], keys, keep)
            sql.execute(statement, list(put.values()))
        for (name, keys, by), latest in self.latest.items():
            sql.execute(_latest(metadata.tables[name], keys, by), list(latest.values()))
        for name, sums in self.sums.items():
            _write_sums(sql, metadata.tables[name], sums)
        for name, curves in self.curves.items():
            _write_curves(sql, metadata.tables[name], curves)
        for name, scopes in self.replaced.items():
            _replace(sql, metadata.tables[name], list(scopes.values()))
        for name, signal_ids in self.settled.items():
            for some in _chunks(list(signal_ids)):
                sql.execute(_settle(metadata.tables[name], some))


def apply(sql: Connection, changes: Iterable[Change]) -> None:
    """Write all these changes."""
    batch = Batch()
    for change in changes:
        batch.add(change)
    batch.write(sql)


def _fold_new(batch: Batch, change: New) -> None:
    batch.news.setdefault(change.table, []).append(change.row)


def _fold_put(batch: Batch, change: Put) -> None:
    rows = batch.puts.setdefault((change.table, change.keys, change.keep), {})
    key = tuple(change.row[name] for name in change.keys)
    before = rows.get(key)
    kept = {name: before[name] for name in change.keep} if before else {}
    rows[key] = {**change.row, **kept}


def _fold_latest(batch: Batch, change: Latest) -> None:
    rows = batch.latest.setdefault((change.table, change.keys, change.by), {})
    key = tuple(change.row[name] for name in change.keys)
    before = rows.get(key)
    if before is None or before[change.by] <= change.row[change.by]:  # type: ignore[operator]  # numbers or times
        rows[key] = change.row


def _fold_add(batch: Batch, change: Add) -> None:
    sums = batch.sums.setdefault(change.table, {})
    key = tuple(change.key.values())
    before = sums.get(key)
    sums[key] = (change.key, _plus(before[1], change.amounts) if before else {**change.amounts})


def _fold_replace(batch: Batch, change: Replace) -> None:
    batch.replaced.setdefault(change.table, {})[tuple(change.scope.values())] = change


def _fold_extend(batch: Batch, change: Extend) -> None:
    curves = batch.curves.setdefault(change.table, {})
    key = tuple(change.key[column.name] for column in _key_of(change.table))
    before = curves.get(key)
    curves[key] = before.then(change.stretch) if before else change.stretch


def _fold_settle(batch: Batch, change: Settle) -> None:
    batch.settled.setdefault(change.table, {})[change.signal_id] = None


_FOLDS: Mapping[type, Callable[[Batch, Any], None]] = {
    New: _fold_new,
    Put: _fold_put,
    Latest: _fold_latest,
    Add: _fold_add,
    Replace: _fold_replace,
    Extend: _fold_extend,
    Settle: _fold_settle,
}


def _plus(
    left: Mapping[str, Decimal | int], right: Mapping[str, Decimal | int]
) -> dict[str, Decimal | int]:
    with localcontext(_WIDE):
        return {name: left[name] + amount for name, amount in right.items()}


def _chunks(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))


def _put(table: Table, keys: Sequence[str], keep: Sequence[str]) -> Insert:
    statement = insert_on_conflict(table)
    fixed = {*keys, *keep}
    others = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in fixed}
    return statement.on_conflict_do_update(index_elements=list(keys), set_=others)


def _latest(table: Table, keys: Sequence[str], by: str) -> Insert:
    statement = insert_on_conflict(table)
    others = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    return statement.on_conflict_do_update(
        index_elements=list(keys), set_=others, where=table.c[by] <= statement.excluded[by]
    )


def _write_sums(
    sql: Connection, table: Table, sums: Mapping[Key, tuple[Row, dict[str, Decimal | int]]]
) -> None:
    columns = list(table.primary_key.columns)
    names = [column.name for column in columns]
    wanted = {tuple(key[name] for name in names): amounts for key, amounts in sums.values()}
    for some in _chunks(list(wanted)):
        for row in sql.execute(select(table).where(tuple_(*columns).in_(some))).mappings():
            key = tuple(row[name] for name in names)
            stored = {name: row[name] for name in wanted[key]}
            wanted[key] = _plus(stored, wanted[key])
    rows = [{**dict(zip(names, key, strict=True)), **all_} for key, all_ in wanted.items()]
    sql.execute(upsert(table, names), rows)


@cache
def _key_of(table: str) -> tuple[Column[Any], ...]:
    return tuple(metadata.tables[table].primary_key.columns)


def _write_curves(sql: Connection, table: Table, curves: Mapping[Key, Stretch]) -> None:
    columns, wanted = _key_of(table.name), dict(curves)
    for some in _chunks(list(wanted)):
        for row in sql.execute(select(table).where(tuple_(*columns).in_(some))).mappings():
            key = tuple(row[column.name] for column in columns)
            wanted[key] = Stretch(*(row[name] for name in STRETCH)).then(wanted[key])
    names = [column.name for column in columns]
    rows = [
        {**dict(zip(names, key, strict=True)), **{n: getattr(curve, n) for n in STRETCH}}
        for key, curve in wanted.items()
    ]
    sql.execute(upsert(table, names), rows)


def _replace(sql: Connection, table: Table, changes: Sequence[Replace]) -> None:
    names = list(changes[0].scope)
    where = and_(*(table.c[name] == bindparam(f"scope_{name}") for name in names))
    scopes = [{f"scope_{n}": change.scope[n] for n in names} for change in changes]
    sql.execute(delete(table).where(where), scopes)
    rows = [row for change in changes for row in change.rows]
    if rows:
        sql.execute(table.insert(), rows)


def _settle(table: Table, signal_ids: Sequence[str]) -> Any:
    signal_id = _SIGNAL_OF[table.name]
    judged = exists().where(rounds.c.signal_id == signal_id)
    pending = judged.where(rounds.c.waits_until.is_not(None))
    return update(table).where(signal_id.in_(signal_ids)).values(processed=judged & ~pending)
