"""Backtests against the sandbox: to the end, and over kills at every point."""

import itertools
from decimal import Decimal
from typing import Any

import pytest

from sandbox.quantconnect import performance

MOMENTUM = 23456781
Station = Any


async def test_a_backtest_runs_to_its_end(station: Station) -> None:
    station.config()
    asked = {"parameters": {"lookback": "7"}, "start": "2026-01-05", "end": "2026-03-31"}
    backtest_id = await station.start(**asked)
    await station.work(station.worker())
    told = station.told("backtest", backtest_id)
    steps = [s["status"] for s in told]
    assert list(dict.fromkeys(steps)) == ["queued", "compiling", "running", "completed"]
    assert all(a != b for a, b in itertools.pairwise(told))
    assert all(not s["statistics"] for s in told[:-1])
    last = told[-1]
    assert int(last["statistics"]["Total Orders"]) > 0
    assert (last["progress"], last["project_name"]) == (1, "Momentum desk")
    assert (last["backtest_start"], last["backtest_end"]) == ("2026-01-05", "2026-03-31")
    assert (last["ignores_dates"], last["parameters"]) == (False, {"lookback": "7"})
    (made,) = station.backtests
    assert made.asked == {
        "lookback": "7",
        "signalbox_start": "2026-01-05",
        "signalbox_end": "2026-03-31",
    }
    assert backtest_id in made.name


async def test_its_progress_is_told(station: Station) -> None:
    station.config()
    station.sandbox.context.runner.seconds = 1.0
    backtest_id = await station.start()
    await station.work(station.worker(), most=10_000)
    progress = [state["progress"] for state in station.told("backtest", backtest_id)]
    assert progress == sorted(progress)
    assert len({part for part in progress if 0 < part < 1}) > 1
    assert progress[-1] == 1


async def test_the_result_can_be_read(station: Station) -> None:
    station.config(project_id=None)
    backtest_id = await station.start(project_id=23456782)
    await station.work(station.worker())
    jobs = station.jobs()
    detail = await jobs.backtest_detail(station.ask(backtest_id=backtest_id))
    end = Decimal(detail["statistics"]["End Equity"])
    assert Decimal(detail["performance"]["portfolioStatistics"]["endEquity"]) == end
    assert (detail["error"], detail["notes"]) == (None, [])
    series = await jobs.backtest_series(station.ask(backtest_id=backtest_id))
    assert {name: 2 <= len(points) <= 1000 for name, points in series.items()} == {
        "equity": True,
        "benchmark": True,
        "drawdown": True,
    }
    assert Decimal(series["equity"][-1][1]) == end
    times = [at for at, _ in series["equity"]]
    assert times == sorted(set(times))
    made = station.backtests[0]
    orders, length = made.page("orders", 0, 10**6)
    seen: list[Any] = []
    for offset in range(0, length, 70):
        page = await jobs.backtest_orders(
            station.ask(backtest_id=backtest_id, offset=offset, limit=70)
        )
        assert page["length"] >= len(page["orders"]) + offset
        seen += page["orders"]
    assert [row["id"] for row in seen] == [order["id"] for order in orders]
    assert length > 170
    assert {row["status"] for row in seen} == {"filled"}
    assert all(
        (row["side"] == "buy") == (Decimal(row["quantity"]) > 0) and row["time"] for row in seen
    )
    insights = await jobs.backtest_insights(station.ask(backtest_id=backtest_id, limit=5))
    assert [row["direction"] for row in insights["insights"]] == [
        row["direction"] for row in made.page("insights", 0, 5)[0]
    ]
    trades = await jobs.backtest_trades(station.ask(backtest_id=backtest_id, limit=100))
    closed = made.result.total.page(0, 1)[0]["closedTrades"]
    assert trades["length"] == len(closed) > 0
    assert [(row["id"], Decimal(row["quantity"])) for row in trades["trades"]] == [
        (number, trade["quantity"]) for number, trade in enumerate(closed[:100], 1)
    ]
    await station.sandbox.stop()
    again = await jobs.backtest_orders(station.ask(backtest_id=backtest_id, offset=70, limit=70))
    assert again["orders"] == seen[70:140]


@pytest.mark.parametrize("count", [0, 100, 250])
async def test_closed_trades_come_with_the_result(
    station: Station, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = performance.performance
    trades = {"closedTrades": [{"quantity": n} for n in range(count)]}
    monkeypatch.setattr(performance, "performance", lambda found: tell(found) | trades)
    station.config()
    backtest_id = await station.start()
    await station.work(station.worker())

    async def page(offset: int) -> Any:
        wanted = station.ask(backtest_id=backtest_id, offset=offset, limit=70)
        return (await station.jobs().backtest_trades(wanted))["trades"]

    assert await page(1000) == []
    await station.sandbox.stop()
    found = [row for offset in range(0, max(count, 1), 70) for row in await page(offset)]
    assert [(row["id"], row["quantity"]) for row in found] == [
        (n + 1, str(n)) for n in range(count)
    ]
    assert await page(1000) == []


async def test_an_algorithm_that_ignores_the_dates_is_told(station: Station) -> None:
    station.config()
    files = station.sandbox.desk.projects[MOMENTUM].files
    files["main.py"].content = "from AlgorithmImports import *"
    backtest_id = await station.start(start="2026-02-02", end="2026-03-31")
    await station.work(station.worker())
    last = station.told("backtest", backtest_id)[-1]
    assert (last["status"], last["ignores_dates"]) == ("completed", True)
    assert "signalbox_start 2026-02-02 was asked for" in last["message"]
    detail = await station.jobs().backtest_detail(station.ask(backtest_id=backtest_id))
    assert detail["notes"] == [last["message"]]


async def test_no_kill_starts_a_backtest_twice_or_loses_it(station: Station) -> None:
    station.config()
    blow = 0
    while True:
        blow += 1
        backtest_id = await station.start(f"r{blow}")
        was_killed = await station.killed_at(blow)
        await station.work(station.worker())
        last = station.told("backtest", backtest_id)[-1]
        assert last["status"] == "completed", f"killed at {blow}"
        made = [b for b in station.backtests if backtest_id in b.name]
        assert len(made) == 1, f"killed at {blow}"
        assert last["quantconnect_id"] == made[0].id
        if not was_killed:
            break
    assert blow > 30
