"""Backtests: what they answer while they run and after, and that their numbers agree."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.quantconnect import runner
from sandbox.quantconnect.endpoints import ORGANIZATION_ID
from sandbox.tests.client import BREADTH, MOMENTUM, Client
from sandbox.tests.prices import real_history
from signalbox.testing.wait import until


@pytest.fixture
def real(client: Client) -> Client:
    """The sandbox over the prices that market-data replays."""
    client.context.runner.history = real_history()
    return client


async def started(client: Client, project_id: int, **parameters: str) -> dict[str, Any]:
    build = await client.good("compile/create", projectId=project_id)
    found = await client.good(
        "backtests/create",
        projectId=project_id,
        compileId=build["compileId"],
        backtestName="first",
        parameters=parameters,
    )
    return dict(found["backtest"])


async def finished(client: Client, project_id: int, **parameters: str) -> dict[str, Any]:
    backtest = await started(client, project_id, **parameters)
    ids = {"projectId": project_id, "backtestId": backtest["backtestId"]}
    running = client.context.runner.backtests[backtest["backtestId"]]
    await until(lambda: running.is_over, 20)
    return dict((await client.good("backtests/read", **ids))["backtest"])


async def rows(client: Client, backtest: dict[str, Any], path: str, key: str) -> list[Any]:
    """Every page of a list."""
    ids = {"projectId": backtest["projectId"], "backtestId": backtest["backtestId"]}
    found: list[Any] = []
    while True:
        page = await client.good(path, **ids, start=len(found), end=len(found) + 100)
        found += page[key]
        if len(page[key]) < 100:
            assert page["length"] == len(found)
            return found


async def chart(
    client: Client, backtest: dict[str, Any], name: str, count: int = 10_000
) -> dict[str, Any]:
    ids = {"projectId": backtest["projectId"], "backtestId": backtest["backtestId"]}
    span = {"start": 0, "end": 4_000_000_000, "name": name, "count": count}
    found = await client.good("backtests/chart/read", **ids, **span)
    return {series["name"]: series["values"] for series in found["chart"]["series"].values()}


CASES = [
    pytest.param(MOMENTUM, {}, id="momentum, days"),
    pytest.param(MOMENTUM, {"backtest_resolution": "minute"}, id="momentum, minutes"),
    pytest.param(BREADTH, {}, id="breadth"),
]


@pytest.mark.parametrize(("project_id", "parameters"), CASES)
async def test_statistics_curve_fills_and_trades_agree(
    real: Client, project_id: int, parameters: dict[str, str]
) -> None:
    backtest = await finished(real, project_id, **parameters)
    orders = await rows(real, backtest, "backtests/orders/read", "orders")
    fills = [e for order in orders for e in order["events"] if e["status"] == "filled"]
    cash, held = Decimal(100_000), dict[str, Decimal]()
    for fill in fills:
        quantity = Decimal(str(fill["fillQuantity"]))
        cash -= quantity * Decimal(str(fill["fillPrice"])) + Decimal(str(fill["orderFeeAmount"]))
        held[fill["symbolValue"]] = held.get(fill["symbolValue"], Decimal(0)) + quantity
    interval = "1m" if parameters else "1d"
    worth = Decimal(0)
    for symbol, quantity in held.items():
        bars = await real.context.runner.history.bars(symbol, interval, None, None)
        worth += quantity * bars[-1].close
    equity = (await chart(real, backtest, "Strategy Equity"))["Equity"]
    figures = backtest["totalPerformance"]["portfolioStatistics"]
    statistics = backtest["statistics"]
    assert len(orders) > 20
    assert Decimal(statistics["End Equity"]) == round(cash + worth, 2)
    assert figures["endEquity"] == equity[-1][4] == pytest.approx(float(cash + worth))
    assert figures["startEquity"] == equity[0][1] == 100_000
    assert figures["totalNetProfit"] == pytest.approx(float(cash + worth) / 100_000 - 1)
    assert statistics["Total Orders"] == str(len(orders))
    assert statistics["Total Fees"] == f"${len(fills):,.2f}"
    assert Decimal(statistics["Start Equity"]) == 100_000
    trades = backtest["totalPerformance"]["closedTrades"]
    runtime = backtest["runtimeStatistics"]
    profit = sum(t["profitLoss"] for t in trades) + amount(runtime["Unrealized"]) - len(fills)
    assert profit == pytest.approx(figures["endEquity"] - 100_000, abs=0.01)
    assert amount(runtime["Equity"]) == pytest.approx(figures["endEquity"], abs=0.005)
    wins = [t for t in trades if t["profitLoss"] > t["totalFees"]]
    assert figures["winRate"] == pytest.approx(len(wins) / len(trades))


def amount(text: str) -> float:
    return float(text.replace("$", "").replace(",", ""))


async def test_drawdown_is_that_of_the_curve(real: Client) -> None:
    backtest = await finished(real, MOMENTUM)
    closes = [v[4] for v in (await chart(real, backtest, "Strategy Equity"))["Equity"]]
    peaks = [max(100_000, *closes[: n + 1]) for n in range(len(closes))]
    deepest = min(close / peak - 1 for close, peak in zip(closes, peaks, strict=True))
    drawn = (await chart(real, backtest, "Drawdown"))["Equity Drawdown"]
    figures = backtest["totalPerformance"]["portfolioStatistics"]
    assert figures["drawdown"] == pytest.approx(-deepest, abs=1e-6)
    assert min(v[1] for v in drawn) == pytest.approx(deepest * 100, abs=1e-3)


async def test_the_benchmark_is_the_same_money_left_alone(real: Client) -> None:
    backtest = await finished(real, MOMENTUM)
    bars = await real.context.runner.history.bars("AAPL", "1d", None, None)
    values = (await chart(real, backtest, "Benchmark"))["Benchmark"]
    assert values[0][1] == 100_000
    assert values[-1][1] == pytest.approx(float(100_000 * bars[-1].close / bars[0].open), abs=0.01)


async def test_a_chart_is_thinned_to_the_points_that_are_asked_for(real: Client) -> None:
    backtest = await finished(real, MOMENTUM)
    whole = (await chart(real, backtest, "Strategy Equity"))["Equity"]
    thin = (await chart(real, backtest, "Strategy Equity", count=10))["Equity"]
    assert len(thin) <= 10 < len(whole)
    assert (thin[0][1], thin[-1][4]) == (whole[0][1], whole[-1][4])
    assert max(v[2] for v in thin) == max(v[2] for v in whole)


DATES = {"signalbox_start": "2026-02-02", "signalbox_end": "2026-04-30"}


@pytest.mark.parametrize(
    ("project_id", "span"),
    [
        pytest.param(MOMENTUM, ("2026-02-02 00:00:00", "2026-04-30 23:59:59"), id="honoured"),
        pytest.param(BREADTH, ("2025-08-15 00:00:00", "2026-08-14 23:59:59"), id="ignored"),
    ],
)
async def test_dates_are_honoured_by_code_that_reads_them(
    real: Client, project_id: int, span: tuple[str, str]
) -> None:
    backtest = await finished(real, project_id, **DATES)
    assert (backtest["backtestStart"], backtest["backtestEnd"]) == span
    orders = await rows(real, backtest, "backtests/orders/read", "orders")
    times = [order["time"] for order in orders]
    assert span[0][:10] <= min(times)[:10] < max(times)[:10] <= span[1][:10]
    assert backtest["parameterSet"] == DATES


async def test_nothing_happens_where_there_are_no_prices(real: Client) -> None:
    backtest = await finished(real, MOMENTUM, signalbox_end="1999-01-01")
    assert backtest["status"] == "Completed."
    assert backtest["statistics"]["Total Orders"] == "0"
    assert backtest["statistics"]["End Equity"] == "100000.00"
    assert backtest["charts"]


async def test_other_parameters_give_another_result(real: Client) -> None:
    ends = [
        (await finished(real, MOMENTUM, **more))["statistics"]["End Equity"]
        for more in ({}, {"lookback": "20"}, {})
    ]
    assert ends[0] == ends[2] != ends[1]


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"symbols": "ZZZ"}, "there are no 1d bars of ZZZ"),
        ({"lookback": "0"}, "lookback is '0'"),
        ({"rule": "magic"}, "not one of momentum, breadth"),
        ({"backtest_resolution": "tick"}, "not one of minute, daily"),
        ({"symbols": "A,B"}, "follows one symbol"),
        ({"signalbox_start": "soon"}, "not a date"),
        ({"signalbox_start": "2026-05-01", "signalbox_end": "2026-04-01"}, "after"),
    ],
)
async def test_a_failed_run_says_why(client: Client, parameters: dict[str, str], says: str) -> None:
    backtest = await finished(client, MOMENTUM, **parameters)
    assert (backtest["status"], backtest["statistics"]) == ("Runtime Error", None)
    assert backtest["hasInitializeError"]
    assert says in backtest["error"]


async def test_until_it_is_done_nothing_looks_like_a_result(client: Client) -> None:
    client.context.runner.seconds = 100
    backtest = await started(client, MOMENTUM)
    running = client.context.runner.backtests[backtest["backtestId"]]
    await until(lambda: running.run is not None)
    ids = {"projectId": MOMENTUM, "backtestId": backtest["backtestId"]}
    found = (await client.good("backtests/read", **ids))["backtest"]
    assert (found["status"], found["completed"]) == ("In Queue...", False)
    for key in ("statistics", "runtimeStatistics", "totalPerformance", "error"):
        assert found[key] is None
    assert (await client.good("backtests/chart/read", **ids, name="x"))["status"] == "loading"
    assert (await client.good("backtests/read/report", **ids))["generating"]
    nodes = await client.good("nodes/read", organizationId=ORGANIZATION_ID)
    assert [node["busy"] for node in nodes["backtest"]] == [True, False]


async def test_two_run_at_once_and_the_third_waits(client: Client) -> None:
    client.context.runner.seconds = 100
    three = [await started(client, MOMENTUM) for _ in range(3)]
    running = [client.context.runner.backtests[b["backtestId"]] for b in three]
    await until(lambda: all(b.node for b in running[:2]))
    assert (running[0].node, running[2].node) != (running[1].node, running[1].node)
    assert running[2].node == ""
    await client.good("backtests/delete", projectId=MOMENTUM, backtestId=three[0]["backtestId"])
    await until(lambda: running[2].node != "")


async def test_a_deleted_one_is_gone(client: Client) -> None:
    backtest = await finished(client, MOMENTUM)
    ids = {"projectId": MOMENTUM, "backtestId": backtest["backtestId"]}
    await client.good("backtests/delete", **ids)
    assert "Backtest not found" in await client.error("backtests/read", **ids)
    assert (await client.good("backtests/list", projectId=MOMENTUM))["count"] == 0


async def test_only_so_many_are_kept(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "MOST_BACKTESTS", 3)
    found = [(await finished(client, MOMENTUM))["backtestId"] for _ in range(5)]
    listed = (await client.good("backtests/list", projectId=MOMENTUM))["backtests"]
    assert [b["backtestId"] for b in listed] == found[-3:]


async def test_the_list_is_flat(client: Client) -> None:
    backtest = await finished(client, MOMENTUM, lookback="6")
    (plain,) = (await client.good("backtests/list", projectId=MOMENTUM))["backtests"]
    assert plain["parameterSet"] == {"lookback": "6"}
    assert "sharpeRatio" not in plain
    body = {"projectId": MOMENTUM, "includeStatistics": True}
    (row,) = (await client.good("backtests/list", **body))["backtests"]
    figures = backtest["totalPerformance"]["portfolioStatistics"]
    assert row["sharpeRatio"] == figures["sharpeRatio"]
    assert row["trades"] == int(backtest["statistics"]["Total Orders"])


async def test_names_notes_and_tags_can_be_changed(client: Client) -> None:
    backtest = await finished(client, MOMENTUM)
    ids = {"projectId": MOMENTUM, "backtestId": backtest["backtestId"]}
    await client.good("backtests/update", **ids, name="better", note="n")
    await client.good("backtests/tags/update", **ids, tags=["a", "b"])
    found = (await client.good("backtests/read", **ids))["backtest"]
    assert (found["name"], found["note"], found["tags"]) == ("better", "n", ["a", "b"])


async def test_logs_and_report(client: Client) -> None:
    backtest = await finished(client, MOMENTUM)
    ids = {"projectId": MOMENTUM, "backtestId": backtest["backtestId"]}
    span = {"start": 0, "end": 200}
    lines = (await client.good("backtests/read/log", **ids, **span, query=None))["logs"]
    assert "not the project's code" in lines[0]
    found = await client.good("backtests/read/log", **ids, **span, query="ENDED")
    assert [backtest["statistics"]["End Equity"] in line for line in found["logs"]] == [True]
    report = (await client.good("backtests/read/report", **ids))["report"]
    assert backtest["statistics"]["Sharpe Ratio"] in report


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("backtests/read", {}, "Backtest not found"),
        ("backtests/orders/read", {"start": 0, "end": 101}, "at most 100"),
        ("backtests/orders/read", {"end": 5}, "start is required"),
        ("backtests/read/insights", {"start": 3, "end": 3}, "smaller than end"),
        ("backtests/read/log", {"start": 0, "end": 201}, "at most 200"),
        ("backtests/chart/read", {"name": "No"}, "Chart not found"),
        ("backtests/chart/read", {"name": "Drawdown", "start": 2, "end": 1}, "not be after"),
        ("backtests/chart/read", {"name": "Drawdown", "count": 0}, "count is"),
        ("backtests/tags/update", {"tags": "a"}, "tags is a list"),
    ],
)
async def test_bad_arguments(client: Client, path: str, body: dict[str, Any], says: str) -> None:
    backtest = await finished(client, MOMENTUM)
    id_ = "0" * 32 if "not found" in says and "Backtest" in says else backtest["backtestId"]
    asked = {"count": 5, "start": 0, "end": 9} | {"projectId": MOMENTUM, "backtestId": id_} | body
    if says == "start is required":
        del asked["start"]
    assert says in await client.error(path, **asked)


async def test_both_spellings_answer_the_same(client: Client) -> None:
    backtest = await finished(client, MOMENTUM)
    ids = {"projectId": MOMENTUM, "backtestId": backtest["backtestId"], "start": 0, "end": 5}
    for new, old in (("insights/read", "read/insights"), ("orders/read", "read/orders")):
        found = await client.good(f"backtests/{new}", **ids)
        assert found == await client.good(f"backtests/{old}", **ids)
        assert found["length"] > 5
