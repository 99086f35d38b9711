"""What leaves for a broker against what was planned for it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from executor.domain.orders import Ticket, sized
from executor.domain.outflow import Flow, surplus
from executor.handlers.gate import Gate
from executor.handlers.holdings import Holdings
from executor.handlers.passage import Passage
from executor.handlers.resting import Resting
from executor.handlers.tally import Tally
from sandbox.faults import Kind
from signalbox.contracts.values import Action, OrderState
from signalbox.runtime import metrics

D = Decimal
S = OrderState
BUY = Action.BUY
POST = "alpaca/post/v2/orders"
Open = Callable[..., AbstractAsyncContextManager[Any]]


@pytest.mark.parametrize(
    ("leaving", "observed"),
    [
        (Flow(2, D(200)), None),
        (Flow(0, D(0)), None),
        (Flow(3, D(200)), "3"),
        (Flow(1, D("200.01")), "200.01"),
    ],
)
def test_no_more_leaves_than_was_planned(leaving: Flow, observed: str | None) -> None:
    why = surplus(leaving, Flow(2, D(200)))
    assert (why.numbers["observed"] if why else None) == observed
    assert why is None or f"{observed} " in why.message


def counted() -> dict[str, float]:
    labels = ("intended", "left", "held_back")
    return {x: metrics.BROKER_ORDERS.labels("paper-alpha", x)._value.get() for x in labels}


def passage(it: Any) -> Passage:
    holdings = Holdings(it.brokerage)
    return Passage(it.brokerage, Gate(it.brokerage, holdings), Resting(it.brokerage, holdings))


async def at_the_broker(it: Any) -> Ticket:
    """An order that has left as it was meant to."""
    it.switch(Kind.HELD, POST)
    it.quote()
    it.shop.accept(BUY)
    (order,) = await it.ends(S.ACCEPTED)
    ticket: Ticket = it.shop.memory.waiting[order.order_id]
    return ticket


async def test_an_order_that_nobody_planned_halts_the_account(pit: Open) -> None:
    async with pit() as it:
        ticket = await at_the_broker(it)
        before = counted()
        name = ticket.order.model_copy(update={"order_id": "0" * 32})
        await passage(it)._post(replace(ticket, order=name))
        assert it.served.trading.posts == [ticket.order.order_id]
        assert "order_surplus" in it.alerts()
        words = "2 orders would have left for the broker within a minute, 1 were planned"
        assert words in it.brokerage.refused
        assert {x: n - before[x] for x, n in counted().items() if n != before[x]} == {
            "held_back": 1
        }


async def test_an_order_that_has_grown_on_its_way_halts_the_account(pit: Open) -> None:
    async with pit() as it:
        ticket = await at_the_broker(it)
        tally = Tally("paper-alpha")
        tally.intend(ticket)
        assert tally.leave(sized(ticket, D(10))) is not None
        assert tally.leave(ticket) is None
        assert tally.leave(ticket) is not None


async def test_what_is_sent_again_on_purpose_is_no_surplus(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.LIMITED, POST, count=2, seconds=0)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        assert "order_surplus" not in it.alerts()


async def test_what_was_meant_before_a_restart_is_not_meant_now(pit: Open) -> None:
    async with pit() as it:
        ticket = await at_the_broker(it)
        tally = Tally("paper-alpha")
        tally.begin([ticket])
        tally.intend(ticket)  # more is known of it
        tally.intend(replace(ticket, submission=replace(ticket.submission, posts=0)))
        assert tally.leave(ticket) is not None


async def test_a_late_fill_is_no_intent(pit: Open) -> None:
    async with pit() as it:
        ticket = await at_the_broker(it)
        tally = Tally("paper-alpha")
        tally.intend(ticket)
        assert tally.leave(ticket) is None
        ended = replace(ticket, order=ticket.order.model_copy(update={"state": S.CANCELED}))
        for _ in range(3):
            tally.intend(ended)
        assert tally.leave(ticket) is not None


async def test_a_minute_later_nothing_of_it_counts(pit: Open) -> None:
    async with pit() as it:
        now = [0.0]
        tally = Tally("paper-alpha", lambda: now[0])
        ticket = await at_the_broker(it)
        tally.intend(ticket)
        now[0] = 4.0
        assert tally.leave(ticket) is None
        now[0] = 63.9  # what has left is still within the minute, and so is what was meant
        tally.intend(replace(ticket, submission=replace(ticket.submission, posts=2)))
        assert tally.leave(ticket) is None
        now[0] = 130.0
        assert tally.leave(ticket) is not None
