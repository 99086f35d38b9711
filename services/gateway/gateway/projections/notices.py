"""Alerts, messages set aside, states and outcomes."""

from collections.abc import Iterator

from gateway.domain.changes import Change, Latest, New, Put
from gateway.projections import quantconnect
from signalbox.contracts.events import (
    AlertRaised,
    MessageDeadLettered,
    OutcomeScored,
    StateChanged,
)


def alert(event: AlertRaised) -> Iterator[Change]:
    """A row in `alerts`, and what is wrong now in `alarms`."""
    said = event.data
    key = {"service": said.service, "code": said.code, "about": said.about}
    row = {**key, "id": str(event.id), "active": said.active, "at": said.at}
    yield New("alerts", {**row, "severity": said.severity.value})
    yield Put("alarms", ("service", "code", "about"), row)


def dead_letter(event: MessageDeadLettered) -> Iterator[Change]:
    """A row in `dead_letters`."""
    letter = event.data
    yield New(
        "dead_letters",
        {
            "id": str(event.id),
            "service": letter.service,
            "stream": letter.stream[:64],
            "at": letter.at,
        },
    )


def state(event: StateChanged) -> Iterator[Change]:
    """The newest state of one thing; of a backtest in `backtests`."""
    known = event.data
    if (known.service, known.kind) == (quantconnect.SERVICE, quantconnect.BACKTEST):
        yield from quantconnect.backtest(known)
        return
    yield Latest(
        "states",
        ("service", "kind", "id"),
        {
            "service": known.service,
            "kind": known.kind,
            "id": known.id,
            "body": known.body,
            "at": known.at,
        },
        by="at",
    )


def outcome(event: OutcomeScored) -> Iterator[Change]:
    """A row in `outcomes`."""
    score = event.data
    yield New(
        "outcomes",
        {
            "id": str(event.id),
            "signal_id": str(score.signal_id),
            "source_type": score.source_type.value,
            "source_id": score.source_id,
            "symbol": score.symbol,
            "action": score.action.value,
            "confidence": score.confidence,
            "horizon_s": score.horizon_s,
            "entry_price": score.entry_price,
            "exit_price": score.exit_price,
            "forward_return": score.forward_return,
            "at": score.at,
        },
    )
