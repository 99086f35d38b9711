"""What waits for a person, and what is wrong."""

from collections.abc import Mapping

from pydantic import JsonValue

from gateway.adapters.openapi import Example
from gateway.routes.examples.accounts import PENDING

_AT = "2026-08-03T16:00:00Z"

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
        given={"limit": 50}, answer={"items": [PENDING], "next_cursor": None}
    ),
    "list_alerts": Example(
        given={"active": True, "code": ["key_halted", "bot_halted"]},
        answer={"items": [_HALT], "next_cursor": None},
    ),
}
