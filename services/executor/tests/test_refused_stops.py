"""Exits that a broker does not carry out: told, tried again, given up, and when that is over."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from executor.domain.orders import MOST_ATTEMPTS
from executor.handlers.dealer import Dealers
from sandbox.alpaca.venue import new_order
from sandbox.faults import Kind
from signalbox.contracts.events import AlertRaised
from signalbox.contracts.limits import Exits
from signalbox.contracts.values import Action, OrderState
from signalbox.testing.wait import until
from tests.stopping import quiet

D = Decimal
S = OrderState
BUY, SELL = Action.BUY, Action.SELL
POST = "alpaca/post/v2/orders"
Open = Any  # opens a pit, see pits.py
Pit = Any


def watched(it: Pit) -> None:
    """Stops are not left at the broker, but watched."""
    account = it.shop.config.accounts[0].model_copy(update={"stops_at_broker": False})
    it.shop.configure(accounts=(account,))


def alarms(it: Pit) -> list[Any]:
    return [event.data for event in it.events if isinstance(event, AlertRaised)]


def standing(it: Pit) -> set[str]:
    """What people see as wrong now: the newest word of each."""
    newest = {(alarm.code, alarm.about): alarm.active for alarm in alarms(it)}
    return {code for (code, _), active in newest.items() if active}


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
        told = await until(lambda: alarms(it) if len(alarms(it)) > 1 else [])
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
        (last,) = [alarm for alarm in alarms(it) if alarm.code == "exit_given_up"]
        assert last.active
        assert "tried again" not in last.message
        assert "Close it by hand" in last.message
        await until(lambda: standing(it) == {"exit_given_up"})
        it.shop.later(seconds=61)
        it.quote(bid=D(200), ask=D(201))
        await it.shop.guard()
        assert len(it.orders()) == 1 + MOST_ATTEMPTS


async def refused(it: Pit, count: int = 1) -> None:
    """A source's exit that the broker has not taken."""
    it.switch(Kind.REJECTED, POST, count=count)
    it.shop.accept(SELL)
    await it.ends(S.REJECTED)


@pytest.mark.parametrize("restarted", ["before", "after", "never"])
async def test_a_refused_exit_is_over_when_its_lots_are_closed(pit: Open, restarted: str) -> None:
    async with pit() as it:
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        await refused(it)
        assert standing(it) == {"exit_rejected"}
        if restarted == "before":
            await it.restart()
            await quiet(it)
            assert standing(it) == {"exit_rejected"}, "nobody has closed it"
        if restarted == "after":
            await it.stop()
        await it.shop.commands.close(it.shop.command(bot="alpha", symbol="AAPL"))
        if restarted == "after":
            await it.restart()
        await it.ends(S.FILLED, 2)
        await until(lambda: not standing(it))
        await it.restart()
        await quiet(it)
        assert [alarm.active for alarm in alarms(it)] == [True, False]
        assert it.there.positions == {}


async def test_a_refused_exit_is_over_when_the_broker_takes_the_next_one(pit: Open) -> None:
    """Though that is not filled yet."""
    async with pit() as it:
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        await refused(it)
        it.switch(Kind.HELD, POST)
        it.shop.accept(SELL)
        await it.ends(S.ACCEPTED)
        await until(lambda: not standing(it))


async def test_of_two_exits_that_are_refused_one_alarm_ends_and_the_other_stays(pit: Open) -> None:
    async with pit() as it:
        it.quote()
        for number, source in enumerate(("one", "two"), 1):
            it.shop.accept(BUY, source_id=source)
            await it.ends(S.FILLED, number)
        it.switch(Kind.REJECTED, POST, count=2)
        for number, source in enumerate(("one", "two"), 1):
            it.shop.accept(SELL, source_id=source)
            await it.ends(S.REJECTED, number)
        it.shop.accept(SELL, source_id="two")
        await it.ends(S.FILLED, 3)
        await until(lambda: len(alarms(it)) == 3)
        await quiet(it)
        first, second, over = alarms(it)
        assert (second.about, second.code) == (over.about, over.code)
        assert [a.about for a in it.shop.work.alarms.raised()] == [first.about]


async def test_a_refused_exit_of_an_account_that_is_gone_is_over(pit: Open) -> None:
    async with pit() as it:
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        await refused(it)
        await it.stop()
        await it.shop.restart()
        it.shop.configure(accounts=(), bots=())
        task = asyncio.create_task(Dealers(it.shop.work, lambda _: no_broker(), it.pace).run())
        await until(lambda: not standing(it))
        task.cancel()
        await asyncio.wait({task})


def no_broker() -> Any:
    raise AssertionError("no account is wanted")


async def test_an_exit_that_is_abandoned_is_over_when_it_turns_up_filled(pit: Open) -> None:
    async with pit() as it:
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        it.switch(Kind.DOWN, POST, count=None)
        it.shop.accept(SELL)
        (lost,) = await it.ends(S.ABANDONED)
        assert standing(it) == {"order_abandoned"}
        await it.stop()
        it.served.clear()
        venue = it.served.trading.venue
        venue.place(it.there, new_order("AAPL", "sell", lost.quantity, lost.order_id, venue.wall()))
        await it.restart()
        await until(lambda: not standing(it))
        assert it.there.positions == {}


async def small(it: Pit, least: str, count: int = 1) -> None:
    """A lot of 4.7501, the last of so many, at a broker that takes no less than so much."""
    watched(it)
    it.quote()
    it.shop.accept(BUY)
    await it.ends(S.FILLED, count)
    it.served.trading.venue.assets["AAPL"] = {"min_order_size": least}
    await it.restart()


async def falls(it: Pit) -> None:
    it.shop.later(seconds=61)
    it.quote(bid=D(200), ask=D(201))
    await it.shop.guard()


async def test_of_what_no_order_can_close_people_are_told_once_and_no_alarm_stands(
    pit: Open,
) -> None:
    async with pit(exits=Exits(stop=D("0.01"))) as it:
        await small(it, "100")
        await falls(it)
        (stop,) = await it.ends(S.DENIED)
        assert stop.reason == "below_minimum"
        for _ in range(3):
            await falls(it)
        (told,) = alarms(it)
        assert (told.code, told.active, told.severity) == ("dust", False, "info")
        assert "alpha holds 4.7501 of AAPL" in told.message
        assert "/api/positions/alpha/AAPL/correct" in told.message
        assert len(it.orders()) == 2, "no endless tries"
        assert it.shop.work.alarms.raised() == []


async def test_an_exit_that_was_rejected_is_over_when_what_is_left_is_dust(pit: Open) -> None:
    async with pit(exits=Exits(stop=D("0.01"))) as it:
        await small(it, "1")
        it.switch(Kind.REJECTED, POST)
        await falls(it)
        await it.ends(S.REJECTED)
        assert standing(it) == {"exit_rejected"}
        it.served.trading.venue.assets["AAPL"] = {"min_order_size": "100"}
        await it.restart()
        await falls(it)
        await it.ends(S.DENIED)
        await until(lambda: not standing(it))
        assert [alarm.code for alarm in alarms(it)][1:2] == ["dust"]


async def test_a_small_lot_of_a_position_that_can_be_closed_is_given_up_until_it_is(
    pit: Open,
) -> None:
    async with pit(exits=Exits(stop=D("0.01"))) as it:
        it.quote()
        it.shop.accept(BUY, source_id="other", stop_price=D(1))
        await it.ends(S.FILLED)
        await small(it, "9", count=2)
        await falls(it)
        await it.ends(S.DENIED)
        await until(lambda: standing(it) == {"exit_given_up"})
        await it.shop.commands.close(it.shop.command(bot="alpha", symbol="AAPL"))
        await it.ends(S.FILLED, 3)
        await until(lambda: not standing(it))
        assert it.there.positions == {}
