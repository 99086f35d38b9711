"""Reading whole tables once, at start, to compare the books with the fills."""

from collections.abc import Iterator
from decimal import Decimal

from sqlalchemy import Connection, select

from executor.adapters import tables
from executor.domain.check import Kept, Sums, Traded
from executor.domain.money import ZERO, add

_AT_ONCE = 2000


def kept(sql: Connection) -> Kept:
    """What the books say."""
    lots: dict[tuple[str, str, str], Decimal] = {}
    for row in sql.execute(select(tables.lots)):
        key = (row.bot, row.account, row.symbol)
        lots[key] = add(lots.get(key, ZERO), row.quantity)
    books = sql.execute(select(tables.books)).all()
    return Kept(
        positions={
            (row.bot, row.account, row.symbol): row.quantity
            for row in sql.execute(select(tables.positions))
        },
        lots=lots,
        cash={(row.bot, row.account): row.cash for row in books},
        started_with={(row.bot, row.account): row.started_with for row in books},
    )


def sums(sql: Connection) -> Sums:
    """What fills and splits add up to, the former read in portions."""
    total = Sums()
    total.take(_fills(sql))
    c = tables.corrections.c
    for row in sql.execute(select(c.bot, c.account, c.symbol, c.split_units)):
        total.split((row.bot, row.account, row.symbol), row.split_units)
    return total


def _fills(sql: Connection) -> Iterator[Traded]:
    f = tables.fills.c
    query = select(f.bot, f.account, f.symbol, f.side, f.quantity, f.price, f.fee)
    for row in sql.execute(query.execution_options(yield_per=_AT_ONCE)):
        yield Traded(
            row.bot, row.account, row.symbol, row.side == "buy", row.quantity, row.price, row.fee
        )
