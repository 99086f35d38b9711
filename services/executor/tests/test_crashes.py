"""A process that dies: at every point between two durable steps, and at random ones."""

import asyncio
import random
from decimal import Decimal
from types import NoneType
from typing import Any

import pytest

from sandbox.alpaca.venue import ZERO
from sandbox.faults import Kind
from signalbox.contracts.errors import Conflict
from signalbox.contracts.limits import Limits
from signalbox.contracts.values import Action, OrderState
from signalbox.testing.wait import until

D = Decimal
S = OrderState
BUY, SELL = Action.BUY, Action.SELL
POST = "alpaca/post/v2/orders"
Open = Any  # opens a pit, see conftest.py
Pit = Any


def sound(it: Pit) -> None:
    """At most one order per intent at the broker; our books are the sum of its fills; every intent
    has an end that says why.
    """
    assert it.once()
    ours = it.orders()
    for order in ours:
        names = [there.client_id for there in it.there.orders.values()]
        assert names.count(order.order_id) <= 1
        assert order.state.final
        assert order.state is S.FILLED or order.reason, order
        assert order.state in it.states(order), "its end was told"
        intents = [one for one in ours if one.intent_id == order.intent_id]
        assert len({(one.leg, one.attempt) for one in intents}) == len(intents)
    assert it.agrees()
    assert sum((f.quantity for f in it.shop.fills()), ZERO) == sum(
        (e.quantity for e in it.there.executions), ZERO
    )
    assert it.shop.book().cash == it.there.cash


async def trade(it: Pit) -> None:
    """In and out again, with an answer that is lost on the way."""
    it.quote()
    it.shop.accept(BUY)
    await until(lambda: it.shop.frozen.is_set() or it.shop.held() > 0)
    if not it.shop.frozen.is_set():
        it.switch(Kind.LOST, POST)
        it.shop.accept(SELL)
        closed = [S.FILLED, S.FILLED]
        await until(lambda: it.shop.frozen.is_set() or [o.state for o in it.orders()] == closed)


async def test_a_process_that_dies_at_any_point_loses_and_doubles_nothing(pit: Open) -> None:
    """Before and after every commit and every call, one after the other."""
    point, died = 0, True
    while died:
        point += 1
        async with pit(at=str(point)) as it:
            it.shop.frozen_at = point
            await trade(it)
            died = it.shop.frozen.is_set()
            await it.restart()
            it.quote()
            if not it.shop.held() and len(it.orders()) < 2:
                await it.ends(S.FILLED)
            if len(it.orders()) < 2:
                await it.ends(S.FILLED)
                it.shop.accept(SELL)
            await it.ends(S.FILLED, 2)
            assert len(it.there.orders) == 2
            assert it.there.positions == {}
            sound(it)
    assert point > 20  # so many were tried


FAULTS = [
    Kind.LOST, Kind.BROKEN_AFTER, Kind.TRUNCATED, Kind.DOWN, Kind.BROKEN, Kind.LIMITED,
    Kind.PARTIAL, Kind.REJECTED, Kind.SLOW, Kind.HELD,
]  # fmt: skip
ANYWHERE = [POST, "alpaca/get/v2/orders", "alpaca/get/v2/account/activities", "alpaca/get/"]


async def disturb(it: Pit, dice: random.Random) -> None:
    """One thing that goes wrong: a fault, a death, a late fill, somebody's cancel."""
    match dice.randrange(6):
        case 0 | 1 | 2:
            fault = dice.choice(FAULTS)
            only_post = fault in {Kind.PARTIAL, Kind.REJECTED, Kind.HELD, Kind.SLOW}
            path = POST if only_post else dice.choice(ANYWHERE)
            it.switch(fault, path, dice.randint(1, 3), seconds=dice.choice([0.05, 0.4, 0.6]))
        case 3:
            it.shop.frozen_at = it.shop.points + dice.randint(1, 12)
        case 4:
            await it.restart()
        case _:
            held = [o for o in it.there.orders.values() if o.open and o.hold]
            for order in held[:1]:
                part = ((order.quantity - order.filled) / 2).quantize(D("0.0001"))
                it.served.trading.venue.fill(it.there, order, part, D(210))
                await by_hand(it, order.client_id)


async def by_hand(it: Pit, order_id: str) -> None:
    """Somebody cancels an order; the process may die over it."""
    command = it.shop.command(order_id, order_id=order_id)
    task = asyncio.create_task(it.shop.commands.cancel(command))
    await until(lambda: task.done() or it.shop.frozen.is_set())
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        assert isinstance(task.exception(), Conflict | NoneType)


async def moves(it: Pit) -> None:
    """Wait until the worker has come to its next point, or has died."""
    points = it.shop.points
    await until(lambda: it.shop.frozen.is_set() or it.shop.points > points)


async def settle(it: Pit) -> None:
    """Nothing goes wrong any more."""
    it.served.clear()
    await it.restart()

    def done() -> bool:
        for there in it.there.orders.values():
            there.hold = False
        it.quote()
        it.quote("MSFT")
        return all(order.state.final for order in it.orders()) and bool(it.agrees())

    await until(done, 20)


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_happens_in_whatever_order_an_intent_is_one_order_at_most(
    pit: Open, seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311 - picks faults, guards nothing
    limits = Limits(limit_bps=D(5) if seed % 2 else None)  # of every other seed at the market
    async with pit(limits=limits) as it:
        it.read_s = 0.3  # some slow answers take longer
        await it.restart()
        it.quote()
        it.quote("MSFT")
        for _ in range(14):
            await disturb(it, dice)
            symbol = dice.choice(["AAPL", "MSFT"])
            verdict = it.shop.verdict(dice.choice([BUY, BUY, SELL]), symbol=symbol)
            for _ in range(dice.randint(1, 3)):  # a message may come more than once
                it.shop.handle(verdict)
            it.shop.later(seconds=dice.random())
            it.quote()
            it.quote("MSFT")
            await moves(it)
            if it.shop.frozen.is_set():
                await it.restart()
        await settle(it)
        sound(it)
