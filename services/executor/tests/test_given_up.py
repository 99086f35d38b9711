"""An order that was given up turns up while nobody runs: the next start finds it."""

from decimal import Decimal
from typing import Any

import pytest

from executor.adapters.alpaca import Alpaca
from sandbox.alpaca.venue import new_order
from sandbox.faults import Kind
from signalbox.contracts.values import Action, OrderState
from signalbox.testing.wait import until

D = Decimal
S = OrderState
POST = "alpaca/post/v2/orders"
Open = Any  # opens a pit, see conftest.py
Pit = Any


async def turned_up(it: Pit) -> Any:
    """Our order at the broker, given up here, after the process has gone."""
    it.switch(Kind.DOWN, POST, count=None)
    it.quote()
    it.shop.accept(Action.BUY)
    (order,) = await it.ends(S.ABANDONED)
    await it.stop()
    it.served.clear()
    venue = it.served.trading.venue
    late = new_order("AAPL", "buy", order.quantity, order.order_id, venue.wall())
    late.hold = True
    return venue.place(it.there, late)


@pytest.mark.parametrize("filled", [D(0), D("1.5")])
@pytest.mark.parametrize("listed", [True, False], ids=["listed", "found by its name alone"])
async def test_the_next_start_cancels_it_books_its_fills_and_tells(
    pit: Open, monkeypatch: pytest.MonkeyPatch, *, listed: bool, filled: Decimal
) -> None:
    async def nothing(_broker: Alpaca) -> list[Any]:
        return []

    async with pit() as it:
        late = await turned_up(it)
        if filled:
            it.served.trading.venue.fill(it.there, late, filled, D(210))
        if not listed:  # the broker's list of open orders is behind
            monkeypatch.setattr(Alpaca, "open_orders", nothing)
        await it.restart()
        await until(lambda: late.status == "canceled")
        await until(lambda: it.brokerage.active and it.agrees())
        assert it.shop.held() == filled
        assert it.shop.order(late.client_id).state is S.ABANDONED
        assert "late_order" in it.alerts()
        assert ("late_fill" in it.alerts()) == bool(filled)
        assert it.once()


async def test_one_that_was_filled_whole_meanwhile_is_booked(pit: Open) -> None:
    async with pit() as it:
        late = await turned_up(it)
        it.served.trading.venue.fill(it.there, late, late.quantity, D(210))
        await it.restart()
        await until(lambda: it.brokerage.active and it.agrees())
        assert it.shop.held() == late.quantity
        assert "late_fill" in it.alerts()
        assert late.status == "filled"
