"""What a decision is worth: the signal that it becomes, or why it becomes none."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from signalbox.contracts import ids
from signalbox.contracts.assessments import LlmDecision
from signalbox.contracts.config import LlmConfig
from signalbox.contracts.intervals import interval_length
from signalbox.contracts.payloads import Signal
from signalbox.contracts.values import Action, SourceType, Target

LEAST_WALL_S = 120  # under replay an answer stands no shorter than this
_MOST_REASONING = 4000  # characters


@dataclass(frozen=True, slots=True)
class Now:
    """The instant at which an answer is judged."""

    now: datetime  # market time
    wall: datetime
    epoch: int
    replay: bool
    speed: float  # market seconds per wall second


def life(config: LlmConfig, decision: LlmDecision, at: Now) -> timedelta:
    """How long an answer stands after its question: its horizon, at most one bar."""
    longest = interval_length(config.interval)
    if decision.horizon_s:
        longest = min(longest, timedelta(seconds=decision.horizon_s))
    return max(longest, timedelta(seconds=LEAST_WALL_S * at.speed)) if at.replay else longest


def is_stale(
    config: LlmConfig, decision: LlmDecision, at: Now, *, epoch: int, deadline: datetime
) -> bool:
    """Whether the market has moved on: past the answer's life, its deadline, or its loop."""
    too_old = at.now >= decision.at + life(config, decision, at)
    return too_old or at.epoch != epoch or at.wall > deadline


def not_traded(decision: LlmDecision, *, stale: bool) -> str:
    """Why a decision becomes no signal, in one word; empty when it does."""
    if decision.outcome != "answered":
        return decision.outcome
    if decision.abstained:
        return "abstained"
    if decision.suspicious:
        return "suspicious"
    if decision.dry_run:
        return "dry_run"
    if stale:
        return "stale"
    if decision.action is None or decision.confidence is None:
        return "incomplete"
    return ""


def signal_of(config: LlmConfig, decision: LlmDecision, at: Now) -> Signal:
    """The signal of a decision that is fit to trade. Its time is the question's."""
    own_id = str(decision.decision_id)
    valid_until = decision.at + life(config, decision, at)
    if at.replay:
        valid_until = max(valid_until, at.now + timedelta(seconds=LEAST_WALL_S * at.speed))
    return Signal(
        signal_id=ids.signal_id(SourceType.LLM, config.id, own_id),
        source_type=SourceType.LLM,
        source_id=config.id,
        own_id=own_id,
        symbol=decision.symbol,
        action=decision.action or Action.HOLD,
        confidence=decision.confidence or Decimal(0),
        raised_at=decision.at,
        valid_until=valid_until,
        target=Target.SANDBOX if at.replay else config.target,
        epoch=at.epoch,
        price=decision.price,
        stop_price=decision.stop_price,
        target_price=decision.target_price,
        horizon_s=decision.horizon_s,
        reasoning=decision.reasoning[:_MOST_REASONING],
        details={
            "model": decision.served_model or decision.model,
            "provider": decision.provider,
            "prompt": decision.prompt_version,
            "trigger": decision.trigger,
            **({"fallback_for": decision.fallback_for} if decision.fallback_for else {}),
        },
    )
