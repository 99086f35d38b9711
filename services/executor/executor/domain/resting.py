"""Stops that rest with a broker: at which price and for how many units of a lot, when one is placed
again, and when the executor's own watch acts all the same.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

from executor.domain.broker import BrokerOrder
from executor.domain.fees import is_pair
from executor.domain.guards import trailed_stop
from executor.domain.money import ZERO, floor_to
from executor.domain.orders import Ticket, refused
from executor.domain.prices import to_tick, venue_tick
from signalbox.contracts import ids
from signalbox.contracts.payloads import Lot, Order, Quote
from signalbox.contracts.values import OrderKind, OrderState, Side

PATIENCE = timedelta(seconds=10)  # market time that a broker gets to carry out a stop
BY_HAND = "canceled_by_user"  # why an order has ended that a person did not want

_WHOLE = Decimal(1)
_STEP_EVERY = timedelta(minutes=1)  # market time between two moves of a stop
_AGAIN = timedelta(minutes=1)  # market time after one that the broker has ended
_MOST_FAILURES, _REMEMBERED = 3, timedelta(days=1)  # market time
LOOKED_AT = _MOST_FAILURES  # how many orders back one has to look
_IN_DOUBT = frozenset({OrderState.SUBMITTING, OrderState.UNKNOWN})
_LOST = frozenset({OrderState.ABANDONED, OrderState.DENIED})


@dataclass(frozen=True, slots=True)
class Level:
    """The stop that a lot should have at its broker."""

    trigger: Literal["stop", "trailing"]
    price: Decimal  # as venues take it, never nearer to the market than the lot's own
    units: Decimal  # whole ones
    side: Side


def level_of(symbol: str, lot: Lot) -> Level | None:
    """The nearer of a lot's stop and trailing stop, for its whole units; None when it has neither,
    is of less than one unit, or of a pair, for which no plain stops are taken.
    """
    guard = lot.protection
    units = floor_to(lot.quantity.copy_abs(), _WHOLE)
    if guard is None or is_pair(symbol) or units < _WHOLE:
        return None
    levels: list[tuple[Decimal, Literal["stop", "trailing"]]] = []
    if guard.stop_price is not None:
        levels.append((guard.stop_price, "stop"))
    trailing = trailed_stop(lot)
    if trailing is not None:
        levels.append((trailing, "trailing"))
    if not levels:
        return None
    long = lot.quantity > ZERO
    price, trigger = max(levels) if long else min(levels)
    price = to_tick(price, Side.BUY if long else Side.SELL, venue_tick(symbol, price))
    return Level(trigger, price, units, Side.SELL if long else Side.BUY)


def outdated(ticket: Ticket, level: Level | None, now: datetime) -> bool:
    """Whether a stop that rests is not the one that its lot should have. One that only trails
    behind the price stays for a minute: the watch knows the newer level.
    """
    order = ticket.order
    if level is None or (order.side, order.quantity) != (level.side, level.units):
        return True
    return order.stop_price != level.price and now - ticket.planned_at >= _STEP_EVERY


def trails(ticket: Ticket, level: Level | None) -> bool:
    """Whether a stop is the right one, but for the level at which a trailing one stands by now."""
    order = ticket.order
    same = level is not None and (order.side, order.quantity) == (level.side, level.units)
    return same and level is not None and level.trigger == "trailing"


def in_doubt(ticket: Ticket) -> bool:
    """Whether it is not known yet that the broker has it, or that it is over there."""
    order = ticket.order
    return order.state in _IN_DOUBT or ticket.submission.recall is not None


def left_to_broker(ticket: Ticket, quote: Quote) -> bool:
    """Whether the price is where a stop that rests is to be carried out by its broker."""
    order = ticket.order
    open_there = ticket.resting or (ticket.stop and order.state is OrderState.PARTIALLY_FILLED)
    if not open_there or order.stop_price is None:
        return False
    if order.side is Side.SELL:
        return quote.bid <= order.stop_price
    return quote.ask >= order.stop_price


def altered(ticket: Ticket, shown: BrokerOrder) -> bool:
    """Whether it is our stop still, that its broker has changed since it took it: as for a dividend
    or a split. Executions beyond what we have ordered are no such thing.
    """
    order = ticket.order
    ours = bool(order.broker_order_id) and shown.broker_id == order.broker_order_id
    same = (shown.side, shown.symbol) == (order.side, order.symbol)
    within = order.quantity is not None and shown.filled <= order.quantity
    return ticket.stop and ours and same and within


def one_sided(lots: Iterable[Lot]) -> bool:
    """Whether all lots are long, or all are short. A broker knows their sum only: a stop of one
    side would close more than is there, or open a position.
    """
    return len({lot.quantity > ZERO for lot in lots}) == 1


def name_of(lot_id: UUID, bot: str, account: str, attempt: int, leg: int = 0) -> str:
    """The name of a stop that rests; of leg 1, of the order that closes what it has left."""
    cause = f"exit|{lot_id}|stop|resting"
    return ids.client_order_id(account, cause, bot, leg, attempt)


def count_of(exists: Callable[[int], bool]) -> int:
    """How many there are of what is numbered from 0 without a gap."""
    above = 1
    while exists(above - 1):
        above *= 2
    below = above // 2
    while below < above - 1:
        middle = (below + above) // 2
        below, above = (middle, above) if exists(middle - 1) else (below, middle)
    return below


@dataclass(frozen=True, slots=True)
class Turn:
    """Whether a stop may be placed for a lot now."""

    now: bool
    given_up: bool = False  # the broker has ended it too often; the lot is watched


def turn_of(before: Sequence[Ticket], now: datetime, corrected: datetime | None) -> Turn:
    """Whether one may follow those `before`, newest first. What a person has cancelled is not
    placed again unless the book was corrected since; what the broker ends by itself, after a pause
    and three times a day.
    """
    counted = [t for t in before if corrected is None or t.order.at > corrected]
    if not counted:
        return Turn(now=True)
    newest = counted[0]
    if newest.order.reason == BY_HAND:
        return Turn(now=False)
    failures = [t.order.at for t in counted if _failed(t) and now - t.order.at < _REMEMBERED]
    if len(failures) >= _MOST_FAILURES:
        return Turn(now=False, given_up=True)
    return Turn(now=not (_failed(newest) and now - newest.order.at < _AGAIN))


def _failed(ticket: Ticket) -> bool:
    return refused(ticket) or ticket.order.state in _LOST


def rest_of(done: Ticket, lot: Lot, at: datetime, fence: int) -> Order:
    """The order that closes what a stop has left of its lot: less than a unit, or what its broker
    has not filled.
    """
    order = done.order
    name = name_of(lot.lot_id, order.bot, order.account, order.attempt, leg=1)
    change = {
        "order_id": name,
        "leg": 1,
        "kind": OrderKind.MARKET,
        "stop_price": None,
        "quantity": lot.quantity.copy_abs(),
        "filled": ZERO,
        "average_price": None,
        "state": OrderState.PLANNED,
        "reason": "",
        "message": "the stop of the lot was carried out at the broker; this is the rest of it",
        "numbers": {},
        "broker_order_id": "",
        "fence": fence,
        "at": at,
        "fill": None,
    }
    return order.model_copy(update=change)
