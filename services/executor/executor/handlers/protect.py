"""Stops, targets, trailing stops and time: what closes a lot while nobody says anything. It works
under the kill switch, and whether or not the lot's source is alive.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection

from executor.adapters import corrections, store
from executor.domain.book import Book, position_of
from executor.domain.broker import routing
from executor.domain.desk import Desk
from executor.domain.exits import exit_of
from executor.domain.guards import STOPS, Alarm, alarm, exit_name, trailed
from executor.domain.money import ZERO
from executor.domain.orders import MOST_ATTEMPTS, refused
from executor.handlers.booking import ExecutorMoment, place, quote_for, ticket_of
from signalbox.contracts import ids
from signalbox.contracts.events import Event, PositionChanged
from signalbox.contracts.payloads import Lot, Order, Quote
from signalbox.contracts.values import OrderState

_AGAIN = timedelta(minutes=1)  # market time


def protect(
    sql: Connection,
    desk: Desk,
    symbols: Collection[str],
    moment: ExecutorMoment,
    *,
    left: Collection[UUID] = (),
) -> Iterator[Event]:
    """Close every lot of these symbols whose stop, target or time has come, each once for each
    trigger; follow the best price of those that trail. The stops of the lots that are `left` to
    their broker are carried out there.
    """
    for _, book in sorted(desk.books.items()):
        for symbol in sorted(symbols & book.holdings.keys()):
            quote = quote_for(desk, desk.bots.get(book.bot), symbol, moment)
            for lot, why in _due(book, symbol, quote, moment, left=left):
                yield from _close(sql, desk, book, lot, why, moment=moment, symbol=symbol)
            if quote is not None:
                yield from _follow(desk, book, symbol, quote, moment)


def _due(
    book: Book,
    symbol: str,
    quote: Quote | None,
    moment: ExecutorMoment,
    *,
    left: Collection[UUID],
) -> list[tuple[Lot, Alarm]]:
    found = ((lot, alarm(lot, quote, moment.now)) for lot in book.holdings[symbol].lots)
    return [
        (lot, why)
        for lot, why in found
        if why is not None and not (lot.lot_id in left and why.trigger in STOPS)
    ]


def _close(
    sql: Connection,
    desk: Desk,
    book: Book,
    lot: Lot,
    why: Alarm,
    *,
    moment: ExecutorMoment,
    symbol: str,
) -> Iterator[Event]:
    leaving = (
        lot.lot_id in ticket.targets
        for ticket in desk.open_orders(book.bot, symbol)
        if ticket.order.account == book.account and not ticket.stop
    )
    attempt = None if any(leaving) else _attempt(sql, book, lot, why, moment=moment, symbol=symbol)
    if attempt is not None:
        order = _order(desk, book, lot, why, moment=moment, symbol=symbol, attempt=attempt)
        yield from place(desk, ticket_of(desk, order, (lot.lot_id,)), moment, None)


def _attempt(
    sql: Connection, book: Book, lot: Lot, why: Alarm, *, moment: ExecutorMoment, symbol: str
) -> int | None:
    """Which order for this lot and trigger is due, from 0; None when the one before has done all
    that may be done. One that the broker has ended is followed by another after a while, one that
    has ended before the lot was corrected at once.
    """
    corrected = corrections.newest(sql, book.bot, book.account, symbol)
    for attempt in range(MOST_ATTEMPTS):
        before = store.find_order(sql, _name(book, lot, why, attempt))
        if before is None:
            return attempt
        ended = before.order.at
        again = refused(before) and moment.now - ended >= _AGAIN
        if not again and (before.open or corrected is None or ended > corrected):
            return None
    return None


def _follow(
    desk: Desk, book: Book, symbol: str, quote: Quote, moment: ExecutorMoment
) -> Iterator[Event]:
    now = desk.book(book.bot, book.account)
    holding = now.holdings[symbol]
    better = {lot.lot_id: trailed(lot, quote) for lot in holding.lots}
    if not any(better.values()):
        return
    lots = tuple(better[lot.lot_id] or lot for lot in holding.lots)
    now = replace(now, holdings={**now.holdings, symbol: replace(holding, lots=lots)})
    desk.put_book(now, symbol)
    cause = f"trail|{book.account}|{quote.epoch}|{quote.at.isoformat()}"
    yield moment.event(PositionChanged, position_of(now, symbol, moment.now, cause))


def _name(book: Book, lot: Lot, why: Alarm, attempt: int) -> str:
    return exit_name(lot.lot_id, why.trigger, book.bot, book.account, attempt)


def _order(
    desk: Desk,
    book: Book,
    lot: Lot,
    why: Alarm,
    *,
    moment: ExecutorMoment,
    symbol: str,
    attempt: int,
) -> Order:
    name, intent = _name(book, lot, why, attempt), exit_of((lot,), book.account)
    return Order(
        order_id=name,
        intent_id=ids.derive("exit", lot.lot_id, why.trigger, book.bot, book.account),
        bot=book.bot,
        account=book.account,
        symbol=symbol,
        side=intent.side,
        purpose="protective",
        trigger=why.trigger,
        attempt=attempt,
        quantity=intent.quantity,
        filled=ZERO,
        state=OrderState.PLANNED,
        message=why.message,
        numbers=why.numbers,
        source_type=lot.source_type,
        source_id=lot.source_id,
        confidence=lot.confidence,
        **routing(desk.accounts.get(book.account), name),
        fence=moment.fence,
        at=moment.now,
    )
