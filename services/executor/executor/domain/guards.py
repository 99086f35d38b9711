"""What closes a lot by itself: a stop, a target, a stop that trails the best price, or time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

from executor.domain.money import add, multiply, subtract
from executor.domain.orders import Guard
from executor.domain.paper import tick_of
from executor.domain.scene import Denial
from signalbox.contracts import ids
from signalbox.contracts.ids import plain
from signalbox.contracts.limits import Exits
from signalbox.contracts.payloads import Lot, Protection, Quote
from signalbox.contracts.values import Side

Trigger = Literal["stop", "target", "trailing", "time"]

STOPS: tuple[Trigger, ...] = ("stop", "trailing")  # what may rest at a broker

_ONE = Decimal(1)
_STEP = Decimal("0.1")  # of the trailing distance: a smaller move of the best price is not stored


@dataclass(frozen=True, slots=True)
class Alarm:
    """A lot has to be closed now."""

    trigger: Trigger
    message: str
    numbers: dict[str, str]  # limit and observed


def exit_name(lot_id: UUID, trigger: Trigger, bot: str, account: str, attempt: int) -> str:
    """The name of the order that the watch closes a lot with."""
    return ids.client_order_id(account, f"exit|{lot_id}|{trigger}", bot, 0, attempt)


def guard_of(
    exits: Exits, stop_price: Decimal | None = None, target_price: Decimal | None = None
) -> Guard | None:
    """What protects by a bot's fractions and a signal's prices; None when that is nothing."""
    guard = Guard(stop_price, target_price, exits)
    return None if guard == Guard() else guard


def passed(guard: Guard | None, side: Side, price: Decimal) -> Denial | None:
    """Whether the price at which an entry would be made is already beyond its stop or target."""
    if guard is None:
        return None
    for name, level, below in (
        ("stop", guard.stop_price, side is Side.BUY),
        ("target", guard.target_price, side is Side.SELL),
    ):
        if level is not None and (price <= level if below else price >= level):
            words = f"the price {plain(price)} is already beyond the signal's {name} {plain(level)}"
            return Denial(f"{name}_passed", words, _numbers(level, price))
    return None


def protection(guard: Guard | None, side: Side, price: Decimal, at: datetime) -> Protection | None:
    """What protects a lot that was opened at this price and market time."""
    if guard is None:
        return None
    exits, sign = guard.exits, Decimal(side.sign)
    stop, target = guard.stop_price, guard.target_price
    if stop is None and exits.stop is not None:
        stop = _moved(price, multiply(exits.stop, -sign))
    if target is None and exits.target is not None:
        target = _moved(price, multiply(exits.target, sign))
    return Protection(
        stop_price=stop,
        target_price=target if target is None or target > 0 else None,
        trailing=exits.trailing,
        best_price=None if exits.trailing is None else price,
        exit_at=None if exits.hold_s is None else at + timedelta(seconds=exits.hold_s),
    )


def alarm(lot: Lot, quote: Quote | None, now: datetime | None) -> Alarm | None:
    """Why a lot has to be closed at this quote or market time, or None.

    A long lot is judged by the bid, a short one by the ask: what closing it would get.
    """
    guard = lot.protection
    if guard is None:
        return None
    if quote is not None:
        long = lot.quantity > 0
        price = quote.bid if long else quote.ask
        levels: tuple[tuple[Trigger, Decimal | None, bool], ...] = (
            ("stop", guard.stop_price, long),
            ("trailing", trailed_stop(lot), long),
            ("target", guard.target_price, not long),
        )
        for trigger, level, below in levels:
            if level is not None and (price <= level if below else price >= level):
                words = f"the price {plain(price)} reached the {_NAMES[trigger]} {plain(level)}"
                return Alarm(trigger, words, _numbers(level, price))
    if guard.exit_at is not None and now is not None and now >= guard.exit_at:
        until = guard.exit_at.isoformat()
        words = f"it was to be held until {until}"
        return Alarm("time", words, {"limit": until, "observed": now.isoformat()})
    return None


_NAMES = {"stop": "stop", "trailing": "trailing stop", "target": "target"}


def trailed_stop(lot: Lot) -> Decimal | None:
    """The price at which a trailed lot is closed."""
    guard = lot.protection
    if guard is None or guard.trailing is None or guard.best_price is None:
        return None
    return _moved(guard.best_price, guard.trailing.copy_sign(-lot.quantity))


def trailed(lot: Lot, quote: Quote) -> Lot | None:
    """The lot with a better best price, when this quote moves it by a step."""
    guard = lot.protection
    if guard is None or guard.trailing is None or guard.best_price is None:
        return None
    long = lot.quantity > 0
    price = quote.bid if long else quote.ask
    gain = subtract(price, guard.best_price) if long else subtract(guard.best_price, price)
    if gain < multiply(multiply(guard.trailing, _STEP), guard.best_price):
        return None
    better = guard.model_copy(update={"best_price": price})
    return lot.model_copy(update={"protection": better})


def _moved(price: Decimal, fraction: Decimal) -> Decimal:
    return multiply(price, add(_ONE, fraction)).quantize(tick_of(price))


def _numbers(limit: Decimal, observed: Decimal) -> dict[str, str]:
    return {"limit": plain(limit), "observed": plain(observed)}
