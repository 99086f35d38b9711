"""Stops that rest with the broker: placed after the fill, out of everything else's way, closed once
wherever they fire.
"""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.faults import Kind
from signalbox.contracts.errors import Conflict
from signalbox.contracts.limits import Exits, Sizing
from signalbox.contracts.values import Action, OrderKind, OrderState, SourceType
from signalbox.testing.wait import until
from tests.stopping import enter, quiet, rests, stops

D = Decimal
S = OrderState
BUY, SELL, CLOSE = Action.BUY, Action.SELL, Action.CLOSE
Open = Any  # opens a pit, see pits.py
Pit = Any
STOP = Exits(stop=D("0.01"))


async def test_after_the_fill_a_stop_of_the_whole_shares_rests(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        assert (stop.purpose, stop.trigger, stop.quantity) == ("protective", "stop", D(4))
        assert (stop.side, stop.stop_price) == ("sell", D("208.41"))
        (there,) = [o for o in it.there.orders.values() if o.open]
        assert (there.client_id, there.terms.time_in_force) == (stop.order_id, "gtc")
        assert it.states(stop) == [S.PLANNED, S.SUBMITTING, S.ACCEPTED]
        assert it.once()


async def test_it_fires_while_the_executor_is_down_and_is_booked_once(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        await it.stop()
        it.quote(bid=D(208), ask=D("208.1"))
        it.quote(bid=D(212), ask=D("212.1"))
        await it.restart()
        _, fired, rest = await it.ends(S.FILLED, 3)
        assert (fired.order_id, fired.average_price) == (stop.order_id, D(208))
        assert (rest.leg, rest.trigger, rest.kind) == (1, "stop", OrderKind.MARKET)
        assert it.there.positions == {}
        assert it.agrees()
        await it.restart()
        await until(lambda: it.brokerage.active)
        assert len(it.orders()) == 3
        assert len(it.shop.fills()) == len(it.there.executions) == 3


async def test_another_sources_entry_goes_first_and_every_lot_has_its_stop_again(pit: Open) -> None:
    async with pit() as it:
        first = await enter(it, stop_price=D(200))
        it.shop.accept(BUY, source_id="other", stop_price=D(205))
        again, other = await rests(it, 2)
        assert it.shop.order(first.order_id).reason == "makes_way"
        assert (again.attempt, again.intent_id, again.stop_price) == (1, first.intent_id, D(200))
        assert (other.attempt, other.stop_price, other.source_id) == (0, D(205), "other")
        it.quote(bid=D(204), ask=D("204.1"))
        await until(lambda: it.shop.order(other.order_id).state is S.FILLED)
        await rests(it)
        assert {lot.source_id for lot in it.shop.book().holdings["AAPL"].lots} == {"sma-cross"}
        assert it.agrees()
        assert it.alerts() == []


async def test_a_sources_exit_calls_the_stop_back_and_sells_all_of_it(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        it.shop.accept(SELL)
        await it.ends(S.FILLED, 2)
        assert it.shop.order(stop.order_id).state is S.CANCELED
        assert it.there.positions == {}
        assert len(it.there.executions) == 2


async def test_a_target_is_watched_while_the_stop_rests(pit: Open) -> None:
    async with pit(exits=Exits(stop=D("0.01"), target=D("0.01"))) as it:
        stop = await enter(it)
        it.shop.later(seconds=1)
        it.quote(bid=D(213), ask=D("213.1"))
        await it.shop.guard()
        _, sold = await it.ends(S.FILLED, 2)
        assert (sold.trigger, sold.quantity) == ("target", D("4.7501"))
        assert it.shop.order(stop.order_id).reason == "makes_way"
        assert it.there.positions == {}


async def test_a_person_closes_what_a_stop_rests_for(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        await it.shop.commands.close(it.shop.command(bot="alpha", symbol="AAPL"))
        await it.ends(S.FILLED, 2)
        assert it.shop.order(stop.order_id).state is S.CANCELED
        assert it.there.positions == {}
        assert it.agrees()


async def test_a_stop_that_fires_before_it_is_called_back_leaves_the_rest_to_the_exit(
    pit: Open,
) -> None:
    """The cancel comes too late: it is told so, and no share is sold twice."""
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        it.served.trading.venue.hear(it.shop.quote(bid=D(208), ask=D("208.1")))
        await it.shop.commands.close(it.shop.command(bot="alpha", symbol="AAPL"))
        *_, fired, closed = await it.ends(S.FILLED, 3)
        assert (fired.order_id, closed.purpose) == (stop.order_id, "exit")
        assert (fired.filled, closed.filled) == (D(4), D("0.7501"))
        assert it.there.positions == {}
        assert it.agrees()


async def test_an_exit_whose_lot_the_stop_has_closed_has_nothing_to_change(pit: Open) -> None:
    async with pit(exits=STOP, sizing=Sizing(increment=D(1))) as it:
        stop = await enter(it)
        await it.stop()
        it.quote(bid=D(208), ask=D("208.1"))
        it.shop.accept(SELL)
        await it.restart()
        (ended,) = await it.ends(S.CANCELED)
        assert (ended.purpose, ended.reason) == ("exit", "nothing_to_change")
        assert it.shop.order(stop.order_id).state is S.FILLED
        assert it.there.positions == {}
        assert len(it.there.executions) == 2


async def test_a_flip_goes_on_where_the_stop_has_closed_the_position(pit: Open) -> None:
    async with pit(exits=STOP, sizing=Sizing(increment=D(1)), allow_short=True) as it:
        stop = await enter(it)
        await it.stop()
        it.quote(bid=D(208), ask=D("208.1"))
        it.shop.accept(SELL)
        await it.restart()
        _, fired, opened = await it.ends(S.FILLED, 3)
        assert (fired.order_id, opened.purpose, opened.leg) == (stop.order_id, "entry", 1)
        (again,) = await rests(it)
        assert again.side == "buy"
        assert it.there.positions == {"AAPL": D(-4)}
        assert it.agrees()


async def test_of_two_lots_each_has_its_own_stop(pit: Open) -> None:
    async with pit() as it:
        await enter(it, stop_price=D(200))
        it.shop.accept(BUY, source_id="other", stop_price=D(190))
        await rests(it, 2)
        it.quote(bid=D(185), ask=D("185.1"))
        await it.ends(S.FILLED, 6)
        assert it.there.positions == {}
        assert it.agrees()
        closed = [o for o in it.orders() if o.purpose == "protective" and o.filled]
        assert sorted(o.source_id for o in closed) == ["other"] * 2 + ["sma-cross"] * 2


async def test_a_short_lot_has_a_stop_that_buys(pit: Open) -> None:
    async with pit(allow_short=True) as it:
        it.quote()
        it.shop.accept(SELL, stop_price=D("215.001"))
        (stop,) = await rests(it)
        assert (stop.side, stop.stop_price, stop.quantity) == ("buy", D("215.01"), D(4))
        it.quote(bid=D(216), ask=D("216.1"))
        await it.ends(S.FILLED, 2)
        assert it.there.positions == {}
        assert it.agrees()


@pytest.mark.parametrize(
    ("symbol", "price"), [("BTC/USD", D(210)), ("AAPL", D(1500))], ids=["a pair", "part of a share"]
)
async def test_what_no_broker_takes_is_watched(pit: Open, symbol: str, price: D) -> None:
    async with pit(exits=STOP) as it:
        it.quote(symbol, bid=price, ask=price)
        it.shop.accept(BUY, symbol=symbol)
        await it.ends(S.FILLED)
        await quiet(it)
        assert stops(it) == []
        it.shop.later(seconds=1)
        it.quote(symbol, bid=price * D("0.98"), ask=price)
        await it.shop.guard()
        _, closed = await it.ends(S.FILLED, 2)
        assert (closed.kind, closed.trigger) == (OrderKind.MARKET, "stop")


async def test_long_and_short_lots_of_a_symbol_are_watched(pit: Open) -> None:
    """The broker knows their sum only."""
    async with pit(allow_short=True, flatten_lower=False) as it:
        await enter(it, stop_price=D(200), source_type=SourceType.LLM)
        it.shop.accept(SELL, source_id="other", stop_price=D(220))
        await it.ends(S.FILLED, 2)
        await quiet(it)
        assert [o for o in it.orders() if not o.state.final] == []


async def test_switched_off_it_is_called_back_and_the_lot_is_watched(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        account = it.shop.config.accounts[0].model_copy(update={"stops_at_broker": False})
        it.shop.configure(accounts=(account,))
        (ended,) = await it.ends(S.CANCELED)
        assert (ended.order_id, ended.reason) == (stop.order_id, "config_changed")
        it.shop.later(seconds=1)
        it.quote(bid=D(208), ask=D("208.1"))
        await it.shop.guard()
        _, closed = await it.ends(S.FILLED, 2)
        assert closed.kind is OrderKind.MARKET
        assert it.there.positions == {}


async def test_a_trailing_stop_follows_the_price_at_most_once_a_minute(pit: Open) -> None:
    async with pit(exits=Exits(stop=D("0.05"), trailing=D("0.01"))) as it:
        it.quote(bid=D(200), ask=D(200))
        it.shop.accept(BUY)
        (first,) = await rests(it)
        assert (first.trigger, first.stop_price) == ("trailing", D(198))
        it.shop.later(seconds=30)
        it.quote(bid=D(210), ask=D(210))
        await it.shop.guard()
        await quiet(it)
        assert [o.order_id for o in await rests(it)] == [first.order_id]
        it.shop.later(seconds=30)
        await until(lambda: it.shop.order(first.order_id).state is S.CANCELED)
        (second,) = await rests(it)
        assert (second.attempt, second.stop_price) == (1, D("207.9"))
        it.shop.later(seconds=30)
        it.quote(bid=D(220), ask=D(220))
        await it.shop.guard()
        it.shop.later(seconds=1)
        it.quote(bid=D("217.7"), ask=D("217.7"))  # the broker has the level of before
        await it.shop.guard()
        _, sold = await it.ends(S.FILLED, 2)
        assert (sold.trigger, sold.kind, sold.average_price) == (
            "trailing",
            OrderKind.MARKET,
            D("217.7"),
        )
        assert it.there.positions == {}


async def test_a_stop_that_the_broker_has_forgotten_holds_no_exit_back(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        it.there.orders.pop(it.there.names.pop(stop.order_id).id)
        it.shop.accept(SELL)
        await it.ends(S.FILLED, 2)
        ended = it.shop.order(stop.order_id)
        assert (ended.state, ended.reason) == (S.CANCELED, "makes_way")
        assert it.there.positions == {}
        assert it.agrees()


async def test_where_the_broker_holds_something_else_no_stop_rests_while_an_exit_waits(
    pit: Open,
) -> None:
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        it.there.positions["AAPL"] -= D(2)
        it.shop.accept(SELL)
        (ended,) = await it.ends(S.CANCELED)
        assert (ended.order_id, ended.reason) == (stop.order_id, "position_mismatch")
        assert not [o for o in it.there.orders.values() if o.open]
        assert it.there.positions == {"AAPL": D("2.7501")}, "nothing was sold"


async def test_what_a_person_put_down_is_not_placed_again_whoever_watched_it(pit: Open) -> None:
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        await it.stop()
        for seconds in (0, 11):
            it.shop.later(seconds=seconds)
            it.shop.quote(bid=D(208), ask=D("208.1"))  # the broker's prices are others
        (exit_order,) = [o for o in await it.shop.guard() if o.kind is OrderKind.MARKET]
        await it.shop.commands.cancel(it.shop.command(order_id=exit_order.order_id))
        await it.restart()
        it.shop.later(seconds=1)
        it.quote()
        it.shop.accept(BUY, source_id="other")
        (other,) = await rests(it)
        assert other.source_id == "other"
        assert it.shop.order(stop.order_id).reason == "makes_way"


async def test_a_holding_time_that_a_person_put_down_leaves_the_stop(pit: Open) -> None:
    async with pit(exits=Exits(stop=D("0.01"), hold_s=60)) as it:
        await enter(it)
        await it.stop()
        it.shop.later(seconds=61)
        (timed,) = [o for o in await it.shop.guard() if o.kind is OrderKind.MARKET]
        await it.shop.commands.cancel(it.shop.command(order_id=timed.order_id))
        await it.restart()
        it.quote()
        it.shop.accept(BUY, source_id="other")
        assert {o.source_id for o in await rests(it, 2)} == {"sma-cross", "other"}


async def test_a_stop_on_its_way_out_cannot_be_put_down(pit: Open) -> None:
    """It would come back after what it makes way for, whatever was said."""
    async with pit(exits=STOP) as it:
        stop = await enter(it)
        it.switch(Kind.BROKEN, "alpaca/delete/v2/orders", count=None)
        it.shop.accept(SELL)
        await it.ends(S.CANCEL_PENDING)
        with pytest.raises(Conflict, match="another order on the symbol"):
            await it.shop.commands.cancel(it.shop.command(order_id=stop.order_id))
        it.served.clear()
        await it.ends(S.FILLED, 2)
        assert it.there.positions == {}
