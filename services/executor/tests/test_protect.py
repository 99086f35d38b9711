"""Stops, targets, trailing stops and time, from the signal or from the bot."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from executor.domain.guards import alarm, trailed
from signalbox.contracts.limits import Exits
from signalbox.contracts.payloads import Lot, Protection
from signalbox.contracts.values import Action, OrderState, SourceType
from signalbox.testing.examples import NOON, a_quote

Shop = Any  # what conftest.py makes
Make = Callable[..., Shop]
LOT = Lot.model_validate(
    {
        "lot_id": "00000000-0000-5000-8000-000000000001",
        "source_type": "llm",
        "source_id": "demo",
        "quantity": "5",
        "entry_price": "100",
        "opened_at": NOON,
        "order_id": "0" * 32,
    }
)


def lot(quantity: int = 5, **protection: Any) -> Lot:
    return LOT.model_copy(update={"quantity": D(quantity), "protection": Protection(**protection)})


def quote(bid: str) -> Any:
    return a_quote(bid=D(bid), ask=D(bid) + D("0.1"))


@pytest.mark.parametrize(
    ("guarded", "bid", "trigger"),
    [
        pytest.param(lot(stop_price=D(95)), "95.1", None, id="above the stop"),
        pytest.param(lot(stop_price=D(95)), "95", "stop", id="at the stop"),
        pytest.param(lot(stop_price=D(95)), "80", "stop", id="far below: a gap"),
        pytest.param(lot(-5, stop_price=D(105)), "104.8", None, id="a short is judged by the ask"),
        pytest.param(lot(-5, stop_price=D(105)), "104.9", "stop", id="short stop"),
        pytest.param(lot(target_price=D(110)), "109.9", None, id="below the target"),
        pytest.param(lot(target_price=D(110)), "110", "target", id="at the target"),
        pytest.param(lot(-5, target_price=D(90)), "89.9", "target", id="short target"),
        pytest.param(lot(trailing=D("0.1"), best_price=D(120)), "108", "trailing", id="trailed"),
        pytest.param(lot(trailing=D("0.1"), best_price=D(120)), "108.1", None, id="not yet"),
        pytest.param(
            lot(-5, trailing=D("0.1"), best_price=D(80)), "87.9", "trailing", id="short trailed"
        ),
        pytest.param(
            lot(stop_price=D(95), target_price=D(94)), "94", "stop", id="the stop comes first"
        ),
        pytest.param(LOT, "1", None, id="nothing protects it"),
    ],
)
def test_what_a_quote_sets_off(guarded: Lot, bid: str, trigger: str | None) -> None:
    found = alarm(guarded, quote(bid), NOON)
    assert (found and found.trigger) == trigger


def test_time_sets_off_without_a_quote() -> None:
    held = lot(exit_at=NOON)
    assert alarm(held, None, NOON - timedelta(seconds=1)) is None
    due = alarm(held, None, NOON)
    assert due is not None
    assert due.trigger == "time"


def test_the_best_price_moves_in_steps_and_never_back() -> None:
    held = lot(trailing=D("0.1"), best_price=D(100))
    assert trailed(held, quote("100.9")) is None  # a step is a tenth of the distance
    better = trailed(held, quote("101"))
    assert better is not None
    assert better.protection is not None
    assert better.protection.best_price == 101
    assert trailed(better, quote("99")) is None
    short = trailed(lot(-5, trailing=D("0.1"), best_price=D(100)), quote("98.9"))
    assert short is not None


async def test_the_signals_own_stop_closes_its_lot_once(shop: Shop) -> None:
    shop.quote(bid=D(100), ask=D(100))
    shop.accept(Action.BUY, stop_price=D(95), source_type=SourceType.LLM, source_id="demo")
    assert await shop.guard() == []
    shop.later(seconds=5)
    shop.quote(bid=D("94.9"), ask=D(95))
    [order] = await shop.guard()
    assert (order.state, order.trigger, order.purpose) == (OrderState.FILLED, "stop", "protective")
    assert (order.source_type, order.source_id) == (SourceType.LLM, "demo")
    assert order.average_price == D("94.9")
    assert shop.held() == 0
    shop.later(seconds=5)
    shop.quote(bid=D(90), ask=D(90))
    assert len(await shop.guard()) == 1


async def test_a_gap_is_filled_at_the_market_not_at_the_stop(shop_with: Make) -> None:
    shop = shop_with(exits=Exits(stop=D("0.05")))
    shop.quote(bid=D(100), ask=D(100))
    shop.accept(Action.BUY)
    shop.later(hours=18)
    shop.quote(bid=D(80), ask=D(81), session_closes_at=None)
    [order] = await shop.guard()
    assert order.average_price == 80


async def test_the_bots_target_and_time_apply_where_the_signal_says_nothing(
    shop_with: Make,
) -> None:
    shop = shop_with(exits=Exits(target=D("0.1"), hold_s=600))
    shop.quote(bid=D(100), ask=D(100))
    shop.accept(Action.BUY, target_price=D(105))
    shop.accept(Action.BUY, source_id="other")
    shop.later(seconds=60)
    shop.quote(bid=D(105), ask=D(106))
    [first] = await shop.guard()
    assert (first.trigger, first.source_id) == ("target", "sma-cross")
    shop.later(seconds=600)
    shop.quote(bid=D(104), ask=D(105))
    _, second = await shop.guard()
    assert (second.trigger, second.source_id) == ("time", "other")
    assert shop.held() == 0


async def test_a_trailing_stop_survives_a_restart(shop_with: Make) -> None:
    shop = shop_with(exits=Exits(trailing=D("0.1")))
    shop.quote(bid=D(100), ask=D(100))
    shop.accept(Action.BUY)
    for price in (110, 130):
        shop.later(seconds=1)
        shop.quote(bid=D(price), ask=D(price))
        assert await shop.guard() == []
    await shop.restart()
    shop.later(seconds=1)
    shop.quote(bid=D("117.1"), ask=D(118))
    assert await shop.guard() == []
    shop.later(seconds=1)
    shop.quote(bid=D(117), ask=D(118))
    [order] = await shop.guard()
    assert (order.trigger, order.state) == ("trailing", OrderState.FILLED)


async def test_a_stop_fires_under_the_kill_switch(shop_with: Make) -> None:
    shop = shop_with(exits=Exits(stop=D("0.05")))
    shop.quote(bid=D(100), ask=D(100))
    shop.accept(Action.BUY)
    shop.engage()
    shop.quote(bid=D(94), ask=D(95))
    [order] = await shop.guard()
    assert order.state is OrderState.FILLED


async def test_a_closed_market_is_waited_for(shop_with: Make) -> None:
    shop = shop_with(exits=Exits(stop=D("0.05"), hold_s=60))
    shop.quote(bid=D(100), ask=D(100))
    shop.accept(Action.BUY)
    shop.later(hours=8)
    shop.quote(bid=D(90), ask=D(91), session_open=False)
    [order] = await shop.guard()
    assert (order.trigger, order.state) == ("time", OrderState.ACCEPTED)
    assert await shop.guard() == [order]  # one order closes it, whatever else comes
    shop.later(hours=10)
    shop.quote(bid=D(85), ask=D(86), session_closes_at=None)
    assert len(await shop.guard()) == 1
    [filled] = await shop.fill()
    assert (filled.state, filled.average_price) == (OrderState.FILLED, D(85))
    assert shop.held() == 0


async def test_what_the_source_has_closed_meanwhile_is_left_alone(shop: Shop) -> None:
    shop.quote(bid=D(100), ask=D(100))
    shop.accept(Action.BUY, stop_price=D(95))
    shop.accept(Action.CLOSE)
    shop.quote(bid=D(90), ask=D(91))
    assert await shop.guard() == []


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        pytest.param({"stop_price": D(101)}, "stop_passed", id="below its stop"),
        pytest.param({"target_price": D(100)}, "target_passed", id="at its target"),
    ],
)
def test_an_entry_beyond_its_own_levels_is_not_made(
    shop: Shop, states: Callable[..., Any], over: dict[str, D], reason: str
) -> None:
    shop.quote(bid=D(100), ask=D(100))
    events = shop.accept(Action.BUY, **over)
    assert states(events) == [(OrderState.DENIED, reason)]


async def test_an_entry_that_waited_protects_its_lot_too(shop: Shop) -> None:
    shop.accept(Action.BUY, stop_price=D(95))
    await shop.restart()
    shop.quote(bid=D(100), ask=D(100))
    await shop.fill()
    assert shop.held() == 10
    shop.later(seconds=1)
    shop.quote(bid=D(95), ask=D(96))
    [order] = await shop.guard()
    assert order.trigger == "stop"
