"""Books against the broker: what differs is told, and no order mends it."""

from decimal import Decimal
from typing import Any

import pytest

from executor.handlers.holdings import same
from sandbox.alpaca.venue import new_order
from sandbox.faults import Kind
from signalbox.contracts.limits import Limits, Sizing
from signalbox.contracts.values import Action, OrderState
from signalbox.testing.examples import a_bot
from signalbox.testing.wait import until
from tests.pits import ALARMED

D = Decimal
S = OrderState
BUY, SELL = Action.BUY, Action.SELL
POST = "alpaca/post/v2/orders"
Open = Any  # opens a pit, see conftest.py
Pit = Any


def elsewhere(it: Pit, side: str, quantity: str, symbol: str = "AAPL") -> Any:
    """Somebody trades in this account by hand."""
    venue = it.served.trading.venue
    order = new_order(symbol, side, D(quantity), "by-hand", venue.wall())
    return venue.place(it.there, order)


async def test_an_order_of_somebody_else_is_told_and_left_alone(pit: Open) -> None:
    async with pit() as it:
        await until(lambda: it.brokerage.active)
        order = elsewhere(it, "buy", "3", "MSFT")  # there is no quote, so it stays open
        await until(lambda: it.alerts() == ["external_order"])
        assert order.status == "accepted"
        assert it.served.trading.posts == []


async def test_a_position_that_is_not_ours_stops_entries_until_it_is_gone(pit: Open) -> None:
    async with pit() as it:
        it.quote()
        await until(lambda: it.brokerage.active)
        elsewhere(it, "buy", "3")
        await until(lambda: it.brokerage.mismatched == {"AAPL"})
        assert {"position_mismatch", "external_order"} <= set(it.alerts())
        it.shop.accept(BUY)
        (order,) = await it.ends(S.DENIED)
        assert order.reason == "position_mismatch"
        it.there.names.clear()
        elsewhere(it, "sell", "3")
        await until(lambda: not it.brokerage.mismatched)
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        assert it.agrees()
        assert len(it.served.trading.posts) == 1


async def test_keys_of_another_account_at_the_broker_are_refused(pit: Open) -> None:
    """What was sent to the former one would be missing there, and be sent again."""
    async with pit() as it:
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        it.there.id = "another"
        await it.restart()
        await until(lambda: it.brokerage.refused)
        assert "another account at the broker" in it.brokerage.refused
        it.shop.accept(BUY, source_id="other")
        looked = it.brokerage.now
        await until(lambda: it.brokerage.now > looked + 3 * it.pace.sweep_s)
        assert "broker_refused" in it.alerts()
        assert len(it.served.trading.posts) == 1


async def test_an_exit_does_not_open_what_somebody_else_has_closed(pit: Open) -> None:
    async with pit() as it:
        it.quote()
        it.shop.accept(BUY)
        (bought,) = await it.ends(S.FILLED)
        elsewhere(it, "sell", str(bought.quantity))
        it.shop.accept(SELL)
        await until(lambda: "exit_waits" in it.alerts())
        assert it.there.positions == {}
        assert len(it.served.trading.posts) == 1
        it.there.names.pop("by-hand")
        elsewhere(it, "buy", str(bought.quantity))
        await it.ends(S.FILLED, 2)
        assert it.there.positions == {}


@pytest.mark.parametrize("sources", [("small", "large"), ("large",)])
async def test_an_exit_sells_as_much_of_its_lot_as_a_fee_has_left(
    pit: Open, sources: tuple[str, ...]
) -> None:
    """The fee is 15 bps dearer than configured: more than all of the small lot is missing."""
    most = D(1_000_000)
    limits = Limits(max_order_notional=most, max_position_notional=most, max_gross_exposure=most)
    async with pit(limits=limits, sizing=Sizing(notional=D(50_000))) as it:
        it.quote("BTC/USD", bid=D(50_000), ask=D(50_000))
        it.shop.accept(BUY, symbol="BTC/USD", source_id="large")
        await it.ends(S.FILLED)
        it.shop.configure(a_bot(limits=limits, sizing=Sizing(notional=D(50))))
        it.shop.later(seconds=1)
        it.quote("BTC/USD", bid=D(50_000), ask=D(50_000))
        it.shop.accept(BUY, symbol="BTC/USD", source_id="small")
        await it.ends(S.FILLED, 2)
        it.there.positions["BTC/USD"] -= D("0.0015")
        for source in sources:
            it.shop.later(seconds=1)
            it.quote("BTC/USD", bid=D(50_000), ask=D(50_000))
            it.shop.accept(SELL, symbol="BTC/USD", source_id=source)
            await it.ends(S.FILLED, 3 + sources.index(source))
        assert it.there.positions == {}
        assert it.shop.held("BTC/USD") == D("0.0015")


async def test_a_list_without_anything_does_not_make_the_books_flat(pit: Open) -> None:
    async with pit() as it:
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        it.switch(Kind.EMPTY, "alpaca/get/v2/positions", count=None)
        await until(lambda: "position_mismatch" in it.alerts())
        assert it.shop.held() == D("4.7501")
        it.served.clear()
        await until(lambda: not it.brokerage.mismatched)
        assert it.agrees()


async def test_a_book_begins_with_the_cash_of_the_account_and_keeps_it_after_its_first_fill(
    pit: Open,
) -> None:
    async with pit() as it:
        await it.stop()
        it.there.cash = D(5000)
        it.shop.accept(BUY)  # a book is opened before the broker has been asked
        it.start()
        it.quote()
        await it.ends(S.FILLED)
        book = it.shop.book()
        assert (book.started_with, book.cash) == (D(5000), it.there.cash)
        it.there.cash += 1000  # a deposit is no performance
        await it.restart()
        await until(lambda: it.brokerage.active)
        assert it.shop.book().started_with == D(5000)


async def test_one_wrong_look_is_no_difference(pit: Open) -> None:
    async with pit() as it:
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        it.switch(Kind.EMPTY, "alpaca/get/v2/positions", count=1)
        await until(lambda: not it.served.faults.active)
        it.switch(Kind.BROKEN, "alpaca/get/v2/clock", count=None)
        it.shop.accept(BUY, source_id="rsi")
        await it.ends(S.FILLED, 2)
        assert it.alerts() == []


async def test_nothing_is_sent_before_the_account_has_been_looked_at(pit: Open) -> None:
    async with pit(pace=ALARMED) as it:
        await it.stop()
        it.switch(Kind.BROKEN, "alpaca/get/v2/positions", count=None)
        it.start()
        it.quote()
        it.shop.accept(BUY)
        await until(lambda: "broker_unreachable" in it.alerts())
        assert it.states() == [S.PLANNED]
        it.served.clear()
        await it.ends(S.FILLED)


async def test_what_was_filled_while_nobody_looked_is_booked_at_the_start(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.HELD, POST)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.ACCEPTED)
        await it.stop()
        (there,) = it.there.orders.values()
        venue = it.served.trading.venue
        venue.fill(it.there, there, D(1), D(210))
        venue.fill(it.there, there, D("3.7501"), D(211))
        await it.restart()
        (order,) = await it.ends(S.FILLED)
        assert [(f.quantity, f.price) for f in it.shop.fills()] == [
            (D(1), D(210)),
            (D("3.7501"), D(211)),
        ]
        assert order.filled == D("4.7501")
        assert it.agrees()


def test_crypto_may_differ_by_a_fee_and_shares_by_nothing() -> None:
    assert same("BTC/USD", D("0.09975"), D("0.1"))
    assert not same("BTC/USD", D("0.099"), D("0.1"))
    assert not same("AAPL", D("0.9999"), D(1))
