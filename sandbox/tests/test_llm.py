"""Language models: the rule that answers, the prompt cache, and the wire forms."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from sandbox.faults import Faults
from sandbox.llm import rule
from sandbox.llm.api import Models
from sandbox.llm.counting import Counted, PromptCache, tokens

KEY = {"Authorization": "Bearer sandbox-key"}


def schema(*symbols: str) -> dict[str, Any]:
    decision = {"type": "object", "properties": {"symbol": {"enum": [*symbols]}}}
    return {"properties": {"decisions": {"type": "array", "items": decision}}}


def shown(rsi: str | None, trend: str | None = None) -> str:
    lines = ["AAPL.price: last 200.00, bid 199.99, ask 200.01"]
    if rsi is not None:
        lines.append(f"AAPL.rsi: {rsi} (14 bars)")
    if trend is not None:
        lines.append(f"AAPL.trend: 5 bars flat, 20 bars {trend}, 60 bars down, strength weak")
    return "\n".join(["Market:", *lines])


@pytest.mark.parametrize(
    ("rsi", "trend", "action", "confidence"),
    [
        ("25.0", "down", "BUY", 0.8),
        ("75.0", "up", "SELL", 0.8),
        ("58.0", "up", "BUY", 0.63),
        ("42.0", "down", "SELL", 0.63),
        ("58.0", "down", "HOLD", 0.5),
        ("50.0", "up", "HOLD", 0.5),
        ("60.0", None, "HOLD", 0.5),
        (None, "up", "ABSTAIN", 0.5),
    ],
)
def test_rule(rsi: str | None, trend: str | None, action: str, confidence: float) -> None:
    (decision,) = json.loads(rule.answer(shown(rsi, trend), schema("AAPL")))["decisions"]
    assert (decision["action"], decision["confidence"]) == (action, confidence)
    assert "sandbox" in decision["reasoning"]
    assert (rsi or "no RSI") in decision["reasoning"]
    if action == "BUY":
        assert (decision["stop_loss"], decision["take_profit"]) == (196, 206)
    elif action == "SELL":
        assert (decision["stop_loss"], decision["take_profit"]) == (204, 194)
    else:
        assert decision["stop_loss"] is None


def test_each_symbol_by_its_own_numbers() -> None:
    prompt = f"{shown('80.0')}\n{shown('20.0').replace('AAPL', 'BRK.B')}"
    found = json.loads(rule.answer(prompt, schema("AAPL", "BRK.B", "MSFT")))["decisions"]
    assert [(one["symbol"], one["action"]) for one in found] == [
        ("AAPL", "SELL"),
        ("BRK.B", "BUY"),
        ("MSFT", "ABSTAIN"),
    ]
    assert found[2]["evidence"] == []


@pytest.mark.parametrize("form", [None, {}, [], {"properties": {"decisions": 3}}])
def test_it_answers_any_question(form: Any) -> None:
    assert "sandbox" in json.loads(rule.answer("Hello", form))["note"]


def test_marked_prefixes_are_written_once_and_read_until_they_lapse() -> None:
    now = [0.0]
    cache = PromptCache(100, 300.0, lambda: now[0])
    rules, size = "r" * 900, 300
    total = size + tokens("data")
    assert cache.marked("m", rules, "data") == Counted(total, written=size)
    assert cache.marked("m", rules, "data") == Counted(total, read=size)
    assert cache.marked("other", rules, "data") == Counted(total, written=size)
    assert cache.marked("m", "short", "data") == Counted(tokens("short") + tokens("data"))
    now[0] = 301
    assert cache.marked("m", rules, "data") == Counted(total, written=size)


def test_common_prefixes_are_found_in_whole_blocks() -> None:
    cache = PromptCache(1024, 300.0)
    prompt = "r" * 3 * 1100
    assert cache.whole("m", prompt + "one").read == 0
    assert cache.whole("m", prompt + "two").read == 1024
    assert cache.whole("m", "x" + prompt).read == 0


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=Models().routes(Faults()))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://sandbox"
    ) as client:
        yield client


async def test_models_are_listed(http: httpx.AsyncClient) -> None:
    openai = (await http.get("/openai/v1/models", headers=KEY)).json()
    assert "gpt-6-luna" in [row["id"] for row in openai["data"]]
    claude = (await http.get("/anthropic/v1/models", headers=KEY)).json()
    assert (claude["has_more"], claude["data"][0]["lifecycle"]) == (False, "active")


async def test_tokens_are_counted_before_a_call(http: httpx.AsyncClient) -> None:
    asked: dict[str, Any] = {"model": "gpt-6-luna", "instructions": "abc", "input": "abcdef"}
    found = await http.post("/openai/v1/responses/input_tokens", json=asked, headers=KEY)
    assert found.json() == {"object": "response.input_tokens", "input_tokens": 3}
    message: dict[str, Any] = {"role": "user", "content": [{"type": "text", "text": "abcdef"}]}
    asked = {"model": "claude-haiku-5-5", "system": "abc", "messages": [message]}
    found = await http.post("/anthropic/v1/messages/count_tokens", json=asked, headers=KEY)
    assert found.json() == {"input_tokens": 3}


@pytest.mark.parametrize("key", [None, "Bearer wrong-key-123456", "Bearer "])
async def test_a_wrong_key_is_refused_in_each_providers_form(
    http: httpx.AsyncClient, key: str | None
) -> None:
    headers = {} if key is None else {"Authorization": key}
    found = await http.get("/openai/v1/models", headers=headers)
    assert (found.status_code, found.json()["error"]["type"]) == (401, "invalid_request_error")
    assert "key-12" not in found.text
    found = await http.get("/anthropic/v1/models", headers=headers)
    assert (found.status_code, found.json()["error"]["type"]) == (401, "authentication_error")
    found = await http.get("/anthropic/v1/models", headers={"x-api-key": "sandbox-key"})
    assert found.status_code == 200, "the older way of naming the key"


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"model": 3}', b'{"model": "gpt-6-luna"}'])
async def test_bad_requests_are_answered(http: httpx.AsyncClient, content: bytes) -> None:
    paths = ("openai/v1/responses", "openai/v1/chat/completions", "anthropic/v1/messages")
    for path in paths:
        found = await http.post(f"/{path}", content=content, headers=KEY)
        assert found.status_code in {400, 404}
        assert found.json()["error"]["message"]
