"""Prompts, and whether what they led to was right."""

from collections.abc import Mapping

from pydantic import JsonValue

from gateway.adapters.openapi import Example
from gateway.routes.examples.language_models import USAGE

_AT = "2026-11-20T09:00:00Z"
_HASH = "1949eececce918d3d46ac14da2f93d61cbb9ef9e7acbdeebb2c5965bbbdcf351"
_WORDS: Mapping[str, JsonValue] = {
    "system": "Judge short-term moves. Answer for every symbol.",
    "user": "Symbols: {{symbols}}\n{{market}}",
}
_PROMPT: dict[str, JsonValue] = {
    "id": "mine",
    "name": "Mine",
    "active_version": 2,
    "latest_version": 2,
    "built_in": False,
    "used_by": ["gpt"],
    "created_at": _AT,
    "updated_at": _AT,
}
_DETAIL: dict[str, JsonValue] = {
    **_PROMPT,
    **_WORDS,
    "hash": _HASH,
    "activations": [{"version": 2, "previous": 1, "by": "admin", "at": _AT}],
}
_SHARE: dict[str, JsonValue] = {
    "count": 1,
    "hits": 1,
    "hit_rate": "1",
    "low": "0.2065",
    "high": "1",
}

EXAMPLES: Mapping[str, Example] = {
    "list_prompts": Example({"items": [_PROMPT], "next_cursor": None}),
    "save_prompt": Example(
        {**_DETAIL, "version": 2, "variables": ["symbols", "market"]},
        status=201,
        body={"id": "mine", **_WORDS, "activate": True},
    ),
    "preview_prompt": Example(
        {
            "system": "Judge short-term moves. Answer for every symbol.",
            "user": "Symbols: AAPL\nAAPL.price: last 210.50, bid 210.48, ask 210.52",
            "tokens_estimated": 900,
            "cost_usd_estimated": "0.0001",
            "cost_usd_worst": "0.0009",
            "warnings": ["No news is known."],
        },
        body={"prompt_id": "mine", "config_id": "gpt"},
    ),
    "list_prompt_variables": Example(
        {
            "items": [
                {
                    "name": "market",
                    "description": "Everything that is known in numbers.",
                    "trusted": True,
                    "max_chars": 20000,
                    "example": "AAPL.price: last 210.50",
                }
            ],
            "next_cursor": None,
        }
    ),
    "read_prompt": Example(_DETAIL, given={"prompt_id": "mine"}),
    "list_prompt_versions": Example(
        {
            "items": [
                {
                    "prompt_id": "mine",
                    "version": 2,
                    "name": "Mine",
                    **_WORDS,
                    "hash": _HASH,
                    "active": True,
                    "created_by": "admin",
                    "created_at": _AT,
                    "usage": {**USAGE},
                    "scored": _SHARE,
                }
            ],
            "next_cursor": None,
        },
        given={"prompt_id": "mine"},
    ),
    "activate_prompt": Example(_DETAIL, given={"prompt_id": "mine"}, body={"version": 2}),
    "list_calibration": Example(
        {
            "items": [
                {
                    "key": "a-model",
                    "source_type": None,
                    "share": _SHARE,
                    "base_rate": "1",
                    "mean_confidence": "0.7",
                    "mean_return": "0.002375",
                    "missing": 199,
                    "brier": None,
                    "brier_skill": None,
                    "expected_error": None,
                    "bins": [],
                }
            ],
            "next_cursor": None,
        },
        given={"by": "model"},
    ),
}
