"""From a rule's answer to changed books and the events that say so."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from executor.domain import paper
from executor.domain.book import Book, equity_of, position_of, with_order_counted
from executor.domain.dealing import dealt
from executor.domain.desk import START, WHOLE_BOT, Desk
from executor.domain.flip import barred, due, follower
from executor.domain.lots import apply_fill
from executor.domain.money import halfway
from executor.domain.orders import NEXT, Execution, Follow, Recall, Ticket, advance, filled, late
from executor.domain.risk import after_exit, begun, halted_by
from executor.domain.scene import Denial, Scene, advance_for, outside, reserved_by, usable
from signalbox.contracts.config import BotConfig, ExecutorConfig
from signalbox.contracts.events import (
    AlertRaised,
    EquityMarked,
    Event,
    OrderChanged,
    PositionChanged,
)
from signalbox.contracts.limits import Limits
from signalbox.contracts.notices import Alert
from signalbox.contracts.payloads import Order, Quote
from signalbox.contracts.values import OrderState, Severity
from signalbox.runtime.moment import Moment

ExecutorMoment = Moment[ExecutorConfig]

BOOKS_MISMATCH = "books_mismatch"  # a halt that has an alert of its own
_DEFAULT_LIMITS = Limits()


def quote_for(
    desk: Desk, bot: BotConfig | None, symbol: str, moment: ExecutorMoment
) -> Quote | None:
    """The symbol's quote, when an order of this bot may be filled on it now."""
    if moment.frozen:
        return None
    limits = bot.limits if bot else _DEFAULT_LIMITS
    return usable(desk.quotes.get(symbol), moment.now, moment.epoch, limits.max_quote_age_s)


def scene_of(
    desk: Desk, bot_id: str, symbol: str, moment: ExecutorMoment, *, ticket: Ticket | None = None
) -> Scene:
    """What the rules may know of a bot and a symbol now; around a `ticket` that waits, in its
    account. Nothing is sized before the cash of an account at a broker is known.
    """
    bot = desk.bots.get(bot_id)
    bound = bot.account if bot else ""
    where = ticket.order.account if ticket else bound
    account = desk.accounts.get(where)
    known = account is None or account.broker == paper.NAME or (bot_id, where) in desk.opened
    return Scene(
        bot=bot,
        account=account,
        book=begun(desk.book(bot_id, where), moment.now),
        quote=quote_for(desk, bot, symbol, moment) if known else None,
        now=moment.now,
        closed=symbol in desk.quotes and outside(desk.quotes[symbol], moment.now),
        former=desk.former(bot_id, where, symbol),
        kill_switch=moment.config.kill_switch,
        replay=moment.replay,
        halted=desk.halted(bot_id, symbol),
        reserved=reserved_by(desk.open_orders(bot_id), symbol),
        repeat=desk.tracks.get((bot_id, symbol), START).repeat,
        allow_live=desk.allow_live,
        epoch=moment.epoch,
        ranges=desk.ranges,
    )


def ticket_of(desk: Desk, order: Order, targets: tuple[UUID, ...]) -> Ticket:
    """What is remembered of an exit that no verdict has asked for."""
    quote = desk.quotes.get(order.symbol)
    return Ticket(
        order=order,
        correlation_id=order.intent_id,
        config_version=0,
        planned_at=order.at,
        targets=targets,
        arrival=halfway(quote) if quote else None,
    )


def record(desk: Desk, ticket: Ticket, moment: ExecutorMoment, cause: Event | None) -> OrderChanged:
    """Take an order as it is now; without a cause at hand the event follows what the order
    remembers.
    """
    desk.put_ticket(ticket)
    event = moment.event(OrderChanged, ticket.order, cause=cause)
    if cause is not None:
        return event
    origin = ticket.order.verdict_id or ticket.order.intent_id
    links = {"correlationid": ticket.correlation_id, "causationid": origin}
    return event.model_copy(update=links)


def place(
    desk: Desk, ticket: Ticket, moment: ExecutorMoment, cause: Event | None
) -> Iterator[Event]:
    """A planned order. The paper broker accepts it, and fills it at once on a fresh quote; to any
    other broker its account's dealer takes it, after the commit.
    """
    order = ticket.order
    book = begun(desk.book(order.bot, order.account), moment.now)
    desk.put_book(with_order_counted(book, moment.now))
    yield record(desk, ticket, moment, cause)
    if not ticket.simulated:
        return
    ticket = advance(ticket, OrderState.ACCEPTED, moment.now)
    yield record(desk, ticket, moment, cause)
    quote = quote_for(desk, desk.bots.get(order.bot), order.symbol, moment)
    if quote is not None:
        yield from fill_on(desk, ticket, quote, moment, cause)


def fill_on(
    desk: Desk, ticket: Ticket, quote: Quote, moment: ExecutorMoment, cause: Event | None
) -> Iterator[Event]:
    """As much as the quote gives; the rest waits for the next one. What the book cannot pay for
    ends.
    """
    answer = dealt(desk, ticket, quote)
    if isinstance(answer, Denial):
        yield from end(desk, ticket, (OrderState.REJECTED, answer), moment, cause)
    elif answer is not None:
        yield from book_fill(desk, ticket, answer, moment, cause)


def book_fill(
    desk: Desk,
    ticket: Ticket,
    execution: Execution,
    moment: ExecutorMoment,
    cause: Event | None,
) -> Iterator[Event]:
    """One fill, from any broker: the order, the position and the equity after it. A late one
    alerts. What follows an exit is planned with its last fill.
    """
    order = ticket.order
    book, slices = apply_fill(desk.book(order.bot, order.account), ticket, execution, moment.now)
    bot = desk.bots.get(order.bot)
    limits = bot.limits if bot else _DEFAULT_LIMITS
    book = after_exit(book, slices, limits, moment.now, order.symbol)
    if late(ticket):
        desk.late_fills[order.broker] += 1
        words = f"order {order.order_id} was filled after it was {order.state}; the fill is booked"
        yield alert(moment, "late_fill", f"bot:{order.bot}", words, order.order_id, active=False)
    ticket = filled(ticket, execution, slices, moment.now)
    desk.put_book(book, order.symbol)
    desk.fills.append(ticket.order)
    changed = record(desk, ticket, moment, cause)
    yield changed
    fill_id = ticket.order.fill.fill_id if ticket.order.fill else order.order_id
    position = position_of(book, order.symbol, moment.now, fill_id)
    yield moment.event(PositionChanged, position, cause=changed)
    yield moment.event(EquityMarked, equity_of(book, moment.now, fill_id), cause=changed)
    if any(part.effect == "closed" for part in slices):
        yield from check_losses(desk, book, moment)
    follow = due(ticket)
    if follow is not None:
        yield from follow_up(desk, ticket, follow, moment, cause)


def follow_up(
    desk: Desk, done: Ticket, follow: Follow, moment: ExecutorMoment, cause: Event | None
) -> Iterator[Event]:
    """The second half of a flip: planned like any entry, sized when it meets a quote."""
    scene = scene_of(desk, done.order.bot, done.order.symbol, moment, ticket=done)
    entry = follower(done, follow, scene, moment.fence)
    why = barred(entry, done, scene)
    if why is None:
        yield from place(desk, entry, moment, cause)
        return
    desk.denials[why.code, entry.order.source_type] += 1
    yield record(desk, advance_for(entry, OrderState.DENIED, why, moment.now), moment, cause)


def check_losses(desk: Desk, book: Book, moment: ExecutorMoment) -> Iterator[Event]:
    """Halt a bot whose book has lost too much, unless it is halted."""
    bot = desk.bots.get(book.bot)
    if bot is None or bot.account != book.account or desk.halted(book.bot, WHOLE_BOT):
        return
    why = halted_by(book, bot.limits)
    if why:
        yield from halt_bot(desk, book.bot, *why, moment)


def halt_bot(
    desk: Desk, bot: str, code: str, why: str, moment: ExecutorMoment
) -> Iterator[AlertRaised]:
    """Stop a whole bot until a person clears it, and say so."""
    words = (
        f"{why}. {bot} is halted: entries are denied, those that wait are cancelled; exits, stops"
        f" and manual control go on. Clear the halt of symbol {WHOLE_BOT} to let it trade again."
    )
    yield from halt(desk, (bot, WHOLE_BOT), code, words, moment)


def halt(
    desk: Desk, key: tuple[str, str], code: str, words: str, moment: ExecutorMoment
) -> Iterator[AlertRaised]:
    """Stop a key until a person clears it, and say so; what stopped it before is told as over,
    unless that are books which contradict themselves: they stay the reason.
    """
    track = desk.tracks.get(key, START)
    if track.halted == BOOKS_MISMATCH != code:
        told = (*_alarm_of(key, code), words, moment.wall.isoformat())
        yield alert(moment, *told, active=False)
        return
    desk.put_track(*key, replace(track, halted=code))
    if track.halted and _alarm_of(key, track.halted) != _alarm_of(key, code):
        yield halt_over(key, track.halted, f"it is halted for another reason now: {code}", moment)
    yield alert(moment, *_alarm_of(key, code), words, moment.wall.isoformat())


def halt_over(key: tuple[str, str], code: str, words: str, moment: ExecutorMoment) -> AlertRaised:
    """Take back what `halt` has said."""
    told = (*_alarm_of(key, code), words, moment.wall.isoformat())
    return alert(moment, *told, severity=Severity.INFO, active=False)


def way_out(following: int) -> str:
    """How the words of a key's halt end; the page reads the number there."""
    return f"then clear the halt naming the next number, {following} or higher."


def _alarm_of(key: tuple[str, str], code: str) -> tuple[str, str]:
    """Which alert tells of a halt, raised and over alike: its code, and what it is about."""
    bot, symbol = key
    if symbol == WHOLE_BOT:
        kind, about = "bot_halted", f"bot:{bot}"
    else:
        kind, about = "key_halted", f"key:{bot}/{symbol}"
    return (code if code == BOOKS_MISMATCH else kind), about


def end(
    desk: Desk,
    ticket: Ticket,
    ending: tuple[OrderState, Denial],
    moment: ExecutorMoment,
    cause: Event | None = None,
) -> Iterator[OrderChanged]:
    """An open order ends without being filled further. One that may be at a broker is called back,
    and ends when the broker says so.
    """
    state, why = ending
    if not ticket.sent:
        planned = not ticket.simulated and ticket.order.state is OrderState.PLANNED
        if planned and state is OrderState.REPLACED:
            state = OrderState.CANCELED
        yield record(desk, advance_for(ticket, state, why, moment.now), moment, cause)
        return
    if ticket.submission.recall is not None:
        return
    recall = Recall(state, why.code, why.message, why.numbers)
    ticket = replace(ticket, submission=replace(ticket.submission, recall=recall))
    if OrderState.ACCEPTED in NEXT[ticket.order.state]:  # whether the broker has it is not known
        desk.keep_ticket(ticket)
        return
    pending = advance_for(ticket, OrderState.CANCEL_PENDING, why, moment.now)
    yield record(desk, pending, moment, cause)


def alert(
    moment: ExecutorMoment,
    code: str,
    about: str,
    message: str,
    occurrence: str,
    *,
    severity: Severity = Severity.CRITICAL,
    active: bool = True,
) -> AlertRaised:
    """Something a person should know."""
    data = Alert(
        severity=severity,
        code=code,
        about=about,
        message=message[:2000],
        service=moment.service,
        active=active,
        at=moment.wall,
        occurrence=occurrence,
    )
    return moment.event(AlertRaised, data)
