"""Stops that rest with the broker, when something goes wrong there, on the way, or here."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from executor.adapters import store
from executor.adapters.budget import Urgency
from executor.domain.book import FLAT
from sandbox.faults import Kind
from signalbox.contracts.errors import Conflict
from signalbox.contracts.events import AlertRaised
from signalbox.contracts.limits import Exits
from signalbox.contracts.values import Action, OrderKind, OrderState, Target
from signalbox.testing.wait import until
from tests.stopping import enter, quiet, resting, rests, stops

D = Decimal
S = OrderState
BUY, SELL = Action.BUY, Action.SELL
POST, FIND, CANCEL = "alpaca/post/v2/orders", "alpaca/get/v2/orders:by", "alpaca/delete/v2/orders"
Open = Any  # opens a pit, see pits.py
Pit = Any
STOP = Exits(stop=D("0.01"))
BEYOND = {"bid": D(208), "ask": D("208.1")}


def there(it: Pit, order: Any) -> Any:
    """Our order as the broker has it."""
    return it.there.names[order.order_id]


async def bought(it: Pit, fault: Kind | None = None) -> None:
    """A lot; the next order that is posted will be its stop, and may meet a fault."""
    it.switch(Kind.HELD, POST)
    it.quote()
    it.shop.accept(BUY)
    (order,) = await it.ends(S.ACCEPTED)
    it.served.clear()
    if fault is not None:
        it.switch(fault, POST)
    held = there(it, order)
    it.served.trading.venue.fill(it.there, held, held.quantity, D("210.52"))


@pytest.mark.parametrize("fault", [Kind.LOST, Kind.BROKEN_AFTER, Kind.TRUNCATED])
async def test_a_stop_whose_answer_is_lost_is_found_and_there_is_one(
    pit: Open, fault: Kind
) -> None:
    async with pit(exits=STOP) as it:
        await bought(it, fault)
        (stop,) = await rests(it)
        assert S.UNKNOWN in it.states(stop)
        assert it.once()
        assert len(it.there.orders) == 2


@pytest.mark.parametrize("fault", [Kind.DOWN, Kind.LIMITED])
async def test_a_stop_that_never_arrived_is_sent_again_under_its_name(
    pit: Open, fault: Kind
) -> None:
    async with pit(exits=STOP) as it:
        await bought(it, fault)
        (stop,) = await rests(it)
        assert it.served.trading.posts.count(stop.order_id) == 1
        assert stop.attempt == 0
        assert it.once()


async def test_a_stop_that_never_arrives_is_sent_twice_and_its_lot_watched(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        await bought(it)
        it.switch(Kind.DOWN, POST, count=None)
        (lost,) = await it.ends(S.ABANDONED)
        with it.shop.db.begin() as sql:
            ticket = store.find_order(sql, lost.order_id)
        assert ticket is not None
        assert ticket.submission.posts == 2
        told = [e.data for e in it.events if isinstance(e, AlertRaised)]
        assert [(a.code, a.active) for a in told] == [("order_abandoned", False)]


async def test_a_stop_that_is_in_doubt_lets_the_exit_wait_until_it_is_known(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        await bought(it, Kind.LOST)
        it.switch(Kind.BROKEN, FIND, count=3)
        await it.ends(S.UNKNOWN)
        it.shop.accept(SELL)
        await it.ends(S.FILLED, 2)
        (stop,) = stops(it)
        assert (stop.state, stop.reason) == (S.CANCELED, "makes_way")
        assert it.there.positions == {}
        assert it.agrees()


async def test_what_the_broker_ends_unasked_is_placed_again_three_times_a_day(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        it.there.orders[there(it, stop).id].status = "expired"
        await it.ends(S.EXPIRED)
        await quiet(it)
        assert len(stops(it)) == 1, "not at once"
        it.switch(Kind.REJECTED, POST, count=None)
        for number in (1, 2):
            it.shop.later(seconds=61)
            await it.ends(S.REJECTED, number)
        it.shop.later(seconds=61)
        await until(lambda: it.alerts() == ["stop_watched"])
        it.shop.later(hours=12)
        await quiet(it)
        assert [o.attempt for o in stops(it)] == [0, 1, 2]
        it.served.clear()
        it.quote(**BEYOND, session_closes_at=None)
        await it.shop.guard()
        await it.ends(S.FILLED, 2)
        assert it.there.positions == {}
        await until(lambda: not it.shop.work.alarms.raised())
        ended = [e.data for e in it.events if isinstance(e, AlertRaised)][-1]
        assert (ended.code, ended.active) == ("stop_watched", False)


async def test_the_next_day_it_rests_again(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        await bought(it)
        it.switch(Kind.REJECTED, POST, count=3)
        for number in (1, 2, 3):
            await it.ends(S.REJECTED, number)
            it.shop.later(seconds=61)
        await until(lambda: it.alerts() == ["stop_watched"])
        it.shop.later(days=1)
        await rests(it)
        await until(lambda: not it.shop.work.alarms.raised())


async def test_what_a_person_cancels_is_not_placed_again_and_watched(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        said = await it.shop.commands.cancel(it.shop.command(order_id=stop.order_id))
        assert "watched" in said["message"]
        await it.ends(S.CANCELED)
        it.shop.later(minutes=30)
        it.quote()
        it.shop.accept(BUY, source_id="other")
        (other,) = await rests(it)
        assert other.source_id == "other"
        assert len(stops(it)) == 2
        it.shop.later(seconds=1)
        it.quote(bid=D("208.3"), ask=D("208.4"))
        await it.shop.guard()
        await until(lambda: it.agrees() and not it.there.positions)


async def test_a_broker_that_does_not_carry_it_out_is_given_ten_seconds(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        there(it, stop).hold = True
        for seconds in (1, 5, 4):
            it.shop.later(seconds=seconds)
            it.quote(**BEYOND)
            assert [o for o in await it.shop.guard() if o.kind is not OrderKind.STOP] == []
        it.shop.later(seconds=1)
        await it.shop.guard()  # no further quote is needed
        _, sold = await it.ends(S.FILLED, 2)
        assert (sold.trigger, sold.quantity, sold.average_price) == ("stop", D("4.7501"), D(208))
        assert it.shop.order(stop.order_id).reason == "makes_way"
        assert it.there.positions == {}
        assert it.agrees()


async def test_a_price_that_comes_back_leaves_the_broker_its_ten_seconds(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        there(it, stop).hold = True
        for bid in (208, 210, 208, 210):
            it.shop.later(seconds=9)
            it.quote(bid=D(bid), ask=D(bid))
            await it.shop.guard()
        assert [o.order_id for o in await rests(it)] == [stop.order_id]


async def test_a_stop_that_the_broker_has_changed_is_replaced_and_halts_nothing(pit: Open) -> None:
    """As for a dividend."""
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        changed = there(it, stop)
        changed.terms = replace(changed.terms, stop_price=D("208.11"))
        await it.ends(S.CANCELED)
        (again,) = await rests(it)
        assert (again.attempt, there(it, again).terms.stop_price) == (1, D("208.41"))
        assert it.alerts() == ["stop_altered"]
        assert not it.brokerage.refused


async def test_nothing_rests_where_the_broker_holds_something_else(pit: Open) -> None:
    """And the book can be corrected without a hand on the stop."""
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        it.there.positions["AAPL"] -= D("0.7501")
        await until(lambda: it.brokerage.mismatched == {"AAPL"})
        (ended,) = await it.ends(S.CANCELED)
        assert (ended.order_id, ended.reason) == (stop.order_id, "position_mismatch")
        said = {"bot": "alpha", "symbol": "AAPL", "quantity": "4", "reason": "sold by hand"}
        await it.shop.commands.correct(it.shop.command("fix", price="210", **said))
        (again,) = await rests(it)
        assert (again.attempt, again.quantity) == (1, D(4))
        assert it.agrees()


async def test_none_is_placed_for_units_that_the_broker_does_not_hold(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        await bought(it)
        it.there.positions["AAPL"] -= D(1)
        await until(lambda: it.brokerage.mismatched == {"AAPL"})
        it.there.positions["AAPL"] += D(1)
        await rests(it)
        assert [o.attempt for o in stops(it)] == [0]


async def test_a_correction_while_it_rests_is_refused_and_says_what_to_do(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        said = {"bot": "alpha", "symbol": "AAPL", "quantity": "4", "reason": "sold by hand"}
        with pytest.raises(Conflict, match=stop.order_id):
            await it.shop.commands.correct(it.shop.command("fix", price="210", **said))


async def test_it_stays_and_fires_under_the_kill_switch(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        it.shop.engage()
        await it.shop.floor.end_overdue(it.shop.moment())
        await quiet(it)
        assert [o.order_id for o in await rests(it)] == [stop.order_id]
        it.quote(**BEYOND)
        await it.ends(S.FILLED, 3)
        assert it.there.positions == {}


async def test_of_an_account_that_the_bot_has_left_it_rests_on(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        account = it.shop.config.accounts[0]
        bot = it.shop.config.bots[0].model_copy(update={"account": "elsewhere"})
        elsewhere = account.model_copy(update={"id": "elsewhere"})
        it.shop.configure(bot, accounts=(account, elsewhere))
        await quiet(it)
        assert [o.order_id for o in await rests(it)] == [stop.order_id]
        it.quote(**BEYOND)
        await it.ends(S.FILLED, 3)
        assert it.agrees()


async def test_it_is_left_alone_while_prices_are_replayed(pit: Open) -> None:
    async with pit(exits=Exits(trailing=D("0.01"))) as it:
        stop = await enter(it)
        account = it.shop.config.accounts[0].model_copy(update={"target": Target.REAL})
        it.shop.over["replay"] = True
        it.shop.configure(accounts=(account,))
        it.shop.later(minutes=5)
        it.quote(bid=D(300), ask=D("300.1"))
        await it.shop.guard()
        await quiet(it)
        assert [o.order_id for o in await rests(it)] == [stop.order_id]


async def test_a_restart_follows_what_rests_and_asks_for_it_once(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        await it.restart()
        await until(lambda: it.brokerage.active)
        looked: list[str] = []
        look = it.brokerage.broker.order

        async def order(broker_id: str, urgency: Urgency) -> Any:
            looked.append(broker_id)
            return await look(broker_id, urgency)

        it.brokerage.broker.order = order
        await quiet(it)
        await quiet(it)
        assert len(looked) <= 1, "the sweep lists it"
        assert [o.order_id for o in await rests(it)] == [stop.order_id]
        assert len(it.served.trading.posts) == 2


async def test_placing_it_again_counts_for_no_limit(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        await enter(it)
        assert sum(count for _, count in it.shop.book().recent) == 1


async def entered(it: Pit) -> None:
    """Another source enters while a stop rests."""
    it.shop.accept(BUY, source_id="other")
    await until(lambda: it.shop.frozen.is_set() or settled(it, 2))


async def left(it: Pit) -> None:
    """The source sells what its stop rests for."""
    it.shop.accept(SELL)
    await until(lambda: it.shop.frozen.is_set() or settled(it, 0))


async def fired(it: Pit) -> None:
    """The stop is carried out at its broker."""
    it.quote(**BEYOND)
    await until(lambda: it.shop.frozen.is_set() or settled(it, 0))


def settled(it: Pit, count: int) -> bool:
    """Whether so many stops rest for as many lots, and nothing else is open."""
    open_ones = [order for order in it.orders() if not order.state.final]
    return len(open_ones) == len(resting(it, count)) == count == lots(it)


def lots(it: Pit) -> int:
    """How many there are."""
    return len(it.shop.book().holdings.get("AAPL", FLAT).lots)


@pytest.mark.parametrize("happens", [entered, left, fired])
async def test_a_process_that_dies_at_any_point_with_a_stop_at_the_broker(
    pit: Open, happens: Any
) -> None:
    """Before every commit and every call: nothing is lost, doubled or sold twice."""
    point, died = -1, True
    while died:
        point += 2
        async with pit(at=str(point), exits=STOP) as it:
            await enter(it)
            it.shop.frozen_at = it.shop.points + point
            await happens(it)
            died = it.shop.frozen.is_set()
            await it.restart()
            it.quote()
            await it.shop.guard()
            await until(lambda: settled(it, lots(it)) and it.agrees())
            assert it.once()
            assert sold_at_most(it)
            assert lots(it) == {entered: 2, left: 0, fired: 0}[happens]
    assert point > 10  # so many were tried


def sold_at_most(it: Pit) -> bool:
    """Whether the account has never been short."""
    held = D(0)
    for done in it.there.executions:
        held += done.quantity * done.order.sign
        if held < 0:
            return False
    return True


async def test_what_a_stop_has_sold_unheard_is_not_taken_for_missing(pit: Open) -> None:
    """The exit comes before anybody has looked: the stop is booked, and nobody is alarmed."""
    async with pit(exits=STOP) as it:
        it.pace = replace(it.pace, sweep_s=60.0)
        await it.restart()
        stop = await enter(it)
        it.quote(**BEYOND)
        assert there(it, stop).status == "filled"
        it.shop.accept(SELL)
        *_, fired, closed = await it.ends(S.FILLED, 3)
        assert (fired.order_id, closed.purpose) == (stop.order_id, "exit")
        assert closed.filled == D("0.7501")
        assert it.alerts() == []
