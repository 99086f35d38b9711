"""The second half of a flip: an entry that follows the exit of the same verdict, once that is
filled.
"""

from dataclasses import replace
from datetime import datetime

from executor.domain.book import FLAT, Book
from executor.domain.broker import routing
from executor.domain.limits import over_rate
from executor.domain.money import ZERO
from executor.domain.orders import Follow, Ticket
from executor.domain.plan import forbidden, not_allowed
from executor.domain.scene import Denial, Scene
from signalbox.contracts import ids
from signalbox.contracts.values import OrderState, Side


def due(ticket: Ticket) -> Follow | None:
    """What follows an exit now: it is filled, and nobody wanted it to end otherwise."""
    filled = ticket.order.state is OrderState.FILLED
    return ticket.follow if filled and ticket.submission.recall is None else None


def follower(done: Ticket, follow: Follow, scene: Scene, fence: int) -> Ticket:
    """The entry that follows an exit: its next leg, without a size yet."""
    order = done.order
    leg = order.leg + 1
    cause = str(order.signal_id or order.order_id)
    order_id = ids.client_order_id(order.account, cause, order.bot, leg, 0)
    change = {
        "order_id": order_id,
        "leg": leg,
        "purpose": "entry",
        "quantity": None,
        "filled": ZERO,
        "average_price": None,
        "state": OrderState.PLANNED,
        "fill": None,
        **routing(scene.account, order_id),
        "fence": fence,
        "at": scene.now,
    }
    return Ticket(
        order=order.model_copy(update=change),
        correlation_id=done.correlation_id,
        config_version=done.config_version,
        planned_at=scene.now,
        expires_at=follow.until,
        arrival=done.arrival,
        signal_price=done.signal_price,
        guard=follow.guard,
    )


def barred(entry: Ticket, done: Ticket, scene: Scene) -> Denial | None:
    """Why the entry is not made after all; whatever it is sized by is looked at later."""
    order, bot = entry.order, scene.bot
    if _left(done, scene.book):
        words = "the position that had to be closed first is still open"
        return Denial("close_incomplete", words)
    why = forbidden(entry, bot, scene)
    if why is not None or bot is None or order.side is None:
        return why
    if entry.expires_at is not None and scene.now >= entry.expires_at:
        return _stale(entry.expires_at, scene.now)
    if order.side is Side.SELL and not bot.allow_short:
        return Denial("not_shortable", f"bot {bot.id} may not sell short any more")
    return not_allowed(order.symbol, order.side, bot) or over_rate(bot, scene)


def followed_sooner(ticket: Ticket, until: datetime) -> Ticket:
    """The exit whose signal stands `until` then only: nothing follows it later than that."""
    follow = ticket.follow
    if follow is None or follow.until <= until:
        return ticket
    return replace(ticket, follow=replace(follow, until=until))


def _left(done: Ticket, book: Book) -> bool:
    lots = book.holdings.get(done.order.symbol, FLAT).lots
    return not {lot.lot_id for lot in lots}.isdisjoint(done.targets)


def _stale(until: datetime, now: datetime) -> Denial:
    numbers = {"limit": until.isoformat(), "observed": now.isoformat()}
    words = f"the signal ended at {numbers['limit']}, before its position was closed"
    return Denial("stale_signal", words, numbers)
