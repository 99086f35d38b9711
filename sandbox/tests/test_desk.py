"""Deployments follow bars by their rules, the same bars always in the same way."""

import json
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from sandbox.quantconnect import deployment as deployments
from sandbox.quantconnect.algorithm import CASH
from sandbox.quantconnect.deployment import Deployment
from sandbox.quantconnect.desk import Desk
from sandbox.tests.bars import SWINGS, days, minutes, swinging
from signalbox.contracts.payloads import Bar
from signalbox.testing.examples import NOON

MOMENTUM, BREADTH = 23456781, 23456782


def built(bars: Sequence[Bar], epoch: int = 1) -> Desk:
    desk = Desk()
    desk.begin(epoch, bars)
    return desk


def live(bars: Sequence[Bar], epoch: int = 1) -> Desk:
    desk = Desk()
    desk.begin(epoch, [])
    for bar in bars:
        desk.take(bar, 0.0)
    desk.settle(10.0)
    return desk


def newest(desk: Desk, project_id: int = MOMENTUM) -> Deployment:
    found = desk.newest(project_id)
    assert found is not None
    return found


def lists(desk: Desk, project_id: int) -> str:
    found = newest(desk, project_id)
    return json.dumps([found.run_id, found.insights, found.orders])


def test_momentum_speaks_when_its_view_changes() -> None:
    said = newest(built(minutes(SWINGS))).insights
    assert [i["direction"] for i in said] == ["up", "down", "flat", "up"]
    assert all(i["ticker"] == "AAPL" and i["symbol"] == "AAPL R735QTJ8XC9X" for i in said)
    assert all(len(i["id"]) == 32 and int(i["id"], 16) >= 0 for i in said)


def test_momentum_says_it_again_when_its_word_has_run_out() -> None:
    rising = minutes([100 + n for n in range(80)])
    said = newest(built(rising)).insights
    assert [i["direction"] for i in said] == ["up", "up"]
    assert said[1]["generatedTime"] == said[0]["closeTime"]


def test_an_opposite_view_ends_the_older_one_early() -> None:
    up, down, *_ = newest(built(minutes(SWINGS))).insights
    assert up["closeTime"] == down["generatedTime"]
    assert down["closeTime"] == (NOON + timedelta(minutes=20)).timestamp()


def test_breadth_goes_with_the_majority() -> None:
    said = newest(built(days(12)), BREADTH).insights
    assert {i["direction"] for i in said} == {"up", "down", "flat"}
    assert all(Decimal("0.5") <= Decimal(i["confidence"]) <= 1 for i in said if i["confidence"])


def test_some_insights_have_no_confidence() -> None:
    silent = [i["confidence"] is None for i in newest(built(swinging(400))).insights]
    assert 0 < sum(silent) < len(silent) / 3


@pytest.mark.parametrize("project_id", [MOMENTUM, BREADTH])
def test_live_bars_and_history_give_the_same_lists(project_id: int) -> None:
    bars = [*minutes(SWINGS), *days(12)]
    assert lists(live(bars), project_id) == lists(built(bars), project_id)


def test_the_order_in_which_symbols_arrive_does_not_matter() -> None:
    bars = days(12)
    turned = [bar for n in range(0, len(bars), 10) for bar in reversed(bars[n : n + 10])]
    assert lists(live(turned), BREADTH) == lists(built(bars), BREADTH)


def test_a_missing_symbol_holds_the_others_up_for_a_second_only() -> None:
    desk = built(days(6))
    for bar in days(7)[-10:-1]:
        desk.take(bar, 100.0)
    desk.settle(100.5)
    before = desk.now
    desk.settle(101.0)
    assert desk.now > before


def test_the_next_day_does_not_wait_for_a_symbol_of_the_last() -> None:
    bars = days(8)
    missing = bars.pop(65)
    desk = built(bars[:60])
    for bar in bars[60:]:
        desk.take(bar, 0.0)
    assert missing.symbol != bars[-1].symbol
    assert lists(desk, BREADTH) == lists(built(bars), BREADTH)


def test_take_drops_bars_that_are_old_or_of_another_loop() -> None:
    bars = minutes(SWINGS)
    desk = built(bars)
    before = lists(desk, MOMENTUM)
    for bar in (bars[3], bars[-1], *minutes([500], start=NOON + timedelta(hours=9), epoch=7)):
        desk.take(bar, 0.0)
    assert lists(desk, MOMENTUM) == before


def test_a_gap_is_noticed() -> None:
    bars = minutes(SWINGS)
    desk = built(bars[:5])
    assert not desk.is_gap(bars[5])
    assert desk.is_gap(bars[6])


def test_every_loop_of_the_market_is_a_new_deployment() -> None:
    desk = built(minutes(SWINGS))
    first = newest(desk)
    desk.begin(2, minutes(SWINGS, start=NOON + timedelta(weeks=1), epoch=2))
    assert newest(desk).run_id != first.run_id
    assert (first.status, newest(desk).status) == ("Stopped", "Running")
    assert not {i["id"] for i in first.insights} & {i["id"] for i in newest(desk).insights}
    assert newest(desk).orders[0]["id"] == 1


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployments, "MOST_INSIGHTS", 10)
    desk = built(swinging(1000))
    listed = desk.deployments(MOMENTUM)
    assert 5 < len(listed) <= 21
    assert len({d.run_id for d in listed}) == len(listed)
    assert sum(len(d.insights) for d in listed) <= 20
    assert lists(desk, MOMENTUM) == lists(live(swinging(1000)), MOMENTUM)


def test_a_stopped_deployment_says_nothing_more() -> None:
    desk = built(minutes(SWINGS[:10]))
    newest(desk).stop(desk.now)
    before = lists(desk, MOMENTUM)
    for bar in minutes(SWINGS)[10:]:
        desk.take(bar, 0.0)
    desk.begin(2, minutes(SWINGS, epoch=2))
    assert lists(desk, MOMENTUM) == before


@pytest.mark.parametrize("project_id", [MOMENTUM, BREADTH])
def test_cash_and_positions_are_the_sum_of_the_fills(project_id: int) -> None:
    found = newest(built([*swinging(300), *days(30)]), project_id)
    fills = [e for order in found.orders for e in order["events"] if e["status"] == "filled"]
    spent = sum(Decimal(str(f["fillQuantity"])) * Decimal(str(f["fillPrice"])) for f in fills)
    assert found.cash == CASH - spent - len(fills)
    for ticker, holding in found.holdings.items():
        mine = [f["fillQuantity"] for f in fills if f["symbolValue"] == ticker]
        assert holding.quantity == sum(mine)


def test_liquidate_sells_everything_and_ends() -> None:
    found = newest(built(minutes(SWINGS)))
    found.stop(NOON + timedelta(hours=1), liquidate=True)
    assert all(h.quantity == 0 for h in found.holdings.values())
    assert (found.status, found.equity) == ("Liquidated", found.cash)
