"""Stops that a broker does not carry out: told, tried again, given up."""

from decimal import Decimal
from typing import Any

from executor.domain.orders import MOST_ATTEMPTS
from sandbox.faults import Kind
from signalbox.contracts.events import AlertRaised
from signalbox.contracts.limits import Exits
from signalbox.contracts.values import Action, OrderState

D = Decimal
S = OrderState
BUY = Action.BUY
POST = "alpaca/post/v2/orders"
Open = Any  # opens a pit, see conftest.py
Pit = Any


def watched(it: Pit) -> None:
    """Stops are not left at the broker, but watched."""
    account = it.shop.config.accounts[0].model_copy(update={"stops_at_broker": False})
    it.shop.configure(accounts=(account,))


def alarms(it: Pit) -> list[Any]:
    return [event.data for event in it.events if isinstance(event, AlertRaised)]


async def test_a_stop_that_the_broker_rejects_is_told_and_tried_again(pit: Open) -> None:
    async with pit(exits=Exits(stop=D("0.01"))) as it:
        watched(it)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        it.switch(Kind.REJECTED, POST)
        it.shop.later(seconds=1)
        it.quote(bid=D(200), ask=D(201))
        await it.shop.guard()
        await it.ends(S.REJECTED)
        assert it.alerts() == ["exit_rejected"]
        it.quote(bid=D(200), ask=D(201))
        await it.shop.guard()
        assert len(it.orders()) == 2, "not at once"
        it.shop.later(seconds=61)
        it.quote(bid=D(199), ask=D(200))
        await it.shop.guard()
        await it.ends(S.FILLED, 2)
        assert [o.attempt for o in it.orders()] == [0, 0, 1]
        assert it.there.positions == {}
        assert it.agrees()
        told = alarms(it)
        assert [(a.code, a.active) for a in told] == [("exit_rejected", x) for x in (True, False)]
        assert "tried again in a minute" in told[0].message
        assert told[0].about == told[1].about


async def test_a_stop_that_the_broker_rejects_ten_times_is_given_up_and_told(pit: Open) -> None:
    async with pit(exits=Exits(stop=D("0.01"))) as it:
        watched(it)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        it.switch(Kind.REJECTED, POST, count=None)
        for number in range(1, MOST_ATTEMPTS + 1):
            it.shop.later(seconds=61)
            it.quote(bid=D(200), ask=D(201))
            await it.shop.guard()
            await it.ends(S.REJECTED, number)
        *_, last = alarms(it)
        assert (last.code, last.active) == ("exit_given_up", True)
        assert "tried again" not in last.message
        assert "Close it by hand" in last.message
        it.shop.later(seconds=61)
        it.quote(bid=D(200), ask=D(201))
        await it.shop.guard()
        assert len(it.orders()) == 1 + MOST_ATTEMPTS


async def test_a_stop_of_less_than_the_broker_takes_is_told(pit: Open) -> None:
    async with pit(exits=Exits(stop=D("0.01"))) as it:
        watched(it)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        it.served.trading.venue.assets["AAPL"] = {"min_order_size": "100"}
        await it.restart()
        it.shop.later(seconds=1)
        it.quote(bid=D(200), ask=D(201))
        await it.shop.guard()
        (stop,) = await it.ends(S.DENIED)
        assert stop.reason == "below_minimum"
        (told,) = alarms(it)
        assert (told.code, told.active) == ("exit_given_up", True)
