"""What the parts of a decision hand to each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from pydantic import JsonValue

from signalbox.contracts.payloads import Bar, News, Position, Quote, Signal


@dataclass(frozen=True, slots=True)
class Market:
    """What is known of one symbol at one market time, and nothing later."""

    symbol: str
    now: datetime
    interval: str
    bars: tuple[Bar, ...]  # closed ones, oldest first
    quote: Quote | None = None
    news: tuple[News, ...] = ()  # newest first
    position: Position | None = None
    signals: tuple[Signal, ...] = ()  # live ones of other sources


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked in one call: the rendered messages and what an answer may name."""

    symbols: tuple[str, ...]
    system: str
    user: str
    schema: Mapping[str, JsonValue]  # JSON Schema that is strict at both providers
    prices: Mapping[str, Decimal]  # last trusted price by symbol
    evidence: frozenset[str]  # ids that an answer may cite
    snapshots: Mapping[str, Mapping[str, JsonValue]]  # what was shown, by symbol
    horizon_s: int  # the longest that an answer may name
    hash: str  # SHA-256 of messages and schema, hexadecimal
    notes: tuple[str, ...] = ()  # what was cut or flagged


@dataclass(frozen=True, slots=True)
class Ask:
    """One attempt, as a provider gets it."""

    question: Question
    model: str
    max_tokens: int
    timeout_s: float  # of the whole attempt
    temperature: Decimal | None = None
    effort: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, in one meaning for all providers."""

    input_total: int = 0
    cache_read: int = 0  # inside input_total
    cache_write_5m: int = 0  # inside input_total
    cache_write_1h: int = 0  # inside input_total
    output_total: int = 0
    reasoning: int = 0  # inside output_total


class Ending(StrEnum):
    """How an answer ended. Judged before its text is looked at."""

    COMPLETE = "complete"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    UNREADABLE = "unreadable"  # empty, several choices, an unknown ending


class Booking(StrEnum):
    """What becomes of the money that was reserved for an attempt."""

    SETTLE = "settle"  # the provider said what it used
    RELEASE = "release"  # certainly not billed
    HOLD = "hold"  # unknown; it stays reserved in full until somebody resolves it


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back from a provider, before validation."""

    ending: Ending
    text: str
    served_model: str
    usage: Usage | None  # none: a compatible server that does not count
    request_id: str = ""
    detail: str = ""  # why it was refused or cannot be read, in words
    notes: tuple[str, ...] = ()  # settings that the model does not take and that were left out


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer. `message` is for the user, with nothing secret in it."""

    kind: str  # one word: rate_limited, credentials, exhausted, unknown_model, deadline, ...
    message: str
    booking: Booking
    retry: bool = False
    once: bool = False  # asking again makes sense one time only
    retry_after_s: float | None = None  # what the server asked for
    breaks: bool = False  # opens the circuit of this provider, key and model at once
    status: int | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """What a provider says of a key and a model, without any paid call."""

    connected: bool
    message: str
    model: Mapping[str, JsonValue] | None = None
    warnings: tuple[str, ...] = ()


class Provider(Protocol):
    """One provider with one key at one address."""

    async def ask(self, ask: Ask) -> Reply | Failure:
        """Make one attempt. Raises nothing but cancellation; never retries by itself."""

    async def check(self, model: str) -> ModelCheck:
        """Whether key and model are accepted; spends nothing."""

    async def close(self) -> None:
        """Let go of its connections."""
