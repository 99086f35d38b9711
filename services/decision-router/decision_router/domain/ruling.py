"""What arbitration makes of a signal, before it is written down as a verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from signalbox.contracts.ids import plain
from signalbox.contracts.payloads import LiveSignal
from signalbox.contracts.values import Outcome, Reason

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Ruling:
    """An outcome, why, and what decided it."""

    outcome: Outcome
    reason: Reason
    rule: str  # in words
    numbers: Mapping[str, str] = field(default_factory=dict)  # by name; times in RFC 3339
    winner_id: UUID | None = None  # the signal that leads, set exactly when suppressed
    inputs: tuple[LiveSignal, ...] = ()  # what was weighed, sorted by signal id


def accepted(reason: Reason, rule: str, numbers: Mapping[str, str]) -> Ruling:
    """The signal may act."""
    return Ruling(Outcome.ACCEPTED, reason, rule, numbers)


def refused(reason: Reason, rule: str, numbers: Mapping[str, str]) -> Ruling:
    """A check says no."""
    return Ruling(Outcome.REFUSED, reason, rule, numbers)


def held(
    reason: Reason, rule: str, numbers: Mapping[str, str], winner: LiveSignal | None
) -> Ruling:
    """The policy says no: suppressed by the winner, or refused where nobody else leads."""
    if winner is None:
        return refused(reason, rule, numbers)
    return Ruling(Outcome.SUPPRESSED, reason, rule, numbers, winner.signal_id)


def seconds(span: timedelta) -> str:
    """A span as seconds in one canonical text."""
    return plain(Decimal(span // _MICROSECOND) / 1_000_000)
