"""What happens to an order on its way to a broker: one rule for each commit between calls."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from executor.domain.broker import (
    Answer,
    Asset,
    BrokerFill,
    BrokerOrder,
    Kind,
    execution_of,
)
from executor.domain.desk import Desk
from executor.domain.money import ZERO, subtract
from executor.domain.orders import Ticket, advance
from executor.domain.prices import at_tick, priced
from executor.domain.risk import after_rejection
from executor.domain.scene import Denial, advance_for
from executor.domain.submission import (
    Cleared,
    Ending,
    clearance,
    legs,
    not_again,
    stopped,
    unwanted,
)
from executor.handlers.alarms import ABANDONED, DOUBTED
from executor.handlers.booking import (
    ExecutorMoment,
    alert,
    book_fill,
    end,
    follow_up,
    record,
    scene_of,
)
from executor.handlers.exit_alerts import exit_abandoned, exit_denied, exit_ended
from executor.handlers.stops import close_rest, keep_apart
from signalbox.contracts.events import Event
from signalbox.contracts.payloads import Order
from signalbox.contracts.values import OrderState

_CLOSED = frozenset({OrderState.CANCELED, OrderState.EXPIRED, OrderState.REPLACED})


def current(desk: Desk, ticket: Ticket) -> Ticket:
    """The order as this transaction has it, whatever the caller remembers of it."""
    name, bot = ticket.order.order_id, ticket.order.bot
    found = desk.changed_tickets.get(name) or desk.waiting.get(bot, {}).get(name)
    return found or desk.ended.get(name, ticket)


def call_back(
    desk: Desk, ticket: Ticket, ending: tuple[OrderState, Denial], moment: ExecutorMoment
) -> Iterator[Event]:
    """An order that is still open is not wanted any more."""
    ticket = current(desk, ticket)
    if ticket.open:
        yield from end(desk, ticket, ending, moment)


@dataclass(frozen=True, slots=True)
class Market:
    """What the broker says of a symbol before an order is sent."""

    asset: Asset | None
    missing: Decimal = ZERO  # units of the symbol that the broker holds less than our books
    barred: Denial | None = None  # why nothing may be opened


def judge(
    desk: Desk, ticket: Ticket, market: Market, moment: ExecutorMoment
) -> Cleared | Ending | None:
    """How much of a planned order may go now, or how it ends; None when it waits."""
    order = ticket.order
    scene = scene_of(desk, order.bot, order.symbol, moment, ticket=ticket)
    answer = clearance(ticket, market.asset, scene, missing=market.missing)
    if ticket.entry and market.barred and isinstance(answer, Cleared):
        return OrderState.DENIED, market.barred
    return answer


def begin(desk: Desk, ticket: Ticket, market: Market, moment: ExecutorMoment) -> Iterator[Event]:
    """A planned order becomes `submitting`, ends, or waits. What would go across zero is split."""
    ticket, order = current(desk, ticket), ticket.order
    if ticket.order.state is not OrderState.PLANNED:
        return
    answer = judge(desk, ticket, market, moment)
    if answer is None:
        return
    if isinstance(answer, tuple):
        if answer[0] is OrderState.DENIED:
            desk.denials[answer[1].code, order.source_type] += 1
        yield from end(desk, ticket, answer, moment)
        if answer[1].code == "nothing_to_change" and ticket.follow:  # others have closed it
            yield from follow_up(desk, ticket, ticket.follow, moment, None)
        if order.purpose == "protective" and answer[0] is OrderState.DENIED:
            yield exit_denied(desk, ticket, answer[1], moment)
        return
    scene = scene_of(desk, order.bot, order.symbol, moment, ticket=ticket)
    tick = market.asset.tick if market.asset else ZERO
    ticket, rest = legs(at_tick(priced(ticket, scene), tick), answer)
    sent = replace(ticket.submission, posts=1, since=moment.wall)
    ticket = replace(
        ticket,
        order=ticket.order.model_copy(update={"fence": moment.fence}),
        submission=sent,
    )
    yield record(desk, advance(ticket, OrderState.SUBMITTING, moment.now), moment, None)
    if rest is not None:
        yield record(desk, rest, moment, None)


def doubt(desk: Desk, ticket: Ticket, answer: Answer, moment: ExecutorMoment) -> Iterator[Event]:
    """It is not known whether the broker has the order."""
    ticket = _noted(current(desk, ticket), answer.request_id)
    if ticket.order.state is not OrderState.SUBMITTING:
        desk.keep_ticket(ticket)
        return
    words = answer.message or "the executor stopped while it was being sent"
    why = Denial("outcome_unknown", words)
    yield record(desk, advance_for(ticket, OrderState.UNKNOWN, why, moment.now), moment, None)


def retry(desk: Desk, ticket: Ticket, moment: ExecutorMoment) -> Iterator[Event]:
    """The broker has taken nothing and the order may be sent again, unless nobody wants it now."""
    ticket = current(desk, ticket)
    order = ticket.order
    if order.state is not OrderState.SUBMITTING:
        return
    scene = scene_of(desk, order.bot, order.symbol, moment, ticket=ticket)
    over = unwanted(ticket, scene)
    if over is None:
        was = ticket.submission
        sent = replace(was, posts=was.posts + 1, limited=was.limited + 1)
        desk.keep_ticket(replace(ticket, submission=sent))
        return
    state, why = over
    yield record(desk, advance_for(ticket, state, why, moment.now), moment, None)


def repost(desk: Desk, ticket: Ticket, moment: ExecutorMoment) -> Iterator[Event]:
    """An order that is proven absent is sent once more under its name, or given up; an entry
    waits for a quote.
    """
    ticket = current(desk, ticket)
    if ticket.order.state not in DOUBTED:
        return
    order = ticket.order
    scene = scene_of(desk, order.bot, order.symbol, moment, ticket=ticket)
    why = not_again(ticket, scene)
    if why is None and (scene.quote is not None or not ticket.entry):
        sent = replace(ticket.submission, posts=ticket.submission.posts + 1)
        desk.keep_ticket(replace(ticket, submission=sent))
    if why is None:
        return
    words = f"the broker does not have it, and it is not sent again ({why.message})"
    why = Denial("abandoned", f"{words}; it is looked for later", why.numbers)
    yield record(desk, advance_for(ticket, OrderState.ABANDONED, why, moment.now), moment, None)
    told = f"order {order.order_id} of {order.bot} on {order.symbol}: {why.message}"
    if ticket.entry or ticket.stop:
        about = f"order:{order.order_id}"
        yield alert(moment, ABANDONED, about, told, order.order_id, active=False)
    else:
        yield exit_abandoned(desk, ticket, told, moment)


def turned_away(
    desk: Desk, ticket: Ticket, answer: Answer, moment: ExecutorMoment
) -> Iterator[Event]:
    """The broker has said no, for good."""
    ticket = _noted(current(desk, ticket), answer.request_id)
    if not ticket.open:
        return
    code = "unauthorized" if answer.kind is Kind.REFUSED else f"broker_{answer.code}"[:64]
    yield from _over(desk, ticket, OrderState.REJECTED, Denial(code, answer.message), moment)


def _over(
    desk: Desk, ticket: Ticket, state: OrderState, why: Denial, moment: ExecutorMoment
) -> Iterator[Event]:
    """The broker has ended an order, which nobody asked for."""
    yield record(desk, advance_for(ticket, state, why, moment.now), moment, None)
    if not ticket.entry:
        yield from exit_ended(desk, ticket, state, why, moment)
    elif state is OrderState.REJECTED:
        _count_rejection(desk, ticket.order, moment)


def _count_rejection(desk: Desk, order: Order, moment: ExecutorMoment) -> None:
    bot = desk.bots.get(order.bot)
    if bot is not None:
        book = desk.book(order.bot, order.account)
        desk.put_book(after_rejection(book, bot.limits, moment.now))


@dataclass(frozen=True, slots=True)
class Shown:
    """What a broker shows of an order of ours."""

    order: BrokerOrder
    fills: Sequence[BrokerFill] = ()
    request_id: str = ""


def adopt(desk: Desk, ticket: Ticket, seen: Shown, moment: ExecutorMoment) -> Iterator[Event]:
    """The order as the broker shows it: its id, its fills, its end."""
    ticket, shown = current(desk, ticket), seen.order
    doubted, was_open = ticket.order.state in DOUBTED, ticket.open
    if ticket.order.broker_order_id != shown.broker_id:
        known = ticket.order.model_copy(update={"broker_order_id": shown.broker_id})
        ticket = _noted(replace(ticket, order=known), seen.request_id)
        desk.keep_ticket(ticket)
    if doubted and (shown.state is not OrderState.REJECTED or shown.filled):
        ticket = advance(ticket, OrderState.ACCEPTED, moment.now)
        yield record(desk, ticket, moment, None)
    yield from book(desk, ticket, seen.fills, moment)
    ticket = current(desk, ticket)
    yield from _ended(desk, ticket, shown, moment)
    ticket = current(desk, ticket)
    if ticket.open:
        yield from _called_back(desk, ticket, moment, doubted=doubted)
    elif was_open and ticket.stop:
        yield from close_rest(desk, ticket, moment)


def book(
    desk: Desk, ticket: Ticket, fills: Sequence[BrokerFill], moment: ExecutorMoment
) -> Iterator[Event]:
    """Fills that are new, each after the one before it; a repeat is no fill, a gap waits."""
    order = ticket.order
    held = desk.book(order.bot, order.account)
    if fills and held.risk.rejections:
        desk.put_book(replace(held, risk=replace(held.risk, rejections=0)))
    account = desk.accounts.get(order.account)
    for fill in sorted(fills, key=lambda one: one.cumulative):
        if fill.cumulative <= ticket.order.filled:
            desk.fill_repeats[order.broker] += 1
            continue
        if subtract(fill.cumulative, fill.quantity) != ticket.order.filled or order.side is None:
            return
        fee_bps = account.crypto_fee_bps if account else ZERO
        execution = execution_of(fill, order.symbol, order.side, fee_bps)
        yield from book_fill(desk, ticket, execution, moment, None)
        yield from keep_apart(desk, order.account, order.symbol, moment)
        ticket = current(desk, ticket)


def _ended(
    desk: Desk, ticket: Ticket, shown: BrokerOrder, moment: ExecutorMoment
) -> Iterator[Event]:
    """The broker's end is ours once every fill before it is booked. One that shows less than is
    booked has taken a fill back: that is told elsewhere, and the end is the end.
    """
    state = shown.state
    if not ticket.open or ticket.order.filled < shown.filled or state is None:
        return
    recall = ticket.submission.recall
    if state in _CLOSED and recall is not None:
        why = Denial(recall.code, recall.message, recall.numbers)
        yield record(desk, advance_for(ticket, state, why, moment.now), moment, None)
    elif state in _CLOSED or state is OrderState.REJECTED:
        words = f"the broker says {shown.status}"
        yield from _over(desk, ticket, state, Denial(f"broker_{shown.status}", words), moment)


def vanished(desk: Desk, ticket: Ticket, moment: ExecutorMoment) -> Iterator[Event]:
    """What was called back is over where the broker does not know it any more."""
    ticket = current(desk, ticket)
    recall = ticket.submission.recall
    if ticket.open and recall is not None:
        words = f"{recall.message}; the broker does not know the order any more"
        gone = Denial(recall.code, words, recall.numbers)
        yield record(desk, advance_for(ticket, OrderState.CANCELED, gone, moment.now), moment, None)


def _called_back(
    desk: Desk, ticket: Ticket, moment: ExecutorMoment, *, doubted: bool
) -> Iterator[Event]:
    """An order that turned up and that nobody wants any more is to be cancelled."""
    recall = ticket.submission.recall
    if recall is not None and ticket.order.state is not OrderState.CANCEL_PENDING:
        why = Denial(recall.code, recall.message, recall.numbers)
        unasked = replace(ticket, submission=replace(ticket.submission, recall=None))
        yield from end(desk, unasked, (recall.state, why), moment)
        return
    order = ticket.order
    scene = scene_of(desk, order.bot, order.symbol, moment, ticket=ticket)
    halt = stopped(ticket, scene) if doubted else None
    if halt is not None:
        yield from end(desk, ticket, (OrderState.CANCELED, halt), moment)


def _noted(ticket: Ticket, request_id: str) -> Ticket:
    if not request_id:
        return ticket
    return replace(ticket, submission=replace(ticket.submission, request_id=request_id))
