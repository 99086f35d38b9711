"""Entries that go as limit orders: what they cost at most, how they wait, how they end."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection

from executor.domain.desk import Desk
from executor.handlers.booking import halt_bot
from sandbox.faults import Kind
from signalbox.contracts.events import OrderChanged
from signalbox.contracts.limits import Limits, Sizing
from signalbox.contracts.payloads import Order
from signalbox.contracts.values import Action, OrderKind, OrderState
from signalbox.testing.examples import an_account
from signalbox.testing.wait import until

D = Decimal
S = OrderState
BUY, SELL, CLOSE = Action.BUY, Action.SELL, Action.CLOSE
LIMITS = Limits(limit_bps=D(10))
WHOLE = Sizing(notional=D(1000), increment=D(1))
POST = "alpaca/post/v2/orders"
Shop = Any  # what conftest.py makes
Make = Callable[..., Shop]
Open = Callable[..., AbstractAsyncContextManager[Any]]


def last(events: list[Any]) -> Order:
    found: list[Order] = [event.data for event in events if isinstance(event, OrderChanged)]
    return found[-1]


def at(price: str, **over: Any) -> dict[str, Any]:
    return {"bid": D(price), "ask": D(price), **over}


@pytest.fixture
def shop(shop_with: Make) -> Shop:
    """Bot alpha buys whole shares for 1,000 with limits 10 bps beyond the quote."""
    made: Shop = shop_with(limits=LIMITS, sizing=WHOLE, allow_short=True)
    return made


def test_an_entry_is_a_limit_order_at_the_quote(shop: Shop) -> None:
    shop.quote(**at("100"))
    order = last(shop.accept(BUY))
    assert (order.kind, order.limit_price) == (OrderKind.LIMIT, D("100.1"))
    assert (order.state, order.quantity, order.average_price) == (S.FILLED, D(9), D(100))
    assert shop.order(order.order_id).limit_price == D("100.1")


def test_an_exit_is_at_the_market(shop: Shop) -> None:
    shop.quote(**at("100"))
    shop.accept(BUY)
    order = last(shop.accept(CLOSE))
    assert (order.kind, order.limit_price, order.state) == (OrderKind.MARKET, None, S.FILLED)


def test_slippage_ends_at_the_limit(shop: Shop) -> None:
    account = an_account(paper={"slippage_bps": 40, "impact_bps": 0})
    shop.configure(accounts=(account,))
    shop.quote(**at("100"))
    order = last(shop.accept(BUY))
    assert order.average_price == D("100.1")


async def test_the_rest_waits_for_a_quote_within_the_limit(shop: Shop) -> None:
    shop.quote(**at("100", volume=D(40)))
    first = last(shop.accept(BUY))
    assert (first.state, first.filled) == (S.PARTIALLY_FILLED, D(4))
    shop.later(seconds=1)
    shop.quote(**at("100.11"))
    (still,) = await shop.fill()
    assert (still.state, still.filled) == (S.PARTIALLY_FILLED, D(4))
    shop.later(seconds=1)
    shop.quote(**at("99"))
    (done,) = await shop.fill()
    assert (done.state, done.filled) == (S.FILLED, D(9))
    assert [fill.price for fill in shop.fills()] == [D(100), D(99)]


async def test_quotes_beyond_the_limit_cost_nothing(shop: Shop) -> None:
    shop.quote(**at("100", volume=D(40)))
    shop.accept(BUY)
    before = shop.transactions
    for cents in range(20):
        shop.later(seconds=1)
        shop.quote(**at(f"100.{20 + cents}"))
        await shop.fill()
    assert shop.transactions == before


async def test_one_of_a_halted_bot_ends_at_any_quote(shop: Shop) -> None:
    shop.quote(**at("100", volume=D(40)))
    shop.accept(BUY)

    def halt(_sql: Connection, desk: Desk, moment: Any) -> Any:
        return halt_bot(desk, "alpha", "max_drawdown", "it has lost too much", moment)

    await shop.work.do(halt, {"alpha"})
    shop.later(seconds=1)
    shop.quote(**at("101"))
    (order,) = await shop.fill()
    assert (order.state, order.reason) == (S.CANCELED, "trading_halted")


async def test_what_no_quote_fills_expires_with_its_signal(shop: Shop) -> None:
    shop.quote(**at("100", volume=D(40)))
    shop.accept(BUY, valid_until=shop.now + timedelta(seconds=60))
    shop.later(seconds=59)
    shop.quote(**at("101"))
    await shop.fill()
    shop.later(seconds=1)
    await shop.floor.end_overdue(shop.moment())
    shop.quote(**at("99"))
    assert await shop.fill() == []
    assert shop.held() == 4


async def test_one_without_a_quote_gets_size_and_limit_from_the_next(shop: Shop) -> None:
    waits = last(shop.accept(BUY))
    assert (waits.kind, waits.limit_price, waits.quantity) == (OrderKind.MARKET, None, None)
    shop.quote(**at("100"))
    (order,) = await shop.fill()
    assert (order.kind, order.limit_price) == (OrderKind.LIMIT, D("100.1"))
    assert (order.state, order.filled) == (S.FILLED, D(9))


async def test_a_restart_keeps_the_limit(shop: Shop) -> None:
    shop.quote(**at("100", volume=D(40)))
    shop.accept(BUY)
    await shop.restart()
    shop.later(seconds=1)
    shop.quote(**at("100.2"))
    (order,) = await shop.fill()
    assert (order.filled, order.limit_price) == (D(4), D("100.1"))


async def test_a_flip_opens_the_other_side_with_a_limit(shop: Shop) -> None:
    shop.quote(**at("100"))
    shop.accept(BUY)
    shop.accept(SELL)
    (entry,) = await shop.fill()
    assert (entry.purpose, entry.kind, entry.limit_price) == ("entry", OrderKind.LIMIT, D("99.9"))
    assert shop.held() == -10


def test_what_is_bought_never_costs_more_than_the_bot_allows(shop: Shop) -> None:
    limits = Limits(limit_bps=D(100), max_order_notional=D(1000))
    shop.configure(shop.config.bots[0].model_copy(update={"limits": limits}))
    shop.quote(**at("99.5"))
    order = last(shop.accept(BUY))
    assert (order.quantity, order.limit_price) == (D(9), D("100.49"))


async def test_at_a_broker_one_that_rests_is_called_back_when_its_signal_ends(pit: Open) -> None:
    async with pit(limits=LIMITS, sizing=WHOLE) as it:
        it.quote(**at("100"))
        it.switch(Kind.PARTIAL, POST)
        it.shop.accept(BUY)
        (order,) = await it.ends(S.PARTIALLY_FILLED)
        (there,) = it.there.orders.values()
        assert (there.terms.kind, there.terms.limit_price) == ("limit", D("100.1"))
        it.shop.later(seconds=1)
        it.quote(**at("101"))
        it.shop.later(minutes=6)
        await it.shop.floor.end_overdue(it.shop.moment())
        (order,) = await it.ends(S.CANCELED)
        assert (order.filled, order.reason) == (D("4.5"), "expired")
        assert there.status == "canceled"
        assert it.agrees()
        assert it.once()


async def test_at_a_broker_the_price_that_is_there_must_be_ours(pit: Open) -> None:
    async with pit(limits=LIMITS, sizing=WHOLE) as it:
        it.quote(**at("100"))
        it.switch(Kind.HELD, POST)
        it.shop.accept(BUY)
        await it.ends(S.ACCEPTED)
        (there,) = it.there.orders.values()
        there.terms = type(there.terms)("limit", "day", D("120"))
        await until(lambda: "order_contradicts" in it.alerts())


async def test_at_a_broker_a_lost_answer_makes_no_second_order(pit: Open) -> None:
    async with pit(limits=LIMITS, sizing=WHOLE) as it:
        it.quote(**at("100"))
        it.switch(Kind.LOST, POST)
        it.shop.accept(BUY)
        (order,) = await it.ends(S.FILLED)
        assert (order.limit_price, order.filled) == (D("100.1"), D(9))
        assert len(it.served.trading.posts) == 1
        assert it.once()
        assert it.agrees()


async def test_at_a_broker_one_for_the_day_ends_with_it(pit: Open) -> None:
    async with pit(limits=LIMITS, sizing=WHOLE) as it:
        it.quote(**at("100"))
        it.switch(Kind.PARTIAL, POST)
        it.shop.accept(BUY)
        await it.ends(S.PARTIALLY_FILLED)
        it.shop.later(seconds=1)
        it.quote(**at("99"), session_open=False)
        (order,) = await it.ends(S.EXPIRED)
        assert (order.filled, order.reason) == (D("4.5"), "broker_expired")
        assert not it.shop.memory.waiting
        assert it.agrees()


async def test_one_that_its_first_quote_does_not_fill_keeps_its_limit(shop: Shop) -> None:
    """It does not follow the price."""
    shop.accept(BUY)
    shop.later(seconds=1)
    shop.quote(**at("100", volume=D(0)))  # nobody trades
    await shop.fill()
    shop.later(seconds=1)
    shop.quote(**at("105"))
    await shop.fill()
    (waits,) = shop.memory.waiting.values()
    assert (waits.order.limit_price, waits.order.quantity) == (D("100.1"), D(9))
    assert waits.order.filled == 0
