"""What was earned, at what risk; and signals that programs hand in."""

from collections.abc import Mapping

from pydantic import JsonValue

from gateway.adapters.openapi import Example

_AT, _LATER = "2026-08-03T16:00:00Z", "2026-08-03T16:30:00Z"
_NEEDED = "too few to say: 1 of the 30 market days needed"
_PARTS = "closed parts of lots needed"
_TOKEN_ID = "0123456789abcdef"  # noqa: S105 - the id of a token, not one

_EQUITY: dict[str, JsonValue] = {
    "bot": "alpha",
    "account": "paper-alpha",
    "at": _LATER,
    "equity": "99900",
    "cash": "97999",
    "exposure_gross": "2000",
    "exposure_net": "2000",
    "realised_pnl": "-1",
    "unrealised_pnl": "-99",
    "fees": "1",
    "drawdown": None,
}
_DAY: dict[str, JsonValue] = {
    "equity": "99900",
    "realised_pnl": "-1",
    "unrealised_pnl": "-99",
    "exposure_gross": "2000",
    "pnl_today": "-100",
    "pnl_today_share": "-0.001",
    "open_positions": 1,
}
_FALLEN: dict[str, JsonValue] = {"drawdown": "0.001"}
_STAGES: JsonValue = [
    {"stage": "signal_to_verdict", "orders": 12, "p50_s": 0.004, "p95_s": 0.011},
    {"stage": "verdict_to_order", "orders": 12, "p50_s": 0.005, "p95_s": 0.012},
    {"stage": "accept_to_fill", "orders": 12, "p50_s": 0.0, "p95_s": 0.2},
    {"stage": "signal_to_fill", "orders": 12, "p50_s": 0.01, "p95_s": 0.21},
]
_PERFORMANCE: dict[str, JsonValue] = {
    "source_type": "quantconnect",
    "source_id": "4711",
    "bot": None,
    "symbol": None,
    "realised_pnl": "98",
    "fees": "2",
    "gross_profit": "99",
    "gross_loss": "0",
    "trades": 1,
    "wins": 1,
    "losses": 0,
    "win_rate": "1",
    "profit_factor": None,
    "fills": 2,
    "average_win": "99",
    "average_loss": None,
    "expectancy": "98",
    "expectancy_error": None,
    "traded": "4100",
    "turnover": "0.041",
    "slippage_bps": None,
    "exposure_gross": "2000",
    "exposure_net": "2000",
    "mean_exposure": None,
    "basis": "realised",
    "days": 1,
    "days_a_year": 252,
    "sharpe": None,
    "sortino": None,
    "volatility": None,
    "annual_return": None,
    "calmar": None,
    "max_drawdown": "0",
    "max_drawdown_from": None,
    "max_drawdown_to": None,
    "stages": _STAGES,
    "missing": {
        "profit_factor": "no part of a lot was closed with a loss",
        "average_loss": "no part of a lot was closed with a loss",
        "expectancy_error": f"too few to say: 1 of the 30 {_PARTS}",
        "slippage_bps": "no fill names the price at its verdict",
        "sharpe": _NEEDED,
        "sortino": _NEEDED,
        "volatility": _NEEDED,
        "annual_return": _NEEDED,
        "calmar": _NEEDED,
    },
}
_AI: dict[str, JsonValue] = {
    "source_type": "llm",
    "name": "AI",
    "realised_pnl": "0",
    "fees": "0",
    "llm_cost": "0.25",
    "pnl_after_cost": "-0.25",
    "trades": 0,
    "fills": 0,
    "hit_rate": None,
    "hit_rate_low": None,
    "hit_rate_high": None,
    "expectancy": None,
    "expectancy_error": None,
    "days": 0,
    "max_drawdown": None,
    "max_drawdown_from": None,
    "max_drawdown_to": None,
    "enough": False,
    "missing": {
        "expectancy_error": f"too few to say: 0 of the 30 {_PARTS}",
        "max_drawdown": "it has not traded",
        "hit_rate": "nothing was closed yet",
        "expectancy": "nothing was closed yet",
    },
}
_CLASSIC: dict[str, JsonValue] = {
    **_AI,
    "source_type": "strategy",
    "name": "classic",
    "llm_cost": "0",
    "pnl_after_cost": "0",
}
_QUANTCONNECT: dict[str, JsonValue] = {
    **_CLASSIC,
    "source_type": "quantconnect",
    "name": "QuantConnect",
    "realised_pnl": "98",
    "fees": "2",
    "pnl_after_cost": "98",
    "trades": 1,
    "fills": 2,
    "hit_rate": "1",
    "hit_rate_low": "0.2065",
    "hit_rate_high": "1",
    "expectancy": "98",
    "days": 1,
    "max_drawdown": "0",
    "missing": {"expectancy_error": f"too few to say: 1 of the 30 {_PARTS}"},
}
_TOKEN: dict[str, JsonValue] = {
    "id": _TOKEN_ID,
    "name": "tradingview",
    "scopes": ["signals:write"],
    "created_by": "admin",
    "created_at": "2026-11-20T09:00:00Z",
    "expires_at": "2027-11-20T09:00:00Z",
    "last_used_at": None,
}
_SIGNAL: dict[str, JsonValue] = {
    "symbol": "AAPL",
    "action": "buy",
    "confidence": "0.8",
    "price": "210.50",
    "stop_price": "207",
    "target_price": "216",
    "horizon_s": 3600,
    "reasoning": "Broke out of the opening range.",
    "details": {"alert": "orb-15"},
}

EXAMPLES: Mapping[str, Example] = {
    "list_equity": Example(
        given={"bot": "alpha", "points": 200},
        answer={
            "items": [
                {**_EQUITY, "drawdown": "0.001"},
                {**_EQUITY, "at": _AT, "equity": "99999", "drawdown": "0"},
            ],
            "next_cursor": None,
        },
    ),
    "read_summary": Example(
        answer={
            "day": "2026-08-03T00:00:00Z",
            "total": _DAY,
            "bots": [{**_DAY, "bot": "alpha", "account": "paper-alpha", "at": _LATER, **_FALLEN}],
        }
    ),
    "list_equity_now": Example(answer={"items": [_EQUITY], "next_cursor": None}),
    "list_performance": Example(
        given={"by": "source"}, answer={"items": [_PERFORMANCE], "next_cursor": None}
    ),
    "compare_performance": Example(
        answer={
            "items": [_AI, _CLASSIC, _QUANTCONNECT],
            "best": None,
            "statement": (
                "Too few to say which is best: each needs 30 closed parts of lots; AI has 0,"
                " classic has 0, QuantConnect has 1."
            ),
        }
    ),
    "list_tokens": Example(answer={"items": [_TOKEN], "next_cursor": None}),
    "issue_token": Example(
        body={"name": "screener", "scopes": ["signals:write"]},
        status=201,
        answer={
            **_TOKEN,
            "name": "screener",
            "token": f"sbx_{_TOKEN_ID}_rI0w4v8VY1mS7m0c2wX3l4k5j6h7g8f9d0s1a2p3o4i",
        },
    ),
    "revoke_token": Example(given={"token_id": _TOKEN_ID}, status=204),
    "submit_signal": Example(
        given={"idempotency-key": "3f0c6a0e-7f0e-4a52-9f3b-0d6f4f6f2b11"},
        body=_SIGNAL,
        status=202,
        answer={
            "signal_id": "0ef5fefd-6e48-5f6e-8b36-2d9d5d6d8f0b",
            "source_type": "external",
            "source_id": "tradingview",
            "raised_at": _AT,
            "valid_until": "2026-08-03T17:00:00Z",
        },
    ),
}
