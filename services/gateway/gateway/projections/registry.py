"""Which event changes what. An event without a projection is archived and nothing more."""

from collections.abc import Callable, Iterable, Mapping
from typing import cast

from gateway.domain.changes import Change
from gateway.projections import books, llm, notices, orders, signals, verdicts
from signalbox.contracts import events as e

Projection = Callable[[e.Event], Iterable[Change]]

_PROJECTIONS: Mapping[type[e.Event], object] = {
    e.SignalRaised: signals.raised,
    e.SignalWithdrawn: signals.withdrawn,
    e.LlmDecisionMade: llm.decided,
    e.VerdictReached: verdicts.reached,
    e.OrderChanged: orders.changed,
    e.PositionChanged: books.position,
    e.EquityMarked: books.equity,
    e.AlertRaised: notices.alert,
    e.MessageDeadLettered: notices.dead_letter,
    e.StateChanged: notices.state,
    e.OutcomeScored: notices.outcome,
}


def project(event: e.Event) -> Iterable[Change]:
    """What this event does to the read models."""
    projection = cast("Projection | None", _PROJECTIONS.get(type(event)))
    return projection(event) if projection else ()
