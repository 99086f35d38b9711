"""What commands say and are answered: fields of their bodies, and attempts in words."""

from decimal import Decimal, InvalidOperation
from uuid import UUID

from pydantic import JsonValue

from llm_decider.adapters.ledger import Place
from llm_decider.domain.attempts import Attempt
from signalbox.contracts.commands import Command
from signalbox.contracts.errors import Malformed
from signalbox.contracts.ids import plain


def call_body(attempt: Attempt) -> dict[str, JsonValue]:
    """One request to a provider, and what is set aside for it."""
    return {
        "attempt": str(attempt.attempt_id),
        "config_id": attempt.config_id,
        "provider": attempt.provider,
        "model": attempt.model,
        "at": attempt.at.isoformat(),
        "request_id": attempt.request_id,
        "outcome": attempt.outcome,
        "error": attempt.error,
        "reserved_usd": plain(attempt.reserved_usd),
    }


def attempt_body(attempt: Attempt) -> dict[str, JsonValue]:
    """One request to a provider with its money and its answer."""
    return call_body(attempt) | {
        "number": attempt.number,
        "latency_ms": attempt.latency_ms,
        "status": attempt.status,
        "usage": attempt.usage,
        "cost_usd": plain(attempt.cost_usd),
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


def limit(command: Command, most: int) -> int:
    """How many of a list are wanted, at most so many."""
    value = command.body.get("limit", most)
    if type(value) is not int or not 1 <= value <= most:
        raise Malformed(f"limit is not a number from 1 to {most}")
    return value


def place(command: Command) -> Place | None:
    """Where a list goes on, as the answer before has told it; none is its beginning."""
    match command.body.get("after"):
        case None:
            return None
        case [int(at_us), str(key)] if abs(at_us) < 1 << 63:
            return at_us, key
    raise Malformed("after is not a place that this list gave")


def cost(command: Command) -> Decimal:
    """What a call has cost, US dollars."""
    try:
        found = Decimal(str(command.body.get("cost_usd")))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or not 0 <= found < 1_000_000:
        raise Malformed("cost_usd is not a number from 0")
    return found
