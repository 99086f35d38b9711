"""What qc-ingest answers is what the gateway shows: no field is lost between them."""

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest
from pydantic import BaseModel

from gateway.domain import quantconnect
from gateway.domain.algorithm_views import CashView, HoldingView, NodesView, NodeView, PerformanceAt
from gateway.domain.backtest_views import (
    BacktestInsightView,
    BacktestOrderView,
    BacktestSeries,
    BacktestView,
)
from gateway.domain.book_views import StateView
from gateway.projections.quantconnect import backtest
from qc_ingest.domain.history import Rows, parse_page
from qc_ingest.domain.jobs import Job, Kind, Status, Step
from qc_ingest.domain.nodes import Node, Nodes
from qc_ingest.domain.portfolio import parse_portfolio
from qc_ingest.domain.statistics import Performance
from qc_ingest.jobs import state_of
from signalbox.testing.examples import NOON

JOB = Job(
    id="0b9d5f52-6a5e-5d0a-8f1e-7c2f4a9be001",
    kind=Kind.BACKTEST,
    config_id="demo",
    project_id=23456789,
    target="sandbox",
    requested_by="trader",
    asked={"name": "January", "parameters": {"fast": "5"}, "start": "2024-01-02", "end": None},
    created_at=NOON,
    status=Status.RUNNING,
    step=Step.RUN,
    step_since=NOON,
    percent=40,
    message="Running.",
    project_name="Momentum",
    quantconnect_id="4c8f",
)
FOUND = {"statistics": {"Sharpe Ratio": "1.2"}, "ignores_dates": True, "backtest_start": "2023"}

PROJECT = {"project_id", "project_name"}  # shown as the algorithm's


def names(view: type[BaseModel]) -> set[str]:
    """The fields as they are sent."""
    return {field.alias or name for name, field in view.model_fields.items()}


@pytest.mark.parametrize("found", [{}, FOUND])
def test_a_backtest_is_shown_whole(found: dict[str, Any]) -> None:
    state = state_of(replace(JOB, found=found), NOON)
    (change,) = backtest(state)
    row: Any = change.row  # type: ignore[union-attr]  # it is one with a row
    assert (row["status"], row["created_at"], row["project_id"]) == ("running", NOON, "23456789")
    shown = quantconnect.backtest(state.id, row["body"], row["created_at"], row["at"])
    assert set(state.body) - PROJECT <= names(BacktestView)
    assert (shown.progress, shown.parameters, shown.start) == (0.4, {"fast": "5"}, "2024-01-02")
    assert shown.statistics == found.get("statistics", {})
    assert shown.ignores_dates is found.get("ignores_dates", False)


def test_a_deployment_is_shown_whole() -> None:
    job = replace(JOB, kind=Kind.DEPLOY, step=Step.BUILD)
    state = state_of(job, NOON)
    shown = quantconnect.job(StateView(id=state.id, body=state.body, at=state.at))
    assert (shown.kind, shown.step, shown.progress) == ("deploy", "waiting for the build", 0.2)
    assert (shown.deploy_id, shown.algorithm_id, shown.created_at) == ("4c8f", "23456789", NOON)
    assert set(state.body) - PROJECT - {"target"} <= names(type(shown))


def test_what_an_algorithm_holds_is_shown_whole() -> None:
    portfolio: dict[str, Any] = parse_portfolio(
        {
            "holdings": {"AAPL R735QTJ8XC9X": {"q": 10, "a": 198.45, "p": 210.5, "v": 2105}},
            "cash": {"USD": {"amount": "98015.5", "conversionRate": 1}},
        }
    ).body()
    nodes = Nodes(live=(Node("LN-1", "L-MICRO", busy=True, used_by="Momentum"),)).body()
    did = {"at": NOON.isoformat(), **Performance(equity=D(100120), total_return=D("0.1")).body()}
    told: dict[str, Any] = {
        "status": None,
        "performance": {"equity": "100120"},
        "parameters": [{"key": "fast", "value": "5"}],
        "portfolio": portfolio,
        "nodes": nodes,
        "history": [did],
    }
    shown = quantconnect.algorithm_detail(told, "23456789", "demo")
    assert shown.portfolio is not None
    (holding,), (cash,) = shown.portfolio.holdings, shown.portfolio.cash
    assert (holding.symbol, holding.quantity, holding.average_price) == ("AAPL", D(10), D("198.45"))
    assert (cash.currency, cash.amount) == ("USD", D("98015.5"))
    assert shown.nodes == NodesView(
        live=(NodeView(id="LN-1", name="L-MICRO", busy=True, used_by="Momentum"),)
    )
    assert (shown.history[0].equity, shown.history[0].return_) == (D(100120), D("0.1"))
    assert set(portfolio["holdings"][0]) == names(HoldingView)
    assert set(portfolio["cash"][0]) == names(CashView)
    assert set(Performance(*[D(1)] * 6).body()) | {"at"} == names(PerformanceAt)


@pytest.mark.parametrize(
    ("kind", "view", "row"),
    [
        pytest.param(
            Rows.ORDERS,
            BacktestOrderView,
            {
                "id": 7,
                "symbol": {"id": "SPY R735QTJ8XC9X", "value": "SPY"},
                "quantity": -5,
                "price": 472.65,
                "time": "2024-01-02T14:31:00Z",
                "type": 0,
                "status": 3,
            },
            id="orders",
        ),
        pytest.param(
            Rows.INSIGHTS,
            BacktestInsightView,
            {
                "id": "6b0f",
                "symbol": "SPY R735QTJ8XC9X",
                "direction": 1,
                "generatedTime": 1704205860,
                "closeTime": 1704292260,
                "confidence": 0.7,
            },
            id="insights",
        ),
    ],
)
def test_rows_are_shown_whole(kind: Rows, view: type[BaseModel], row: dict[str, Any]) -> None:
    lowered = {name.lower(): value for name, value in row.items()}
    (told,) = parse_page(kind, {kind.value: [lowered]}, 0).rows
    assert set(told) == names(view)
    shown = view.model_validate(told).model_dump()
    assert (shown["id"], shown["symbol"]) == (str(row["id"]), "SPY")
    assert shown["time"].isoformat() == "2024-01-02T14:31:00+00:00"


def test_curves_are_shown_whole() -> None:
    curves = BacktestSeries.of({"equity": [[1704205860, "100000"], [1704292260, "100100.5"]]})
    assert [point.value for point in curves.equity] == [100000, D("100100.5")]
