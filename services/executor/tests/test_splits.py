"""Splits: what one looks like, what waits until it is booked, what becomes of lots and stops."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from executor.domain.splits import Split, likely
from executor.handlers.audit import audit
from signalbox.contracts.errors import SignalboxError
from signalbox.contracts.events import AlertRaised
from signalbox.contracts.limits import Limits, Sizing
from signalbox.contracts.values import Action, OrderState
from signalbox.testing.wait import until

D = Decimal
S = OrderState
BUY, SELL = Action.BUY, Action.SELL
Open = Any  # opens a pit, see conftest.py
Pit = Any
Split2 = Callable[..., AbstractAsyncContextManager[Pit]]


@pytest.mark.parametrize(
    ("held", "there", "before", "now", "found"),
    [
        pytest.param("10", "20", "210", "104", "2:1", id="two for one"),
        pytest.param("10", "30", "210", "71", "3:1", id="three for one"),
        pytest.param("10", "15", "210", "139", "3:2", id="three for two"),
        pytest.param("5", "7", "210", "139", "3:2", id="three for two, a half paid in cash"),
        pytest.param("100", "10", "2", "20.5", "1:10", id="one for ten"),
        pytest.param("105", "10", "2", "20.5", "1:10", id="one for ten, a half paid in cash"),
        pytest.param("-10", "-20", "210", "104", "2:1", id="short"),
        pytest.param("4.7501", "9.5002", "210", "104", "2:1", id="parts of shares"),
        pytest.param("10", "20", "210", "205", None, id="somebody has bought as many"),
        pytest.param("10", "5", "210", "205", None, id="somebody has sold half"),
        pytest.param("100", "120", "210", "175", None, id="no ratio that is common"),
        pytest.param("10", "10", "210", "105", None, id="a crash"),
        pytest.param("10", "-20", "210", "105", None, id="the other side"),
        pytest.param("0", "20", "210", "105", None, id="nothing was held"),
        pytest.param("10", "0", "210", "105", None, id="nothing is left"),
        pytest.param("10", "20", None, "105", "2:1", id="nobody knows the price before"),
        pytest.param("5", "7", None, "139", None, id="then units have to fit exactly"),
        pytest.param("10", "20", "210", None, None, id="no price"),
    ],
)
def test_what_looks_like_a_split(
    held: str, there: str, before: str | None, now: str | None, found: str | None
) -> None:
    prices = [None if price is None else D(price) for price in (before, now)]
    split = likely(D(held), D(there), *prices)
    assert (split and str(split)) == found


def test_units_and_prices_of_a_split() -> None:
    assert Split(1, 3).units(D(100)) == D("33.333333333")
    assert Split(1, 3).units(D(-100)) == D("-33.333333333")
    assert Split(3, 1).price(D(200)) == D("66.6667")


def watched(it: Pit) -> None:
    """Stops are not left at the broker, but watched."""
    account = it.shop.config.accounts[0].model_copy(update={"stops_at_broker": False})
    it.shop.configure(accounts=(account,))


async def looked(it: Pit) -> None:
    """The account has been compared again, with nothing on its way."""
    was = it.brokerage.sweep_due
    await until(lambda: it.brokerage.sweep_due > was + 3 * it.pace.sweep_s)


@pytest.fixture
def split(pit: Open) -> Split2:
    """A bot with a stop at 200 on what it holds, watched here, and a broker that has split it."""

    @asynccontextmanager
    async def opened(new: int = 2, old: int = 1, **signal: Any) -> AsyncIterator[Pit]:
        async with pit() as it:
            watched(it)
            it.quote(bid=D(210), ask=D(210))
            it.shop.accept(BUY, **({"stop_price": D(200), "target_price": D(252)} | signal))
            await it.ends(S.FILLED)
            await looked(it)
            it.there.positions["AAPL"] = it.there.positions["AAPL"] * new / old
            yield it

    return opened


async def correct(it: Pit, quantity: object, **more: str) -> None:
    said = {"bot": "alpha", "symbol": "AAPL", "quantity": str(quantity), "reason": "split"}
    await it.shop.commands.correct(it.shop.command("fix", **(said | more)))


def told(it: Pit, code: str) -> list[str]:
    return [e.data.message for e in it.events if isinstance(e, AlertRaised) and e.data.code == code]


async def test_stops_and_entries_wait_until_a_split_is_booked(split: Split2) -> None:
    async with split() as it:
        held = it.shop.held()
        before = it.shop.book()
        it.quote(bid=D(105), ask=D(105))
        await until(lambda: "split of 2:1" in "".join(told(it, "position_mismatch")[-1:]))
        how = '/alpha/AAPL/correct with "account": "paper-alpha", "split": "2:1"'
        assert how in told(it, "position_mismatch")[-1]
        assert "the price has moved the other way" in told(it, "position_mismatch")[-1]
        it.shop.accept(BUY, source_id="other")
        (entry,) = await it.ends(S.DENIED)
        (stop,) = await it.shop.guard()
        await until(lambda: "exit_waits" in it.alerts())
        it.shop.accept(BUY, source_id="other")
        assert (entry.reason, len(it.served.trading.posts)) == ("position_mismatch", 1)
        assert it.shop.order(stop.order_id).state is S.PLANNED

        await correct(it, 2 * held, split="2:1")
        book = it.shop.book()
        (lot,) = book.holdings["AAPL"].lots
        assert (lot.quantity, lot.entry_price) == (2 * held, D(105))
        assert (lot.protection.stop_price, lot.protection.target_price) == (D(100), D(126))
        assert (book.cash, book.equity) == (before.cash, before.equity)
        assert book.realised == 0
        assert [o.reason for o in it.orders() if o.state is S.CANCELED] == ["corrected"] * 2
        await until(lambda: not it.brokerage.mismatched)
        assert await it.shop.transact(audit) == []

        it.shop.later(seconds=1)
        it.quote(bid=D(99), ask=D(99))
        again = (await it.shop.guard())[-1]
        await until(lambda: it.shop.order(again.order_id).state is S.FILLED)
        assert it.there.positions == {}
        assert it.shop.book().realised == 2 * held * (99 - 105)


async def test_a_crash_is_no_split_and_the_stop_fires(split: Split2) -> None:
    async with split(1, 1) as it:
        it.quote(bid=D(105), ask=D(105))
        await it.shop.guard()
        await it.ends(S.FILLED, 2)
        assert it.there.positions == {}


async def test_a_split_that_the_broker_shows_later_than_the_market_is_one_too(
    split: Split2,
) -> None:
    async with split(1, 1) as it:
        it.quote(bid=D(105), ask=D(105))
        await looked(it)
        it.there.positions["AAPL"] *= 2
        await until(lambda: "split of 2:1" in "".join(told(it, "position_mismatch")))


async def test_a_stop_waits_where_this_process_has_not_seen_the_price_before(
    split: Split2,
) -> None:
    async with split() as it:
        await it.stop()
        it.quote(bid=D(105), ask=D(105))
        await it.restart()
        await it.shop.guard()
        await until(lambda: "exit_waits" in it.alerts())
        await until(lambda: told(it, "position_mismatch"))
        assert "units fit; the price before is not known" in told(it, "position_mismatch")[-1]
        assert len(it.served.trading.posts) == 1


@pytest.mark.parametrize("days", [1, 8])
async def test_a_split_after_an_earlier_jump_is_one_too(pit: Open, days: int) -> None:
    """A price that has jumped is known as the price before, as is for a week the one it left."""
    async with pit() as it:
        watched(it)
        it.quote(bid=D(100), ask=D(100))
        it.shop.accept(BUY, stop_price=D(90))
        await it.ends(S.FILLED)
        await looked(it)
        it.quote(bid=D(160), ask=D(160))
        await looked(it)
        it.shop.later(days=days)
        it.quote(bid=D(160), ask=D(160), session_closes_at=None)
        await looked(it)
        it.there.positions["AAPL"] *= 2
        it.quote(bid=D(80), ask=D(80), session_closes_at=None)
        await it.shop.guard()
        await until(lambda: "exit_waits" in it.alerts())
        assert len(it.served.trading.posts) == 1


async def test_a_crash_of_long_ago_makes_no_split_of_what_somebody_buys(split: Split2) -> None:
    async with split(1, 1, stop_price=None) as it:
        it.quote(bid=D(105), ask=D(105))
        await looked(it)
        it.shop.later(days=8)
        it.quote(bid=D(105), ask=D(105), session_closes_at=None)
        await looked(it)
        it.there.positions["AAPL"] *= 2
        await until(lambda: told(it, "position_mismatch"))
        assert "split" not in told(it, "position_mismatch")[-1]


async def test_a_person_may_close_before_the_split_is_booked(split: Split2) -> None:
    async with split() as it:
        it.quote(bid=D(105), ask=D(105))
        held = it.shop.held()
        await it.shop.commands.close(it.shop.command("out", bot="alpha", symbol="AAPL"))
        await it.ends(S.FILLED, 2)
        assert it.there.positions == {"AAPL": held}


async def test_an_exit_that_waits_closes_the_new_units(split: Split2) -> None:
    async with split() as it:
        it.quote(bid=D(105), ask=D(105))
        it.shop.accept(SELL)
        await until(lambda: "exit_waits" in it.alerts())
        await correct(it, it.there.positions["AAPL"], split="2:1")
        await it.ends(S.FILLED, 2)
        assert it.there.positions == {}
        assert it.shop.held() == 0


async def test_of_a_reverse_split_the_part_of_a_unit_is_sold(split: Split2) -> None:
    """4.7619 units become 0.47619; of these 0.4 are kept, as it were, and the rest is cash."""
    async with split(1, 10) as it:
        assert it.there.positions["AAPL"] == D("0.47619")
        it.there.positions["AAPL"] = D("0.4")
        it.quote(bid=D(2100), ask=D(2100))
        before = it.shop.book()
        await correct(it, "0.4", split="1:10")
        book = it.shop.book()
        (lot,) = book.holdings["AAPL"].lots
        assert (lot.quantity, lot.entry_price) == (D("0.4"), D(2100))
        assert lot.protection.stop_price == 2000
        assert (book.equity, book.realised) == (before.started_with, 0)
        assert book.cash == before.cash + D("0.07619") * 2100
        assert await it.shop.transact(audit) == []


async def test_after_a_reverse_split_the_loss_limits_begin_anew(pit: Open) -> None:
    """Old units at the new price were worth ten times as much: a minute's mark has taken that for
    the highest equity, and nothing is bought by it.
    """
    most = D(1_000_000)
    big = Limits(max_order_notional=most, max_position_notional=most, max_gross_exposure=most)
    async with pit(sizing=Sizing(notional=D(40000)), limits=big) as it:
        it.quote(bid=D(20), ask=D(20))
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        await looked(it)
        it.there.positions["AAPL"] /= 10
        it.quote(bid=D(200), ask=D(200))
        await it.shop.floor.mark(it.shop.moment())
        assert it.shop.book().risk.peak == 460_000
        await until(lambda: "split of 1:10" in "".join(told(it, "position_mismatch")))
        it.quote("MSFT", bid=D(100), ask=D(100))
        it.shop.accept(BUY, symbol="MSFT")
        (entry,) = await it.ends(S.DENIED)
        assert "until the split of AAPL is booked" in entry.message
        await correct(it, it.there.positions["AAPL"], split="1:10")
        it.shop.later(minutes=1)
        it.quote(bid=D(200), ask=D(200))
        await it.shop.floor.mark(it.shop.moment())
        assert (it.shop.book().equity, it.shop.book().risk.peak) == (100_000, 100_000)
        assert "bot_halted" not in it.alerts()
        await until(lambda: not it.brokerage.mismatched)
        it.quote("MSFT", bid=D(100), ask=D(100))
        it.shop.accept(BUY, symbol="MSFT", source_id="other")
        await it.ends(S.FILLED, 2)


async def test_a_split_that_makes_the_book_no_poorer_leaves_the_loss_limits(split: Split2) -> None:
    async with split() as it:
        it.quote(bid=D(105), ask=D(105))
        before = it.shop.book().risk
        await correct(it, it.there.positions["AAPL"], split="2:1")
        assert it.shop.book().risk == before


@pytest.mark.parametrize(
    ("quantity", "ratio", "quote", "words"),
    [
        pytest.param("14.2857", "2:1", {}, "would be 9.5238", id="numbers do not fit"),
        pytest.param("9.5238", "2:1", {"session_open": False}, "no fresh price", id="old price"),
        pytest.param("9.5238", "two", {}, "such as 2:1", id="no ratio"),
        pytest.param("9.5238", "2:0", {}, "from 1 to", id="nothing for two"),
    ],
)
async def test_a_split_that_cannot_be_is_refused(
    split: Split2, quantity: str, ratio: str, quote: dict[str, Any], words: str
) -> None:
    async with split() as it:
        it.quote(bid=D(105), ask=D(105), **quote)
        with pytest.raises(SignalboxError, match=words):
            await correct(it, quantity, split=ratio)
        assert it.shop.held() == D("4.7619")
