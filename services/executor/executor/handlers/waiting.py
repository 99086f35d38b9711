"""Orders that wait: a quote fills them, time or a switch ends them."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from executor.domain.book import equity_of
from executor.domain.desk import Desk
from executor.domain.money import add
from executor.domain.orders import Ticket, sized
from executor.domain.plan import ending, forbidden, settle
from executor.domain.prices import priced
from executor.domain.risk import at_peak, begun
from executor.domain.submission import unsent
from executor.handlers.booking import (
    ExecutorMoment,
    check_losses,
    end,
    fill_on,
    follow_up,
    quote_for,
    scene_of,
)
from signalbox.contracts.events import EquityMarked, Event


def fill_waiting(desk: Desk, symbols: Collection[str], moment: ExecutorMoment) -> Iterator[Event]:
    """Every order that waits on these symbols and has a fresh quote: filled, in part or whole, or
    ended.
    """
    for bot in sorted(desk.waiting):
        for ticket in desk.open_orders(bot):
            if ticket.order.symbol in symbols and ticket.simulated:
                yield from _try(desk, ticket, moment)


def _try(desk: Desk, ticket: Ticket, moment: ExecutorMoment) -> Iterator[Event]:
    order = ticket.order
    bot = desk.bots.get(order.bot)
    quote = quote_for(desk, bot, order.symbol, moment)
    if quote is None or (ticket.quoted_at is not None and quote.at <= ticket.quoted_at):
        return
    scene = scene_of(desk, order.bot, order.symbol, moment, ticket=ticket)
    answer = settle(ticket, bot, scene)
    if isinstance(answer, tuple):
        yield from end(desk, ticket, answer, moment)
        if answer[1].code == "nothing_to_change" and ticket.follow:  # others have closed it
            yield from follow_up(desk, ticket, ticket.follow, moment, None)
        return
    if answer != ticket.remaining:
        ticket = sized(priced(ticket, scene), add(ticket.order.filled, answer))
        desk.keep_ticket(ticket)  # its size and limit stay, also where this quote fills nothing
    yield from fill_on(desk, ticket, quote, moment, None)


def end_overdue(desk: Desk, moment: ExecutorMoment) -> Iterator[Event]:
    """Orders whose time is up expire; entries that the configuration no longer allows are
    cancelled, also before the exit that they follow is filled. What is at a broker is called back.
    """
    for bot_id in sorted(desk.waiting):
        bot = desk.bots.get(bot_id)
        for ticket in desk.open_orders(bot_id):
            scene = scene_of(desk, bot_id, ticket.order.symbol, moment, ticket=ticket)
            over = ending(ticket, bot, scene)
            if over:
                waits = ticket.simulated or ticket.sent
                yield from end(desk, ticket, over if waits else unsent(over), moment)
            elif ticket.follow is not None and forbidden(ticket, bot, scene):
                desk.keep_ticket(replace(ticket, follow=None))


def marks(desk: Desk, moment: ExecutorMoment, minute: str) -> Iterator[Event]:
    """The value of every book that holds something, once for a minute of market time. A bot that
    has lost too much of it today is halted.
    """
    for (_, account), held in sorted(desk.books.items()):
        if all(holding.flat for holding in held.holdings.values()):
            continue
        book = at_peak(begun(held, moment.now))
        if book is not held:
            desk.put_book(book)
        cause = f"{minute}|{moment.epoch}|{account}"
        yield moment.event(EquityMarked, equity_of(book, moment.now, cause))
        yield from check_losses(desk, book, moment)
