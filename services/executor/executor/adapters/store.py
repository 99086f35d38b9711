"""The executor's rows: a handful of statements for a whole batch, rows in and frozen values out."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, delete, or_, select

from executor.adapters import tables
from executor.adapters.rows import fill_row, lot_of, lot_row, row_of, ticket_of
from executor.domain.book import Book, Holding, valued
from executor.domain.desk import WHOLE_BOT, Desk, Track
from executor.domain.money import ZERO, halfway
from executor.domain.orders import Ticket
from signalbox.contracts.payloads import Lot
from signalbox.runtime.columns import run_many
from signalbox.runtime.db import upsert

_CHUNK = 500  # values in one IN list


def _of_bots(table: Table) -> Select[Any]:
    return select(table).where(table.c.bot.in_(bindparam("bots", expanding=True)))


def _symbols(table: Table) -> ColumnElement[bool]:
    return table.c.symbol.in_(bindparam("symbols", expanding=True))


_BOOKS = _of_bots(tables.books)
_ALL_TRACKS = _of_bots(tables.tracks)
_TRACKS = _ALL_TRACKS.where(or_(_symbols(tables.tracks), tables.tracks.c.symbol == WHOLE_BOT))
_OPEN_ORDERS = _of_bots(tables.orders).where(tables.orders.c.open)
_ALL_LOTS = _of_bots(tables.lots).order_by(tables.lots.c.opened_at)
_LOTS = _ALL_LOTS.where(_symbols(tables.lots))
_ALL_POSITIONS = _of_bots(tables.positions)
_POSITIONS = _ALL_POSITIONS.where(
    or_(
        _symbols(tables.positions),
        tables.positions.c.quantity != ZERO,
        tables.positions.c.cost != ZERO,
    )
)
_KNOWN = select(tables.orders.c.order_id).where(
    tables.orders.c.order_id.in_(bindparam("names", expanding=True))
)
_PUT_TRACKS = upsert(tables.tracks, ["bot", "symbol"])
_PUT_BOOKS = upsert(tables.books, ["bot", "account"])
_PUT_POSITIONS = upsert(tables.positions, ["bot", "account", "symbol"])
_PUT_ORDERS = upsert(tables.orders, ["order_id"])
_ADD_FILLS = tables.fills.insert()
_PUT_LOTS = upsert(tables.lots, ["lot_id"])
_LOT_GONE = delete(tables.lots).where(tables.lots.c.lot_id == bindparam("gone"))


def load(
    sql: Connection, desk: Desk, bots: Collection[str], symbols: Collection[str] | None = None
) -> None:
    """Bring the books, open orders and sequences of these bots to the desk.

    Lots come for `symbols` only, or for all: nothing else may be traded in this transaction.
    """
    wanted = {"bots": sorted(bots), "symbols": sorted(symbols or ())}
    few = symbols is not None
    holdings = _holdings(sql, desk, wanted, few=few)
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
        )
        desk.books[key] = valued(book)
    for row in sql.execute(_TRACKS if few else _ALL_TRACKS, wanted).all():
        desk.tracks[row.bot, row.symbol] = Track(row.sequence, row.halted)
    desk.hold(ticket_of(row) for row in sql.execute(_OPEN_ORDERS, wanted).all())


def load_known(sql: Connection, desk: Desk, order_ids: Collection[str]) -> None:
    """Tell the desk which of these orders exist."""
    names = sorted(order_ids)
    for start in range(0, len(names), _CHUNK):
        desk.known.update(sql.scalars(_KNOWN, {"names": names[start : start + _CHUNK]}))


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


def open_tickets(sql: Connection) -> list[Ticket]:
    """Every order that is not final."""
    query = select(tables.orders).where(tables.orders.c.open)
    return [ticket_of(row) for row in sql.execute(query)]


def save(sql: Connection, desk: Desk) -> None:
    """Write what changed, each table in one statement."""
    _write(sql, _PUT_TRACKS, _track_rows(desk))
    _write(sql, _PUT_BOOKS, _book_rows(desk))
    _write(sql, _PUT_POSITIONS, _position_rows(desk))
    _write(sql, _PUT_ORDERS, map(row_of, desk.changed_tickets.values()))
    _write(sql, _ADD_FILLS, map(fill_row, desk.fills))
    gone, kept = _lot_rows(desk)
    _write(sql, _LOT_GONE, gone)
    _write(sql, _PUT_LOTS, kept)


def _holdings(
    sql: Connection, desk: Desk, wanted: dict[str, list[str]], *, few: bool
) -> dict[tuple[str, str], dict[str, Holding]]:
    """Every holding that is not flat or may be traded, at the newest mid, else its last price."""
    lots: dict[tuple[str, str, str], list[Lot]] = {}
    for row in sql.execute(_LOTS if few else _ALL_LOTS, wanted).all():
        lots.setdefault((row.bot, row.account, row.symbol), []).append(lot_of(row))
    found: dict[tuple[str, str], dict[str, Holding]] = {}
    rows = sql.execute(_POSITIONS if few else _ALL_POSITIONS, wanted).all()
    for bot, account, symbol, quantity, cost, realised, price in rows:
        owned = tuple(lots.get((bot, account, symbol), ()))
        desk.lots_before[bot, account, symbol] = owned
        quote = desk.quotes.get(symbol)
        mark = halfway(quote) if quote else price
        held = found.setdefault((bot, account), {})
        held[symbol] = Holding(quantity, cost, realised, mark, owned)
    return found


def _write(sql: Connection, statement: Any, rows: Iterable[dict[str, Any]]) -> None:
    run_many(sql, statement, list(rows))


def _track_rows(desk: Desk) -> Iterator[dict[str, Any]]:
    for bot, symbol in sorted(desk.changed_tracks):
        track = desk.tracks[bot, symbol]
        yield {"bot": bot, "symbol": symbol, "sequence": track.sequence, "halted": track.halted}


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
        }


def _position_rows(desk: Desk) -> Iterator[dict[str, Any]]:
    for bot, account, symbol in sorted(desk.changed_holdings):
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
    for key in sorted(desk.changed_holdings):
        bot, account, symbol = key
        before = {lot.lot_id: lot for lot in desk.lots_before.get(key, ())}
        for lot in desk.books[bot, account].holdings[symbol].lots:
            if before.pop(lot.lot_id, None) is not lot:
                kept.append(lot_row(lot, bot, account, symbol))
        gone.extend({"gone": str(lot_id)} for lot_id in before)
    return gone, kept
