"""What is sent, by wire form. A setting that a model does not take is left out, and noted.

What a model takes is known from the family in its name, from the provider's record of it, and from
what the provider has refused: a 400 that names the setting.
"""

import hashlib
import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pydantic import JsonValue

from llm_decider.domain.outcomes import Problem
from llm_decider.domain.replies import Read, read_chat, read_messages, read_responses
from llm_decider.domain.shapes import Ask

Json = dict[str, JsonValue]
Body = dict[str, JsonValue | Decimal]  # the keywords of a call
Setting = Literal["temperature", "effort", "schema", "cache", "tier", "store", "cap"]
_SCHEMA_NAME = "decisions"
_REASONING = re.compile(r"^(o\d|gpt-([5-9]|\d\d))(?!.*-chat)")
_BREAKPOINTS = re.compile(r"^gpt-(5\.[6-9]|[6-9]|\d\d)")
_ENGLISH = frozenset({"reasoning", "store", "text", "thinking"})  # meant only where marked as names
_IN_WORDS = "\n\nAnswer with one JSON object and nothing else. It fits this JSON Schema:\n"


@dataclass(frozen=True, slots=True)
class Wire:
    """One form of request and answer."""

    provider: str
    build: Callable[[Ask, Collection[Setting]], Body]
    read: Read
    names: tuple[tuple[str, Setting], ...]  # as a 400 names it -> setting; the most exact first


def _responses(ask: Ask, out: Collection[Setting]) -> Body:
    system, schema = _system(ask, out), dict(ask.question.schema)
    mark: Json = {"mode": "explicit"}
    body: Body = {
        "model": ask.model,
        "instructions": system,
        "input": ask.question.user,
        "max_output_tokens": ask.max_tokens,
    }
    if "store" not in out:
        body["store"] = False
    if "tier" not in out:
        body["service_tier"] = "default"  # the one that the prices are for
    if "schema" not in out:
        form: Json = {"type": "json_schema", "name": _SCHEMA_NAME, "strict": True, "schema": schema}
        body["text"] = {"format": form}
    if ask.temperature is not None and "temperature" not in out:
        body["temperature"] = ask.temperature
    if ask.effort is not None and "effort" not in out:
        body["reasoning"] = {"effort": ask.effort}
    if "cache" not in out:
        body["prompt_cache_key"] = hashlib.sha256(system.encode()).hexdigest()[:32]
        if _BREAKPOINTS.match(ask.model):  # these charge for writes, so only the rules are written
            del body["instructions"]
            rules: Json = {"type": "input_text", "text": system, "prompt_cache_breakpoint": mark}
            body["prompt_cache_options"] = mark
            body["input"] = [
                {"role": "developer", "content": [rules]},
                {"role": "user", "content": [{"type": "input_text", "text": ask.question.user}]},
            ]
    return body


def _chat(ask: Ask, out: Collection[Setting]) -> Body:
    body: Body = {
        "model": ask.model,
        "messages": [
            {"role": "system", "content": _system(ask, out)},
            {"role": "user", "content": ask.question.user},
        ],
        "max_tokens" if "cap" in out else "max_completion_tokens": ask.max_tokens,
    }
    if "schema" not in out:
        form = dict(ask.question.schema)
        schema: Json = {"name": _SCHEMA_NAME, "strict": True, "schema": form}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    if ask.temperature is not None and "temperature" not in out:
        body["temperature"] = ask.temperature
    if ask.effort is not None and "effort" not in out:
        body["reasoning_effort"] = ask.effort
    return body


def _messages(ask: Ask, out: Collection[Setting]) -> Body:
    rules: Json = {"type": "text", "text": _system(ask, out)}
    if "cache" not in out:
        rules["cache_control"] = {"type": "ephemeral"}
    config: Json = {}
    if "schema" not in out:
        config["format"] = {"type": "json_schema", "schema": dict(ask.question.schema)}
    body: Body = {
        "model": ask.model,
        "system": [rules],
        "messages": [{"role": "user", "content": ask.question.user}],
        "max_tokens": ask.max_tokens,
    }
    if "tier" not in out:
        body["service_tier"] = "standard_only"  # the one that the prices are for
    if ask.effort == "none" and "effort" not in out:
        body["thinking"] = {"type": "disabled"}
    elif ask.effort is not None and "effort" not in out:
        config["effort"] = ask.effort
    if config:
        body["output_config"] = config
    return body


WIRES: dict[str, Wire] = {
    "responses": Wire(
        "openai",
        _responses,
        read_responses,
        (
            ("temperature", "temperature"),
            ("reasoning.effort", "effort"),
            ("reasoning", "effort"),
            ("text.format", "schema"),
            ("response_format", "schema"),
            ("text", "schema"),
            ("prompt_cache_options", "cache"),
            ("prompt_cache_key", "cache"),
            ("prompt_cache_breakpoint", "cache"),
            ("service_tier", "tier"),
            ("store", "store"),
        ),
    ),
    "chat": Wire(
        "openai",
        _chat,
        read_chat,
        (
            ("temperature", "temperature"),
            ("reasoning_effort", "effort"),
            ("response_format", "schema"),
            ("max_completion_tokens", "cap"),
        ),
    ),
    "messages": Wire(
        "claude",
        _messages,
        read_messages,
        (
            ("output_config.effort", "effort"),
            ("thinking", "effort"),
            ("output_config.format", "schema"),
            ("cache_control", "cache"),
            ("service_tier", "tier"),
            ("output_config", "effort"),
            ("output_config", "schema"),
        ),
    ),
}


def wire_of(provider: str, wire: str) -> Wire:
    """The form that a config speaks."""
    return WIRES["messages" if provider == "claude" else wire]


def left_out(
    wire: Wire, model: str, effort: str | None, refused: Collection[Setting] = ()
) -> frozenset[Setting]:
    """The settings that a call goes without."""
    reasons = wire.provider == "openai" and effort != "none" and _REASONING.match(model)
    never: set[Setting] = {"temperature"} if wire.provider == "claude" or reasons else set()
    return frozenset(never | set(refused))


def notes(
    model: str, out: Collection[Setting], *, temperature: Decimal | None, effort: str | None
) -> tuple[str, ...]:
    """What was asked for and is left out, in words for the page."""
    found = []
    if temperature is not None and "temperature" in out:
        found.append(f"temperature is left out: {model} does not take it")
    if effort is not None and "effort" in out:
        found.append(f"effort is left out: {model} does not take this level")
    if "schema" in out:
        found.append(f"the answer's form is asked for in words: {model} takes no schema")
    return tuple(found)


def named(wire: Wire, problem: Problem | None, out: Collection[Setting]) -> Setting | None:
    """The setting that a 400 names, unless the call went without it already."""
    if problem is None or "schema" in problem.code:  # a wrong schema is a fault to be seen
        return None
    return next(
        (setting for name, setting in wire.names if setting not in out and _names(problem, name)),
        None,
    )


def _names(problem: Problem, name: str) -> bool:
    if problem.param:
        return problem.param == name or problem.param.startswith(f"{name}.")
    mark = r"(?=['\"`:\]]|\.\w)" if name in _ENGLISH else r"(?!\w)"
    return re.search(rf"(?<![\w-]){re.escape(name)}{mark}", problem.message) is not None


def _system(ask: Ask, out: Collection[Setting]) -> str:
    if "schema" not in out:
        return ask.question.system
    return ask.question.system + _IN_WORDS + json.dumps(dict(ask.question.schema))
