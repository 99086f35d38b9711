"""A source takes its word back: entries that still wait for it end, exits stay."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.event import listen

from executor.adapters.tables import metadata
from executor.adapters.tables import withdrawals as rows
from executor.adapters.withdrawals import waiting_for
from executor.handlers.withdrawals import build_handlers
from sandbox.faults import Kind
from signalbox.contracts.events import VerdictReached
from signalbox.contracts.values import Action, OrderState
from signalbox.testing.examples import NOON, a_withdrawal, withdrawn
from signalbox.testing.runner import run
from signalbox.testing.wait import until

S = OrderState
BUY, SELL = Action.BUY, Action.SELL
MINUTE = timedelta(minutes=1)
WITHDRAWN = (S.CANCELED, "signal_withdrawn")
Shop = Any  # what conftest.py makes
Open = Callable[..., AbstractAsyncContextManager[Any]]


def withdraw(shop: Shop, verdict: VerdictReached, at: datetime | None = None) -> list[Any]:
    """The source of the verdict's signal takes it back, now unless said otherwise."""
    event = withdrawn(a_withdrawal(verdict.data.signal, valid_until=at or shop.now), shop.moment())
    handlers = build_handlers(shop.memory)
    made: list[Any] = run(handlers, shop.db, metadata, [event], shop.moment())
    return made


def test_an_entry_that_waits_is_cancelled_and_says_why(shop: Shop, states: Any) -> None:
    bought, other = shop.verdict(BUY), shop.verdict(BUY, symbol="MSFT")
    planned = shop.handle(bought, other)
    (made,) = withdraw(shop, bought)
    assert states([made]) == [WITHDRAWN]
    assert made.data.message.startswith("sma-cross has taken its signal back")
    assert made.correlationid == planned[0].correlationid  # it ends the chain that it belongs to
    assert [t.order.symbol for t in shop.memory.waiting.values()] == ["MSFT"]
    assert withdraw(shop, bought) == []  # once is enough


async def test_a_shortened_entry_expires_at_the_new_time(shop: Shop) -> None:
    bought = shop.verdict(BUY)
    order = shop.handle(bought)[-1].data
    assert withdraw(shop, bought, NOON + MINUTE) == []
    assert withdraw(shop, bought, NOON + 60 * MINUTE) == []  # it never lengthens
    shop.later(seconds=59)
    await shop.floor.end_overdue(shop.moment())
    assert shop.order(order.order_id).state is S.ACCEPTED
    await shop.restart()
    shop.later(seconds=1)
    await shop.floor.end_overdue(shop.moment())
    assert (shop.order(order.order_id).state, shop.memory.waiting) == (S.EXPIRED, {})


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_verdict_that_comes_after_the_withdrawal_opens_nothing(
    shop: Shop, states: Any, restarted: bool
) -> None:
    shop.quote()
    taken_back, shorter = shop.verdict(BUY), shop.verdict(BUY)
    withdraw(shop, taken_back)
    withdraw(shop, shorter, NOON + MINUTE)
    if restarted:
        await shop.restart()
        shop.over = {"frozen": True}  # so that it waits
    assert states(shop.handle(taken_back)) == [(S.DENIED, "signal_withdrawn")]
    shop.over = {"frozen": True}
    order = shop.handle(shorter)[-1].data
    assert shop.memory.waiting[order.order_id].expires_at == NOON + MINUTE


@pytest.mark.parametrize("first", ["verdict", "withdrawal"])
async def test_an_exit_stays(shop: Shop, first: str) -> None:
    shop.quote()
    shop.accept(BUY)
    shop.later(minutes=2)  # the quote is too old: what comes now waits
    sold = shop.verdict(SELL)
    steps = [lambda: shop.handle(sold), lambda: withdraw(shop, sold)]
    for step in steps if first == "verdict" else reversed(steps):
        step()
    shop.quote()
    (order,) = await shop.fill()
    assert (order.state, shop.held()) == (S.FILLED, 0)


def test_what_is_filled_already_stays(shop: Shop) -> None:
    shop.quote()
    bought = shop.verdict(BUY)
    shop.handle(bought)
    assert withdraw(shop, bought) == []
    assert shop.held() > 0


def test_the_orders_of_a_withdrawal_are_found_by_their_index(shop: Shop) -> None:
    """Among all orders ever made: SQLite has one writer."""
    asked: list[tuple[str, Any]] = []
    with shop.db.begin() as sql:
        listen(sql, "before_cursor_execute", lambda *told: asked.append(told[2:4]))
        assert waiting_for(sql, {uuid4()}) == set()
        ((query, values),) = asked
        (step,) = sql.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values).all()
    assert "USING INDEX ix_orders_open" in step.detail


def test_it_is_forgotten_once_no_verdict_can_come(shop: Shop) -> None:
    old, new = shop.verdict(BUY), shop.verdict(BUY)
    withdraw(shop, old)
    shop.over = {"wall": shop.moment().wall + timedelta(days=8)}
    withdraw(shop, new)
    assert shop.memory.withdrawn.keys() == {new.data.signal.signal_id}
    with shop.db.begin() as sql:
        assert sql.scalar(select(func.count()).select_from(rows)) == 1


async def test_an_entry_that_works_at_a_broker_is_called_back(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.HELD, "alpaca/post/v2/orders")
        it.quote()
        bought = it.shop.verdict(BUY)
        it.shop.handle(bought)
        await it.ends(S.ACCEPTED)
        withdraw(it.shop, bought)
        (order,) = await it.ends(S.CANCELED)
        assert order.reason == "signal_withdrawn"
        assert [o.status for o in it.there.orders.values()] == ["canceled"]
        await until(it.agrees)


async def test_an_entry_that_has_not_left_never_does(pit: Open) -> None:
    async with pit() as it:
        bought = it.shop.verdict(BUY)
        it.shop.handle(bought)  # without a quote it waits here
        withdraw(it.shop, bought)
        it.quote()
        assert [(o.state, o.reason) for o in it.orders()] == [WITHDRAWN]
        await until(lambda: it.brokerage.active)
        assert it.there.orders == {}
