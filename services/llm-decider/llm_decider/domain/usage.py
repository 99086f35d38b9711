"""Token counts in one meaning for every provider.

What is inside what differs: OpenAI's cached tokens are part of its input tokens, Anthropic's are
not. A count that is missing, negative or contradicts itself is no count: None.
"""

from collections.abc import Mapping

from pydantic import JsonValue

from llm_decider.domain.shapes import Usage

_Counts = Mapping[str, JsonValue]


def of_responses(usage: JsonValue) -> Usage | None:
    """The `usage` of OpenAI's Responses."""
    return _inside(usage, ("input_tokens", "output_tokens"))


def of_chat(usage: JsonValue) -> Usage | None:
    """The `usage` of Chat Completions; compatible servers may leave out any part."""
    return _inside(usage, ("prompt_tokens", "completion_tokens"))


def of_messages(usage: JsonValue) -> Usage | None:
    """The `usage` of Anthropic's Messages: all input is a sum of three."""
    if not isinstance(usage, dict):
        return None
    uncached, output = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    read = _count(usage, "cache_read_input_tokens", 0)
    written = _count(usage, "cache_creation_input_tokens", 0)
    hour = _count(_part(usage, "cache_creation"), "ephemeral_1h_input_tokens", 0)
    thinking = _count(_part(usage, "output_tokens_details"), "thinking_tokens", 0)
    if None in {uncached, output, read, written, hour, thinking}:
        return None
    return _checked(
        Usage(
            input_total=(uncached or 0) + (read or 0) + (written or 0),
            cache_read=read or 0,
            cache_write_5m=(written or 0) - (hour or 0),
            cache_write_1h=hour or 0,
            output_total=output or 0,
            reasoning=thinking or 0,
        )
    )


def _inside(usage: JsonValue, names: tuple[str, str]) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    details_in, details_out = (_part(usage, f"{name}_details") for name in names)
    total, output = (_count(usage, name) for name in names)
    read = _count(details_in, "cached_tokens", 0)
    written = _count(details_in, "cache_write_tokens", 0)
    reasoning = _count(details_out, "reasoning_tokens", 0)
    if None in {total, output, read, written, reasoning}:
        return None
    return _checked(
        Usage(
            input_total=total or 0,
            cache_read=read or 0,
            cache_write_5m=written or 0,
            output_total=output or 0,
            reasoning=reasoning or 0,
        )
    )


def _checked(usage: Usage) -> Usage | None:
    cached = usage.cache_read + usage.cache_write_5m + usage.cache_write_1h
    fits = cached <= usage.input_total and usage.reasoning <= usage.output_total
    return usage if fits and usage.cache_write_5m >= 0 else None


def _part(usage: _Counts, name: str) -> _Counts:
    found = usage.get(name)
    return found if isinstance(found, dict) else {}


def _count(counts: _Counts, name: str, absent: int | None = None) -> int | None:
    """A count; `absent` where there is none; None where it cannot be one."""
    found = counts.get(name)
    if found is None:
        return absent
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        return None
    return found
