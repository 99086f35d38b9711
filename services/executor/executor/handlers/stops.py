"""Transactions on stops that rest with a broker: placing one, calling them back, closing what one
has left.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from executor.adapters import corrections, store
from executor.domain.book import FLAT, Book
from executor.domain.broker import Asset, routing
from executor.domain.desk import Desk
from executor.domain.guards import STOPS, alarm, exit_name
from executor.domain.money import ZERO
from executor.domain.orders import MOST_ATTEMPTS, Ticket, advance
from executor.domain.resting import (
    BY_HAND,
    LOOKED_AT,
    Level,
    Turn,
    count_of,
    level_of,
    name_of,
    one_sided,
    rest_of,
    turn_of,
)
from executor.domain.scene import Denial
from executor.domain.submission import hindrance
from executor.handlers.booking import ExecutorMoment, end, place, quote_for, record, scene_of
from executor.handlers.booking import ticket_of as exit_ticket
from signalbox.contracts import ids
from signalbox.contracts.events import Event
from signalbox.contracts.payloads import Lot, Order
from signalbox.contracts.values import OrderKind, OrderState

_TWO_SIDED = Denial("two_sided", "long and short lots are held; the broker knows their sum only")
_MAKES_WAY = Denial("makes_way", "another order on the symbol goes first; a stop follows after it")


@dataclass(slots=True)
class Placing:
    """Stops of one symbol in one account, as they are to be placed."""

    account: str
    symbol: str
    asset: Asset | None
    begun: Ticket | None = None  # the one that is to be sent now
    given_up: list[Lot] = field(default_factory=list)  # lots that are watched here only


def tickets_of(desk: Desk, account: str, symbol: str) -> list[Ticket]:
    """All open orders on a symbol in an account, whichever bot's."""
    return [
        ticket
        for bot in sorted(desk.waiting)
        for ticket in desk.open_orders(bot, symbol)
        if ticket.order.account == account
    ]


def call_back_all(desk: Desk, account: str, symbol: str, moment: ExecutorMoment) -> Iterator[Event]:
    """Every stop on a symbol in an account is to end, because something else goes first."""
    yield from _call_back(desk, account, symbol, _MAKES_WAY, moment)


def _call_back(
    desk: Desk, account: str, symbol: str, why: Denial, moment: ExecutorMoment
) -> Iterator[Event]:
    for ticket in tickets_of(desk, account, symbol):
        if ticket.stop:
            yield from end(desk, ticket, (OrderState.CANCELED, why), moment)


def keep_apart(desk: Desk, account: str, symbol: str, moment: ExecutorMoment) -> Iterator[Event]:
    """Where a fill that nobody expected has left long lots and short ones, no stop stays."""
    books = (book for (_, where), book in desk.books.items() if where == account)
    lots = [lot for book in books for lot in book.holdings.get(symbol, FLAT).lots]
    if lots and not one_sided(lots):
        yield from _call_back(desk, account, symbol, _TWO_SIDED, moment)


def place_one(
    sql: Connection, desk: Desk, placing: Placing, moment: ExecutorMoment
) -> Iterator[Event]:
    """A stop for the first lot that may have one and has none: named and stored, to be sent after
    the commit. None while anything else is open on the symbol. It is no trade of its source: it
    counts for no limit.
    """
    account, symbol = placing.account, placing.symbol
    placing.begun, placing.given_up = None, []
    tickets = tickets_of(desk, account, symbol)
    if any(not ticket.resting for ticket in tickets):
        return
    books = [book for (_, where), book in sorted(desk.books.items()) if where == account]
    lots = [(book, lot) for book in books for lot in book.holdings.get(symbol, FLAT).lots]
    if not one_sided(lot for _, lot in lots):
        return
    have = {target for ticket in tickets for target in ticket.targets}
    for book, lot in lots:
        level = level_of(symbol, lot)
        if level is None or lot.lot_id in have:
            continue
        ticket = _next(sql, desk, placing, book, lot, level=level, moment=moment)
        if ticket is not None:
            yield record(desk, ticket, moment, None)
            sent = replace(ticket.submission, posts=1, since=moment.wall)
            ticket = replace(ticket, submission=sent)
            placing.begun = advance(ticket, OrderState.SUBMITTING, moment.now)
            yield record(desk, placing.begun, moment, None)
            return


def _next(
    sql: Connection,
    desk: Desk,
    placing: Placing,
    book: Book,
    lot: Lot,
    *,
    level: Level,
    moment: ExecutorMoment,
) -> Ticket | None:
    """The stop that a lot gets now, if it may have one."""
    symbol, account = placing.symbol, desk.accounts.get(book.account)
    if account is None or not account.stops_at_broker:
        return None
    quote = quote_for(desk, desk.bots.get(book.bot), symbol, moment)
    why = alarm(lot, quote, moment.now)
    if why is not None and why.trigger in STOPS:
        return None  # it is being closed
    attempt, turn = _turn(sql, book, lot, symbol, moment)
    if turn.given_up:
        placing.given_up.append(lot)
    if not turn.now:
        return None
    order = _order(desk, book, lot, symbol, moment, level=level, attempt=attempt)
    ticket = exit_ticket(desk, order, (lot.lot_id,))
    scene = scene_of(desk, book.bot, symbol, moment, ticket=ticket)
    least = placing.asset.least if placing.asset else ZERO
    fits = hindrance(ticket, placing.asset, scene) is None and level.units >= least
    return ticket if fits else None


def _turn(
    sql: Connection, book: Book, lot: Lot, symbol: str, moment: ExecutorMoment
) -> tuple[int, Turn]:
    """The number of a lot's next stop, from 0, and whether it may be placed now."""

    def found(number: int) -> Ticket | None:
        return store.find_order(sql, name_of(lot.lot_id, book.bot, book.account, number))

    attempt = count_of(lambda number: found(number) is not None)
    numbers = range(attempt - 1, max(attempt - 1 - LOOKED_AT, -1), -1)
    before = [ticket for number in numbers if (ticket := found(number)) is not None]
    corrected = corrections.newest(sql, book.bot, book.account, symbol)
    turn = turn_of([*_watched(sql, book, lot), *before], moment.now, corrected)
    return attempt, turn


def _watched(sql: Connection, book: Book, lot: Lot) -> Iterator[Ticket]:
    """The orders with which a person has put the lot's stop down while it was watched here."""
    for trigger in STOPS:
        for attempt in range(MOST_ATTEMPTS):
            name = exit_name(lot.lot_id, trigger, book.bot, book.account, attempt)
            ticket = store.find_order(sql, name)
            if ticket is None:
                break
            if ticket.order.reason == BY_HAND:
                yield ticket


def _order(
    desk: Desk,
    book: Book,
    lot: Lot,
    symbol: str,
    moment: ExecutorMoment,
    *,
    level: Level,
    attempt: int,
) -> Order:
    name = name_of(lot.lot_id, book.bot, book.account, attempt)
    return Order(
        order_id=name,
        intent_id=ids.derive("exit", lot.lot_id, "resting", book.bot, book.account),
        bot=book.bot,
        account=book.account,
        symbol=symbol,
        side=level.side,
        purpose="protective",
        trigger=level.trigger,
        attempt=attempt,
        kind=OrderKind.STOP,
        stop_price=level.price,
        quantity=level.units,
        filled=ZERO,
        state=OrderState.PLANNED,
        source_type=lot.source_type,
        source_id=lot.source_id,
        confidence=lot.confidence,
        **routing(desk.accounts.get(book.account), name),
        fence=moment.fence,
        at=moment.now,
    )


def close_rest(desk: Desk, done: Ticket, moment: ExecutorMoment) -> Iterator[Event]:
    """A stop that was carried out at its broker has closed whole units: what is left of its lot
    goes now, wherever the price is, unless another order is to close it.
    """
    order = done.order
    if not order.filled or order.reason == BY_HAND:
        return
    book = desk.book(order.bot, order.account)
    lots = book.holdings.get(order.symbol, FLAT).lots
    left = next((lot for lot in lots if lot.lot_id in done.targets), None)
    others = tickets_of(desk, order.account, order.symbol)
    if left is None or any(left.lot_id in ticket.targets for ticket in others):
        return
    rest = rest_of(done, left, moment.now, moment.fence)
    yield from place(desk, exit_ticket(desk, rest, (left.lot_id,)), moment, None)
