"""An alarm of an account stands until its trouble is over, whichever process sees that, and what
has merely happened is none.
"""

import asyncio
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from executor.domain.alarms import Alarm
from executor.handlers import waiting
from executor.handlers.dealer import Dealers
from sandbox.alpaca.venue import new_order
from sandbox.faults import Kind
from signalbox.contracts.errors import InvariantBroken, TransientError
from signalbox.contracts.events import AlertRaised
from signalbox.contracts.values import Action, OrderState
from signalbox.testing.wait import until
from tests.pits import ALARMED

D = Decimal
S = OrderState
BUY, SELL = Action.BUY, Action.SELL
ACCOUNT, KEY = "account:paper-alpha", "key:alpha/AAPL"
PLACE = f"{ACCOUNT}/AAPL"
Open = Any  # opens a pit, see conftest.py
Pit = Any


def elsewhere(it: Pit, side: str, quantity: str, name: str) -> None:
    """Somebody trades in this account by hand."""
    venue = it.served.trading.venue
    venue.place(it.there, new_order("AAPL", side, D(quantity), name, venue.wall()))


def said(it: Pit) -> list[tuple[str, str, bool]]:
    alerts = [event.data for event in it.events if isinstance(event, AlertRaised)]
    return [(alert.code, alert.about, alert.active) for alert in alerts]


def standing(it: Pit) -> set[tuple[str, str]]:
    """What people see as wrong now: the newest word of each."""
    newest = {(code, about): active for code, about, active in said(it)}
    return {key for key, active in newest.items() if active}


async def sweeps(it: Pit, count: int = 3) -> None:
    """So many whole looks at the account."""
    for _ in range(count):
        await until(partial(_swept, it, it.brokerage.sweep_due))


def _swept(it: Pit, before: float) -> bool:
    return bool(it.brokerage.sweep_due > before)


@pytest.mark.parametrize("mended", ["before the restart", "after it"])
async def test_a_difference_that_was_mended_is_over_after_a_restart_and_is_so_once(
    pit: Open, mended: str
) -> None:
    async with pit() as it:
        it.quote()
        await until(lambda: it.brokerage.active)
        elsewhere(it, "buy", "3", "in")
        await until(lambda: ("position_mismatch", f"{ACCOUNT}/AAPL") in standing(it))
        await it.stop()
        if mended == "before the restart":
            elsewhere(it, "sell", "3", "out")
        await it.restart()
        if mended == "after it":
            await sweeps(it)
            it.shop.accept(BUY)
            (order,) = await it.ends(S.DENIED)
            assert order.reason == "position_mismatch"
            elsewhere(it, "sell", "3", "out")
        await until(lambda: not standing(it))
        await it.restart()
        await sweeps(it)
        told = [one[2] for one in said(it) if one[0] == "position_mismatch"]
        assert told == [True, False]


@pytest.mark.parametrize("code", ["order_surplus", "order_contradicts", "broker_refused"])
async def test_a_halt_of_an_account_is_over_when_a_restart_has_looked_at_it(
    pit: Open, code: str
) -> None:
    async with pit() as it:
        await until(lambda: it.brokerage.active)
        await it.brokerage.shut("more than was planned would leave", code)
        await it.stop()
        it.switch(Kind.BROKEN, "alpaca/get/v2/positions", count=None)
        await it.restart()
        await until(lambda: it.brokerage.sweep_due > 0)
        assert standing(it) >= {(code, ACCOUNT)}, "it was not looked at"
        it.served.clear()
        await until(lambda: not standing(it))
        await sweeps(it)
        assert [active for name, _, active in said(it) if name == code] == [True, False]


async def test_a_halt_that_holds_after_a_restart_is_not_told_again(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.REVOKED, "alpaca/", count=None)
        await until(lambda: standing(it) == {("broker_refused", ACCOUNT)})
        await it.restart()
        await until(lambda: it.brokerage.refused)
        await it.brokerage.shut(it.brokerage.refused)
        assert said(it) == [("broker_refused", ACCOUNT, True)]
        await it.brokerage.shut("another reason")
        assert len(said(it)) == 2


async def test_a_broker_that_answers_again_ends_what_was_told_of_it(pit: Open) -> None:
    async with pit(pace=ALARMED) as it:
        await until(lambda: it.brokerage.active)
        it.switch(Kind.BROKEN, "alpaca/get/v2/positions", count=None)
        await until(lambda: standing(it) == {("broker_unreachable", ACCOUNT)})
        it.served.clear()
        await until(lambda: not standing(it))


async def test_a_failure_is_over_when_its_work_succeeds(
    pit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pit() as it:
        await until(lambda: it.brokerage.active)
        positions = it.brokerage.broker.positions

        async def breaks() -> None:
            raise ArithmeticError("a fault of ours")

        monkeypatch.setattr(it.brokerage.broker, "positions", breaks)
        await until(lambda: standing(it) == {("broker_failed", ACCOUNT)})
        await sweeps(it)
        monkeypatch.setattr(it.brokerage.broker, "positions", positions)
        await until(lambda: not standing(it))
        assert Counter(said(it)) == Counter(
            ("broker_failed", ACCOUNT, active) for active in (True, False)
        )


async def test_a_clock_that_was_put_right_is_no_alarm(pit: Open) -> None:
    async with pit() as it:
        await it.stop()
        it.shop.skew = timedelta(hours=1)
        it.start()
        await until(lambda: standing(it) == {("clock_skew", ACCOUNT)})
        it.shop.skew = timedelta()
        await until(lambda: not standing(it))


async def stuck_exit(it: Pit) -> str:
    """An exit waits, because somebody has sold what we hold; returns how much that is."""
    it.quote()
    it.shop.accept(BUY)
    (bought,) = await it.ends(S.FILLED)
    elsewhere(it, "sell", str(bought.quantity), "out")
    it.shop.accept(SELL)
    await until(lambda: ("exit_waits", PLACE) in standing(it))
    return str(bought.quantity)


@pytest.mark.parametrize("restarted", [False, True])
async def test_an_exit_that_goes_waits_no_more(pit: Open, restarted: bool) -> None:
    async with pit() as it:
        quantity = await stuck_exit(it)
        if restarted:
            await it.stop()
        elsewhere(it, "buy", quantity, "in")
        if restarted:
            await it.restart()
        await it.ends(S.FILLED, 2)
        await until(lambda: not standing(it))


async def test_an_exit_that_is_cancelled_waits_no_more(pit: Open) -> None:
    async with pit() as it:
        await stuck_exit(it)
        await it.shop.commands.cancel(it.shop.command(order_id=it.orders()[-1].order_id))
        await until(lambda: ("exit_waits", PLACE) not in standing(it))


async def test_an_order_whose_fate_is_known_is_no_alarm(pit: Open) -> None:
    async with pit(pace=ALARMED) as it:
        it.switch(Kind.LOST, "alpaca/post/v2/orders")
        it.switch(Kind.BROKEN, "alpaca/get/v2/orders:by_client_order_id", count=None)
        it.quote()
        it.shop.accept(BUY)
        await until(lambda: standing(it) == {("order_unknown", PLACE)})
        it.served.clear()
        await it.ends(S.FILLED)
        await until(lambda: not standing(it))


async def test_an_order_that_the_broker_shows_again_has_not_vanished(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.HELD, "alpaca/post/v2/orders")
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.ACCEPTED)
        shown = dict(it.there.orders)
        it.there.orders.clear()
        await until(lambda: standing(it) == {("order_vanished", PLACE)})
        it.there.orders.update(shown)
        await until(lambda: not standing(it))


async def test_what_has_happened_is_told_and_does_not_stand(pit: Open) -> None:
    async with pit() as it:
        await until(lambda: it.brokerage.active)
        elsewhere(it, "buy", "3", "by-hand")  # there is no quote, so it stays open
        await until(lambda: said(it) == [("external_order", ACCOUNT, False)])
        await sweeps(it)
        assert len(said(it)) == 1


async def test_an_entry_that_is_given_up_does_not_stand(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.DOWN, "alpaca/post/v2/orders", count=None)
        it.quote()
        it.shop.accept(BUY)
        (order,) = await it.ends(S.ABANDONED)
        assert ("order_abandoned", f"order:{order.order_id}", False) in said(it)
        await until(lambda: not standing(it))


async def test_an_account_that_is_gone_after_a_restart_has_no_alarms(pit: Open) -> None:
    async with pit() as it:
        it.quote()
        await until(lambda: it.brokerage.active)
        elsewhere(it, "buy", "3", "in")
        await until(lambda: ("position_mismatch", f"{ACCOUNT}/AAPL") in standing(it))
        await it.brokerage.shut("refused")
        await it.restart()
        await it.stop()
        it.shop.configure(accounts=(), bots=())
        task = asyncio.create_task(Dealers(it.shop.work, lambda _: _never(), it.pace).run())
        await until(lambda: not standing(it))
        task.cancel()
        await asyncio.wait({task})


def _never() -> Any:
    raise AssertionError("no account is wanted")


async def test_orders_that_could_not_be_filled_and_are_gone_fail_no_more(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise InvariantBroken("two and two are five")

    waits = shop.accept(BUY)[0].data
    made, transact = list[Any](), shop.transact

    async def hear(work: Any) -> Any:
        made.extend(await transact(work))

    shop.transact = hear
    with monkeypatch.context() as patch:
        patch.setattr(waiting, "settle", fails)
        shop.quote()
        await shop.fill()
    await shop.restart()
    await shop.floor.end_failures()
    assert [alert.data.active for alert in made] == [True], "it still waits"
    await shop.commands.cancel(shop.command(order_id=waits.order_id))
    await shop.floor.end_failures()
    told = [event.data for event in made if isinstance(event, AlertRaised)]
    assert [(alert.code, alert.about, alert.active) for alert in told] == [
        ("fill_failed", KEY, active) for active in (True, False)
    ]


async def test_the_end_of_one_alarm_is_not_that_of_the_next_in_its_place(pit: Open) -> None:
    async with pit() as it:
        alarms = it.shop.work.alarms
        first, next_one = (Alarm("exit_rejected", KEY, order_id) for order_id in ("one", "two"))
        await alarms.tell(first, "The broker has ended it.")
        await alarms.tell(next_one, "The broker has ended it again.")
        await alarms.end(first, "It is closed.")
        assert standing(it) == {("exit_rejected", KEY)}
        await alarms.end(next_one, "It is closed.")
        assert not standing(it)


async def test_what_could_not_be_written_undoes_nothing_else(
    pit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pit() as it:
        alarms, kept = it.shop.work.alarms, Alarm("exit_rejected", KEY, "one")

        async def fail(work: Any) -> None:
            with it.shop.db.begin() as sql:
                list(work(sql, it.shop.moment()))
                alarms.keep(sql, [kept])  # of a transaction on the books, meanwhile
            raise TransientError("the database has gone away")

        with monkeypatch.context() as patch:
            patch.setattr(it.shop, "transact", fail)
            with pytest.raises(TransientError):
                await alarms.tell(Alarm("clock_skew", "executor"), "The clocks differ.")
        assert alarms.raised() == [kept]
