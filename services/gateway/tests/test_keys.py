"""Keys and tokens are taken as they can be sent, or refused while whoever copied them looks on."""

from typing import Any

import pytest

QUANTCONNECT = {"api_key": "4711234", "api_secret": "f3a9c07715e0db2"}
MODEL = {
    "id": "gpt",
    "provider": "openai",
    "model": "a-model",
    "symbols": ["AAPL"],
    "api_key": "sk-canary-1",
}
BROKER = {"broker": "alpaca", "api_key": "PK1", "api_secret": "canary-7715"}
WRONG = ["blank inside", " before", "after\n", "zero\u200bwidth", "acc\u00e9nt", "t\tab"]


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/quantconnect/config", QUANTCONNECT, "api_key"),
        ("/api/quantconnect/config", QUANTCONNECT, "api_secret"),
        ("/api/ai-trading/config", MODEL, "api_key"),
        ("/api/accounts", BROKER, "api_key"),
        ("/api/accounts", BROKER, "api_secret"),
    ],
)
async def test_a_key_that_cannot_be_sent_is_refused(
    gateway: Any, path: str, body: dict[str, Any], *, field: str, wrong: str
) -> None:
    async with gateway() as web:
        refused = await web.post(path, json=body | {field: wrong})
        taken = await web.post(path, json=body)
    assert (refused.status_code, taken.status_code) == (422, 201), taken.text
    assert field in refused.text
    assert wrong.strip() not in refused.text
