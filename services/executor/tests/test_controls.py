"""Pre-trade controls beyond the size of one order, and the stories in which they meet."""

import asyncio
from collections.abc import Callable, Iterable
from decimal import Decimal as D
from typing import Any

import pytest
from sqlalchemy import Connection

from executor.adapters.budget import Urgency
from executor.domain.desk import WHOLE_BOT, Desk
from executor.handlers.booking import ExecutorMoment
from executor.handlers.waiting import marks
from sandbox.faults import Kind
from signalbox.contracts.accounts import KillSwitch
from signalbox.contracts.events import AlertRaised, Event, OrderChanged
from signalbox.contracts.limits import Exits, Limits, Sizing
from signalbox.contracts.payloads import Order
from signalbox.contracts.values import Action, OrderState, SourceType
from signalbox.runtime import metrics
from signalbox.testing.examples import NOON
from signalbox.testing.wait import until

S = OrderState
BUY, SELL, CLOSE = Action.BUY, Action.SELL, Action.CLOSE
POST = "alpaca/post/v2/orders"
Shop = Any  # what conftest.py makes
Make = Callable[..., Shop]
Told = Callable[..., list[tuple[OrderState, str]]]
Open = Any  # opens a pit, see conftest.py
NO_DAY: dict[str, Any] = {
    "max_daily_loss": 1,
    "halt_daily_loss": 1,
    "max_slippage": 1,
    "max_repeats": 100,
}


def orders(events: Iterable[Event]) -> list[Order]:
    return [event.data for event in events if isinstance(event, OrderChanged)]


def price(shop: Shop, amount: int, **over: Any) -> None:
    shop.quote(bid=D(amount), ask=D(amount), **over)


async def minute(shop: Shop) -> list[str]:
    """A minute of market time passes; returns what is alerted."""

    def rule(_sql: Connection, desk: Desk, moment: ExecutorMoment) -> Any:
        return marks(desk, moment, shop.now.isoformat())

    shop.later(minutes=1)
    events = await shop.work.do(rule, {"alpha"})
    return [event.data.message for event in events if isinstance(event, AlertRaised)]


def test_a_restricted_symbol_is_left_and_never_entered(shop_with: Make, states: Told) -> None:
    shop = shop_with()
    price(shop, 100)
    shop.accept(BUY)
    limits = Limits(restricted=frozenset({"AAPL"}))
    shop.configure(shop.config.bots[0].model_copy(update={"limits": limits}))
    before = metrics.DENIALS.labels("restricted", "strategy")._value.get()
    assert states(shop.accept(BUY, source_id="other")) == [(S.DENIED, "restricted")]
    assert metrics.DENIALS.labels("restricted", "strategy")._value.get() == before + 1
    assert states(shop.accept(CLOSE))[-1][0] is S.FILLED


async def test_a_source_has_its_budget_and_others_theirs(shop_with: Make, states: Told) -> None:
    """5 % of about 100,000 for strategies: what they hold and what waits count."""
    budgets = {SourceType.STRATEGY: D("0.05")}
    limits = Limits(source_budgets=budgets, **NO_DAY)
    shop = shop_with(symbols=(), sizing=Sizing(notional=D(2000)), limits=limits)
    price(shop, 100)
    price(shop, 100, symbol="MSFT")
    assert states(shop.accept(BUY))[-1][0] is S.FILLED
    assert states(shop.accept(BUY, symbol="MSFT"))[-1][0] is S.FILLED
    (denied,) = shop.accept(BUY, source_id="other")
    assert (denied.data.reason, denied.data.numbers) == (
        "source_budget",
        {"limit": "5000", "observed": "6000"},
    )
    llm = shop.accept(BUY, source_id="model", source_type=SourceType.LLM)
    assert states(llm)[-1][0] is S.FILLED
    shop.accept(CLOSE, symbol="MSFT")
    assert states(shop.accept(BUY, source_id="other"))[-1][0] is S.FILLED


async def test_a_fall_from_the_peak_halts_the_bot_until_a_person_clears_it(
    shop_with: Make, states: Told
) -> None:
    sizing = Sizing(notional=D(10_000))
    shop = shop_with(
        sizing=sizing,
        limits=Limits(max_drawdown=D("0.1"), max_position_notional=D(10**6), **NO_DAY),
    )
    price(shop, 100)
    shop.accept(BUY)
    price(shop, 300)
    assert await minute(shop) == []  # the peak: 120,000
    price(shop, 181)
    assert await minute(shop) == []
    await shop.restart()
    price(shop, 179)
    (told,) = await minute(shop)
    assert "10.08 % below its highest equity of 120000" in told
    assert states(shop.accept(BUY, source_id="b")) == [(S.DENIED, "trading_halted")]
    await shop.commands.clear_halt(shop.command(bot="alpha", symbol=WHOLE_BOT, next_sequence=1))
    price(shop, 178)
    assert await minute(shop) == []
    price(shop, 178)
    assert states(shop.accept(BUY, source_id="c"))[-1][0] is S.FILLED


async def test_a_symbol_that_was_left_with_a_loss_cools_down(shop_with: Make, states: Told) -> None:
    shop = shop_with(symbols=(), limits=Limits(loss_cooldown_s=600, **NO_DAY))
    price(shop, 100)
    shop.accept(BUY)
    shop.later(seconds=1)
    price(shop, 99)
    shop.accept(CLOSE)
    await shop.restart()
    shop.later(seconds=1)
    price(shop, 99)
    price(shop, 99, symbol="MSFT")
    (denied,) = shop.accept(BUY)
    assert denied.data.reason == "loss_cooldown"
    assert "may enter it again at" in denied.data.message
    assert states(shop.accept(BUY, symbol="MSFT"))[-1][0] is S.FILLED
    shop.later(seconds=600)
    price(shop, 99)
    assert states(shop.accept(BUY))[-1][0] is S.FILLED


@pytest.mark.parametrize("scope", ["everything", "account", "bot"])
async def test_the_kill_switch_of_each_scope_stops_its_own(
    shop_with: Make, states: Told, scope: str
) -> None:
    shop = shop_with()
    switches = {
        "everything": (KillSwitch(everything=True), KillSwitch()),
        "account": (
            KillSwitch(accounts=frozenset({"paper-alpha"})),
            KillSwitch(accounts=frozenset({"paper-two"})),
        ),
        "bot": (KillSwitch(bots=frozenset({"alpha"})), KillSwitch(bots=frozenset({"beta"}))),
    }
    price(shop, 100)
    mine, others = switches[scope]
    shop.configure(kill_switch=others)
    assert states(shop.accept(BUY))[-1][0] is S.FILLED
    shop.configure(kill_switch=mine)
    assert states(shop.accept(BUY, source_id="b")) == [(S.DENIED, "trading_halted")]


def test_what_cannot_be_known_is_no_yes(shop_with: Make, states: Told) -> None:
    """No quote, a closed market, a clock that stands still: nothing is traded, nothing is lost."""
    shop = shop_with()
    for over in ({"session_open": False}, {"session_closes_at": shop.now}, {"epoch": 2}):
        price(shop, 100, **over)
        assert states(shop.accept(BUY, source_id=str(over)))[-1][0] is S.ACCEPTED
    price(shop, 100)
    shop.over["frozen"] = True
    assert states(shop.accept(BUY, source_id="frozen"))[-1][0] is S.ACCEPTED
    assert shop.held() == 0


# --- stories


async def test_a_bot_switched_to_paper_mid_flow(pit: Open) -> None:
    """What works at the broker is called back; its position stays there, and is only closed."""
    async with pit(limits=Limits(**NO_DAY)) as it:
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        it.switch(Kind.HELD, POST)
        it.shop.accept(BUY, source_id="works")
        await it.ends(S.ACCEPTED)
        it.shop.accept(BUY, source_id="waits")  # one order of a symbol at a time
        late = it.shop.verdict(BUY, source_id="late")
        (bot,), (account,) = it.shop.config.bots, it.shop.config.accounts
        paper = account.model_copy(update={"id": "simulated", "broker": "paper"})
        moved = {"account": "simulated", "bound_version": it.shop.version + 1}
        it.shop.configure(bot.model_copy(update=moved), accounts=(account, paper))
        await it.shop.floor.end_overdue(it.shop.moment())
        it.shop.handle(late)
        (working,) = await it.ends(S.CANCELED)
        denied = await it.ends(S.DENIED, 2)
        assert {order.reason for order in (working, *denied)} == {"config_changed"}
        it.quote()
        it.shop.accept(BUY, account="simulated")
        assert it.shop.held(account="simulated") > 0
        assert len(it.there.orders) == 2, "the new account is elsewhere"
        it.shop.accept(SELL, account="simulated")
        it.shop.accept(SELL, account="simulated")
        await until(lambda: it.there.positions == {})
        await until(lambda: it.shop.held() == 0)
        assert it.shop.held(account="simulated") == 0


async def test_an_order_in_flight_at_the_kill_switch(pit: Open) -> None:
    """It hangs in its call when the switch is engaged: looked up, not sent again, cancelled."""
    async with pit() as it:
        it.switch(Kind.SLOW, POST, seconds=0.2)
        it.served.trading.venue.quotes.clear()
        it.shop.quote()  # the broker hears none: it accepts and does not fill
        it.shop.accept(BUY)
        await it.ends(S.SUBMITTING)
        it.shop.engage()
        await it.shop.floor.end_overdue(it.shop.moment())
        (order,) = await it.ends(S.CANCELED)
        (there,) = it.there.orders.values()
        assert (order.reason, there.status) == ("trading_halted", "canceled")
        assert it.served.trading.posts == [order.order_id]


async def test_no_order_is_sent_between_the_kill_switch_and_its_turn(pit: Open) -> None:
    """It waits for its turn in the rate budget; the switch is looked at after that."""
    async with pit() as it:
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        budget = it.brokerage.broker._budget
        budget.pause(0.3)
        it.shop.accept(BUY, source_id="late")
        await until(lambda: Urgency.SUBMIT in [urgency for urgency, *_ in budget._waiting])
        it.shop.engage()
        (order,) = await it.ends(S.DENIED)
        assert order.reason == "trading_halted"
        assert len(it.served.trading.posts) == 1


async def test_a_market_that_closes_with_an_order_waiting(pit: Open) -> None:
    """An entry is not sent into a closed market and ends with its signal; an exit waits there."""
    async with pit() as it:
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        it.shop.later(seconds=1)
        it.quote(session_open=False)
        it.shop.accept(BUY, source_id="late")
        it.shop.accept(SELL)
        (leaving,) = await it.ends(S.ACCEPTED)
        it.shop.later(minutes=6)
        await it.shop.floor.end_overdue(it.shop.moment())
        (entry,) = await it.ends(S.EXPIRED)
        assert (entry.source_id, entry.filled, leaving.purpose) == ("late", 0, "exit")
        assert len(it.served.trading.posts) == 2
        it.shop.later(hours=16)
        it.quote(session_closes_at=None)
        await it.ends(S.FILLED, 2)
        assert it.there.positions == {}


async def test_a_market_that_closes_with_a_simulated_order_waiting(
    shop: Shop, states: Told
) -> None:
    price(shop, 100, session_closes_at=shop.now)
    (*_, waiting) = shop.accept(BUY)
    assert waiting.data.state is S.ACCEPTED
    shop.later(minutes=6)
    await shop.floor.end_overdue(shop.moment())
    assert shop.order(waiting.data.order_id).state is S.EXPIRED
    assert shop.held() == 0


@pytest.mark.parametrize(
    "over", [{"session_open": False}, {"session_closes_at": NOON}], ids=["closed", "closed since"]
)
async def test_a_bot_that_does_not_wait_for_the_session_is_denied(
    shop_with: Make, states: Told, over: dict[str, Any]
) -> None:
    shop = shop_with(limits=Limits(wait_for_open=False))
    price(shop, 100)
    shop.accept(BUY)
    price(shop, 100, **over)
    assert states(shop.accept(BUY, source_id="late")) == [(S.DENIED, "market_closed")]
    assert states(shop.accept(SELL))[-1] == (S.ACCEPTED, "")  # an exit waits
    price(shop, 100)
    await shop.fill()
    assert shop.held() == 0


async def test_a_stop_that_gaps(pit: Open) -> None:
    """It fills at the price behind the gap, and the loss is recorded as it is."""
    async with pit(exits=Exits(stop=D("0.02"))) as it:
        it.quote(bid=D(100), ask=D(100))
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        it.shop.later(hours=17)
        it.quote(bid=D(80), ask=D(81), session_closes_at=None)  # the stop was at 98
        await it.shop.guard()
        (_, stop) = await it.ends(S.FILLED, 2)
        assert (stop.trigger, stop.average_price, stop.purpose) == ("stop", D(80), "protective")
        planned = next(o for o in orders(it.events) if o.order_id == stop.order_id)
        assert planned.numbers == {"limit": "98", "observed": "80"}
        book = it.shop.book()
        assert book.realised == D(10) * (80 - 100)
        assert book.cash == it.there.cash


async def test_a_simulated_stop_that_gaps(shop_with: Make) -> None:
    shop = shop_with(exits=Exits(stop=D("0.02")))
    price(shop, 100)
    shop.accept(BUY)
    shop.later(seconds=1)
    price(shop, 80)
    (stop,) = await shop.guard()
    assert (stop.state, stop.average_price) == (S.FILLED, D(80))
    assert shop.book().realised == D(10) * (80 - 100)


async def test_the_state_of_trading_is_shown(shop: Shop) -> None:
    state = metrics.TRADING_STATE._value.get
    task = asyncio.create_task(shop.floor.tick_for_ever())
    await until(lambda: state() == 1)
    shop.engage()
    await until(lambda: state() == 0)
    task.cancel()
