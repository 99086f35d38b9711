"""What a broker, its network or a second process may do besides: told, survived, never doubled."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from starlette.requests import Request

from executor.adapters.alpaca import Alpaca, Login
from executor.adapters.budget import Budget
from executor.handlers.dealer import Dealers
from sandbox.alpaca.api import SECRET, Trading
from sandbox.alpaca.venue import new_order
from sandbox.faults import Kind
from signalbox.contracts.errors import PermanentError
from signalbox.contracts.events import AlertRaised
from signalbox.contracts.limits import Limits
from signalbox.contracts.values import Action, OrderState
from signalbox.runtime import metrics
from signalbox.testing.examples import a_bot
from signalbox.testing.wait import until

D = Decimal
S = OrderState
BUY, SELL = Action.BUY, Action.SELL
POST, FIND = "alpaca/post/v2/orders", "alpaca/get/v2/orders:by"
ORDER = "alpaca/get/v2/orders/"
Open = Any  # opens a pit, see conftest.py
Pit = Any


def client(it: Pit, key: str = "key") -> Alpaca:
    return Alpaca(Login(f"{it.served.url}/alpaca", key, SECRET), budget=Budget(1e6, 1e6))


async def test_of_two_processes_the_one_that_lost_its_fence_makes_no_second_order(
    pit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first hangs in its call, the second takes over, finds nothing and sends it again."""
    answer, on_its_way, may_arrive = Trading._answer, list[bytes](), asyncio.Event()

    async def late(trading: Trading, request: Request, *told: Any) -> Any:
        if request.method == "POST" and not on_its_way:
            on_its_way.append(await request.body())
            await may_arrive.wait()
        return await answer(trading, request, *told)

    async with pit() as it:
        monkeypatch.setattr(Trading, "_answer", late)
        it.quote()
        it.shop.accept(BUY)
        await until(lambda: on_its_way)
        await it.restart()
        (order,) = await it.ends(S.FILLED)
        assert it.served.trading.posts == [order.order_id]
        may_arrive.set()
        await until(lambda: it.served.trading.posts == [order.order_id] * 2)
        assert len(it.there.orders) == 1
        assert it.agrees()


async def test_without_the_fence_nothing_is_sent(pit: Open) -> None:
    async with pit() as it:
        await until(lambda: it.brokerage.active)
        it.shop.lost_fence = True
        it.quote()
        it.shop.accept(BUY)
        await until(it._task.done)
        assert isinstance(it._task.exception(), ExceptionGroup)
        assert it.served.trading.posts == []
        it._task = None
        it.shop.lost_fence = False
        await it.restart()
        await it.ends(S.FILLED)


async def test_a_worker_that_lost_its_fence_ends_whatever_it_is_at(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.HELD, POST)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.ACCEPTED)
        it.shop.lost_fence = True
        await until(it._task.done)
        assert isinstance(it._task.exception(), ExceptionGroup)
        it._task = None


async def test_fills_out_of_order_and_repeated_count_once(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.HELD, POST)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.ACCEPTED)
        venue, (there,) = it.served.trading.venue, it.there.orders.values()
        before = metrics.FILL_DUPLICATES.labels("alpaca")._value.get()
        for part, price in ((1, 210), (2, 211), ("1.7501", 212)):
            venue.fill(it.there, there, D(part), D(price))
            it.there.executions[:] = [*reversed(it.there.executions), it.there.executions[0]]
        (order,) = await it.ends(S.FILLED)
        assert [(f.quantity, f.price) for f in it.shop.fills()] == [
            (D(1), D(210)),
            (D(2), D(211)),
            (D("1.7501"), D(212)),
        ]
        assert order.filled == order.quantity
        assert metrics.FILL_DUPLICATES.labels("alpaca")._value.get() > before


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_that_is_wrong_here_is_told_and_loses_no_late_fill(
    pit: Open, hours: int
) -> None:
    async with pit() as it:
        await it.stop()
        it.shop.skew = timedelta(hours=hours)
        it.start()
        it.switch(Kind.HELD, POST)
        it.quote()
        it.shop.accept(BUY)
        (order,) = await it.ends(S.ACCEPTED)
        await it.shop.commands.cancel(it.shop.command(order_id=order.order_id))
        await it.ends(S.CANCELED)
        (there,) = it.there.orders.values()
        it.served.trading.venue.fill(it.there, there, D(2), D(210))
        await until(it.agrees)
        assert it.shop.held() == 2
        assert "clock_skew" in it.alerts()


async def test_too_many_requests_of_one_account_hold_up_no_other(pit: Open) -> None:
    async with pit() as it:
        await it.stop()
        (account,) = it.shop.config.accounts
        other = account.model_copy(update={"id": "beta", "key_sealed": "beta"})
        bots = (*it.shop.config.bots, a_bot(id="beta", account="beta"))
        it.shop.configure(accounts=(account, other), bots=bots)
        dealers = Dealers(it.shop.work, lambda a: client(it, a.key_sealed or ""), it.pace)
        task = asyncio.create_task(dealers.run())
        it.switch(Kind.LIMITED, POST, seconds=60)
        it.quote()
        it.shop.accept(BUY)
        await until(lambda: S.SUBMITTING in it.states() and not it.served.faults.active)
        it.shop.accept(BUY, bot="beta", account="beta")
        (order,) = await it.ends(S.FILLED)
        assert order.account == "beta"
        assert [o.state for o in it.orders() if o.account != "beta"] == [S.SUBMITTING]
        task.cancel()
        await asyncio.wait({task})


async def test_keys_that_do_not_open_are_told(pit: Open) -> None:
    async with pit() as it:
        await it.stop()

        def refuse(_account: Any) -> Alpaca:
            raise PermanentError("this does not open")

        task = asyncio.create_task(Dealers(it.shop.work, refuse, it.pace).run())
        await until(lambda: it.alerts() == ["broker_refused"])
        task.cancel()
        await asyncio.wait({task})


async def test_what_was_told_of_an_account_is_over_when_it_is_followed_again_or_gone(
    pit: Open,
) -> None:
    async with pit() as it:
        await it.stop()
        (account,) = it.shop.config.accounts
        it.switch(Kind.REVOKED, "alpaca/", count=None)
        task = asyncio.create_task(Dealers(it.shop.work, lambda _: client(it), it.pace).run())

        def told() -> list[tuple[str, bool]]:
            alerts = [e.data for e in it.events if isinstance(e, AlertRaised)]
            assert {a.about for a in alerts} <= {"account:paper-alpha"}
            return [(a.code, a.active) for a in alerts]

        raised, over = ("broker_refused", True), ("broker_refused", False)
        await until(lambda: told() == [raised])
        it.served.clear()
        it.shop.configure(accounts=(account.model_copy(update={"key_sealed": "new"}),))
        await until(lambda: told() == [raised, over])
        it.switch(Kind.REVOKED, "alpaca/", count=None)
        it.shop.configure(accounts=(account,))
        await until(lambda: told() == [raised, over, raised])
        it.shop.configure(accounts=(), bots=())
        await until(lambda: told() == [raised, over, raised, over])
        task.cancel()
        await asyncio.wait({task})


@pytest.mark.parametrize(
    ("unlike", "action", "told"),
    [
        pytest.param({"tradable": False}, BUY, (S.DENIED, "not_tradable", None), id="halted"),
        pytest.param({"shortable": False}, SELL, (S.DENIED, "not_shortable", "4"), id="no shorts"),
        pytest.param({"fractionable": False}, BUY, (S.FILLED, "", "4"), id="whole shares"),
        pytest.param(
            {"min_order_size": "100"}, BUY, (S.DENIED, "below_minimum", None), id="too small"
        ),
    ],
)
async def test_what_the_broker_does_not_take_is_not_sent(
    pit: Open, unlike: dict[str, Any], action: Action, told: tuple[S, str, str | None]
) -> None:
    async with pit(allow_short=True) as it:
        it.served.trading.venue.assets["AAPL"] = unlike
        it.quote()
        it.shop.accept(action)
        state, reason, quantity = told
        (order,) = await it.ends(state)
        assert order.reason == reason
        if state is S.FILLED:
            assert order.quantity == D(quantity or 0)
        else:
            assert it.served.trading.posts == []


async def test_a_fill_that_is_taken_back_is_told_and_unbooks_nothing(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.HELD, POST)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.ACCEPTED)
        venue, (there,) = it.served.trading.venue, it.there.orders.values()
        venue.fill(it.there, there, D(2), D(210))
        await it.ends(S.PARTIALLY_FILLED)
        there.filled, there.status = D(1), "canceled"
        await it.ends(S.CANCELED)
        assert "fill_taken_back" in it.alerts()
        assert it.shop.held() == 2


async def test_an_order_that_is_not_what_was_meant_to_leave_halts_the_account(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.HELD, POST)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.ACCEPTED)
        (there,) = it.there.orders.values()
        there.quantity *= 10
        await until(lambda: it.brokerage.refused)
        assert it.alerts() == ["order_contradicts"]
        assert "47.501" in it.brokerage.refused
        it.shop.accept(BUY, symbol="MSFT")
        it.quote("MSFT")
        assert [o.state for o in it.orders() if o.symbol == "MSFT"] == [S.PLANNED]


async def test_a_second_sending_that_is_rejected_leaves_the_first_to_be_found(pit: Open) -> None:
    """The first arrived late and holds the money; that the second is rejected proves nothing."""
    async with pit() as it:
        it.switch(Kind.DOWN, POST)
        it.switch(Kind.REJECTED, POST)
        it.quote()
        it.shop.accept(BUY)
        await until(lambda: not it.served.faults.active)
        (order,) = it.orders()
        venue = it.served.trading.venue
        venue.place(it.there, new_order("AAPL", "buy", D("4.7501"), order.order_id, venue.wall()))
        await it.ends(S.FILLED)
        assert S.REJECTED not in it.states()
        assert it.agrees()


async def test_rejections_in_a_row_lock_the_bot_for_a_while(pit: Open) -> None:
    async with pit(limits=Limits(reject_streak=2, max_repeats=100)) as it:
        it.switch(Kind.REJECTED, POST, count=2)
        it.quote()
        for number in (1, 2):
            it.shop.accept(BUY)
            await it.ends(S.REJECTED, number)
        it.shop.accept(BUY)
        (denied,) = await it.ends(S.DENIED)
        assert denied.reason == "locked"
        assert "rejected 2 entries in a row" in denied.message
        it.shop.later(hours=1)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)


async def test_an_exit_goes_where_somebody_else_has_added_to_the_position(pit: Open) -> None:
    async with pit() as it:
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        venue = it.served.trading.venue
        venue.place(it.there, new_order("AAPL", "buy", D(3), "by-hand", venue.wall()))
        it.shop.accept(SELL)
        await it.ends(S.FILLED, 2)
        assert it.there.positions == {"AAPL": D(3)}


async def test_the_clock_of_an_entry_that_waited_is_the_market(pit: Open) -> None:
    """Planned at one price, sent at another: the collar is looked at once more."""
    async with pit() as it:
        await it.stop()
        it.quote()
        it.shop.accept(BUY, price=D("210.5"))
        it.shop.later(seconds=30)
        it.quote(bid=D(230), ask=D("230.02"))
        it.start()
        (order,) = await it.ends(S.DENIED)
        assert order.reason == "price_collar"
        assert it.served.trading.posts == []


async def test_all_bots_together_send_no_more_than_a_minute_may_see(pit: Open) -> None:
    async with pit() as it:
        it.shop.memory.outflow._most = 1
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        it.shop.accept(BUY, source_id="rsi")
        (order,) = await it.ends(S.DENIED)
        assert order.reason == "order_rate"
        it.shop.accept(SELL)
        await it.ends(S.FILLED, 2)
        assert it.there.positions == {}


async def test_what_is_left_of_a_pair_after_another_fee_is_no_difference(pit: Open) -> None:
    async with pit() as it:
        it.quote("BTC/USD", bid=D(50_000), ask=D(50_010))
        await until(lambda: it.brokerage.active)
        it.there.positions["BTC/USD"] = D("0.00001")  # half a dollar
        looked = it.shop.points
        await until(lambda: it.shop.points > looked + 40)
        assert it.brokerage.mismatched == set()


async def test_orders_in_doubt_are_counted(pit: Open) -> None:
    async with pit() as it:
        it.switch(Kind.LOST, POST)
        it.switch(Kind.BROKEN, FIND, count=None)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.UNKNOWN)
        assert metrics.ORDERS_UNKNOWN._value.get() == 1
        it.served.clear()
        await it.ends(S.FILLED)
        assert metrics.ORDERS_UNKNOWN._value.get() == 0
