"""A book made right by a person: somebody has traded in an account at its broker, units came or
went without a trade, or a split has changed what one unit is. No order is sent for it.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import Connection

from executor.adapters import brokered, corrections
from executor.domain.book import FLAT, NO_RISK, Book, equity_of, position_of, with_holding
from executor.domain.desk import Desk
from executor.domain.exits import still_open
from executor.domain.guards import guard_of
from executor.domain.money import ZERO, add, halfway, multiply, subtract
from executor.domain.orders import Execution, Ticket, advance, sized
from executor.domain.risk import rebased
from executor.domain.scene import Denial
from executor.domain.splits import Split, after_split, far
from executor.handlers.booking import (
    ExecutorMoment,
    alert,
    book_fill,
    end,
    quote_for,
    record,
    ticket_of,
)
from executor.handlers.wishes import Wish
from signalbox.contracts import ids
from signalbox.contracts.accounts import AccountConfig
from signalbox.contracts.errors import Conflict
from signalbox.contracts.events import EquityMarked, Event, PositionChanged
from signalbox.contracts.ids import plain
from signalbox.contracts.payloads import Order
from signalbox.contracts.values import OrderState, Severity, Side, SourceType

_PLAUSIBLE = Decimal(2)  # how many times the market's price another one may be
_WHOLE = Decimal(1)


def order_id_of(wish: Wish, book: Book) -> str:
    """The name under which the difference is booked."""
    cause = f"cmd|{wish.request_id}|{wish.symbol}"
    return ids.client_order_id(book.account, cause, book.bot, 0, 0)


def correct(
    sql: Connection, desk: Desk, book: Book, wish: Wish, moment: ExecutorMoment
) -> Iterator[Event]:
    """Make a book hold what the account does. A split changes the lots; what then differs is booked
    as an execution of the source `external`: what went are the oldest lots, whoever owns them; what
    came is a lot, protected as the bot says. Exits that wait are for what is there now.

    Raises:
        Conflict: the account is simulated, an order is at the broker, nothing differs, or what is
            said cannot be.
    """
    account = _checked(desk, book, wish)
    held = book.holdings.get(wish.symbol, FLAT).quantity
    if wish.split is not None:
        yield from _split(desk, book, wish, wish.split, moment)
    split_units = subtract(_now(desk, book).holdings.get(wish.symbol, FLAT).quantity, held)
    apart = subtract(subtract(wish.holds, held), split_units)
    if apart:
        price = _price(desk, book, wish, moment)
        if wish.price is None and not brokered.ever_sent(sql, book.account, book.bot):
            _take_in(desk, book, multiply(apart, price))
        execution = Execution(apart.copy_abs(), price)
        ticket = _ticket(desk, book, wish, apart, account=account, moment=moment)
        yield record(desk, ticket, moment, None)
        ticket = advance(ticket, OrderState.ACCEPTED, moment.now)
        yield record(desk, ticket, moment, None)
        yield from book_fill(desk, ticket, execution, moment, None)
    yield from _resize(desk, book, wish, moment)
    corrections.add(
        sql,
        {
            "request_id": wish.request_id,
            "bot": book.bot,
            "account": book.account,
            "symbol": wish.symbol,
            "made_by": wish.by,
            "reason": wish.reason,
            "asked": wish.asked,
            "held_before": held,
            "held_after": wish.holds,
            "split_units": split_units,
            "at": moment.now,
            "made_at": moment.wall,
        },
    )
    yield _told(book, wish, held, moment)


def _now(desk: Desk, book: Book) -> Book:
    """The book as this transaction has it by now."""
    return desk.book(book.bot, book.account)


def _checked(desk: Desk, book: Book, wish: Wish) -> AccountConfig:
    account = desk.accounts.get(book.account)
    if account is None or account.broker == "paper":
        raise Conflict(f"{book.account} is simulated: its book is the truth")
    for ticket in desk.open_orders(book.bot, wish.symbol):
        if ticket.sent and ticket.order.account == book.account:
            name = ticket.order.order_id
            raise Conflict(
                f"order {name} is at the broker and may still change what is held there: wait for"
                f" its end, or cancel it (POST /api/orders/{name}/cancel), then correct. The"
                " correction arms every stop of the symbol anew"
            )
    if book.holdings.get(wish.symbol, FLAT).quantity == wish.holds:
        raise Conflict(f"the book holds {plain(wish.holds)} of {wish.symbol} already")
    return account


def _price(desk: Desk, book: Book, wish: Wish, moment: ExecutorMoment) -> Decimal:
    """What one unit of the difference is booked at: as traded, else as the market has it now."""
    known = desk.quotes.get(wish.symbol)
    if wish.price is None:
        return _market(desk, book, wish, moment)
    if known is not None and far(wish.price, halfway(known)) > _PLAUSIBLE:
        raise Conflict(
            f"{plain(wish.price)} is far from {plain(halfway(known))}, which {wish.symbol} costs"
            " now: it would be booked as a profit or loss. Look at the price; of a split name the"
            " split; without a price the difference is booked at the market's"
        )
    return wish.price


def _market(desk: Desk, book: Book, wish: Wish, moment: ExecutorMoment) -> Decimal:
    quote = quote_for(desk, desk.bots.get(book.bot), wish.symbol, moment)
    if quote is None:
        raise Conflict(
            f"there is no fresh price of {wish.symbol} to book at: correct it while its market is"
            " open and quotes come"
        )
    return halfway(quote)


def _take_in(desk: Desk, book: Book, worth: Decimal) -> None:
    """What was there before the bot's first order is a part of what the book began with; its cash
    is the account's and pays for nothing.
    """
    now = _now(desk, book)
    cash, began = add(now.cash, worth), add(now.started_with, worth)
    desk.put_book(replace(now, cash=cash, started_with=began, risk=NO_RISK))


def _split(
    desk: Desk, book: Book, wish: Wish, split: Split, moment: ExecutorMoment
) -> Iterator[Event]:
    """Units and levels are of after the split; what the lots have cost, and the cash, stay. Where
    old units at new prices made the book look richer, its loss limits begin anew.
    """
    held = book.holdings.get(wish.symbol, FLAT)
    total = split.units(held.quantity)
    if not total or subtract(wish.holds, total).copy_abs() >= _WHOLE:
        raise Conflict(
            f"{plain(held.quantity)} of {wish.symbol} would be {plain(total)} after a split of"
            f" {split}, not {plain(wish.holds)}: less than one unit may differ"
        )
    _market(desk, book, wish, moment)  # an old one would value new units at the price of old ones
    after = after_split(held, split, wish.holds)
    looked = book.equity
    book = with_holding(book, wish.symbol, after, cash=ZERO, fee=ZERO)
    desk.put_book(rebased(book) if book.equity < looked else book, wish.symbol)
    cause = f"split|{wish.request_id}"
    yield moment.event(PositionChanged, position_of(book, wish.symbol, moment.now, cause))
    yield moment.event(EquityMarked, equity_of(book, moment.now, cause))


def _resize(desk: Desk, book: Book, wish: Wish, moment: ExecutorMoment) -> Iterator[Event]:
    """Exits that wait close what is there now. Entries and stops of before a split end: their
    levels are of other units, and each lot is watched at its new ones.
    """
    for ticket in desk.open_orders(book.bot, wish.symbol):
        if ticket.order.account != book.account or ticket.sent:
            continue
        if wish.split is not None and (ticket.entry or ticket.order.purpose == "protective"):
            why = Denial("corrected", f"{wish.symbol} was split {wish.split}")
            yield from end(desk, ticket, (OrderState.CANCELED, why), moment)
        elif not ticket.entry:
            yield from _fit(desk, book, ticket, wish.split, moment)


def _fit(
    desk: Desk, book: Book, ticket: Ticket, split: Split | None, moment: ExecutorMoment
) -> Iterator[Event]:
    if split is not None and ticket.remaining is not None:
        ticket = replace(sized(ticket, split.units(ticket.remaining)), follow=None)
    left = still_open(ticket, _now(desk, book))
    if left:
        desk.keep_ticket(sized(ticket, left))
        return
    why = Denial("nothing_to_change", "the lots it was to close are gone")
    yield from end(desk, ticket, (OrderState.CANCELED, why), moment)


def _told(book: Book, wish: Wish, held: Decimal, moment: ExecutorMoment) -> Event:
    how = (
        f"a split of {wish.split}"
        if wish.split
        else f"traded at {plain(wish.price)}"
        if wish.price
        else "neither traded nor split"
    )
    words = (
        f"{wish.by} corrected {wish.symbol} of {book.bot} in account {book.account} from"
        f" {plain(held)} to {plain(wish.holds)} ({how}): {wish.reason}"
    )
    about, code = f"key:{book.bot}/{wish.symbol}", "position_corrected"
    return alert(moment, code, about, words, wish.request_id, severity=Severity.INFO, active=False)


def _ticket(
    desk: Desk,
    book: Book,
    wish: Wish,
    apart: Decimal,
    *,
    account: AccountConfig,
    moment: ExecutorMoment,
) -> Ticket:
    side = Side.BUY if apart > ZERO else Side.SELL
    lots = _now(desk, book).holdings.get(wish.symbol, FLAT).lots
    against = [lot for lot in lots if (lot.quantity > ZERO) is (side is Side.SELL)]
    name, bot = order_id_of(wish, book), desk.bots.get(book.bot)
    order = Order(
        order_id=name,
        intent_id=ids.derive("cmd", wish.request_id, wish.symbol, book.bot, book.account),
        bot=book.bot,
        account=book.account,
        symbol=wish.symbol,
        side=side,
        purpose="exit",
        quantity=apart.copy_abs(),
        filled=ZERO,
        state=OrderState.PLANNED,
        message=f"corrected by {wish.by}: {wish.reason}",
        source_type=SourceType.EXTERNAL,
        source_id="broker",
        mode=account.mode,
        broker=account.broker,
        broker_order_id=f"correction-{name}",
        fence=moment.fence,
        at=moment.now,
    )
    ticket = ticket_of(desk, order, tuple(lot.lot_id for lot in against))
    return replace(ticket, arrival=None, guard=guard_of(bot.exits) if bot else None)
