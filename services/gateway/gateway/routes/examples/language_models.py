"""Language models: configs, budgets and costs."""

from collections.abc import Mapping

from pydantic import JsonValue

from gateway.adapters.openapi import Example

_ATTEMPT_ID = "5f0f0c0e-8a57-5d0b-9a3e-5b6f7c1d2e3f"
_MARKET_AT, _WALL_AT = "2026-08-03T16:00:00Z", "2026-11-20T09:00:00Z"
_WARNING = "a-model is deprecated: the provider will retire it."

_CONFIG: dict[str, JsonValue] = {
    "id": "gpt",
    "name": "View of the minute",
    "provider": "openai",
    "wire": "responses",
    "base_url": None,
    "api_key_hint": "cdef",
    "api_key_at": _WALL_AT,
    "model": "a-model",
    "prompt_template": "standard",
    "max_tokens": 2000,
    "temperature": None,
    "effort": None,
    "symbols": ["AAPL"],
    "interval": "1m",
    "every": 15,
    "move": None,
    "min_gap_s": 60,
    "symbols_per_call": 5,
    "horizon_s": 3600,
    "deadline_s": 60,
    "fallback": None,
    "bot": None,
    "show_signals": False,
    "cache_s": 300,
    "budget": {"day_usd": "1", "month_usd": "20"},
    "price": {"input_usd": "0.05", "output_usd": "0.2"},
    "target": "sandbox",
    "is_active": True,
    "created_at": _WALL_AT,
    "updated_at": _WALL_AT,
    "todo": "",
    "warnings": [_WARNING],
    "left_out": ["temperature"],
}
_NEW: dict[str, JsonValue] = {
    "name": "Daily view",
    "provider": "claude",
    "api_key": "sk-of-the-provider",
    "model": "the model's name",
    "symbols": ["AAPL", "MSFT"],
    "interval": "1d",
    "every": 1,
    "horizon_s": 86400,
    "budget": {"day_usd": "2", "month_usd": "30"},
    "target": "real",
}


def _line(scope: str, period: str, key: str, limit: str, left: str) -> JsonValue:
    return {
        "scope": scope,
        "period": period,
        "key": key,
        "limit_usd": limit,
        "spent_usd": "0.001",
        "reserved_usd": "0",
        "unknown_usd": "0",
        "left_usd": left,
    }


_DAY, _MONTH = "2026-11-20", "2026-11"
_OWN = [_line("gpt", "day", _DAY, "1", "0.999"), _line("gpt", "month", _MONTH, "20", "19.999")]
_ALL = [_line("total", "day", _DAY, "5", "4.999"), _line("total", "month", _MONTH, "100", "99.999")]
_STATUS: dict[str, JsonValue] = {
    "config_id": "gpt",
    "name": "View of the minute",
    "provider": "openai",
    "model": "a-model",
    "target": "sandbox",
    "is_active": True,
    "connected": True,
    "last_ok_at": _WALL_AT,
    "last_error": None,
    "trouble": None,
    "next_at": _MARKET_AT,
    "todo": "",
    "warnings": [_WARNING],
    "calls_today": 1,
    "decisions_today": 1,
    "tokens_today": 1100,
    "cost_today_usd": "0.001",
    "cost_month_usd": "0.001",
    "budget": [*_OWN],
}
USAGE: Mapping[str, JsonValue] = {
    "cost_usd": "0.001",
    "estimated_usd": "0",
    "cost_per_decision": "0.001",
    "decisions": 1,
    "answered": 1,
    "refused": 0,
    "truncated": 0,
    "invalid": 0,
    "failed": 0,
    "over_budget": 0,
    "buys": 1,
    "sells": 0,
    "closes": 0,
    "holds": 0,
    "abstained": 0,
    "cached": 0,
    "dry_runs": 0,
    "signals": 1,
    "tokens_in": 1000,
    "tokens_out": 100,
    "tokens_cached": 0,
    "tokens_reasoning": 0,
    "validity": "1",
    "cached_share": "0",
    "mean_latency_ms": 800.0,
}
_EARNED: Mapping[str, JsonValue] = {
    "fills": 4,
    "realised_pnl": "12.5",
    "pnl_after_cost": "12.499",
    "cost_per_fill": "0.00025",
}
_PART: dict[str, JsonValue] = {
    **USAGE,
    **_EARNED,
    "key": "gpt",
    "name": "View of the minute",
    "target": "sandbox",
    "share": "1",
}


def _listed(*items: JsonValue) -> JsonValue:
    return {"items": [*items], "next_cursor": None}


EXAMPLES: Mapping[str, Example] = {
    "list_llm_configs": Example(_listed(_CONFIG)),
    "save_llm_config": Example(
        {
            **_CONFIG,
            **{name: value for name, value in _NEW.items() if name != "api_key"},
            "id": "daily-view",
            "price": None,
            "warnings": [],
            "left_out": [],
        },
        status=201,
        body=_NEW,
    ),
    "read_llm_config": Example(_CONFIG, given={"config_id": "gpt"}),
    "delete_llm_config": Example(status=204, given={"config_id": "gpt"}),
    "test_llm_config": Example(
        {
            "connected": True,
            "message": "Key and model are accepted.",
            "model": {"id": "a-model"},
            "warnings": [_WARNING],
            "left_out": ["temperature"],
        },
        given={"config_id": "gpt"},
    ),
    "read_llm_status": Example(_listed(_STATUS)),
    "list_llm_budgets": Example(_listed(*_ALL, *_OWN)),
    "write_llm_budget": Example(_listed(*_ALL), body={"day_usd": "5", "month_usd": "100"}),
    "list_llm_costs": Example(
        _listed({**USAGE, "period": _DAY, "calls": 1, "limit_usd": "5", "left_usd": "4.999"}),
        given={"period": "day"},
    ),
    "read_llm_cost_breakdown": Example(
        {"items": [_PART], "next_cursor": None, "total": {**USAGE, **_EARNED}},
        given={"by": "config"},
    ),
    "list_unresolved_llm_attempts": Example(
        _listed(
            {
                "attempt_id": _ATTEMPT_ID,
                "config_id": "gpt",
                "provider": "openai",
                "model": "a-model",
                "at": _WALL_AT,
                "reserved_usd": "0.02",
                "request_id": "",
                "outcome": "connection_lost",
                "error": "The connection broke off while the answer was awaited.",
                "decisions": {"AAPL": "feed4017-56ef-5237-be94-da842b681269"},
            }
        )
    ),
    "settle_llm_attempt": Example(
        {"attempt_id": _ATTEMPT_ID, "cost_usd": "0.0012"},
        given={"attempt_id": _ATTEMPT_ID},
        body={"cost_usd": "0.0012"},
    ),
}
