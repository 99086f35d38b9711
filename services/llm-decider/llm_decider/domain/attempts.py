"""What is to be asked, the call that asks it, and every attempt at that call."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from pydantic import JsonValue

from llm_decider.domain.shapes import Booking, Failure
from llm_decider.domain.triggers import Trigger, call_id, decision_id
from signalbox.contracts import ids
from signalbox.contracts.config import LlmConfig

GATHER = timedelta(seconds=0.3)  # wall time that a question waits for those of other symbols
MOST_ATTEMPTS = 3  # of one call at one provider
MOST_TOKENS = 32_000  # that a call is given after it was truncated
_FIRST_PAUSE_S = 0.5
_OFF = (
    "The model was switched off or deleted before it had answered, so it is not asked any more."
    " What was asked until then counts."
)
_LONGEST_PAUSE_S = 8.0


@dataclass(frozen=True, slots=True)
class Intent:
    """One decision that is to be made. Market time is `at`, wall time `created_at`."""

    decision_id: UUID
    config_id: str
    symbol: str
    trigger: Trigger
    trigger_key: str
    at: datetime
    epoch: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Call:
    """One question about some symbols. Its deadline is wall time, `at` is market time."""

    call_id: UUID
    config_id: str
    trigger: Trigger
    trigger_key: str
    symbols: tuple[str, ...]
    at: datetime
    epoch: int
    created_at: datetime
    deadline: datetime
    dry_run: bool = False
    asked_by: str = ""

    def decision_id(self, symbol: str) -> UUID:
        """The decision that the call makes about a symbol."""
        return decision_id(self.config_id, self.trigger_key, symbol)

    def may_ask(self, config: LlmConfig | None) -> bool:
        """Whether a config stands to be asked. A person may ask one that is switched off; only an
        active one stands in for another.
        """
        by_hand = self.trigger == "request" and config is not None and config.id == self.config_id
        return by_hand or (config is not None and config.active)


class State(StrEnum):
    """Where the money of an attempt is."""

    STARTED = "started"
    SETTLED = "settled"
    RELEASED = "released"
    UNKNOWN = "unknown"  # stays reserved until somebody resolves it
    RESOLVED = "resolved"


_OPEN = frozenset({State.STARTED, State.UNKNOWN})  # what it costs is not known


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to one provider, begun at a wall time."""

    attempt_id: UUID
    call_id: UUID
    number: int
    config_id: str  # whose provider and key
    payers: tuple[str, ...]  # the configs whose budgets pay for it
    provider: str
    model: str
    at: datetime
    reserved_usd: Decimal
    state: State = State.STARTED
    cost_usd: Decimal = Decimal(0)
    latency_ms: float = 0
    status: int | None = None
    request_id: str = ""
    outcome: str = ""  # how it ended, in one word
    error: str = ""
    usage: dict[str, JsonValue] = field(default_factory=dict)
    raw_text: str = ""

    @property
    def is_unknown(self) -> bool:
        """Whether nobody knows what it costs."""
        return self.state in _OPEN

    @property
    def counted_usd(self) -> Decimal:
        """What it counts for: its cost, or its worst case while that is not known."""
        return self.reserved_usd if self.is_unknown else self.cost_usd


@dataclass(frozen=True, slots=True)
class Totals:
    """What all attempts at one call have used."""

    attempts: int = 0
    cost_usd: Decimal = Decimal(0)
    is_estimated: bool = False
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    tokens_reasoning: int = 0
    latency_ms: float = 0


def totals(attempts: Iterable[Attempt]) -> Totals:
    """The sums over the attempts at one call."""
    made = list(attempts)
    return Totals(
        attempts=len(made),
        cost_usd=sum((a.counted_usd for a in made), Decimal(0)),
        is_estimated=any(a.is_unknown or a.usage.get("estimated") for a in made),
        tokens_in=_sum(made, "input_total"),
        tokens_out=_sum(made, "output_total"),
        tokens_cached=_sum(made, "cache_read"),
        tokens_reasoning=_sum(made, "reasoning"),
        latency_ms=round(sum(a.latency_ms for a in made), 1),
    )


def attempt_id(call_id: UUID, number: int) -> UUID:
    """The id of one attempt at a call."""
    return ids.derive("llm-attempt", call_id, number)


def ready(
    waiting: Sequence[Intent], configs: Mapping[str, LlmConfig], wall: datetime
) -> list[Call]:
    """The calls that can be made of what waits: the questions of one config, bar and trigger, once
    all its symbols are there or the oldest has waited for the others long enough.
    """
    groups: dict[tuple[str, str, Trigger], list[Intent]] = {}
    for intent in waiting:
        groups.setdefault((intent.config_id, intent.trigger_key, intent.trigger), []).append(intent)
    made = []
    for (config_id, _, _), group in groups.items():
        config = configs.get(config_id)
        waited = wall - min(intent.created_at for intent in group) >= GATHER
        complete = config is not None and len(group) >= len(config.symbols)
        if complete or waited:
            made += calls_of(group, config)
    return made


def calls_of(
    group: Sequence[Intent],
    config: LlmConfig | None,
    *,
    dry_run: bool = False,
    asked_by: str = "",
) -> list[Call]:
    """The questions of one trigger in as few calls as allowed, each symbol once."""
    by_symbol = {intent.symbol: intent for intent in group}
    first = group[0]
    most = config.symbols_per_call if config else 1
    return [
        Call(
            call_id=call_id(first.config_id, first.trigger_key, symbols),
            config_id=first.config_id,
            trigger=first.trigger,
            trigger_key=first.trigger_key,
            symbols=symbols,
            at=first.at,
            epoch=first.epoch,
            created_at=first.created_at,
            deadline=first.created_at + timedelta(seconds=config.deadline_s if config else 0),
            dry_run=dry_run,
            asked_by=asked_by,
        )
        for symbols in chunks(sorted(by_symbol), most)
    ]


def chunks(symbols: Sequence[str], most: int) -> list[tuple[str, ...]]:
    """Symbols in as few calls as allowed."""
    return [tuple(symbols[start : start + most]) for start in range(0, len(symbols), most)]


def pause_s(failure: Failure, failed: int, dice: float) -> float:
    """How long to wait after so many failures: as told, else full jitter; `dice` is 0 to 1."""
    if failure.retry_after_s is not None:
        return failure.retry_after_s
    longest: float = min(_FIRST_PAUSE_S * 2 ** (failed - 1), _LONGEST_PAUSE_S)
    return dice * longest


def switched_off() -> Failure:
    """Nobody is to be asked any more."""
    return Failure("switched_off", _OFF, Booking.RELEASE)


def after_restart(left_s: float) -> Failure:
    """What is known of an attempt that was begun by a process that has died since."""
    return Failure(
        kind="unknown_outcome",
        message=(
            "The service stopped while the model was asked, so nobody knows whether the call was"
            " billed; its worst case stays reserved until it is settled."
        ),
        booking=Booking.HOLD,
        retry=left_s > 0,
    )


def _sum(attempts: Iterable[Attempt], name: str) -> int:
    found = (attempt.usage.get(name) for attempt in attempts)
    return sum(value for value in found if isinstance(value, int))
