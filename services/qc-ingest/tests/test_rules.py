"""Backtests, builds, nodes, charts, statistics, portfolios and jobs, as rules."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qc_ingest.domain.backtests import (
    Reading,
    find_ours,
    ignored_dates,
    name_at_quantconnect,
    parse_backtest,
    parse_summaries,
    with_dates,
)
from qc_ingest.domain.charts import as_json, parse_series, thin
from qc_ingest.domain.history import Rows, pages_of, parse_page, parse_trades
from qc_ingest.domain.jobs import Job, Kind, Status, Step
from qc_ingest.domain.live import Notify, newest_of, paper_deployment, parse_listings
from qc_ingest.domain.nodes import choose_live, parse_nodes
from qc_ingest.domain.portfolio import parse_portfolio
from qc_ingest.domain.projects import parse_build, parse_files, parse_parameters, parse_projects
from qc_ingest.domain.statistics import (
    parse_amount,
    parse_performance,
    parse_statistics,
    parse_total_performance,
)
from signalbox.contracts.errors import Conflict, NotFound, Refused, TransientError

WALL = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
TOTAL = {"portfolioStatistics": {"sharpeRatio": "1.2"}, "closedTrades": [1, 2]}
PLACEHOLDERS = {"Total Orders": "0", "Net Profit": "0%", "Equity": "$0.00", "Sharpe Ratio": "-"}


def a_reading(**over: Any) -> Reading:
    return parse_backtest({"backtestId": "b", "status": "In Progress...", "progress": "0.4"} | over)


@pytest.mark.parametrize(
    ("over", "is_final"),
    [
        pytest.param({"status": "In Queue...", "statistics": None}, False, id="queued"),
        pytest.param({"statistics": PLACEHOLDERS, "totalPerformance": TOTAL}, False, id="running"),
        pytest.param({"completed": True, "statistics": []}, False, id="empty statistics"),
        pytest.param(
            {"completed": True, "statistics": PLACEHOLDERS, "totalPerformance": None},
            False,
            id="the performance lags behind",
        ),
        pytest.param(
            {"completed": True, "statistics": {"Net Profit": "1%"}, "totalPerformance": []},
            False,
            id="an empty performance",
        ),
        pytest.param(
            {"completed": True, "statistics": {"Net Profit": "1%"}, "totalPerformance": TOTAL},
            True,
            id="done",
        ),
        pytest.param({"status": "Runtime Error", "error": "x"}, True, id="error"),
        pytest.param({"stacktrace": "at line 1"}, True, id="stacktrace"),
        pytest.param({"hasInitializeError": True}, True, id="initialize failed"),
        pytest.param({"status": "Completed.", "progress": 1}, False, id="the text alone"),
    ],
)
def test_a_result_is_final_only_when_its_numbers_are(over: dict[str, Any], is_final: bool) -> None:
    assert a_reading(**over).is_final is is_final


def test_a_backtest_in_older_casing() -> None:
    raw: Any = {
        "BacktestId": "b",
        "Progress": 3,
        "BacktestStart": "2026-01-05 00:00:00",
        "Error": None,
    }
    found = parse_backtest(raw)
    assert (found.id, found.progress, found.start) == ("b", D(1), datetime(2026, 1, 5, tzinfo=UTC))
    with pytest.raises(TransientError):
        parse_backtest([])


def test_our_id_is_found_again_in_a_list_whatever_the_name() -> None:
    name = name_at_quantconnect("x" * 300, "1-2")
    rows: Any = [{"backtestId": "a", "name": "1-2"}, {"backtestId": "b", "name": name}, 5, {}]
    found = find_ours(parse_summaries(rows), "1-2")
    assert found is not None
    assert (found.id, len(name) < 200) == ("b", True)
    assert find_ours(parse_summaries(rows), "1-3") is None


def test_dates_go_out_as_parameters() -> None:
    sent = with_dates({"fast": "3"}, date(2026, 1, 5), None)
    assert sent == {"fast": "3", "signalbox_start": "2026-01-05"}


@pytest.mark.parametrize(
    ("start", "end", "ignored"),
    [
        ("2026-01-05", "2026-03-31", ""),
        ("2026-01-04 05:00:00", "2026-04-01T03:59:59Z", ""),
        ("2020-01-01", "2026-03-31", "signalbox_start 2026-01-05 was asked for, the result says"),
        ("2026-01-05", "2026-06-30", "signalbox_end 2026-03-31 was asked for, the result says"),
        (None, None, ""),
    ],
)
def test_other_dates_than_asked_for_are_told(start: str, end: str, ignored: str) -> None:
    times = [f"{t} 00:00:00" if t and len(t) == 10 else t for t in (start, end)]
    reading = a_reading(backtestStart=times[0], backtestEnd=times[1])
    words = ignored_dates(date(2026, 1, 5), date(2026, 3, 31), reading)
    assert ignored in words
    assert bool(words) == bool(ignored)
    assert ignored_dates(None, None, reading) == ""


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("$100,500.00", D("100500")),
        ("-$1.00", D(-1)),
        ("12.3%", D("0.123")),
        ("0.50 %", D("0.005")),
        ("1.2e3", D(1200)),
        ("€ 5", D(5)),
        ("-", None),
        ("", None),
        ("NaN", None),
        ("AAPL R735QTJ8XC9X", None),
    ],
)
def test_parse_amount(text: str, number: D | None) -> None:
    assert parse_amount(text) == number


@given(st.text(max_size=40))
def test_parse_amount_never_raises(text: str) -> None:
    assert parse_amount(text) is None or isinstance(parse_amount(text), D)


def test_performance_and_statistics() -> None:
    did = parse_performance({"Equity": "$101,240.55", "Return": "1.24 %", "Net Profit": "-$2"})
    assert did.body() == {"equity": "101240.55", "return": "0.0124", "net_profit": "-2"}
    assert parse_performance({}).is_empty
    assert parse_statistics([]) == {}
    assert parse_statistics({"Sharpe Ratio": "1.2", "Orders": 5}) == {
        "Sharpe Ratio": "1.2",
        "Orders": "5",
    }
    total: Any = {
        "PortfolioStatistics": {"SharpeRatio": "1e-05", "alpha": None, "beta": "NaN", "x": "1.00"},
        "closedTrades": [{}, {}],
    }
    assert parse_total_performance(total) == {
        "portfolioStatistics": {"sharpeRatio": "0.00001", "alpha": None, "beta": None, "x": "1"},
        "closedTrades": 2,
    }


def test_series_of_points_and_candles() -> None:
    values: Any = [
        [60, "1", "9", "0", "2.50"],
        [120, 1, 9, 0, 3],
        [0, 1],
        {"x": 30, "y": "7"},
        [5],
        4,
    ]
    series: Any = {"Return": {"values": [[1, 1]]}, "Equity": {"values": [*values, [90, None]]}}
    assert parse_series({"Series": series}, "Equity") == [
        (0, D(1)),
        (30, D(7)),
        (60, D("2.5")),
        (120, D(3)),
    ]
    assert parse_series({"series": series}, "none of this name") == [(1, D(1))]
    assert parse_series([], "Equity") == parse_series({"series": []}, "x") == []
    assert as_json([(60, D("2.50"))]) == [[60, "2.5"]]


@given(st.integers(0, 3000), st.integers(2, 50))
def test_thinning_keeps_the_ends_and_the_order(count: int, most: int) -> None:
    rows = list(range(count))
    kept = thin(rows, most)
    assert len(kept) == min(count, most)
    assert kept == sorted(set(kept))
    if rows:
        assert (kept[0], kept[-1]) == (rows[0], rows[-1])


def test_pages_end_with_a_short_one_whatever_length_says() -> None:
    full: Any = [{"id": n, "symbol": {"id": "SPY X", "value": "SPY"}} for n in range(100)]
    page = parse_page(Rows.ORDERS, {"orders": full, "length": 100}, 200)
    assert (page.length, page.is_last) == (300, False)
    page = parse_page(Rows.ORDERS, {"orders": full, "length": 550}, 200)
    assert page.length == 550
    page = parse_page(Rows.ORDERS, {"orders": full[:7], "length": 550}, 200)
    assert (page.length, page.is_last) == (207, True)
    assert parse_page(Rows.INSIGHTS, {"insights": None}, 0).rows == ()


def test_closed_trades_are_rows_in_either_form() -> None:
    trade: Any = {
        "symbol": {"value": "SPY", "id": "SPY R735QTJ8XC9X"},
        "entryTime": "2026-11-20T14:31:00Z",
        "entryPrice": 508.9,
        "direction": 1,
        "quantity": 40,
        "exitTime": "2026-11-21T14:31:00Z",
        "exitPrice": "500",
        "profitLoss": 356,
        "totalFees": "NaN",
    }
    several = {**trade, "symbol": None, "symbols": [trade["symbol"]], "direction": "Long"}
    rows = parse_trades({"closedTrades": [trade] * 100 + [several]})
    assert rows[0] == {
        "id": 1,
        "symbol": "SPY",
        "symbol_id": "SPY R735QTJ8XC9X",
        "direction": "short",
        "quantity": "40",
        "opened_at": "2026-11-20T14:31:00+00:00",
        "entry_price": "508.9",
        "closed_at": "2026-11-21T14:31:00+00:00",
        "exit_price": "500",
        "profit": "356",
        "fees": None,
    }
    assert (rows[100]["id"], rows[100]["symbol"], rows[100]["direction"]) == (101, "SPY", "long")
    assert parse_trades(None) == ()


@pytest.mark.parametrize(
    ("length", "starts"), [(0, [0]), (1, [0]), (100, [0]), (101, [0, 100]), (200, [0, 100])]
)
def test_a_whole_list_is_cut_into_pages(length: int, starts: list[int]) -> None:
    rows: Any = [{"id": n} for n in range(length)]
    pages = pages_of(rows)
    assert list(pages) == starts
    assert [row for page in pages.values() for row in page.rows] == rows
    assert [page.is_last for page in pages.values()] == [False] * (len(starts) - 1) + [True]
    assert {page.length for page in pages.values()} == {length}


def test_rows_of_orders_and_insights() -> None:
    order: Any = {
        "id": "7",
        "symbol": {"value": "SPY", "id": "SPY R735QTJ8XC9X"},
        "time": "2026-11-20T14:31:00Z",
        "type": 0,
        "status": 3,
        "quantity": "-40.0",
        "price": "508.90",
        "value": "NaN",
    }
    (row,) = parse_page(Rows.ORDERS, {"orders": [order]}, 0).rows
    assert row == {
        "id": 7,
        "symbol": "SPY",
        "symbol_id": "SPY R735QTJ8XC9X",
        "time": "2026-11-20T14:31:00+00:00",
        "type": "market",
        "status": "filled",
        "side": "sell",
        "quantity": "-40",
        "price": "508.9",
        "value": None,
        "tag": None,
    }
    new: Any = {"id": 8, "type": 99, "status": "somethingNew", "events": 5}
    (row,) = parse_page(Rows.ORDERS, {"orders": [new]}, 0).rows
    assert (row["type"], row["status"], row["symbol"]) == ("99", "somethingnew", None)
    insight: Any = {"id": "a", "generated-time": 1795185060.5, "direction": 1, "confidence": "0.6"}
    (row,) = parse_page(Rows.INSIGHTS, {"insights": [insight]}, 0).rows
    assert (row["direction"], row["confidence"], row["magnitude"]) == ("up", "0.6", None)
    assert row["time"] == "2026-11-20T14:31:00.500000+00:00"


def test_nodes_free_and_busy() -> None:
    rows: Any = [
        {"id": "LN-1", "name": "one", "busy": True, "projectName": "Momentum"},
        {"id": "LN-2", "busy": False},
        {"name": "no id"},
        {"id": "LN-3", "busy": []},
    ]
    nodes = parse_nodes({"live": rows, "backtest": rows[:1], "research": None})
    assert (nodes.free_live, nodes.free_backtest, len(nodes.live)) == (2, 0, 3)
    assert choose_live(nodes.live, None).id == "LN-2"
    assert choose_live(nodes.live, "LN-3").id == "LN-3"
    with pytest.raises(NotFound):
        choose_live(nodes.live, "LN-9")
    with pytest.raises(Conflict, match="one runs Momentum"):
        choose_live(nodes.live, "LN-1")
    with pytest.raises(Conflict, match="No live node is free: one runs Momentum"):
        choose_live(nodes.live[:1], None)
    with pytest.raises(Refused, match="tier does not allow"):
        choose_live((), None)


def test_portfolios_short_long_and_empty() -> None:
    short: Any = {"SPY R735QTJ8XC9X": {"a": 501.2, "q": 40, "p": "508.95", "v": 20358.0}}
    long: Any = {"BTCUSD 2XR": {"averagePrice": 5, "quantity": -1, "marketPrice": 6}}
    cash: Any = {"EUR": {"amount": 10, "conversionRate": "1.1"}}
    found = parse_portfolio({"holdings": short | long, "cash": cash})
    bodies = [holding.body() for holding in found.holdings]
    assert [(b["symbol"], b["quantity"], b["unrealized"]) for b in bodies] == [
        ("BTCUSD", "-1", "0"),
        ("SPY", "40", "0"),
    ]
    assert found.cash[0].body() == {"currency": "EUR", "amount": "10", "value": "11"}
    assert parse_portfolio({"holdings": [], "cash": []}).body() == {"holdings": [], "cash": []}


def test_projects_files_builds_and_parameters() -> None:
    rows: Any = [{"projectId": "7", "name": "b", "parameters": [{"key": "k", "value": 5}]}, 1, {}]
    (project,) = parse_projects(rows)
    assert (project.id, project.parameters) == (7, {"k": "5"})
    assert parse_parameters({"a": "1", "b": {"key": "b", "value": 2}}) == {"a": "1", "b": "2"}
    assert parse_parameters([]) == parse_parameters(None) == {}
    (file,) = parse_files([{"name": "a.py", "content": "ä"}, {"content": "x"}])
    assert file.body() == {"name": "a.py", "size": 2, "modified": None}
    build = parse_build({"compileid": "c", "state": "BuildError", "logs": ["fine", "Build Error"]})
    assert (build.has_failed, build.is_good, build.complaint()) == (True, False, "Build Error")
    assert not parse_build({"compileid": "c", "state": "SomethingNew", "logs": None}).is_good
    with pytest.raises(TransientError):
        parse_build({"state": "BuildSuccess"})


def test_the_newest_deployment_of_a_project_counts() -> None:
    rows: Any = [
        {"projectId": 1, "deployId": "new", "launched": "2026-11-20 14:05:09", "equity": "5.5"},
        {"projectId": 1, "deployId": "old", "launched": "2026-11-19 14:05:09"},
        {"projectId": 2, "deployId": "x", "launched": None, "status": "Warming"},
    ]
    newest = newest_of(parse_listings(rows))
    assert (newest[1].deploy_id, newest[1].equity, newest[2].status) == ("new", D("5.5"), "Warming")


def test_a_deployment_is_on_paper_only() -> None:
    body = paper_deployment(7, "c", "LN-1", Notify("https://x", {"a": "b"}))
    assert body["brokerage"] == {"id": "QuantConnectBrokerage"}
    assert body["dataProviders"] == {"QuantConnectBrokerage": {"id": "QuantConnectBrokerage"}}
    assert body["notification"] == {
        "events": ["orderEvent", "insight"],
        "targets": [{"address": "https://x", "headers": {"a": "b"}}],
    }
    assert "notification" not in paper_deployment(7, "c", "LN-1", None)


def a_job(**over: Any) -> Job:
    fields: dict[str, Any] = {
        "id": "j",
        "kind": Kind.BACKTEST,
        "config_id": "c",
        "project_id": 7,
        "target": "real",
        "requested_by": "admin",
        "asked": {"name": "x", "sealed": "sealed"},
        "created_at": WALL,
        "status": Status.RUNNING,
        "step": Step.RUN,
        "step_since": WALL,
    }
    return Job(**(fields | over))


def test_looking_becomes_rarer_and_stays_bounded() -> None:
    pauses = [a_job().look_s(WALL + timedelta(seconds=s), 2.0) for s in (0, 10, 60, 600, 10**6)]
    assert pauses == [2, 2, 9, 15, 15]
    assert a_job().at_step(Step.RUN, WALL + timedelta(hours=1)).step_since == WALL
    later = WALL + timedelta(hours=1)
    assert a_job().at_step(Step.RESULT, later).step_since == later


def test_trouble_is_put_up_with_for_a_day() -> None:
    job = a_job()
    for hour in range(25):
        job = job.troubled("down", WALL + timedelta(hours=hour))
        assert job.status is Status.RUNNING
    assert (job.failures, job.pause_s()) == (25, 60)
    job = job.troubled("down", WALL + timedelta(hours=24, seconds=1))
    assert (job.status, job.message) == (Status.FAILED, "Given up after 24 hours. down")


def test_what_is_over_keeps_no_secret_and_shows_no_half_numbers() -> None:
    job = a_job(percent=40)
    assert job.body()["statistics"] == {}
    over = job.over(Status.COMPLETED, "Completed.", WALL)
    assert (over.asked, over.percent) == ({"name": "x"}, 100)
    assert job.over(Status.FAILED, "x" * 9999, WALL).percent == 40
    assert len(job.over(Status.FAILED, "x" * 9999, WALL).message) == 2000
    assert "sealed" not in str(job.body())
