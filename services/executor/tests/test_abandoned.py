"""Orders that never arrive at their broker: proven absent, sent once more, waiting, or given up."""

from decimal import Decimal
from typing import Any

from sandbox.alpaca.venue import new_order
from sandbox.faults import Kind
from signalbox.contracts.values import Action, OrderState
from signalbox.testing.wait import until

D = Decimal
S = OrderState
BUY = Action.BUY
POST = "alpaca/post/v2/orders"
Open = Any  # opens a pit, see conftest.py


async def test_an_order_that_never_arrives_is_given_up_and_one_that_turns_up_is_cancelled(
    pit: Open,
) -> None:
    async with pit() as it:
        it.switch(Kind.DOWN, POST, count=None)
        it.quote()
        it.shop.accept(BUY)
        (order,) = await it.ends(S.ABANDONED)
        assert "order_abandoned" in it.alerts()
        assert order.numbers == {"limit": "2", "observed": "2"}
        late = new_order("AAPL", "buy", D("4.7501"), order.order_id, it.served.trading.venue.wall())
        late.hold = True
        it.served.trading.venue.place(it.there, late)
        it.served.trading.venue.fill(it.there, late, D(1), D(210))
        await until(lambda: late.status == "canceled")
        await until(it.agrees)
        assert it.shop.held() == 1
        assert it.shop.order(order.order_id).state is S.ABANDONED
        assert {"late_fill", "late_order"} <= set(it.alerts())


async def test_an_order_whose_time_is_over_is_not_sent_again(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.DOWN, POST)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.UNKNOWN)
        it.shop.later(minutes=6)
        (order,) = await it.ends(S.ABANDONED)
        assert it.served.trading.posts == []
        assert "the signal ended at" in order.message
        assert order.numbers == {}


async def test_an_entry_that_never_arrived_waits_for_a_quote(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.DOWN, POST)
        it.quote()
        it.shop.accept(BUY)
        (order,) = await it.ends(S.UNKNOWN)
        it.shop.later(minutes=2)
        looked = it.shop.points
        await until(lambda: it.shop.points > looked + 40)  # it is long proven that it is not there
        assert it.shop.order(order.order_id).state is S.UNKNOWN
        it.quote()
        await it.ends(S.FILLED)
        assert it.served.trading.posts == [order.order_id]


async def test_an_order_that_never_arrived_and_was_called_back_is_not_sent_again(
    pit: Open,
) -> None:
    async with pit() as it:
        it.switch(Kind.DOWN, POST)
        it.quote()
        it.shop.accept(BUY)
        (order,) = await it.ends(S.UNKNOWN)
        await it.shop.commands.cancel(it.shop.command(order_id=order.order_id))
        (order,) = await it.ends(S.ABANDONED)
        assert it.served.trading.posts == []
        assert "cancel" in order.message
        assert order.numbers == {}
