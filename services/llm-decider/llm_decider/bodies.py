"""What commands say and are answered: fields of their bodies, and attempts in words."""

from decimal import Decimal, InvalidOperation
from uuid import UUID

from pydantic import JsonValue

from llm_decider.domain.attempts import Attempt
from signalbox.contracts.commands import Command
from signalbox.contracts.errors import Malformed
from signalbox.contracts.ids import plain


def attempt_body(attempt: Attempt) -> dict[str, JsonValue]:
    """One request to a provider with its money."""
    return {
        "attempt": str(attempt.attempt_id),
        "number": attempt.number,
        "config_id": attempt.config_id,
        "provider": attempt.provider,
        "model": attempt.model,
        "at": attempt.at.isoformat(),
        "latency_ms": attempt.latency_ms,
        "status": attempt.status,
        "request_id": attempt.request_id,
        "outcome": attempt.outcome,
        "error": attempt.error,
        "usage": attempt.usage,
        "cost_usd": plain(attempt.cost_usd),
        "reserved_usd": plain(attempt.reserved_usd),
        "state": attempt.state.value,
        "raw_text": attempt.raw_text,
    }


def text(command: Command, key: str) -> str:
    """A text that has to be there."""
    value = command.body.get(key)
    if not isinstance(value, str) or not value:
        raise Malformed(f"{key} is missing")
    return value


def string(command: Command, key: str) -> str:
    """A text that may be empty."""
    value = command.body.get(key, "")
    if not isinstance(value, str):
        raise Malformed(f"{key} is not a text")
    return value


def uuid(command: Command, key: str) -> UUID:
    """An id."""
    try:
        return UUID(text(command, key))
    except ValueError:
        raise Malformed(f"{key} is not an id") from None


def cost(command: Command) -> Decimal:
    """What a call has cost, US dollars."""
    try:
        found = Decimal(str(command.body.get("cost_usd")))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or not 0 <= found < 1_000_000:
        raise Malformed("cost_usd is not a number from 0")
    return found
