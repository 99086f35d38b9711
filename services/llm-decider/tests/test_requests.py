"""What is sent, what is left out of it and remembered, and checks that spend nothing."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from llm_decider.adapters import anthropic_client, openai_client
from llm_decider.adapters.lines import Line
from llm_decider.adapters.providers import Addresses, Providers
from llm_decider.domain.shapes import Ask, Ending, Failure, Question, Reply
from signalbox.contracts.config import LlmConfig
from signalbox.testing.bodies import claude_error, completion, message, openai_error, response
from signalbox.testing.scripted import Script, Seen, Step, scripted

SCHEMA: Any = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
LOADED = (anthropic_client, openai_client)  # so that no deadline below includes it
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
async def serving(wire: str, *steps: Step | Callable[[Seen], Step]) -> AsyncIterator[Any]:
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


def ask(wire: str, **over: Any) -> Ask:
    return replace(Ask(QUESTION, MODELS[wire], max_tokens=500, timeout_s=5.0), **over)


async def sent(wire: str, **over: Any) -> tuple[dict[str, Any], Reply]:
    async with serving(wire, Step(200, GOOD[wire]())) as (line, script):
        found = await line.ask(ask(wire, **over))
    assert isinstance(found, Reply)
    return script.seen[0].body, found


async def test_what_responses_gets() -> None:
    body, found = await sent("responses", temperature=Decimal("0.2"), effort="low")
    assert body.pop("prompt_cache_key")
    assert body == {
        "model": "gpt-4o-mini",
        "instructions": "Rules.",
        "input": "Data.",
        "max_output_tokens": 500,
        "store": False,
        "service_tier": "default",
        "temperature": 0.2,
        "reasoning": {"effort": "low"},
        "text": {
            "format": {
                "type": "json_schema",
                "name": "decisions",
                "strict": True,
                "schema": SCHEMA,
            }
        },
    }
    assert found.notes == ()


async def test_only_the_rules_are_written_to_a_cache_that_charges_for_it() -> None:
    body, _ = await sent("responses", model="gpt-6-luna")
    assert body["prompt_cache_options"] == {"mode": "explicit"}
    rules, data = body["input"]
    assert rules["content"][0]["prompt_cache_breakpoint"] == {"mode": "explicit"}
    assert (rules["role"], rules["content"][0]["text"]) == ("developer", "Rules.")
    assert (data["role"], data["content"][0]) == ("user", {"type": "input_text", "text": "Data."})
    assert "instructions" not in body


async def test_what_chat_gets() -> None:
    body, _ = await sent("chat", temperature=Decimal("0.2"), effort="low")
    assert body == {
        "model": "gpt-4o-mini",
        "messages": [
            {"role": "system", "content": "Rules."},
            {"role": "user", "content": "Data."},
        ],
        "max_completion_tokens": 500,
        "temperature": 0.2,
        "reasoning_effort": "low",
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "decisions", "strict": True, "schema": SCHEMA},
        },
    }


async def test_what_messages_gets() -> None:
    body, found = await sent("messages", temperature=Decimal("0.2"), effort="low")
    assert body == {
        "model": "claude-haiku-4-5",
        "system": [{"type": "text", "text": "Rules.", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": "Data."}],
        "max_tokens": 500,
        "service_tier": "standard_only",
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
    }
    assert found.notes == ("temperature is left out: claude-haiku-4-5 does not take it",)
    body, _ = await sent("messages", effort="none", max_tokens=30_000)
    assert body["thinking"] == {"type": "disabled"}
    assert "effort" not in body["output_config"]


@pytest.mark.parametrize(
    ("model", "effort", "taken"),
    [
        ("gpt-4o-mini", None, True),
        ("gpt-5-mini", None, False),
        ("gpt-6-luna", "low", False),
        ("gpt-6-luna", "none", True),
        ("o3", None, False),
        ("llama3.2", None, True),
    ],
)
async def test_temperature_goes_only_to_models_that_take_it(
    model: str, effort: str | None, taken: bool
) -> None:
    given = {"model": model, "effort": effort, "temperature": Decimal("0.5")}
    body, found = await sent("responses", **given)
    assert ("temperature" in body) is taken
    assert bool(found.notes) is not taken


REFUSALS = [
    # wire, body of the 400, what is then missing, what the page is told
    (
        "responses",
        openai_error("no", param="temperature"),
        "temperature",
        "temperature is left out",
    ),
    ("responses", openai_error("no", param="reasoning.effort"), "reasoning", "effort is left out"),
    ("responses", openai_error("no", param="text.format"), "text", "asked for in words"),
    ("responses", openai_error("Unknown parameter: 'store'."), "store", None),
    ("responses", openai_error("no", param="prompt_cache_key"), "prompt_cache_key", None),
    ("responses", openai_error("no", param="service_tier"), "service_tier", None),
    ("chat", openai_error("no", param="temperature"), "temperature", "temperature is left out"),
    ("chat", openai_error("'response_format' is no"), "response_format", "asked for in words"),
    ("chat", openai_error("no", param="max_completion_tokens"), "max_completion_tokens", None),
    (
        "messages",
        claude_error("invalid_request_error", "output_config.effort: not supported"),
        "effort",
        "effort is left out",
    ),
    (
        "messages",
        claude_error("invalid_request_error", "output_config.format: not supported"),
        "format",
        "asked for in words",
    ),
    (
        "messages",
        claude_error("invalid_request_error", "system.0.cache_control: no"),
        "cache_control",
        None,
    ),
]


@pytest.mark.parametrize(("wire", "refusal", "missing", "note"), REFUSALS)
async def test_a_setting_that_is_refused_is_left_out_from_then_on(
    wire: str, refusal: Any, missing: str, note: str | None
) -> None:
    def answer(request: Seen) -> Step:
        refused = f'"{missing}"' in str(request.body).replace("'", '"')
        return Step(400, refusal) if refused else Step(200, GOOD[wire]())

    async with serving(wire, answer) as (line, script):
        question = ask(wire, temperature=Decimal("0.5"), effort="low")
        first = await line.ask(question)
        again = await line.ask(question)
    assert len(script.seen) == 3, "refused once, and remembered"
    assert first.ending is Ending.COMPLETE
    assert again.notes == first.notes
    if note is not None:
        assert note in " ".join(first.notes)
        assert line.notes(question) == first.notes
    if "words" in (note or ""):
        assert "additionalProperties" in str(script.seen[1].body)
    if missing == "max_completion_tokens":
        assert script.seen[1].body["max_tokens"] == 500


@wires
async def test_a_fault_in_the_request_is_not_hidden_by_leaving_things_out(wire: str) -> None:
    wrong = openai_error("Invalid schema", param="text.format.schema", code="invalid_json_schema")
    if wire == "chat":
        wrong = openai_error("The text has no place in a store. Input has too much text.")
    body = (
        claude_error("invalid_request_error", "messages: too few") if wire == "messages" else wrong
    )
    async with serving(wire, Step(400, body)) as (line, script):
        found = await line.ask(ask(wire))
    assert isinstance(found, Failure)
    assert (found.kind, len(script.seen)) == ("bad_request", 1)


@wires
async def test_a_server_that_refuses_everything_is_not_asked_for_ever(wire: str) -> None:
    name = {"responses": "store", "chat": "temperature", "messages": "cache_control"}[wire]
    body = claude_error("x", name) if wire == "messages" else openai_error("no", param=name)
    async with serving(wire, Step(400, body)) as (line, script):
        found = await line.ask(ask(wire, temperature=Decimal("0.5")))
    assert isinstance(found, Failure)
    assert found.kind == "bad_request"
    assert len(script.seen) == 2


MODEL = {"id": "gpt-4o-mini", "object": "model", "created": 1, "owned_by": "openai"}
CAPABLE = {"structured_outputs": {"supported": False}, "effort": {"low": {"supported": False}}}
RECORD = {
    "id": "claude-haiku-4-5-20251001",
    "type": "model",
    "display_name": "Claude Haiku 4.5",
    "lifecycle": "active",
    "created_at": "2025-10-01T00:00:00Z",
    "max_tokens": 64_000,
    "capabilities": CAPABLE,
}


async def checked(wire: str, *steps: Step) -> tuple[Any, Script, Line]:
    async with serving(wire, *steps) as (line, script):
        return await line.check(MODELS[wire]), script, line


async def test_a_check_asks_for_the_model_and_spends_nothing() -> None:
    found, script, _ = await checked("responses", Step(200, MODEL))
    assert (found.connected, found.warnings) == (True, ())
    assert [(s.method, s.path) for s in script.seen] == [("GET", "/v1/models/gpt-4o-mini")]
    found, script, _ = await checked(
        "responses", Step(200, MODEL | {"shutdown_date": "2027-01-05"})
    )
    assert found.model["retires_at"].startswith("2027-01-05")
    assert found.connected


async def test_a_check_warns_of_the_end_of_a_model() -> None:
    found, _, _ = await checked("responses", Step(200, MODEL | {"shutdown_date": "2020-01-05"}))
    assert "2020-01-05" in found.warnings[0]
    dying = RECORD | {"lifecycle": "deprecated", "retires_at": "2020-02-01T00:00:00Z"}
    found, _, _ = await checked("messages", Step(200, dying))
    assert "2020-02-01" in found.warnings[0]
    found, _, _ = await checked("messages", Step(200, RECORD | {"lifecycle": "retired"}))
    assert (found.connected, "retired" in found.warnings[0]) == (False, True)


async def test_what_the_record_says_is_heeded() -> None:
    async with serving("messages", Step(200, RECORD), Step(200, message())) as (line, script):
        found = await line.check("claude-haiku-4-5")
        assert found.model["structured_outputs"] is False
        reply = await line.ask(ask("messages", effort="low"))
    assert script.seen[0].path == "/v1/models/claude-haiku-4-5"
    assert "output_config" not in script.seen[1].body
    assert len(reply.notes) == 2


async def test_a_check_of_a_model_that_is_not_there() -> None:
    missing = Step(404, openai_error("no", code="model_not_found"))
    pages = {"object": "list", "data": [{"id": "a"}, {"id": "b"}], "has_more": True}
    found, script, _ = await checked("chat", missing, Step(200, pages))
    assert not found.connected
    assert "a, b" in found.message
    assert len(script.seen) == 2, "one page, whatever the server says of more"
    listed = {"object": "list", "data": [{"id": "gpt-4o-mini"}]}
    found, _, _ = await checked("chat", Step(404, {"detail": "Not Found"}), Step(200, listed))
    assert found.connected, "a server that only lists"


@wires
@pytest.mark.parametrize(
    ("step", "says"),
    [
        (Step(401, {"error": {"message": "no"}}), "API key"),
        (Step(403, {"error": {"message": "no"}}), "does not allow"),
        (Step(200, b"<html>"), "login page"),
        (Step(200, {}), "login page"),
        (Step(500, {"error": {"message": "no"}}), "error of its own"),
    ],
)
async def test_a_check_that_fails_says_why(wire: str, step: Step, says: str) -> None:
    found, _, _ = await checked(wire, step)
    assert not found.connected
    assert says in found.message
    async with serving(wire, step) as (line, script):
        url = script.url
    assert url
    found = await line.check(MODELS[wire])
    assert "cannot be reached" in found.message
