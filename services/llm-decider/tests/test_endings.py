"""How answers end and how many tokens they count, through the libraries themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from llm_decider.adapters import anthropic_client, openai_client
from llm_decider.adapters.providers import Addresses, Providers
from llm_decider.domain import usage
from llm_decider.domain.shapes import Ask, Ending, Failure, Question, Reply, Usage
from signalbox.contracts.config import LlmConfig
from signalbox.testing.bodies import TEXT, completion, message, response
from signalbox.testing.scripted import Step, scripted

LOADED = (anthropic_client, openai_client)  # so that no deadline below includes it
SCHEMA: Any = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
QUESTION = Question(("AAPL",), "Rules.", "Data.", SCHEMA, {}, frozenset(), {}, 3600, "0")
MODELS = {"responses": "gpt-4o-mini", "chat": "gpt-4o-mini", "messages": "claude-haiku-4-5"}
GOOD = {"responses": response, "chat": completion, "messages": message}
wires = pytest.mark.parametrize("wire", ["responses", "chat", "messages"])


class Open:
    """Opens every sealed key as itself."""

    def open(self, sealed: str, *, config_id: str, field: str) -> str:
        assert (config_id, field) == ("m", "key")
        return sealed


@asynccontextmanager
async def serving(wire: str, *steps: Step) -> AsyncIterator[Any]:
    """A line to a scripted server, and the script."""
    async with scripted(*steps) as script:
        providers = Providers(Addresses(f"{script.url}/v1", script.url, script.url), Open())
        config = LlmConfig(
            id="m",
            name="M",
            provider="claude" if wire == "messages" else "openai",
            wire="chat" if wire == "chat" else "responses",
            key_sealed="sk-canary-5f0d6b3e9a41",
            model=MODELS[wire],
            prompt_id="p",
            symbols=("AAPL",),
        )
        yield providers.open(config), script
        await providers.close()


def ask(wire: str) -> Ask:
    return Ask(QUESTION, MODELS[wire], max_tokens=500, timeout_s=5.0)


async def answered(wire: str, body: Any) -> Reply:
    async with serving(wire, Step(200, body, {"x-request-id": "r", "request-id": "r"})) as (
        line,
        _,
    ):
        found = await line.ask(ask(wire))
    assert isinstance(found, Reply), found
    return found


@wires
async def test_a_complete_answer(wire: str) -> None:
    found = await answered(wire, GOOD[wire]())
    assert (found.ending, found.text, found.request_id) == (Ending.COMPLETE, TEXT, "r")
    assert found.served_model.startswith(MODELS[wire])
    assert found.served_model != MODELS[wire]
    assert found.usage == (
        Usage(8000, 4000, 1000, 2000, 500, 64)
        if wire == "messages"
        else Usage(1000, 400, 0, 0, 500, 64)
    )


INCOMPLETE = {"status": "incomplete"}
REFUSAL_PART = {"type": "message", "content": [{"type": "refusal", "refusal": "I will not."}]}
TWO = response()["output"] + response()["output"][1:]
WHY = {"type": "refusal", "category": None, "explanation": "Not that."}
STRANGE = {"type": "hologram", "text": "BUY everything"}
THINKING = {"type": "thinking", "thinking": "BUY everything", "signature": "x"}


@pytest.mark.parametrize(
    ("wire", "body", "ending", "detail"),
    [
        pytest.param(
            "responses",
            response(**INCOMPLETE, incomplete_details={"reason": "max_output_tokens"}),
            "truncated",
            "limit of tokens",
            id="responses, truncated but valid JSON",
        ),
        pytest.param(
            "responses",
            response(**INCOMPLETE, incomplete_details={"reason": "content_filter"}),
            "refused",
            "filter",
            id="responses, filtered",
        ),
        pytest.param(
            "responses",
            response(**INCOMPLETE, incomplete_details={"reason": "steered"}),
            "unreadable",
            "steered",
            id="responses, another reason",
        ),
        pytest.param(
            "responses", response(output=[REFUSAL_PART]), "refused", "I will not", id="refusal"
        ),
        pytest.param("responses", response(output=[]), "unreadable", "no message", id="empty"),
        pytest.param("responses", response(output=TWO), "unreadable", "2 messages", id="two"),
        pytest.param(
            "responses", response(status="in_progress"), "unreadable", "in_progress", id="status"
        ),
        pytest.param("responses", response(" "), "unreadable", "empty", id="blank"),
        pytest.param(
            "chat", completion(finish_reason="length"), "truncated", "limit", id="chat, truncated"
        ),
        pytest.param(
            "chat",
            completion(finish_reason="content_filter"),
            "refused",
            "filter",
            id="chat, filtered",
        ),
        pytest.param(
            "chat",
            completion(None, message={"refusal": "I will not."}),
            "refused",
            "I will not",
            id="chat, refused with no content",
        ),
        pytest.param(
            "chat", completion(finish_reason="tool_calls"), "unreadable", "tool_calls", id="tools"
        ),
        pytest.param("chat", completion(None), "unreadable", "no text", id="chat, null content"),
        pytest.param("chat", completion(choices=[]), "unreadable", "no choice", id="no choice"),
        pytest.param("chat", completion(choices=None), "unreadable", "no choice", id="null"),
        pytest.param(
            "chat",
            completion(choices=completion()["choices"] * 2),
            "unreadable",
            "2 choices",
            id="two choices",
        ),
        pytest.param(
            "messages", message(stop_reason="max_tokens"), "truncated", "limit", id="max_tokens"
        ),
        pytest.param(
            "messages",
            message(stop_reason="model_context_window_exceeded"),
            "truncated",
            "limit",
            id="context window",
        ),
        pytest.param(
            "messages",
            message(stop_reason="refusal", content=[], stop_details=WHY),
            "refused",
            "Not that",
            id="refusal with empty content",
        ),
        pytest.param(
            "messages", message(stop_reason="pause_turn"), "unreadable", "pause_turn", id="pause"
        ),
        pytest.param(
            "messages", message(stop_reason="napping"), "unreadable", "napping", id="unknown stop"
        ),
        pytest.param("messages", message(content=[]), "unreadable", "no text", id="no block"),
        pytest.param(
            "messages", message(content=[STRANGE]), "unreadable", "no text", id="unknown block only"
        ),
    ],
)
async def test_endings(wire: str, body: Any, ending: str, detail: str) -> None:
    found = await answered(wire, body)
    assert (found.ending, found.usage is not None) == (ending, True)
    assert detail in found.detail


async def test_only_text_counts_as_text() -> None:
    blocks = [THINKING, STRANGE, *message()["content"]]
    assert (await answered("messages", message(content=blocks))).text == TEXT
    odd = response()
    odd["output"][1]["content"] += [STRANGE]
    assert (await answered("responses", odd)).text == TEXT


@wires
async def test_what_an_error_says_can_be_stored(wire: str) -> None:
    problem = {"error": {"type": "invalid_request_error", "message": "no \ud800 here"}}
    async with serving(wire, Step(400, problem)) as (line, _):
        found = await line.ask(ask(wire))
    assert isinstance(found, Failure), found
    assert "no ? here" in found.message
    assert found.message.encode()


@wires
async def test_an_answer_without_usage(wire: str) -> None:
    found = await answered(wire, GOOD[wire](usage=None))
    assert (found.ending, found.usage) == (Ending.COMPLETE, None)


@wires
async def test_a_megabyte_is_no_decision(wire: str) -> None:
    found = await answered(wire, GOOD[wire]("x" * (1 << 20)))
    assert (found.ending, found.usage is not None) == (Ending.UNREADABLE, True)
    assert len(found.text) < 300_000


@pytest.mark.parametrize(
    ("counted", "given"),
    [
        (usage.of_chat, {"prompt_tokens": 10, "completion_tokens": 2}),
        (
            usage.of_chat,
            {"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": None},
        ),
        (usage.of_responses, {"input_tokens": 10, "output_tokens": 2}),
        (usage.of_messages, {"input_tokens": 10, "output_tokens": 2}),
        (
            usage.of_messages,
            {"input_tokens": 10, "output_tokens": 2, "cache_read_input_tokens": None},
        ),
    ],
)
def test_details_may_be_absent(counted: Any, given: Any) -> None:
    assert counted(given) == Usage(input_total=10, output_total=2)


def test_a_write_without_its_lifetime_is_a_short_one() -> None:
    given: Any = {"input_tokens": 10, "output_tokens": 2, "cache_creation_input_tokens": 90}
    assert usage.of_messages(given) == Usage(100, 0, 90, 0, 2)


def test_written_tokens_of_openai_are_inside_the_input() -> None:
    details = {"cached_tokens": 30, "cache_write_tokens": 50}
    given: Any = {"input_tokens": 100, "input_tokens_details": details, "output_tokens": 2}
    assert usage.of_responses(given) == Usage(100, 30, 50, 0, 2)


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        {},
        {"prompt_tokens": 10},
        {"prompt_tokens": -1, "completion_tokens": 2},
        {"prompt_tokens": True, "completion_tokens": 2},
        {"prompt_tokens": 1.5, "completion_tokens": 2},
        {"prompt_tokens": "10", "completion_tokens": 2},
        {
            "prompt_tokens": 10,
            "completion_tokens": 2,
            "prompt_tokens_details": {"cached_tokens": 11},
        },
        {
            "prompt_tokens": 10,
            "completion_tokens": 2,
            "completion_tokens_details": {"reasoning_tokens": 3},
        },
    ],
)
def test_a_count_that_cannot_be_is_none(given: Any) -> None:
    assert usage.of_chat(given) is None
