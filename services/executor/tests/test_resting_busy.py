"""Stops that rest with the broker stand in nothing's way: no fault of theirs, no number of them."""

from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from executor.adapters.budget import Budget, Urgency
from executor.handlers.resting import Resting
from sandbox.alpaca.venue import new_order
from sandbox.faults import Kind
from signalbox.contracts.events import OrderChanged
from signalbox.contracts.limits import Exits, Limits, Sizing
from signalbox.contracts.values import Action, OrderKind, OrderState, SourceType
from signalbox.testing.wait import until
from tests.stopping import enter, quiet, resting, rests, stops

D = Decimal
S = OrderState
BUY, SELL = Action.BUY, Action.SELL
POST = "alpaca/post/v2/orders"
Open = Any  # opens a pit, see pits.py
Pit = Any
STOP = Exits(stop=D("0.01"))
MANY = [f"S{number:02}" for number in range(40)]
ROOMY = Limits(
    max_open_positions=50, max_orders_per_minute=500, max_gross_exposure=D(10**6), max_repeats=50
)


async def test_a_fault_in_looking_at_stops_ends_nothing_else(
    pit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Resting._look

    def fails(resting: Resting, symbol: str, tickets: Any) -> Any:
        if symbol == "MSFT":
            raise ArithmeticError("a fault of ours")
        return look(resting, symbol, tickets)

    async with pit(exits=STOP) as it:
        monkeypatch.setattr(Resting, "_look", fails)
        it.quote("MSFT")
        it.shop.accept(BUY, symbol="MSFT")
        await it.ends(S.FILLED)
        await until(lambda: it.alerts() == ["broker_failed"])
        it.quote()
        it.shop.accept(BUY)
        (stop,) = await it.ends(S.ACCEPTED)
        assert (stop.kind, stop.symbol) == (OrderKind.STOP, "AAPL")
        it.shop.accept(SELL, symbol="MSFT")
        await it.ends(S.FILLED, 3)
        assert it.there.positions.keys() == {"AAPL"}
        monkeypatch.setattr(Resting, "_look", look)
        await until(lambda: not it.shop.work.alarms.raised())


def prices(it: Pit, symbols: Iterable[str], price: Decimal) -> None:
    for symbol in symbols:
        it.quote(symbol, bid=price, ask=price, session_closes_at=None)


async def trailed(it: Pit) -> None:
    """Forty lots trail, and each of their stops has a newer level that is due."""
    prices(it, MANY, D(200))
    for symbol in MANY:
        it.shop.accept(BUY, symbol=symbol)
    await rests(it, len(MANY))
    it.shop.later(seconds=61)
    it.brokerage.broker._budget = Budget(per_minute=600, burst=40)  # four times as fast as usual
    prices(it, MANY, D(210))
    await it.shop.guard()


def higher(it: Pit) -> set[str]:
    """The symbols whose stops have followed the price."""
    return {stop.symbol for stop in stops(it) if stop.stop_price == D("207.9")}


async def test_an_exit_gets_through_while_forty_stops_follow_the_price(
    pit: Open, asked: list[str]
) -> None:
    async with pit(exits=Exits(trailing=D("0.01")), limits=ROOMY) as it:
        await trailed(it)
        await until(lambda: any(path.startswith("alpaca/delete") for path in asked))
        before = len(asked)
        it.shop.accept(SELL, symbol=MANY[-1])
        await until(lambda: it.there.positions.get(MANY[-1]) is None)
        deleted = [path for path in asked[before:] if path.startswith("alpaca/delete")]
        assert len(deleted) < 10, "the exit's own stop, and few that only move"
        assert len(it.there.positions) == len(MANY) - 1
        moved = len(higher(it))
        await until(lambda: len(higher(it)) > moved)  # they go on, one after the other
        assert it.alerts() == []


async def test_what_trails_waits_while_the_broker_is_asked_much_and_is_watched(pit: Open) -> None:
    """Nothing is lost: the executor has the newer level."""
    async with pit(exits=Exits(trailing=D("0.01"))) as it:
        it.quote(bid=D(200), ask=D(200))
        it.shop.accept(BUY)
        (stop,) = await rests(it)
        busy = Budget(per_minute=6000, burst=24)
        it.brokerage.broker._budget = busy
        it.shop.later(seconds=61)
        it.quote(bid=D(210), ask=D(210))
        await it.shop.guard()
        await quiet(it)
        assert [order.order_id for order in await rests(it)] == [stop.order_id]
        it.shop.later(seconds=1)
        it.quote(bid=D("207.8"), ask=D("207.8"))
        await it.shop.guard()
        *_, sold = await it.ends(S.FILLED, 2)
        assert (sold.trigger, sold.average_price) == ("trailing", D("207.8"))
        assert it.there.positions == {}


def followed(it: Pit, level: Decimal) -> bool:
    """Whether every lot has a stop that rests at this level."""
    return [stop.stop_price for stop in resting(it, len(it.there.positions))] == [
        level for _ in it.there.positions
    ]


async def test_the_oldest_follows_first_so_that_each_has_its_turn(pit: Open) -> None:
    async with pit(exits=Exits(trailing=D("0.01")), limits=ROOMY) as it:
        symbols = MANY[3::-1]
        for number, symbol in enumerate(symbols, 1):
            it.shop.later(seconds=1)
            prices(it, [symbol], D(200))
            it.shop.accept(BUY, symbol=symbol)
            await rests(it, number)
        await it.stop()
        it.shop.later(seconds=61)
        prices(it, symbols, D(210))
        await it.shop.guard()
        await it.restart()
        await until(partial(followed, it, D("207.9")))
        told = [event.data for event in it.events if isinstance(event, OrderChanged)]
        assert [order.symbol for order in told if order.state is S.CANCEL_PENDING] == symbols


async def test_little_is_asked_while_much_is_left_and_nobody_waits() -> None:
    budget = Budget(per_minute=0.001, burst=26)
    assert budget.idle()
    await budget.take(Urgency.CANCEL)
    assert budget.idle()
    await budget.take(Urgency.CANCEL)
    assert not budget.idle()
    paused = Budget()
    paused.pause(60)
    assert not paused.idle()


async def test_a_late_fill_that_leaves_long_and_short_lots_calls_the_stops_back(pit: Open) -> None:
    """The broker knows their sum only: a stop of one side would open a position."""
    async with pit(allow_short=True, flatten_lower=False) as it:
        await enter(it, stop_price=D(200), source_type=SourceType.LLM)
        it.switch(Kind.DOWN, POST, count=None)
        it.shop.accept(SELL, source_id="other")
        (lost,) = await it.ends(S.ABANDONED)
        it.served.clear()
        (stop,) = await rests(it)
        venue = it.served.trading.venue
        late = new_order("AAPL", "sell", lost.quantity, lost.order_id, venue.wall())
        it.there.orders[late.id] = it.there.names[late.client_id] = late
        venue.fill(it.there, late, late.quantity, D(210))
        await until(lambda: it.shop.order(stop.order_id).state is S.CANCELED)
        assert it.shop.order(stop.order_id).reason == "two_sided"
        await quiet(it)
        assert [order for order in it.orders() if not order.state.final] == []
        assert it.agrees()


async def test_a_stop_that_fires_while_its_exit_is_looked_at_alarms_nobody(pit: Open) -> None:
    async with pit(exits=STOP, sizing=Sizing(increment=D("0.0001"))) as it:
        stop = await enter(it)
        ask = it.brokerage.broker.position

        async def position(symbol: str) -> Any:
            it.brokerage.broker.position = ask
            seen = it.shop.memory.board.snapshot()[symbol]
            there = {"bid": D(208), "ask": D("208.1"), "at": it.shop.now}
            it.served.trading.venue.hear(seen.model_copy(update=there))
            return await ask(symbol)

        it.brokerage.broker.position = position
        it.shop.accept(SELL)
        *_, fired, closed = await it.ends(S.FILLED, 3)
        assert (fired.order_id, closed.purpose) == (stop.order_id, "exit")
        assert (fired.filled, closed.filled) == (D(4), D("0.7501"))
        assert it.there.positions == {}
        assert it.agrees()
        assert it.alerts() == []
