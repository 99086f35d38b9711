"""Manual control: close a position, cancel an order, flatten a bot, clear a halt. Works under the
kill switch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from executor.domain.book import Book
from executor.domain.broker import routing
from executor.domain.desk import START, Desk, Track
from executor.domain.exits import everything
from executor.domain.money import ZERO
from executor.domain.orders import Ticket
from executor.domain.risk import HALTS, rebased
from executor.domain.scene import Denial, Intent
from executor.handlers.booking import ExecutorMoment, end, halt_over, place, ticket_of
from signalbox.contracts import ids
from signalbox.contracts.accounts import AccountConfig
from signalbox.contracts.commands import Command
from signalbox.contracts.errors import Conflict, Malformed, NotFound
from signalbox.contracts.events import Event
from signalbox.contracts.payloads import Order
from signalbox.contracts.values import OrderState, SourceType


@dataclass(frozen=True, slots=True)
class Exit:
    """Who wants which position closed, and why."""

    request_id: str
    by: str
    purpose: Literal["exit", "flatten"]


def text_of(command: Command, name: str) -> str:
    """A text of the command's body.

    Raises:
        Malformed: it is not there.
    """
    value = command.body.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed(f"{name}: a text is needed")
    return value


def order_id_of(request_id: str, book: Book, symbol: str, leg: int) -> str:
    """The name of the order by which a request closes lots of one direction in a book."""
    return ids.client_order_id(book.account, f"cmd|{request_id}|{symbol}", book.bot, leg, 0)


def exit_ids(desk: Desk, bot: str, symbols: Sequence[str], request_id: str) -> list[str]:
    """The names of all orders that a request may make: of long lots and of short ones, in every
    account.
    """
    return [
        order_id_of(request_id, book, symbol, leg)
        for book in desk.books_of(bot)
        for symbol in symbols
        for leg in (0, 1)
    ]


def symbols_of(desk: Desk, bot: str) -> list[str]:
    """Every symbol that a bot holds, has held, or waits for."""
    held = {symbol for book in desk.books_of(bot) for symbol in book.holdings}
    return sorted(held | {ticket.order.symbol for ticket in desk.open_orders(bot)})


def close_all(
    desk: Desk, bot: str, symbols: Sequence[str], wish: Exit, moment: ExecutorMoment
) -> Iterator[Event]:
    """Every lot of these symbols is sold or bought back, in every account of the bot, and nothing
    else waits there.

    Filled at once on a fresh quote, else waiting for one without an end. A request that was
    carried out before does nothing.
    """
    if not desk.known.isdisjoint(exit_ids(desk, bot, symbols, wish.request_id)):
        return
    for symbol in symbols:
        for ticket in desk.open_orders(bot, symbol):
            why = Denial("superseded", f"{wish.by} closed the position")
            yield from end(desk, ticket, (OrderState.CANCELED, why), moment)
        for book in desk.books_of(bot):
            for leg, intent in enumerate(everything(book, symbol)):
                account = desk.accounts.get(book.account)
                order = _order(wish, book, symbol, moment, intent=intent, leg=leg, account=account)
                yield from place(desk, ticket_of(desk, order, intent.targets), moment, None)


def cancel(
    desk: Desk, ticket: Ticket | None, order_id: str, by: str, moment: ExecutorMoment
) -> Iterator[Event]:
    """End an order that waits, or ask its broker to.

    Raises:
        NotFound: there is no such order.
        Conflict: it has ended already, or is a stop on its way out.
    """
    if ticket is None:
        raise NotFound(f"there is no order {order_id}")
    if not ticket.open:
        raise Conflict(f"order {order_id} is {ticket.order.state} already")
    recall = ticket.submission.recall
    if ticket.stop and recall is not None:
        raise Conflict(f"stop {order_id} is being called back already: {recall.message}")
    why = Denial("canceled_by_user", f"{by} cancelled it")
    yield from end(desk, ticket, (OrderState.CANCELED, why), moment)


def clear(
    desk: Desk, key: tuple[str, str], following: int, moment: ExecutorMoment, *, by: str
) -> Event:
    """Let a halted key go on with verdict number `following`.

    Raises:
        NotFound: it is not halted.
        Conflict: that number is applied already.
    """
    bot, symbol = key
    track = desk.tracks.get(key, START)
    if not track.halted:
        raise NotFound(f"{bot} is not halted on {symbol}")
    if following <= track.sequence:
        raise Conflict(f"verdict {track.sequence} is applied already; name a later number")
    desk.put_track(bot, symbol, Track(sequence=following - 1))
    if track.halted in HALTS:
        for book in desk.books_of(bot):
            desk.put_book(rebased(book))
    words = f"{by} cleared the halt ({track.halted}); verdict {following} is next"
    return halt_over(key, track.halted, words, moment)


def _order(
    wish: Exit,
    book: Book,
    symbol: str,
    moment: ExecutorMoment,
    *,
    intent: Intent,
    leg: int,
    account: AccountConfig | None,
) -> Order:
    order_id = order_id_of(wish.request_id, book, symbol, leg)
    return Order(
        order_id=order_id,
        intent_id=ids.derive("cmd", wish.request_id, symbol, book.bot, book.account),
        bot=book.bot,
        account=book.account,
        symbol=symbol,
        side=intent.side,
        purpose=wish.purpose,
        leg=leg,
        quantity=intent.quantity,
        filled=ZERO,
        state=OrderState.PLANNED,
        source_type=SourceType.MANUAL,
        source_id=wish.by,
        **routing(account, order_id),
        fence=moment.fence,
        at=moment.now,
    )
