"""What a signal would have earned at its horizon, or why that cannot be said.

The label is fixed when the signal is raised. Entry is the first tradable price after it: the open
of the first bar that opens at or after it. Exit is the price at the horizon: the close of the last
bar that had closed by then. Both are prices of bars, before trading costs, so that the same bars
give the same score whenever it is computed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from signalbox.contracts.assessments import OutcomeScore
from signalbox.contracts.payloads import Bar, Signal
from signalbox.contracts.values import Action, SourceType, Target

LONGEST = timedelta(days=366)
_PLACES = Decimal("0.00000001")  # of a return


class Why(StrEnum):
    """Why a signal has no score."""

    HOLD = "hold"
    CLOSE = "close"
    REPLAY_FEED = "replay_feed"
    NO_HORIZON = "no_horizon"
    TOO_FAR = "too_far"
    NO_PRICES = "no_prices"
    NO_BAR = "no_bar"
    LOOP_ENDED = "loop_ended"


WORDS = {
    Why.HOLD: "A hold is no opinion, so there is nothing to be right about.",
    Why.CLOSE: "A close ends a view and names no direction, so there is nothing to be right about.",
    Why.REPLAY_FEED: "It is about the real market of today, and the prices here are replayed.",
    Why.NO_HORIZON: "It was over when it was raised, so there was no time to be right in.",
    Why.TOO_FAR: "Its horizon is more than a year away.",
    Why.NO_PRICES: "There are no bars of this symbol around its time. Add the symbol to the feed.",
    Why.NO_BAR: (
        "No bar opened after it and closed before its horizon: the market was closed, or the"
        " horizon is shorter than a bar."
    ),
    Why.LOOP_ENDED: "The replay began again before its horizon, so there is no price to end at.",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """What a signal said, as far as its score depends on it. Times are market time."""

    signal_id: UUID
    source_type: SourceType
    source_id: str
    symbol: str
    action: Action
    confidence: Decimal
    raised_at: datetime
    due_at: datetime
    epoch: int

    @property
    def horizon(self) -> timedelta:
        """How long it had to be right."""
        return self.due_at - self.raised_at


def claim_of(signal: Signal) -> Claim:
    """A signal as it is scored: at its horizon, else when it ceases to be acted on. A withdrawal
    changes nothing: the label was fixed before.
    """
    return Claim(
        signal_id=signal.signal_id,
        source_type=signal.source_type,
        source_id=signal.source_id,
        symbol=signal.symbol,
        action=signal.action,
        confidence=signal.confidence,
        raised_at=signal.raised_at,
        due_at=_due_at(signal),
        epoch=signal.epoch,
    )


def refusal(signal: Signal, *, replay: bool) -> Why | None:
    """Why a signal will never have a score, as far as that is known when it is raised."""
    if signal.action is Action.HOLD:
        return Why.HOLD
    if signal.action is Action.CLOSE:
        return Why.CLOSE
    if replay and signal.target is Target.REAL:
        return Why.REPLAY_FEED
    horizon = claim_of(signal).horizon
    if horizon <= timedelta(0):
        return Why.NO_HORIZON
    return Why.TOO_FAR if horizon > LONGEST else None


def score(claim: Claim, bars: Sequence[Bar]) -> OutcomeScore | Why:
    """The outcome of a claim whose horizon has passed.

    `bars` are of its symbol and one interval, in any order: those around its beginning, the one
    before it included, and those up to its horizon. Later ones are not looked at.
    """
    known = sorted((b for b in bars if b.closed_at <= claim.due_at), key=lambda b: b.opened_at)
    if not known or known[0].opened_at > claim.raised_at:
        return Why.NO_PRICES
    if known[-1].epoch != claim.epoch:
        return Why.LOOP_ENDED if known[-1].epoch > claim.epoch else Why.NO_PRICES
    held = [b for b in known if b.opened_at >= claim.raised_at and b.epoch == claim.epoch]
    if not held:
        return Why.NO_BAR
    entry, end = held[0].open, held[-1].close
    sign = 1 if claim.action is Action.BUY else -1
    return OutcomeScore(
        signal_id=claim.signal_id,
        source_type=claim.source_type,
        source_id=claim.source_id,
        symbol=claim.symbol,
        action=claim.action,
        confidence=claim.confidence,
        horizon_s=claim.horizon.total_seconds(),
        entry_price=entry,
        exit_price=end,
        forward_return=(sign * (end / entry - 1)).quantize(_PLACES),
        at=claim.due_at,
    )


def _due_at(signal: Signal) -> datetime:
    """When it is judged; a little past the longest horizon stands for any time beyond."""
    if signal.horizon_s is None:
        return signal.valid_until
    longest_s = LONGEST.total_seconds() + 1
    try:
        return signal.raised_at + timedelta(seconds=min(signal.horizon_s, longest_s))
    except OverflowError:  # raised at the end of time
        return signal.raised_at
