"""An account whose broker lets us do nothing is left alone: no question, no order, no retry."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from executor.adapters.alpaca import Alpaca
from sandbox.faults import Kind
from signalbox.contracts.values import Action, OrderState
from signalbox.testing.wait import until

D = Decimal
S = OrderState
BUY = Action.BUY
POST = "alpaca/post/v2/orders"
TURNS = 20
Open = Any  # opens a pit, see conftest.py
Pit = Any


class Turns(asyncio.Event):
    """What a worker rests on: it is cleared once in each of its turns."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def clear(self) -> None:
        self.count += 1
        super().clear()


def states(it: Pit, symbol: str) -> list[OrderState]:
    return [order.state for order in it.orders() if order.symbol == symbol]


async def nothing_is_asked(it: Pit, asked: list[str]) -> None:
    """An order is there to be sent and the broker would take it: nobody tries."""
    assert it.brokerage.refused
    it.served.clear()
    before, turns = len(asked), Turns()
    it.brokerage.wake = turns
    it.quote("MSFT")
    it.shop.accept(BUY, symbol="MSFT")
    turns.set()
    await until(lambda: turns.count > TURNS)
    assert asked[before:] == []
    assert states(it, "MSFT") == [S.PLANNED]


@pytest.mark.parametrize("path", ["alpaca/", POST, "alpaca/get/v2/positions"])
async def test_refused_keys_are_not_tried_again(pit: Open, asked: list[str], path: str) -> None:
    """Whichever call meets the refusal first."""
    async with pit() as it:
        await until(lambda: it.brokerage.active)
        it.switch(Kind.REVOKED, path, count=None)
        it.quote()
        it.shop.accept(BUY)
        await until(lambda: it.brokerage.refused and it.alerts() == ["broker_refused"])
        await nothing_is_asked(it, asked)
        assert len(it.served.trading.posts) <= 1, "the one of before may have gone"
        await it.restart()
        await until(lambda: states(it, "MSFT") == [S.FILLED])


async def test_an_order_that_contradicts_ours_ends_all_calls(pit: Open, asked: list[str]) -> None:
    async with pit() as it:
        it.switch(Kind.HELD, POST)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.ACCEPTED)
        (there,) = it.there.orders.values()
        there.quantity *= 10
        await until(lambda: it.alerts() == ["order_contradicts"])
        await nothing_is_asked(it, asked)
        assert len(it.served.trading.posts) == 1


async def test_an_answer_that_contradicts_our_order_ends_all_calls(
    pit: Open, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker says of the very order that was just sent that it is another one."""
    submit = Alpaca.submit

    async def submit_wrongly(broker: Alpaca, ticket: Any) -> Any:
        answer = await submit(broker, ticket)
        for order in it.there.orders.values():
            order.side = "sell"
        return answer

    async with pit() as it:
        it.switch(Kind.LOST, POST)
        monkeypatch.setattr(Alpaca, "submit", submit_wrongly)
        it.quote()
        it.shop.accept(BUY)
        await until(lambda: it.alerts() == ["order_contradicts"])
        await nothing_is_asked(it, asked)
        assert len(it.served.trading.posts) == 1
