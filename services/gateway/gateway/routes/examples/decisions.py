"""What language models answered."""

from collections.abc import Mapping

from pydantic import JsonValue

from gateway.adapters.openapi import Example

_DECISION_ID = "feed4017-56ef-5237-be94-da842b681269"
_CALL_ID = "1c1816e6-225b-5a3a-8b12-bfd82b8f5ccc"
_SIGNAL_ID = "8896080f-b043-5ec3-a24f-33c1d8d5a268"
_ATTEMPT_ID = "5f0f0c0e-8a57-5d0b-9a3e-5b6f7c1d2e3f"
_MARKET_AT, _WALL_AT = "2026-08-03T16:00:00Z", "2026-11-20T09:00:00Z"

_DECISION: dict[str, JsonValue] = {
    "id": _DECISION_ID,
    "config_id": "gpt",
    "target": "sandbox",
    "symbol": "AAPL",
    "provider": "openai",
    "model": "a-model",
    "served_model": "a-model-2026-10-01",
    "prompt_version": "standard@1",
    "trigger": "bar",
    "asked_by": "",
    "outcome": "answered",
    "error": "",
    "error_kind": "",
    "action": "buy",
    "abstained": False,
    "confidence": "0.7",
    "reasoning": "Momentum is up.",
    "horizon_s": 3600.0,
    "stop_price": None,
    "target_price": None,
    "price": "210.5",
    "invalidation": "",
    "suspicious": False,
    "evidence": ["AAPL.returns"],
    "notes": ["1 headline was left out."],
    "call_id": _CALL_ID,
    "fallback_for": None,
    "attempts": 1,
    "tokens_in": 1000,
    "tokens_out": 100,
    "tokens_cached": 0,
    "tokens_reasoning": 0,
    "cost_usd": "0.001",
    "cost_is_estimated": False,
    "latency_ms": 800.0,
    "cached": False,
    "cached_from": None,
    "dry_run": False,
    "signal_id": _SIGNAL_ID,
    "not_traded": "",
    "explanation": "A signal was raised; its chain shows what every bot made of it.",
    "processed": False,
    "at": _MARKET_AT,
    "created_at": _WALL_AT,
}
_TRIED: dict[str, JsonValue] = {
    "attempt_id": _ATTEMPT_ID,
    "number": 1,
    "config_id": "gpt",
    "provider": "openai",
    "model": "a-model",
    "at": _WALL_AT,
    "latency_ms": 800.0,
    "status": 200,
    "request_id": "req_1",
    "outcome": "complete",
    "error": "",
    "usage": {"input_total": 1000},
    "cost_usd": "0.001",
    "reserved_usd": "0.02",
    "state": "settled",
    "raw_text": "{}",
}
_CHAIN: dict[str, JsonValue] = {
    "signal": {
        "id": _SIGNAL_ID,
        "source_type": "llm",
        "source_id": "gpt",
        "own_id": _DECISION_ID,
        "symbol": "AAPL",
        "action": "buy",
        "confidence": "0.7",
        "confidence_origin": "source",
        "raised_at": _MARKET_AT,
        "valid_until": "2026-08-03T16:05:00Z",
        "withdrawn": False,
        "target": "sandbox",
        "epoch": 1,
        "price": "210.5",
        "stop_price": None,
        "target_price": None,
        "horizon_s": 3600.0,
        "reasoning": "Momentum is up.",
        "details": {},
    },
    "verdicts": [],
    "orders": [],
    "lots": [],
    "outcomes": [
        {
            "horizon_s": 3600.0,
            "entry_price": "210.5",
            "exit_price": "211",
            "forward_return": "0.002375",
            "at": "2026-08-03T17:00:00Z",
        }
    ],
}

EXAMPLES: Mapping[str, Example] = {
    "list_llm_decisions": Example(
        {"items": [_DECISION], "next_cursor": None}, given={"symbol": "AAPL", "outcome": "answered"}
    ),
    "ask_for_llm_decision": Example(
        {"complete": True, "items": [_DECISION], "pending": {}, "call_ids": [_CALL_ID]},
        body={"config_id": "gpt", "symbols": ["AAPL"], "dry_run": True},
    ),
    "read_llm_decision": Example(
        {
            **_DECISION,
            "market_data": {"price": {"last": "210.50"}},
            "calls": [_TRIED],
            "messages": {"system": "Judge short-term moves.", "user": "AAPL: last 210.50"},
            "calls_problem": None,
            "chain": _CHAIN,
        },
        given={"decision_id": _DECISION_ID},
    ),
}
