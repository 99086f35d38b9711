"""What waits for a person, and what is wrong."""

from collections.abc import Mapping

from pydantic import JsonValue

from gateway.adapters.openapi import Example

_AT = "2026-08-03T16:00:00Z"

_PENDING: dict[str, JsonValue] = {
    "id": "5b0e8a39-6a53-5f0c-9a55-1d4b8f0c2e77",
    "signal_id": "0ef5fefd-6e48-5f6e-8b36-2d9d5d6d8f0b",
    "bot": "beta",
    "account": "paper-alpha",
    "symbol": "AAPL",
    "source_type": "quantconnect",
    "source_id": "4711",
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
    "evaluated_at": _AT,
    "valid_until": "2026-08-03T16:05:00Z",
    "current": True,
    "sequence": 1,
    "config_version": 0,
}
_HALT: dict[str, JsonValue] = {
    "id": "9d5c3f3e-0f0b-5a3f-8d53-3b1f9b8a2c11",
    "severity": "critical",
    "code": "key_halted",
    "about": "key:alpha/AAPL",
    "message": "Bot alpha on AAPL is halted. Look at the broker, then clear it; next number, 7.",
    "service": "executor",
    "active": True,
    "at": _AT,
}

EXAMPLES: Mapping[str, Example] = {
    "list_pending_verdicts": Example(
        given={"limit": 50}, answer={"items": [_PENDING], "next_cursor": None}
    ),
    "list_alerts": Example(
        given={"active": True, "code": ["key_halted", "bot_halted"]},
        answer={"items": [_HALT], "next_cursor": None},
    ),
}
