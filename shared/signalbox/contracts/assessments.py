"""What a language model answered, and how a signal turned out."""

from typing import Literal
from uuid import UUID

from pydantic import Field, JsonValue

from signalbox.contracts.values import (
    Action,
    Amount,
    Confidence,
    Name,
    Price,
    Slug,
    SourceType,
    Symbol,
    Target,
    UtcTime,
    Value,
)


class LlmDecision(Value):
    """One model answer for one symbol, whole, with its cost. Of a call about several symbols each
    has its share: tokens and cost of a call are the sums over its decisions.
    """

    decision_id: UUID
    config_id: Slug
    target: Target | None = None  # the real provider, or the sandbox
    symbol: Symbol
    provider: str
    model: str  # as asked for
    served_model: str = ""  # as the provider named what answered
    prompt_version: str  # `<prompt id>@<version>`
    trigger: Literal["bar", "move", "request"] = "bar"
    call_id: UUID | None = None  # the decisions of one call have the same
    fallback_for: Slug | None = None  # the config whose provider had failed
    outcome: Literal["answered", "refused", "truncated", "invalid", "failed", "over_budget"]
    error: str = ""  # what happened and what to do, where the outcome is not `answered`
    error_kind: str = ""  # one word for it, such as `rate_limited`, `credentials`, `deadline`
    action: Action | None = None
    abstained: bool = False  # the model saw no ground for a view; the action is `hold`
    confidence: Confidence | None = None
    reasoning: str = ""
    horizon_s: float | None = None
    stop_price: Price | None = None
    target_price: Price | None = None
    price: Price | None = None  # the last price that the model was shown
    evidence: tuple[str, ...] = ()
    invalidation: str = ""  # what would change the view
    suspicious: bool = False  # the model saw instructions inside the data
    notes: tuple[str, ...] = ()  # what was cut, left out of the call, or clamped
    snapshot: dict[str, JsonValue] = Field(default_factory=dict)
    prompt_hash: str = ""  # of the rendered messages
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0  # of tokens_in, read from the provider's own cache
    tokens_reasoning: int = 0  # of tokens_out
    attempts: int = 0  # calls that were made for it
    cost_usd: Amount
    cost_is_estimated: bool = False  # the provider's count is not known
    latency_ms: float = 0
    cached: bool = False
    cached_from: UUID | None = None  # the decision that was answered first
    dry_run: bool = False
    signal_id: UUID | None = None  # set when it also became a signal
    not_traded: str = ""  # why it did not: `abstained`, `dry_run`, `stale`, `cached`, ...
    asked_by: str = ""  # user, where the trigger is a request
    at: UtcTime  # market time of the question
    wall_at: UtcTime | None = None  # when the answer was there; costs count for this day


class OutcomeScore(Value):
    """What a signal would have earned at its horizon."""

    signal_id: UUID
    source_type: SourceType
    source_id: Name
    symbol: Symbol
    action: Action
    confidence: Confidence
    horizon_s: float
    entry_price: Price
    exit_price: Price
    forward_return: Amount  # fraction, signed so that positive means the signal was right
    at: UtcTime
