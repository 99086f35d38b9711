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
    UtcTime,
    Value,
)


class LlmDecision(Value):
    """One model answer for one symbol, whole, with its cost."""

    decision_id: UUID
    config_id: Slug
    symbol: Symbol
    provider: str
    model: str
    prompt_version: str
    outcome: Literal["answered", "refused", "truncated", "invalid", "failed", "over_budget"]
    action: Action | None = None
    confidence: Confidence | None = None
    reasoning: str = ""
    horizon_s: float | None = None
    stop_price: Price | None = None
    target_price: Price | None = None
    evidence: tuple[str, ...] = ()
    snapshot: dict[str, JsonValue] = Field(default_factory=dict)
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: Amount
    latency_ms: float = 0
    cached: bool = False
    dry_run: bool = False
    signal_id: UUID | None = None  # set when it also became a signal
    at: UtcTime


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
