"""What happens to an order while its account's worker is busy with it."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal as D
from typing import Any

from executor.adapters import store
from executor.domain.broker import Asset
from executor.domain.desk import Desk
from executor.domain.scene import Denial
from executor.handlers import sending
from executor.handlers.booking import ExecutorMoment, end
from sandbox.faults import Kind
from signalbox.contracts.events import Event
from signalbox.contracts.limits import Exits
from signalbox.contracts.values import Action, OrderState
from signalbox.testing.wait import until

BUY = Action.BUY
S = OrderState


async def test_an_order_that_ends_while_the_broker_is_asked_is_not_sent(pit: Any) -> None:
    async with pit() as it:
        await until(lambda: it.brokerage.active)
        at, ask = it.brokerage, it.brokerage.broker.asset

        async def asset(symbol: str) -> Asset | None:
            found: Asset | None = await ask(symbol)
            for ticket in at.tickets("AAPL"):

                def cancel(_sql: object, desk: Desk, moment: ExecutorMoment) -> Iterator[Event]:
                    now = sending.current(desk, ticket)  # noqa: B023 - used at once
                    yield from end(desk, now, (S.CANCELED, Denial("command", "stop")), moment)

                await it.shop.work.do(cancel, {ticket.order.bot})
            return found

        at.broker.asset = asset
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.CANCELED)
        at.broker.asset = ask
        it.quote("MSFT")
        it.shop.accept(BUY, symbol="MSFT")
        await it.ends(S.FILLED)
        assert len(it.served.trading.posts) == 1
        assert [order.symbol for order in it.there.orders.values()] == ["MSFT"]


async def test_an_entry_that_comes_while_a_stop_is_being_placed_goes_before_it(pit: Any) -> None:
    async with pit(exits=Exits(stop=D("0.01"))) as it:
        await until(lambda: it.brokerage.active)
        ask = it.brokerage.broker.position

        async def position(symbol: str) -> Any:
            found = await ask(symbol)
            it.brokerage.broker.position = ask
            it.shop.accept(BUY, source_id="other")
            return found

        it.brokerage.broker.position = position
        it.quote()
        it.shop.accept(BUY)
        stops = [order for order in await it.ends(S.ACCEPTED, 2) if order.kind == "stop"]
        assert [order.attempt for order in stops] == [0, 0]
        assert len(it.orders()) == 4


async def test_an_exit_that_waits_long_for_the_end_of_a_stop_is_told(pit: Any) -> None:
    async with pit(exits=Exits(stop=D("0.01"))) as it:
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.ACCEPTED)
        it.switch(Kind.BROKEN, "alpaca/delete/v2/orders", count=None)
        it.shop.accept(Action.SELL)
        await it.ends(S.CANCEL_PENDING)
        assert it.alerts() == []
        it.shop.later(seconds=60)
        await until(lambda: it.alerts() == ["exit_waits"])
        it.served.clear()
        await it.ends(S.FILLED, 2)
        await until(lambda: not it.shop.work.alarms.raised())
        assert it.there.positions == {}


async def test_an_entry_that_fills_while_an_exit_waits_stays_filled(pit: Any) -> None:
    async with pit() as it:
        it.quote()
        it.shop.accept(BUY)
        (entry,) = await it.ends(S.FILLED)
        with it.shop.db.begin() as sql:
            ticket = store.find_order(sql, entry.order_id)
        open_once = ticket_as(ticket, S.ACCEPTED)
        await it.brokerage.do(
            open_once,
            lambda _s, desk, m: sending.call_back(
                desk, open_once, (S.CANCELED, Denial("superseded", "an exit goes first")), m
            ),
        )
        assert it.shop.order(entry.order_id).state is S.FILLED
        assert it.shop.held() == D("4.7501")


async def test_what_is_committed_is_remembered_when_the_worker_is_cancelled(pit: Any) -> None:
    async with pit() as it:
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        started = asyncio.Event()

        def note(_sql: object, desk: Desk, moment: ExecutorMoment) -> Iterator[Event]:
            started.set()
            return iter(())

        before = it.shop.memory.take
        taken: list[Desk] = []
        it.shop.memory.take = taken.append
        doing = asyncio.create_task(it.shop.work.do(note, {"alpha"}))
        await asyncio.sleep(0)
        doing.cancel()
        await until(lambda: taken)
        it.shop.memory.take = before
        assert started.is_set()


def ticket_as(ticket: Any, state: OrderState) -> Any:
    """The order as somebody saw it before it ended."""
    return replace(ticket, order=ticket.order.model_copy(update={"state": state}))
