"""QuantConnect accounts, their webhooks and signals."""

from collections.abc import Mapping

from pydantic import JsonValue

from gateway.adapters.openapi import Example
from gateway.routes.examples.algorithms import ALGORITHM

_SIGNAL_ID = "f488aa70-bc8b-5b34-b983-3baa8b8570b8"
_CONFIG: Mapping[str, JsonValue] = {"config_id": "momentum"}

_WEBHOOK: dict[str, JsonValue] = {
    "path": "/hooks/quantconnect/momentum",
    "must_sign": False,
    "secret_hint": "XNzo",
    "made_at": "2026-08-03T09:00:00Z",
    "old_until": "2026-08-04T09:00:00Z",
    "last_push_at": "2026-08-03T15:59:58Z",
    "refused_at": None,
    "refused_why": None,
}
_ACCOUNT: dict[str, JsonValue] = {
    "id": "momentum",
    "name": "Momentum",
    "api_key_hint": "234",
    "api_secret_hint": "cdef",
    "api_secret_at": "2026-08-03T09:00:00Z",
    "target": "sandbox",
    "algorithm_id": 23456789,
    "algorithm_name": "Momentum on large caps",
    "is_active": True,
    "signals_from": "insights",
    "default_confidence": "0.5",
    "max_age_s": 1200,
    "created_at": "2026-08-03T09:00:00Z",
    "updated_at": "2026-08-03T09:00:00Z",
}
_SIGNAL: dict[str, JsonValue] = {
    "id": _SIGNAL_ID,
    "config_id": "demo",
    "symbol": "AAPL",
    "signal": "buy",
    "confidence": "0.7",
    "price": "210.5",
    "timestamp": "2026-08-03T16:00:00Z",
    "processed": False,
    "created_at": "2026-08-03T16:00:02Z",
}
PENDING: dict[str, JsonValue] = {
    "id": "71826d31-2b95-571e-9350-5d02d763952a",
    "signal_id": _SIGNAL_ID,
    "bot": "beta",
    "account": "paper-beta",
    "symbol": "AAPL",
    "source_type": "quantconnect",
    "source_id": "23456789",
    "action": "buy",
    "confidence": "0.7",
    "round": 0,
    "outcome": "pending",
    "reason": "awaits_approval",
    "explanation": "The bot waits for a person to approve or decline it.",
    "rule": "priority",
    "winner_id": None,
    "numbers": {},
    "inputs": [],
    "decided_by": None,
    "evaluated_at": "2026-08-03T16:00:00Z",
    "valid_until": "2026-08-03T16:05:00Z",
    "current": True,
    "sequence": 1,
    "config_version": 1,
}

EXAMPLES: Mapping[str, Example] = {
    "list_quantconnect_configs": Example(
        {"items": [{**_ACCOUNT, "webhook": _WEBHOOK}], "next_cursor": None}
    ),
    "save_quantconnect_config": Example(
        {**_ACCOUNT, "id": "momentum-2", "webhook": None},
        status=201,
        body={
            "name": "Momentum",
            "api_key": "4711234",
            "api_secret": "the-API-token-of-that-user",
            "target": "sandbox",
            "algorithm_id": 23456789,
            "algorithm_name": "Momentum on large caps",
        },
    ),
    "read_quantconnect_config": Example({**_ACCOUNT, "webhook": _WEBHOOK}, given=_CONFIG),
    "delete_quantconnect_config": Example(status=204, given=_CONFIG),
    "test_quantconnect_config": Example(
        {
            "connected": True,
            "message": "Connected. 1 projects can be read.",
            "projects": [{"id": 23456789, "name": "Momentum on large caps"}],
        },
        given=_CONFIG,
    ),
    "renew_quantconnect_webhook": Example(
        {
            "url": "https://desk.example/hooks/quantconnect/momentum",
            "token": "sbx_hook_ and 43 characters",
            "must_sign": False,
            "old_until": "2026-08-04T16:00:00Z",
            "snippet": "docs/quantconnect/signalbox_emitter.py",
        },
        given=_CONFIG,
        body={"overlap_s": 86400},
    ),
    "push_quantconnect_signals": Example(
        {"push_id": "0f6b2f0e-7a53-5a2f-8a3c-8d3c6f0b7c55", "repeated": False},
        status=202,
        given=_CONFIG,
        body={
            "v": 1,
            "projectId": 23456789,
            "deployId": "L-2b1f",
            "insights": [
                {
                    "id": "6b0f9d1e4c9a4d6f8f5a1b2c3d4e5f60",
                    "symbol": "AAPL R735QTJ8XC9X",
                    "ticker": "AAPL",
                    "direction": 1,
                    "confidence": 0.7,
                    "generatedTime": 1785772800,
                    "closeTime": 1785774000,
                }
            ],
        },
    ),
    "read_quantconnect_status": Example(
        {
            "items": [
                {
                    "config_id": "momentum",
                    "name": "Momentum",
                    "target": "sandbox",
                    "is_active": True,
                    "connected": True,
                    "last_ok_at": "2026-08-03T16:00:00Z",
                    "last_error": None,
                    "clock_skew_s": 0.2,
                    "rate_limit": {"per_minute": 30},
                    "webhook": _WEBHOOK,
                    "algorithms": [ALGORITHM],
                }
            ],
            "next_cursor": None,
        }
    ),
    "list_quantconnect_signals": Example(
        {"items": [_SIGNAL], "next_cursor": None},
        given={
            "symbol": "AAPL",
            "action": "buy",
            "config": "demo",
            "processed": False,
            "from": "2026-08-03T00:00:00Z",
            "to": "2026-08-04T00:00:00Z",
            "limit": 50,
        },
    ),
    "read_quantconnect_signal": Example(
        {**_SIGNAL, "verdicts": [PENDING]}, given={"signal_id": _SIGNAL_ID}
    ),
    "fetch_quantconnect_signals": Example(
        {"fetched": 12, "raised": 2}, body={"config_id": "momentum"}
    ),
    "process_quantconnect_signal": Example(
        {
            "signal_id": _SIGNAL_ID,
            "rounds": [
                {
                    "bot": "beta",
                    "verdict_id": "1f0b2e5c-9a1d-5c7e-8b52-6c2d0a3f4e77",
                    "outcome": "accepted",
                    "reason": "approved",
                    "explanation": "A person approved it.",
                    "problem": None,
                }
            ],
        },
        given={"signal_id": _SIGNAL_ID, "bot": "beta"},
    ),
}
