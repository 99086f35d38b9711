"""Orders at a broker over HTTP: each fault of the network and of the process, one order at most."""

from decimal import Decimal
from typing import Any

import pytest

from executor.handlers.audit import audit
from sandbox.alpaca.venue import new_order
from sandbox.faults import Kind
from signalbox.contracts import ids
from signalbox.contracts.limits import Exits
from signalbox.contracts.values import Action, OrderState
from signalbox.testing.examples import a_signal
from signalbox.testing.wait import until
from tests.pits import ALARMED

D = Decimal
S = OrderState
BUY, SELL, CLOSE = Action.BUY, Action.SELL, Action.CLOSE
POST, FIND = "alpaca/post/v2/orders", "alpaca/get/v2/orders:by"
ORDER, CANCEL = "alpaca/get/v2/orders/", "alpaca/delete/v2/orders"
Open = Any  # opens a pit, see conftest.py
Pit = Any


def name_of(it: Pit, own_id: str = "1") -> str:
    signal = a_signal(own_id=own_id)
    return ids.client_order_id("paper-alpha", str(signal.signal_id), "alpha", 0, 0)


async def test_an_order_is_planned_sent_accepted_and_filled(pit: Open) -> None:
    async with pit() as it:
        it.quote()
        it.shop.accept(BUY)
        (order,) = await it.ends(S.FILLED)
        assert it.states() == [S.PLANNED, S.SUBMITTING, S.ACCEPTED, S.FILLED]
        assert it.agrees()
        assert it.shop.held() == order.filled == order.quantity == D("4.7501")
        assert order.fence == 1
        assert order.broker_order_id in it.there.orders


@pytest.mark.parametrize("fault", [Kind.LOST, Kind.BROKEN_AFTER, Kind.TRUNCATED, Kind.SLOW])
async def test_an_answer_that_is_lost_after_it_took_effect_makes_no_second_order(
    pit: Open, fault: Kind
) -> None:
    async with pit() as it:
        it.switch(fault, POST, seconds=2.5)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        assert it.states()[:4] == [S.PLANNED, S.SUBMITTING, S.UNKNOWN, S.ACCEPTED]
        assert set(it.served.trading.posts) == {name_of(it)}
        assert len(it.there.orders) == 1
        assert it.agrees()


@pytest.mark.parametrize("fault", [Kind.DOWN, Kind.BROKEN])
async def test_an_order_that_never_arrived_is_sent_again_under_its_name(
    pit: Open, fault: Kind
) -> None:
    async with pit() as it:
        it.switch(fault, POST)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        assert S.UNKNOWN in it.states()
        assert it.served.trading.posts == [name_of(it)]
        assert it.agrees()


async def test_a_name_that_is_taken_already_is_our_own_order(pit: Open) -> None:
    async with pit() as it:
        await until(lambda: it.brokerage and it.brokerage.active)
        it.quote()
        venue = it.served.trading.venue
        venue.place(it.there, new_order("AAPL", "buy", D("4.7501"), name_of(it), venue.wall()))
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        assert len(it.there.orders) == 1
        assert it.agrees()


async def test_too_many_requests_wait_and_are_sent_under_the_same_name(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.LIMITED, POST, count=3)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        assert it.states() == [S.PLANNED, S.SUBMITTING, S.ACCEPTED, S.FILLED]
        assert it.served.trading.posts == [name_of(it)]


async def test_a_rejection_is_final_and_says_why(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.REJECTED, POST)
        it.quote()
        it.shop.accept(BUY)
        (order,) = await it.ends(S.REJECTED)
        assert (order.reason, order.message) == ("broker_40310000", "insufficient buying power")
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        assert it.agrees()


async def test_refused_keys_halt_the_account_and_are_not_tried_again(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.REVOKED, "alpaca/", count=None)
        await until(lambda: it.brokerage.refused)
        it.quote()
        it.shop.accept(BUY)
        assert it.alerts() == ["broker_refused"]
        assert it.states() == [S.PLANNED]
        it.served.clear()
        await it.restart()
        await it.ends(S.FILLED)


async def test_no_answer_to_a_question_is_no_evidence_and_holds_up_its_symbol_alone(
    pit: Open,
) -> None:
    async with pit(pace=ALARMED) as it:
        it.switch(Kind.LOST, POST)
        it.switch(Kind.BROKEN, FIND, count=None)
        it.quote()
        it.quote("MSFT")
        it.shop.accept(BUY)
        await it.ends(S.UNKNOWN)
        it.shop.accept(BUY, source_id="rsi")
        it.shop.accept(BUY, symbol="MSFT")
        await it.ends(S.FILLED)
        await until(lambda: it.alerts() == ["order_unknown"])
        assert len(it.served.trading.posts) == 2
        assert it.shop.order(name_of(it)).state is S.UNKNOWN
        it.served.clear()
        await it.ends(S.FILLED, 3)
        assert it.agrees()


@pytest.mark.parametrize(
    ("fault", "path"),
    [
        pytest.param(None, POST, id="before it is sent"),
        pytest.param(Kind.SLOW, POST, id="while it is sent, it arrives"),
        pytest.param(Kind.DOWN, POST, id="it never arrived"),
        pytest.param(Kind.LOST, POST, id="after the broker took it"),
        pytest.param(
            Kind.BROKEN, "alpaca/get/v2/account/activities", id="before its fill is booked"
        ),
    ],
)
async def test_a_restart_between_two_steps_loses_and_doubles_nothing(
    pit: Open, fault: Kind | None, path: str
) -> None:
    async with pit() as it:
        await until(lambda: it.brokerage.active)
        if fault is None:
            await it.stop()
        else:
            it.switch(fault, path, count=None if path != POST else 1, seconds=0.2)
        it.quote()
        it.shop.accept(BUY)
        if fault is not None:
            await until(lambda: len(it.states()) > 1)
        await it.restart()
        it.served.clear()
        await it.ends(S.FILLED)
        assert set(it.served.trading.posts) == {name_of(it)}
        assert len(it.there.orders) == 1
        assert it.agrees()


async def test_parts_are_booked_one_by_one_and_the_rest_is_cancelled_on_demand(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.PARTIAL, POST)
        it.quote()
        it.shop.accept(BUY)
        (order,) = await it.ends(S.PARTIALLY_FILLED)
        await it.shop.commands.cancel(it.shop.command(order_id=order.order_id))
        (order,) = await it.ends(S.CANCELED)
        assert (order.reason, order.filled) == ("canceled_by_user", D("2.37505"))
        assert S.CANCEL_PENDING in it.states()
        assert it.agrees()


async def test_a_cancel_that_comes_too_late_leaves_the_fill(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.HELD, POST)
        it.quote()
        it.shop.accept(BUY)
        (order,) = await it.ends(S.ACCEPTED)
        it.switch(Kind.BROKEN, ORDER, count=3)
        (there,) = it.there.orders.values()
        await it.shop.commands.cancel(it.shop.command(order_id=order.order_id))
        it.served.trading.venue.fill(it.there, there, there.quantity, D(210))
        await it.ends(S.FILLED)
        assert it.agrees()


async def test_a_fill_after_the_cancel_counts_and_is_told(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.HELD, POST)
        it.quote()
        it.shop.accept(BUY)
        (order,) = await it.ends(S.ACCEPTED)
        await it.shop.commands.cancel(it.shop.command(order_id=order.order_id))
        await it.ends(S.CANCELED)
        (there,) = it.there.orders.values()
        it.served.trading.venue.fill(it.there, there, D(2), D(210))
        await until(it.agrees)
        assert it.shop.held() == 2
        assert it.shop.order(order.order_id).state is S.CANCELED
        assert it.alerts() == ["late_fill"]


async def test_an_unheard_of_status_stops_nothing_and_is_told(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.STRANGE, POST)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        assert it.alerts() == ["unknown_status"]


async def test_an_entry_waits_for_a_quote_and_expires_without_one(pit: Open) -> None:
    async with pit() as it:
        it.shop.accept(BUY)
        await until(lambda: it.brokerage.active)
        it.shop.later(minutes=6)
        (order,) = await it.ends(S.EXPIRED)
        assert (order.reason, it.served.trading.posts) == ("expired", [])


async def test_the_kill_switch_denies_what_is_planned_and_cancels_entries(pit: Open) -> None:
    async with pit() as it:
        it.shop.accept(BUY)  # without a quote it is planned only
        it.switch(Kind.HELD, POST)
        it.quote("MSFT")
        it.shop.accept(BUY, symbol="MSFT")
        await it.ends(S.ACCEPTED)
        it.shop.engage()
        await it.shop.floor.end_overdue(it.shop.moment())
        (denied,) = await it.ends(S.DENIED)
        assert denied.reason == "trading_halted"
        (order,) = await it.ends(S.CANCELED)
        assert (order.symbol, order.reason) == ("MSFT", "trading_halted")


async def test_under_the_kill_switch_a_doubted_order_is_looked_up_and_cancelled(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.LOST, POST)
        it.switch(Kind.BROKEN, FIND, count=None)
        it.served.trading.venue.quotes.clear()
        it.shop.quote()  # the broker hears none: it accepts and does not fill
        it.shop.accept(BUY)
        await it.ends(S.UNKNOWN)
        it.shop.engage()
        it.served.clear()
        (order,) = await it.ends(S.CANCELED)
        assert order.reason == "trading_halted"
        assert len(it.served.trading.posts) == 1


async def test_under_the_kill_switch_an_absent_order_is_not_sent_again(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.DOWN, POST)
        it.switch(Kind.BROKEN, FIND, count=1)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.UNKNOWN)
        it.shop.engage()
        await it.ends(S.ABANDONED)
        assert it.served.trading.posts == []


async def test_a_stop_closes_its_lot_at_the_broker_under_the_kill_switch(pit: Open) -> None:
    async with pit(exits=Exits(stop=D("0.01"))) as it:
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        it.shop.engage()
        it.shop.later(seconds=1)
        it.quote(bid=D(200), ask=D(201))
        await it.shop.guard()
        await it.ends(S.FILLED, 2)
        assert it.there.positions == {}
        assert it.shop.held() == 0


async def test_an_exit_calls_back_an_entry_that_still_works(pit: Open) -> None:
    async with pit() as it:
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        it.switch(Kind.HELD, POST)
        it.shop.accept(BUY, source_id="rsi")
        await it.ends(S.ACCEPTED)
        it.shop.accept(SELL)
        await it.ends(S.FILLED, 2)
        assert it.there.positions == {}
        assert [o.state for o in it.orders()] == [S.FILLED, S.CANCELED, S.FILLED]


async def test_an_order_across_zero_goes_as_two_one_after_the_other(pit: Open) -> None:
    async with pit(allow_short=True, flatten_lower=False) as it:
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        sizing = it.shop.config.bots[0].sizing.model_copy(update={"notional": D(1500)})
        it.shop.configure(it.shop.config.bots[0].model_copy(update={"sizing": sizing}))
        it.shop.accept(SELL, source_id="rsi")
        closed, opened = (await it.ends(S.FILLED, 3))[1:]
        assert (closed.leg, closed.quantity, opened.leg) == (0, D("4.7501"), 1)
        assert closed.intent_id == opened.intent_id
        assert closed.order_id != opened.order_id
        assert it.there.positions == {"AAPL": -opened.quantity}
        assert it.agrees()


async def test_the_fee_of_crypto_is_taken_from_what_is_bought(pit: Open) -> None:
    async with pit() as it:
        it.quote("BTC/USD", bid=D(50_000), ask=D(50_010))
        it.shop.accept(BUY, symbol="BTC/USD")
        (order,) = await it.ends(S.FILLED)
        held = it.shop.held("BTC/USD")
        assert order.filled == order.quantity == D("0.0199")
        assert held == D("0.0199") * D("0.9975") == it.there.positions["BTC/USD"]
        assert it.shop.book().cash == it.there.cash
        it.shop.accept(SELL, symbol="BTC/USD")
        await it.ends(S.FILLED, 2)
        assert it.there.positions == {}
        assert it.shop.held("BTC/USD") == 0
        assert abs(it.shop.book().cash - it.there.cash) < D("0.000001")
        assert await it.shop.transact(audit) == []


async def test_an_execution_that_is_never_listed_is_taken_from_the_order(pit: Open) -> None:
    async with pit(pace=ALARMED) as it:
        it.switch(Kind.EMPTY, "alpaca/get/v2/account/activities", count=None)
        it.quote()
        it.shop.accept(BUY)
        (order,) = await it.ends(S.FILLED)
        assert order.average_price == D("210.52")
        it.served.clear()
        sweeps = len(it.there.executions)
        it.shop.accept(BUY, source_id="rsi")
        await it.ends(S.FILLED, 2)
        assert (sweeps, len(it.shop.fills())) == (1, 2)
        assert it.agrees()


async def test_money_that_is_real_needs_bot_and_process_still_when_it_is_sent(pit: Open) -> None:
    async with pit() as it:
        it.shop.memory.allow_live = True
        live = it.shop.config.accounts[0].model_copy(update={"mode": "live"})
        bot = it.shop.config.bots[0].model_copy(update={"live": True})
        it.shop.configure(bot, accounts=(live,))
        it.shop.accept(BUY)
        it.shop.memory.allow_live = False
        it.quote()
        (order,) = await it.ends(S.DENIED)
        assert order.reason == "live_not_allowed"
        assert "SIGNALBOX_ALLOW_LIVE" in order.message
