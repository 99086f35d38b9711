"""The executor's rows: a handful of statements for a whole batch, rows in and frozen values out."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Select, Table, bindparam, delete, select

from executor.adapters import tables
from executor.adapters.rows import fill_row, lot_of, lot_row, row_of, ticket_of
from executor.domain.book import NO_RISK, Book, Holding, Risk, valued
from executor.domain.desk import Desk, Repeat, Track
from executor.domain.orders import Ticket
from signalbox.contracts.payloads import Lot
from signalbox.runtime.columns import drive, rows_in, run_many
from signalbox.runtime.db import upsert
from signalbox.runtime.outbox import BATCHES

_RISK: TypeAdapter[Risk] = TypeAdapter(Risk)


def _of_bots(table: Table) -> Select[Any]:
    return select(table).where(table.c.bot.in_(bindparam("bots", expanding=True)))


_BOOKS = _of_bots(tables.books)
_TRACKS = _of_bots(tables.tracks)
_OPEN_ORDERS = _of_bots(tables.orders).where(tables.orders.c.open)
_LOTS = _of_bots(tables.lots).order_by(tables.lots.c.opened_at)
_POSITIONS = _of_bots(tables.positions)
_PUT_TRACKS = upsert(tables.tracks, ["bot", "symbol"])
_PUT_BOOKS = upsert(tables.books, ["bot", "account"])
_PUT_POSITIONS = upsert(tables.positions, ["bot", "account", "symbol"])
_PUT_EDITION = upsert(tables.editions, ["id"])
_PUT_ORDERS = upsert(tables.orders, ["order_id"])
_ADD_FILLS = tables.fills.insert()
_PUT_LOTS = upsert(tables.lots, ["lot_id"])
_LOT_GONE = delete(tables.lots).where(tables.lots.c.lot_id == bindparam("gone"))


def edition(sql: Connection) -> int:
    """The number that the last transaction gave the books; 0 before the first."""
    found = drive(sql, "SELECT number FROM editions WHERE id = 1")
    return found[0][0] if found else 0


def read(sql: Connection, desk: Desk, bots: Collection[str]) -> None:
    """Bring the books, open orders and sequences of these bots to the desk."""
    wanted = {"bots": sorted(bots)}
    holdings = _holdings(sql, wanted)
    for row in sql.execute(_BOOKS, wanted).all():
        key = (row.bot, row.account)
        book = Book(
            bot=row.bot,
            account=row.account,
            started_with=row.started_with,
            cash=row.cash,
            realised=row.realised,
            fees=row.fees,
            recent=tuple((second, count) for second, count in row.recent),
            holdings=holdings.get(key, {}),
            risk=_RISK.validate_python(row.risk) if row.risk else NO_RISK,
        )
        desk.books[key] = valued(book)
    for row in sql.execute(_TRACKS, wanted).all():
        desk.tracks[row.bot, row.symbol] = Track(
            row.sequence, row.halted, Repeat(**row.repeat) if row.repeat else None
        )
    desk.hold(ticket_of(row) for row in sql.execute(_OPEN_ORDERS, wanted).all())


def load_known(sql: Connection, desk: Desk, order_ids: Collection[str]) -> None:
    """Tell the desk which of these orders exist."""
    query = "SELECT order_id FROM orders WHERE order_id"
    desk.known.update(found for (found,) in rows_in(sql, query, order_ids))


def find_order(sql: Connection, order_id: str) -> Ticket | None:
    """One order, whatever its state."""
    row = sql.execute(select(tables.orders).where(tables.orders.c.order_id == order_id)).first()
    return ticket_of(row) if row else None


def owners(sql: Connection) -> set[str]:
    """Bots that hold something."""
    lots = tables.lots
    return set(sql.scalars(select(lots.c.bot).distinct()))


def halts(sql: Connection) -> set[tuple[str, str]]:
    """The halted keys."""
    tracks = tables.tracks
    rows = sql.execute(select(tracks.c.bot, tracks.c.symbol).where(tracks.c.halted != ""))
    return {(row.bot, row.symbol) for row in rows}


def risks(sql: Connection) -> dict[tuple[str, str], Risk]:
    """What each book remembers of bad days and orders, by bot and account."""
    books = tables.books.c
    rows = sql.execute(select(books.bot, books.account, books.risk).where(books.risk.is_not(None)))
    return {(row.bot, row.account): _RISK.validate_python(row.risk) for row in rows if row.risk}


def guarded(sql: Connection) -> dict[str, dict[tuple[str, str], tuple[Lot, ...]]]:
    """The lots that something protects: by symbol, then by bot and account."""
    lots = tables.lots
    found: dict[str, dict[tuple[str, str], tuple[Lot, ...]]] = {}
    query = select(lots).where(lots.c.protection.is_not(None)).order_by(lots.c.opened_at)
    for row in sql.execute(query).all():
        holders = found.setdefault(row.symbol, {})
        key = (row.bot, row.account)
        holders[key] = (*holders.get(key, ()), lot_of(row))
    return found


def open_tickets(sql: Connection) -> list[Ticket]:
    """Every order that is not final."""
    query = select(tables.orders).where(tables.orders.c.open)
    return [ticket_of(row) for row in sql.execute(query)]


def save(sql: Connection, desk: Desk) -> int | None:
    """Write what changed, each table in one statement; returns the number of the new edition, or
    None when nothing did.
    """
    if not desk.changed:
        return None
    _write(sql, _PUT_TRACKS, _track_rows(desk))
    _write(sql, _PUT_BOOKS, _book_rows(desk))
    _write(sql, _PUT_POSITIONS, _position_rows(desk))
    _write(sql, _PUT_ORDERS, map(row_of, desk.changed_tickets.values()))
    _write(sql, _ADD_FILLS, map(fill_row, desk.fills))
    gone, kept = _lot_rows(desk)
    _write(sql, _LOT_GONE, gone)
    _write(sql, _PUT_LOTS, kept)
    number = BATCHES.next()
    _write(sql, _PUT_EDITION, [{"id": 1, "number": number}])
    return number


def _holdings(
    sql: Connection, wanted: dict[str, list[str]]
) -> dict[tuple[str, str], dict[str, Holding]]:
    """Every holding with its lots, at its last price."""
    lots: dict[tuple[str, str, str], list[Lot]] = {}
    for row in sql.execute(_LOTS, wanted).all():
        lots.setdefault((row.bot, row.account, row.symbol), []).append(lot_of(row))
    found: dict[tuple[str, str], dict[str, Holding]] = {}
    for bot, account, symbol, quantity, cost, realised, price in sql.execute(_POSITIONS, wanted):
        owned = tuple(lots.get((bot, account, symbol), ()))
        held = found.setdefault((bot, account), {})
        held[symbol] = Holding(quantity, cost, realised, price, owned)
    return found


def _write(sql: Connection, statement: Any, rows: Iterable[dict[str, Any]]) -> None:
    run_many(sql, statement, list(rows))


def _track_rows(desk: Desk) -> Iterator[dict[str, Any]]:
    for bot, symbol in sorted(desk.changed_tracks):
        track = desk.tracks[bot, symbol]
        yield {
            "bot": bot,
            "symbol": symbol,
            "sequence": track.sequence,
            "halted": track.halted,
            "repeat": asdict(track.repeat) if track.repeat else None,
        }


def _book_rows(desk: Desk) -> Iterator[dict[str, Any]]:
    for key in sorted(desk.changed_books):
        book = desk.books[key]
        yield {
            "bot": book.bot,
            "account": book.account,
            "started_with": book.started_with,
            "cash": book.cash,
            "realised": book.realised,
            "fees": book.fees,
            "recent": book.recent,
            "risk": _RISK.dump_python(book.risk, mode="json"),
        }


def _position_rows(desk: Desk) -> Iterator[dict[str, Any]]:
    for bot, account, symbol in sorted(desk.lots_before):
        holding = desk.books[bot, account].holdings[symbol]
        yield {
            "bot": bot,
            "account": account,
            "symbol": symbol,
            "quantity": holding.quantity,
            "cost": holding.cost,
            "realised": holding.realised,
            "price": holding.price,
        }


def _lot_rows(desk: Desk) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    gone: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    for key in sorted(desk.lots_before):
        bot, account, symbol = key
        before = {lot.lot_id: lot for lot in desk.lots_before[key]}
        for lot in desk.books[bot, account].holdings[symbol].lots:
            if before.pop(lot.lot_id, None) is not lot:
                kept.append(lot_row(lot, bot, account, symbol))
        gone.extend({"gone": str(lot_id)} for lot_id in before)
    return gone, kept
