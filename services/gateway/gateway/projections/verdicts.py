"""Verdicts, and the latest round of each bot on each signal."""

from collections.abc import Iterator

from gateway.domain.changes import Change, Latest, New, Settle
from gateway.projections.llm import DECISIONS
from gateway.projections.signals import QUANTCONNECT_SIGNALS
from signalbox.contracts.events import VerdictReached
from signalbox.contracts.values import Outcome, SourceType

# Where a source's signals are listed with whether they are processed.
_LISTED = {SourceType.QUANTCONNECT: QUANTCONNECT_SIGNALS, SourceType.LLM: DECISIONS}


def reached(event: VerdictReached) -> Iterator[Change]:
    """A row in `verdicts`, and in `rounds` when no later round is there."""
    verdict = event.data
    signal = verdict.signal
    key, signal_id = str(verdict.verdict_id), str(signal.signal_id)
    yield New(
        "verdicts",
        {
            "id": key,
            "signal_id": signal_id,
            "bot": verdict.bot,
            "symbol": signal.symbol,
            "source_type": signal.source_type.value,
            "source_id": signal.source_id,
            "round": verdict.round,
            "outcome": verdict.outcome.value,
            "reason": verdict.reason.value,
            "at": verdict.evaluated_at,
        },
    )
    yield Latest(
        "rounds",
        ("signal_id", "bot"),
        {
            "signal_id": signal_id,
            "bot": verdict.bot,
            "round": verdict.round,
            "verdict_id": key,
            "waits_until": signal.valid_until if verdict.outcome is Outcome.PENDING else None,
        },
        by="round",
    )
    listed = _LISTED.get(signal.source_type)
    if listed is not None:
        yield Settle(signal_id, listed)
