"""Sending an order to a broker: whether it may go now, how much of it, what is sent again."""

from dataclasses import dataclass, replace
from decimal import Decimal

from executor.domain.book import FLAT
from executor.domain.broker import Asset, objection
from executor.domain.limits import unfit
from executor.domain.money import ZERO, floor_to, subtract
from executor.domain.orders import Ticket, sized
from executor.domain.plan import ending, settle
from executor.domain.scene import Denial, Scene
from signalbox.contracts import ids
from signalbox.contracts.ids import plain
from signalbox.contracts.values import OrderState, Side

Ending = tuple[OrderState, Denial]

BELOW_MINIMUM = "below_minimum"

_WHOLE = Decimal(1)
_MOST_POSTS, _MOST_EXIT_POSTS = 2, 10


def stopped(ticket: Ticket, scene: Scene) -> Denial | None:
    """Whether the kill switch stops an order. What protects, and what a person has commanded, goes
    on.
    """
    order = ticket.order
    if order.verdict_id is None or not scene.kill_switch.stops(order.bot, order.account):
        return None
    return Denial("trading_halted", f"the kill switch is engaged: {scene.kill_switch.reason}")


@dataclass(frozen=True, slots=True)
class Cleared:
    """How many units go now, and how many after them, because no order may go across zero."""

    size: Decimal
    rest: Decimal = ZERO


def clearance(
    ticket: Ticket, asset: Asset | None, scene: Scene, *, missing: Decimal = ZERO
) -> Cleared | Ending | None:
    """How much of a planned order may be sent now, or how it ends; None when it has to wait: an
    entry for a quote, an exit until its account may trade. Of a symbol of which the broker holds a
    little less than our books, by what is `missing`, an exit sells no more than is there. Time has
    passed since it was planned, so everything is looked at again.
    """
    never = hindrance(ticket, asset, scene)
    if never is not None and not ticket.entry:
        return None  # nothing else protects the position, so it goes as soon as it may
    stop = never or stopped(ticket, scene) or _risen(ticket, scene)
    if stop is not None:
        return OrderState.DENIED, stop
    over = ending(ticket, scene.bot, scene)
    if over is not None:
        return unsent(over)
    if ticket.entry and scene.quote is None:
        return None
    size = settle(ticket, scene.bot, scene)
    if isinstance(size, tuple):
        return unsent(size)
    if asset is None:
        return None
    if missing:
        held = scene.book.holdings.get(ticket.order.symbol, FLAT).quantity
        size = min(size, max(subtract(held.copy_abs(), missing), ZERO))
    return _fitted(size, ticket, asset, scene)


def hindrance(ticket: Ticket, asset: Asset | None, scene: Scene) -> Denial | None:
    """Why nothing of this symbol may go to this account now."""
    order = ticket.order
    if scene.account is None:
        return Denial("unknown_account", f"there is no account {order.account} any more")
    if (order.broker, order.mode) != (scene.account.broker, scene.account.mode):
        words = f"account {order.account} is another one now than it was made for"
        return Denial("config_changed", words)
    never = objection(scene.account, scene.bot, replay=scene.replay, allow_live=scene.allow_live)
    if never is not None:
        return never
    if asset is None or not asset.tradable:
        return Denial("not_tradable", f"{order.symbol} is not traded at {order.broker}")
    return None


def _risen(ticket: Ticket, scene: Scene) -> Denial | None:
    """Why an entry that has its size already may not go at today's price; one without a size gets
    it from the same limits.
    """
    side, bot = ticket.order.side, scene.bot
    if not ticket.entry or ticket.order.quantity is None or side is None or bot is None:
        return None
    symbol = ticket.order.symbol
    return unfit(symbol, side, ticket.signal_price, bot, scene, guard=ticket.guard)


def unsent(over: Ending) -> Ending:
    """How an order ends that has gone nowhere: denied, unless its time or cause is over."""
    state, why = over
    if state is OrderState.EXPIRED or why.code == "nothing_to_change":
        return over
    return OrderState.DENIED, why


def _fitted(wanted: Decimal, ticket: Ticket, asset: Asset, scene: Scene) -> Cleared | Ending:
    """The size as the broker takes it: in its steps, and not across zero."""
    order = ticket.order
    held = scene.book.holdings.get(order.symbol, FLAT).quantity
    against = held != ZERO and (held > ZERO) is (order.side is Side.SELL)
    crosses = against and wanted > held.copy_abs()
    if crosses and ticket.entry and order.leg and order.quantity is not None:
        words = "the position that had to be closed first is still open"
        return OrderState.DENIED, Denial("close_incomplete", words)
    size = floor_to(held.copy_abs() if crosses else wanted, asset.step)
    if order.side is Side.SELL and held < size:
        if not asset.shortable:
            words = f"{order.symbol} cannot be sold short at {order.broker}"
            return OrderState.DENIED, Denial("not_shortable", words)
        size = floor_to(size, _WHOLE)
    if size > ZERO and size >= asset.least:
        return Cleared(size, subtract(wanted, held.copy_abs()) if crosses else ZERO)
    numbers = {"limit": plain(max(asset.least, asset.step)), "observed": plain(size)}
    words = f"{numbers['observed']} units are below the broker's {numbers['limit']}"
    return OrderState.DENIED, Denial(BELOW_MINIMUM, words, numbers)


def is_dust(why: Denial, held: Decimal) -> bool:
    """Whether an exit is denied for its size and all that is `held` of the symbol, signed, is no
    more than that: no order can close it.
    """
    return why.code == BELOW_MINIMUM and held.copy_abs() < Decimal(why.numbers["limit"])


def legs(ticket: Ticket, cleared: Cleared) -> tuple[Ticket, Ticket | None]:
    """The order that goes now and, where there is a rest, the one that is planned to follow it;
    what is to follow an exit comes after its rest.
    """
    order = ticket.order
    first = sized(ticket, cleared.size)
    if not cleared.rest:
        return first, None
    leg = order.leg + 1
    cause = str(order.signal_id or order.order_id)
    name = ids.client_order_id(order.account, cause, order.bot, leg, 0)
    change = {"order_id": name, "leg": leg, "quantity": cleared.rest}
    return replace(first, follow=None), replace(ticket, order=order.model_copy(update=change))


def unwanted(ticket: Ticket, scene: Scene) -> Ending | None:
    """How an order ends that the broker has not taken, when it must not be sent again."""
    recall = ticket.submission.recall
    if recall is not None:
        return recall.state, Denial(recall.code, recall.message, recall.numbers)
    account = scene.account
    if account is None:
        words = f"there is no account {ticket.order.account} any more"
        return OrderState.CANCELED, Denial("unknown_account", words)
    stop = stopped(ticket, scene) or objection(
        account, scene.bot, replay=scene.replay, allow_live=scene.allow_live
    )
    return (OrderState.CANCELED, stop) if stop else ending(ticket, scene.bot, scene)


def not_again(ticket: Ticket, scene: Scene) -> Denial | None:
    """Why an order that is proven absent is given up; None when it is sent once more under its name
    or has to wait for a quote. Only where its tries are used up has it numbers, which are theirs.
    """
    most = _MOST_POSTS if ticket.entry or ticket.stop else _MOST_EXIT_POSTS
    if tries(ticket) >= most:
        words = f"{most} tries are the limit"
        return Denial("abandoned", words, {"limit": str(most), "observed": str(tries(ticket))})
    over = unwanted(ticket, scene)
    return Denial("abandoned", over[1].message) if over else None


def tries(ticket: Ticket) -> int:
    """How often an order may have reached its broker."""
    return ticket.submission.posts - ticket.submission.limited
