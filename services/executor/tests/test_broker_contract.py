"""What every broker does alike: each test runs against the paper broker and against Alpaca, the
latter played by the sandbox over HTTP.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from signalbox.contracts.values import Action, OrderState
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
