"""Stops at the broker under whatever happens in whatever order: sources, prices, faults, deaths."""

import asyncio
import random
from collections import defaultdict
from decimal import Decimal
from types import NoneType
from typing import Any

import pytest

from executor.domain.book import FLAT
from sandbox.alpaca.venue import ZERO
from sandbox.faults import Kind
from signalbox.contracts.errors import Conflict
from signalbox.contracts.limits import Exits
from signalbox.contracts.values import Action, OrderKind, OrderState
from signalbox.testing.wait import until

D = Decimal
BUY, SELL = Action.BUY, Action.SELL
Open = Any  # opens a pit, see conftest.py
Pit = Any
FAULTS = [
    Kind.LOST, Kind.BROKEN_AFTER, Kind.TRUNCATED, Kind.DOWN, Kind.BROKEN, Kind.LIMITED,
    Kind.PARTIAL, Kind.REJECTED,
]  # fmt: skip
POST = "alpaca/post/v2/orders"
ANYWHERE = [POST, "alpaca/delete/v2/orders", "alpaca/get/v2/orders", "alpaca/get/"]


class Prices:
    """A walk that is sometimes seen at the broker only."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.bid = D(200)

    def told(self) -> dict[str, Any]:
        return {"bid": self.bid, "ask": self.bid + D("0.02"), "session_closes_at": None}

    def move(self, it: Pit) -> None:
        step = D(self._dice.randint(-120, 120)) / 10_000
        self.bid = (self.bid * (1 + step)).quantize(D("0.01"))
        it.shop.later(seconds=self._dice.choice([1, 6, 30, 90]))
        if self._dice.random() < 0.8:
            it.quote(**self.told())
            return
        known = it.shop.memory.board.snapshot()["AAPL"]
        seen = known.model_copy(update={**self.told(), "at": it.shop.now})
        it.served.trading.venue.hear(seen)


async def command(it: Pit, verb: str, **body: str) -> None:
    """A person does something; the process may die over it."""
    ask = it.shop.command(f"{verb}{it.shop.points}", **body)
    task = asyncio.create_task(getattr(it.shop.commands, verb)(ask))
    await until(lambda: task.done() or it.shop.frozen.is_set())
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        assert isinstance(task.exception(), Conflict | NoneType)


async def happen(it: Pit, dice: random.Random) -> None:
    """One thing."""
    match dice.randrange(9):
        case 0 | 1 | 2:
            it.shop.accept(BUY, source_id=dice.choice("ab"))
        case 3:
            it.shop.accept(SELL, source_id=dice.choice("ab"))
        case 4:
            fault = dice.choice(FAULTS)
            only_post = fault in {Kind.PARTIAL, Kind.REJECTED}
            it.switch(fault, POST if only_post else dice.choice(ANYWHERE), dice.randint(1, 3))
        case 5:
            it.shop.frozen_at = it.shop.points + dice.randint(1, 20)
        case 6:
            await it.restart()
        case 7:
            await command(it, "close", bot="alpha", symbol="AAPL")
        case _:
            stops = [o for o in it.orders() if o.kind is OrderKind.STOP and not o.state.final]
            for stop in stops[:1]:
                await command(it, "cancel", order_id=stop.order_id)


async def works(it: Pit, dice: random.Random) -> None:
    """The worker and the watch go on for a while."""
    points = it.shop.points + dice.choice([1, 4, 12])
    loop = asyncio.get_running_loop()
    end = loop.time() + 0.3
    await until(lambda: it.shop.frozen.is_set() or it.shop.points > points or loop.time() > end)
    if it.shop.frozen.is_set():
        await it.restart()
    watch = asyncio.create_task(it.shop.guard())
    await until(lambda: watch.done() or it.shop.frozen.is_set())
    watch.cancel()
    await asyncio.wait({watch})
    if it.shop.frozen.is_set():
        await it.restart()


def calm(it: Pit) -> bool:
    """Whether nothing is open but stops that rest, and the books hold what the broker does."""
    found = [order for order in it.orders() if not order.state.final]
    rest = all(o.kind is OrderKind.STOP and o.state is OrderState.ACCEPTED for o in found)
    return rest and bool(it.agrees())


def owned(it: Pit) -> bool:
    """Whether of each lot as much is closed as was opened, less what is left of it."""
    opened: dict[str, Decimal] = defaultdict(Decimal)
    for fill in it.shop.fills():
        for part in fill.slices:
            sign = 1 if part["effect"] == "opened" else -1
            opened[str(part["lot_id"])] += sign * D(part["quantity"])
    left = {str(x.lot_id): x.quantity for x in it.shop.book().holdings.get("AAPL", FLAT).lots}
    return {name: units for name, units in opened.items() if units} == left


@pytest.mark.parametrize("seed", range(10))
async def test_never_more_is_sold_than_held_and_every_stop_fires_once(pit: Open, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - picks what happens, guards nothing
    exits = Exits(stop=D("0.01"), trailing=dice.choice([None, D("0.008")]), target=D("0.03"))
    async with pit(exits=exits) as it:
        it.read_s = 0.3
        await it.restart()
        prices = Prices(dice)
        it.quote(**prices.told())
        for _ in range(25):
            await happen(it, dice)
            prices.move(it)
            await works(it, dice)
        it.served.clear()
        await it.restart()
        it.shop.later(seconds=90)
        it.quote(**prices.told())
        await it.shop.guard()
        await until(lambda: calm(it))
        assert it.once()
        assert owned(it)
        held = ZERO
        for done in it.there.executions:
            held += done.quantity * done.order.sign
            assert held >= 0, "never short"
        assert sum((f.quantity for f in it.shop.fills()), ZERO) == sum(
            (e.quantity for e in it.there.executions), ZERO
        )
        assert it.shop.book().cash == it.there.cash
        for order in it.orders():
            assert order.filled <= (order.quantity or ZERO)
        bad = {"order_contradicts", "order_surplus", "broker_failed", "position_mismatch"}
        assert bad.isdisjoint(it.alerts())
