"""Stops that rest at a broker, as tests make them and wait for them."""

from typing import Any

from signalbox.contracts.values import Action, OrderKind, OrderState
from signalbox.testing.wait import until

Pit = Any  # see pits.py


def stops(it: Pit) -> list[Any]:
    """Our stops, oldest first."""
    return [order for order in it.orders() if order.kind is OrderKind.STOP]


def resting(it: Pit, count: int) -> list[Any]:
    """The stops that rest, where there are so many and nothing else is open."""
    found = [order for order in it.orders() if not order.state.final]
    there = [o for o in found if o.kind is OrderKind.STOP and o.state is OrderState.ACCEPTED]
    return there if len(there) == len(found) == count else []


async def rests(it: Pit, count: int = 1) -> list[Any]:
    """Wait until so many stops rest, and nothing else is open."""
    found: list[Any] = await until(lambda: resting(it, count))
    return found


async def enter(it: Pit, **over: Any) -> Any:
    """A lot whose stop rests."""
    it.quote()
    it.shop.accept(Action.BUY, **over)
    (stop,) = await rests(it)
    return stop


async def quiet(it: Pit) -> None:
    """The account was looked at several times more."""
    was = it.brokerage.sweep_due
    await until(lambda: it.brokerage.sweep_due > was + 3 * it.pace.sweep_s)
