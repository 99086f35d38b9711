"""What language models answered, and what it cost."""

from collections.abc import Iterator
from decimal import Decimal

from gateway.domain.changes import Add, Change, New, Settle
from gateway.domain.llm_usage import usage_of
from gateway.projections.orders import day_of
from signalbox.contracts.events import LlmDecisionMade

DECISIONS = "llm_trading_decisions"
_LONGEST = 128


def decided(event: LlmDecisionMade) -> Iterator[Change]:
    """A row in `llm_trading_decisions`, and sums by wall-clock day."""
    made = event.data
    at = made.wall_at or event.time
    signal_id = str(made.signal_id) if made.signal_id else None
    whom = {
        "config_id": made.config_id,
        "symbol": made.symbol,
        "provider": made.provider[:_LONGEST],
        "model": made.model[:_LONGEST],
        "prompt_version": made.prompt_version[:_LONGEST],
    }
    yield New(
        DECISIONS,
        {
            **whom,
            "id": str(made.decision_id),
            "decision": made.action.value if made.action else None,
            "outcome": made.outcome,
            "target": made.target.value if made.target else None,
            "reasoning": made.reasoning.replace("\x00", ""),  # PostgreSQL takes none
            "confidence": made.confidence,
            "market_data": made.snapshot,
            "cost": made.cost_usd,
            "processed": signal_id is None,
            "call_id": str(made.call_id) if made.call_id else None,
            "attempts": made.attempts,
            "dry_run": made.dry_run,
            "signal_id": signal_id,
            "created_at": at,
        },
    )
    if signal_id is not None:
        yield Settle(signal_id, DECISIONS)
    sums: dict[str, Decimal | int] = usage_of(made).amounts()
    target = made.target.value if made.target else ""
    yield Add("llm_usage", {"day": day_of(at), **whom, "target": target}, sums)
