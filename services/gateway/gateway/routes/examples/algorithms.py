"""QuantConnect algorithms, the jobs that start them, and backtests."""

from collections.abc import Mapping

from pydantic import JsonValue

from gateway.adapters.openapi import Example

_JOB_ID = "6c1f0f8e-3f0b-5a3f-9d53-3b1f9b8a2c11"
_BACKTEST_ID = "0b9d5f52-6a5e-5d0a-8f1e-7c2f4a9be001"
_PROJECT: Mapping[str, JsonValue] = {"algorithm_id": "23456789"}
_BACKTEST_GIVEN: Mapping[str, JsonValue] = {"backtest_id": _BACKTEST_ID}

ALGORITHM: dict[str, JsonValue] = {
    "id": "23456789",
    "config_id": "momentum",
    "name": "Momentum on large caps",
    "status": "Running",
    "target": "sandbox",
    "language": "Py",
    "modified": "2026-08-01T12:00:00Z",
    "deploy_id": "L-2b1f",
    "launched": "2026-08-03T13:30:00+00:00",
    "stopped": "",
    "brokerage": "PaperBrokerage",
    "message": "",
    "performance": {"equity": "100120.5", "return": "0.0012"},
    "fetched_at": "2026-08-03T16:00:00Z",
}
_DETAIL: dict[str, JsonValue] = {
    **ALGORITHM,
    "description": "Buys what has risen",
    "parameters": {"fast": "5"},
    "files": [{"name": "main.py", "size": 1204, "modified": "2026-08-01T12:00:00Z"}],
    "portfolio": {
        "holdings": [
            {
                "symbol": "AAPL",
                "symbol_id": "AAPL R735QTJ8XC9X",
                "quantity": "10",
                "average_price": "198.45",
                "price": "210.5",
                "value": "2105",
                "unrealized": "120.5",
            }
        ],
        "cash": [{"currency": "USD", "amount": "98015.5", "value": "98015.5"}],
    },
    "nodes": {
        "live": [
            {"id": "LN-1", "name": "L-MICRO", "busy": True, "used_by": "Momentum on large caps"}
        ],
        "free_live": 0,
        "free_backtest": 1,
    },
    "history": [
        {
            "at": "2026-08-03T16:00:00Z",
            "equity": "100120.5",
            "holdings": "2105",
            "unrealized": "120.5",
            "net_profit": "0",
            "fees": "1",
            "return": "0.0012",
        }
    ],
    "logs": ["2026-08-03 15:59:00 bought 10 AAPL"],
    "notes": [],
}
_JOB: dict[str, JsonValue] = {
    "id": _JOB_ID,
    "kind": "deploy",
    "config_id": "momentum",
    "algorithm_id": "23456789",
    "algorithm_name": "Momentum on large caps",
    "status": "running",
    "step": "compiling",
    "progress": 0.1,
    "message": "Compiling the project.",
    "deploy_id": "",
    "requested_by": "trader",
    "created_at": "2026-08-03T16:00:00Z",
    "finished_at": None,
    "updated_at": "2026-08-03T16:00:00Z",
}
_BACKTEST: dict[str, JsonValue] = {
    "id": _BACKTEST_ID,
    "config_id": "momentum",
    "algorithm_id": "23456789",
    "algorithm_name": "Momentum on large caps",
    "name": "January",
    "target": "sandbox",
    "status": "completed",
    "progress": 1,
    "message": "Completed.",
    "parameters": {"fast": "5"},
    "start": "2024-01-02",
    "end": "2024-02-01",
    "backtest_start": "2024-01-02",
    "backtest_end": "2024-02-01",
    "ignores_dates": False,
    "quantconnect_id": "4c8f2a1b",
    "requested_by": "trader",
    "created_at": "2026-08-03T16:00:00Z",
    "finished_at": "2026-08-03T16:02:10Z",
    "updated_at": "2026-08-03T16:02:10Z",
    "statistics": {"Sharpe Ratio": "1.2"},
}


def _ended(status: str) -> dict[str, JsonValue]:
    return {"id": "23456789", "config_id": "momentum", "status": status, "deploy_id": "L-2b1f"}


def _curve(value: str) -> list[JsonValue]:
    return [{"at": "2024-01-02T21:00:00Z", "value": value}]


EXAMPLES: Mapping[str, Example] = {
    "list_quantconnect_algorithms": Example(
        {"items": [ALGORITHM], "next_cursor": None, "problems": []},
        given={"config": "momentum", "refresh": False, "limit": 50},
    ),
    "read_quantconnect_algorithm": Example(_DETAIL, given=_PROJECT),
    "deploy_quantconnect_algorithm": Example(
        _JOB,
        status=202,
        given=_PROJECT,
        body={
            "parameters": {"fast": "5"},
            "notify": {
                "url": "https://desk.example/hooks/quantconnect/momentum",
                "headers": {"Authorization": "Bearer and the webhook's secret"},
            },
        },
    ),
    "read_quantconnect_job": Example(_JOB, given={"job_id": _JOB_ID}),
    "stop_quantconnect_algorithm": Example(_ended("Stopped"), given=_PROJECT),
    "liquidate_quantconnect_algorithm": Example(
        _ended("Liquidated"), given=_PROJECT, body={"confirm": True}
    ),
    "list_quantconnect_backtests": Example(
        {"items": [_BACKTEST], "next_cursor": None},
        given={"algorithm": "23456789", "config": "momentum", "status": "completed", "limit": 50},
    ),
    "start_quantconnect_backtest": Example(
        {**_BACKTEST, "status": "queued", "progress": 0},
        status=202,
        body={
            "algorithm_id": 23456789,
            "name": "January",
            "parameters": {"fast": "5"},
            "start": "2024-01-02",
            "end": "2024-02-01",
        },
    ),
    "read_quantconnect_backtest": Example(
        {
            **_BACKTEST,
            "performance": {"closedTrades": 12},
            "error": "",
            "stacktrace": "",
            "notes": ["The dates were honoured."],
            "missing": None,
        },
        given=_BACKTEST_GIVEN,
    ),
    "read_quantconnect_backtest_series": Example(
        {"equity": _curve("100000"), "benchmark": _curve("472.65"), "drawdown": _curve("0")},
        given=_BACKTEST_GIVEN,
    ),
    "list_quantconnect_backtest_trades": Example(
        {
            "items": [
                {
                    "id": "1",
                    "symbol": "SPY",
                    "symbol_id": "SPY R735QTJ8XC9X",
                    "direction": "long",
                    "quantity": "100",
                    "opened_at": "2024-01-02T14:31:00Z",
                    "entry_price": "472.65",
                    "closed_at": "2024-01-05T14:31:00Z",
                    "exit_price": "474.2",
                    "profit": "155",
                    "fees": "2",
                }
            ],
            "next_cursor": None,
        },
        given={**_BACKTEST_GIVEN, "limit": 100},
    ),
    "list_quantconnect_backtest_orders": Example(
        {
            "items": [
                {
                    "id": "1",
                    "time": "2024-01-02T14:31:00Z",
                    "symbol": "SPY",
                    "symbol_id": "SPY R735QTJ8XC9X",
                    "type": "market",
                    "status": "filled",
                    "side": "buy",
                    "quantity": "100",
                    "price": "472.65",
                    "value": "47265",
                    "tag": None,
                }
            ],
            "next_cursor": None,
        },
        given={**_BACKTEST_GIVEN, "limit": 100},
    ),
    "list_quantconnect_backtest_insights": Example(
        {
            "items": [
                {
                    "id": "6b0f9d1e4c9a4d6f8f5a1b2c3d4e5f60",
                    "time": "2024-01-02T14:31:00Z",
                    "closes_at": "2024-01-03T14:31:00Z",
                    "symbol": "SPY",
                    "symbol_id": "SPY R735QTJ8XC9X",
                    "type": "price",
                    "direction": "up",
                    "confidence": "0.7",
                    "magnitude": None,
                    "weight": None,
                    "reference": "472.65",
                    "source_model": "Momentum",
                    "tag": None,
                }
            ],
            "next_cursor": None,
        },
        given={**_BACKTEST_GIVEN, "limit": 100},
    ),
    "end_quantconnect_backtest": Example(
        {"id": _BACKTEST_ID, "status": "running", "message": "It is being cancelled."},
        given=_BACKTEST_GIVEN,
    ),
}
