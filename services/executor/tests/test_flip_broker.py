"""A flip at a broker: two orders, one after the other, each with a name of its own."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any

from sandbox.faults import Kind
from signalbox.contracts.values import Action, OrderState
from signalbox.testing.wait import until

D = Decimal
S = OrderState
BUY, SELL = Action.BUY, Action.SELL
POST = "alpaca/post/v2/orders"
Open = Callable[..., AbstractAsyncContextManager[Any]]


async def flip(it: Any, fault: Kind) -> None:
    """What is held is to be sold and shorted; the first of the two orders meets a fault."""
    it.quote()
    it.shop.accept(BUY)
    await it.ends(S.FILLED)
    it.switch(fault, POST)
    it.shop.accept(SELL)


async def test_a_fill_that_is_told_twice_is_followed_once(pit: Open) -> None:
    async with pit(allow_short=True) as it:
        await flip(it, Kind.HELD)
        (held,) = await it.ends(S.ACCEPTED)
        (there,) = [o for o in it.there.orders.values() if o.client_id == held.order_id]
        for part in (D(2), there.quantity - 2):
            it.served.trading.venue.fill(it.there, there, part, D(210))
            it.there.executions[:] = [*reversed(it.there.executions), it.there.executions[0]]
        _, closed, opened = await it.ends(S.FILLED, 3)
        assert (closed.order_id, opened.leg) == (held.order_id, 1)
        await it.restart()
        await until(lambda: it.brokerage.active)
        assert len(it.orders()) == 3
        assert it.agrees()


async def test_it_is_closed_then_opened_once(pit: Open) -> None:
    async with pit(allow_short=True) as it:
        await flip(it, Kind.LOST)
        bought, closed, opened = await it.ends(S.FILLED, 3)
        assert (closed.leg, opened.leg, opened.purpose) == (0, 1, "entry")
        assert closed.quantity == bought.quantity
        assert it.there.positions == {"AAPL": D(-4)}
        assert it.served.trading.posts == [bought.order_id, closed.order_id, opened.order_id]
        assert it.agrees()
        assert it.once()
        await it.restart()
        await until(lambda: it.brokerage.active)
        it.shop.accept(BUY)
        await it.ends(S.FILLED, 5)
        assert it.there.positions == {"AAPL": D("4.7501")}
        assert it.agrees()


async def test_what_crosses_zero_and_what_follows_have_names_of_their_own(
    pit: Open,
) -> None:
    async with pit(allow_short=True, flatten_lower=False) as it:
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        it.shop.accept(SELL, source_id="rsi")  # four of these are short now, the rest is long
        await it.ends(S.FILLED, 2)
        it.shop.accept(SELL)  # closing the long ones goes across zero
        *_, first, rest, opened = await it.ends(S.FILLED, 5)
        assert [o.leg for o in (first, rest, opened)] == [0, 1, 2]
        assert [o.purpose for o in (first, rest, opened)] == ["exit", "exit", "entry"]
        assert len({o.order_id for o in (first, rest, opened)}) == 3
        assert it.there.positions == {"AAPL": D(-8)}
        assert it.agrees()


async def test_a_rejected_exit_is_not_followed(pit: Open) -> None:
    async with pit(allow_short=True) as it:
        await flip(it, Kind.REJECTED)
        await it.ends(S.REJECTED)
        it.shop.engage()
        assert [o.leg for o in it.orders()] == [0, 0]
        assert it.shop.held() == D("4.7501")


async def test_the_kill_switch_denies_what_follows(pit: Open) -> None:
    async with pit(allow_short=True) as it:
        await flip(it, Kind.HELD)
        (held,) = await it.ends(S.ACCEPTED)
        it.shop.engage()
        (order,) = [o for o in it.there.orders.values() if o.client_id == held.order_id]
        it.served.trading.venue.fill(it.there, order, order.quantity, D(210))
        (denied,) = await it.ends(S.DENIED)
        assert (denied.leg, denied.reason) == (1, "trading_halted")
        assert it.there.positions == {}


async def test_what_follows_may_go_across_zero_itself(pit: Open) -> None:
    async with pit(allow_short=True, flatten_lower=False) as it:
        it.quote()
        it.shop.accept(BUY)
        it.shop.accept(BUY, source_id="rsi")
        await it.ends(S.FILLED, 2)
        (bot,) = it.shop.config.bots
        sizing = bot.sizing.model_copy(update={"notional": D(1500)})
        it.shop.configure(bot.model_copy(update={"sizing": sizing}))
        it.shop.accept(SELL)
        *_, closed, first, rest = await it.ends(S.FILLED, 5)
        assert [o.leg for o in (closed, first, rest)] == [0, 1, 2]
        assert [o.purpose for o in (closed, first, rest)] == ["exit", "entry", "entry"]
        assert it.there.positions == {"AAPL": D(-2)}
        assert it.agrees()
