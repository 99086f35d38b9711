"""What every broker does alike: each test runs against the paper broker and against Alpaca, the
latter played by the sandbox over HTTP.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox.faults import Kind
from signalbox.contracts.limits import Limits
from signalbox.contracts.payloads import Order
from signalbox.contracts.values import Action, OrderKind, OrderState
from signalbox.testing.examples import an_account
from signalbox.testing.wait import until

D = Decimal
S = OrderState
BUY, SELL, CLOSE = Action.BUY, Action.SELL, Action.CLOSE
PAPER = an_account(paper={"slippage_bps": 0, "impact_bps": 0})
Pit = Any  # see conftest.py


@pytest.fixture(params=["paper", "alpaca"])
async def it(request: pytest.FixtureRequest, pit: Any) -> AsyncIterator[Pit]:
    over = {"account": PAPER} if request.param == "paper" else {}
    async with pit(**over) as found:
        yield found


async def quoted(it: Pit, **over: Any) -> None:
    """A quote comes, and what waits for one has met it."""
    it.quote(**over)
    await it.shop.fill()


def common(it: Pit) -> list[OrderState]:
    """The states that every broker's orders go through."""
    return [state for state in it.states() if state not in {S.SUBMITTING, S.CANCEL_PENDING}]


async def test_an_order_is_accepted_and_filled_at_the_quote(it: Pit) -> None:
    await quoted(it)
    it.shop.accept(BUY)
    (order,) = await it.ends(S.FILLED)
    assert common(it) == [S.PLANNED, S.ACCEPTED, S.FILLED]
    assert (order.filled, order.average_price) == (D("4.7501"), D("210.52"))
    book = it.shop.book()
    assert it.shop.held() == D("4.7501")
    assert book.cash == D(100_000) - D("4.7501") * D("210.52")
    (fill,) = it.shop.fills()
    assert (fill.quantity, fill.price, fill.side) == (D("4.7501"), D("210.52"), "buy")


async def test_an_order_waits_for_a_quote(it: Pit) -> None:
    it.shop.accept(BUY)
    assert it.orders()[0].filled == 0
    await quoted(it)
    (order,) = await it.ends(S.FILLED)
    assert order.quantity == D("4.7501")


async def test_an_old_quote_fills_nothing(it: Pit) -> None:
    await quoted(it, at=it.shop.now - timedelta(seconds=61))
    it.shop.accept(BUY)
    it.shop.later(minutes=6)
    await it.shop.floor.end_overdue(it.shop.moment())
    (order,) = await it.ends(S.EXPIRED)
    assert order.filled == 0


async def test_the_same_verdict_again_is_the_same_order(it: Pit) -> None:
    await quoted(it)
    verdict = it.shop.verdict(BUY)
    it.shop.handle(verdict)
    it.shop.handle(verdict)
    await it.ends(S.FILLED)
    it.shop.handle(verdict)
    assert len(it.orders()) == 1
    assert len(it.shop.fills()) == 1


async def test_a_source_that_sells_is_flat_and_its_profit_is_its_own(it: Pit) -> None:
    await quoted(it)
    it.shop.accept(BUY)
    await it.ends(S.FILLED)
    it.shop.later(seconds=1)
    await quoted(it, bid=D(220), ask=D("220.02"))
    it.shop.accept(SELL)
    await it.ends(S.FILLED, 2)
    assert it.shop.held() == 0
    assert it.shop.book().realised == D("4.7501") * (D(220) - D("210.52"))


async def test_what_waits_can_be_cancelled_and_is_not_filled_then(it: Pit) -> None:
    it.shop.accept(BUY)
    (order,) = it.orders()
    await it.shop.commands.cancel(it.shop.command(order_id=order.order_id))
    await quoted(it)
    (order,) = await it.ends(S.CANCELED)
    assert (order.reason, order.filled) == ("canceled_by_user", 0)


async def test_the_kill_switch_stops_entries_and_lets_a_person_out(it: Pit) -> None:
    await quoted(it)
    it.shop.accept(BUY)
    await it.ends(S.FILLED)
    it.shop.engage()
    it.shop.accept(BUY)
    (denied,) = await it.ends(S.DENIED)
    assert denied.reason == "trading_halted"
    await it.shop.commands.flatten(it.shop.command(bot="alpha"))
    await it.ends(S.FILLED, 2)
    assert it.shop.held() == 0


async def test_a_restart_forgets_nothing(it: Pit) -> None:
    it.shop.accept(BUY)
    await it.restart()
    await quoted(it)
    await it.ends(S.FILLED)
    await it.restart()
    await quoted(it)
    it.shop.accept(CLOSE)
    await it.ends(S.FILLED, 2)
    await until(lambda: it.shop.held() == 0)


@pytest.fixture
def limited(it: Pit) -> Pit:
    """The bot's entries are limit orders 10 bps beyond the quote."""
    limits = Limits(limit_bps=D(10))
    it.shop.configure(it.shop.config.bots[0].model_copy(update={"limits": limits}))
    return it


async def test_a_limit_order_is_filled_at_its_limit_or_better(limited: Pit) -> None:
    await quoted(limited, bid=D(100), ask=D(100))
    limited.shop.accept(BUY)
    (order,) = await limited.ends(S.FILLED)
    assert (order.kind, order.limit_price) == (OrderKind.LIMIT, D("100.1"))
    assert (order.filled, order.average_price) == (D("9.99"), D(100))
    assert limited.shop.held() == D("9.99")


async def in_part(it: Pit) -> Order:
    """A limit order that a thin market has filled in part."""
    it.switch(Kind.PARTIAL, "alpaca/post/v2/orders")
    await quoted(it, bid=D(100), ask=D(100), volume=D(40))
    it.shop.accept(BUY)
    found: list[Order] = await it.ends(S.PARTIALLY_FILLED)
    assert 0 < found[0].filled < D("9.99")
    return found[0]


async def test_a_limit_order_rests_until_the_price_is_within_its_limit(limited: Pit) -> None:
    order = await in_part(limited)
    limited.shop.later(seconds=1)
    await quoted(limited, bid=D("100.11"), ask=D("100.11"))
    assert limited.orders() == [order]
    limited.shop.later(seconds=1)
    await quoted(limited, bid=D(99), ask=D(99))
    (order,) = await limited.ends(S.FILLED)
    assert [fill.price for fill in limited.shop.fills()] == [D(100), D(99)]
    assert limited.shop.held() == order.quantity == D("9.99")


async def test_a_limit_order_that_rests_ends_with_its_signal(limited: Pit) -> None:
    order = await in_part(limited)
    limited.shop.later(minutes=6)
    await limited.shop.floor.end_overdue(limited.shop.moment())
    await until(lambda: not limited.shop.memory.waiting)
    await quoted(limited, bid=D(99), ask=D(99))
    (ended,) = limited.orders()
    assert (ended.state in {S.EXPIRED, S.CANCELED}, ended.filled) == (True, order.filled)
    assert limited.shop.held() == order.filled


async def test_the_fee_of_a_pair_is_taken_from_what_a_fill_brings(it: Pit) -> None:
    btc = {"symbol": "BTC/USD", "bid": D(50_000), "ask": D(50_000)}
    it.quote(**btc)
    it.shop.accept(BUY, symbol="BTC/USD")
    (order,) = await it.ends(S.FILLED)
    assert (order.filled, it.shop.held("BTC/USD")) == (D("0.02"), D("0.01995"))
    assert it.shop.book().cash == 99_000
    it.shop.later(seconds=1)
    it.quote(**btc)
    it.shop.accept(CLOSE, symbol="BTC/USD")
    await it.ends(S.FILLED, 2)
    book = it.shop.book()
    assert (it.shop.held("BTC/USD"), book.fees) == (0, D("4.99375"))
    assert book.cash == D(99_000) + D("0.01995") * 50_000 * D("0.9975")
    assert book.realised == book.cash - 100_000
