"""What people are told: how each provider is found, how each budget stands, and alerts for both."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import Connection as Sql

from llm_decider.adapters import connections
from llm_decider.adapters.ledger import Crossing
from llm_decider.domain import budget, wires
from llm_decider.domain.budget import Purse
from llm_decider.domain.health import Connection
from llm_decider.domain.shapes import Failure
from signalbox.contracts.assessments import LlmDecision
from signalbox.contracts.config import LlmConfig, LlmDeciderConfig
from signalbox.contracts.events import AlertRaised, Event, StateChanged
from signalbox.contracts.ids import plain
from signalbox.contracts.notices import Alert
from signalbox.contracts.payloads import State
from signalbox.contracts.values import Severity
from signalbox.runtime.moment import Moment

SERVICE = "llm-decider"

At = Moment[LlmDeciderConfig]
Body = dict[str, JsonValue]


def worked(sql: Sql, moment: At, config: LlmConfig) -> list[Event]:
    """A provider has answered; tells of the end of its trouble."""
    before = connections.lock(sql, config.id)
    after = before.worked(moment.wall)
    if after.differs(before):
        connections.save(sql, after)
    if not before.trouble:
        return []
    message = f"{config.name} ({config.model}) answers again."
    return [_down(moment, before, message, active=False)]


def failed(sql: Sql, moment: At, config: LlmConfig, failure: Failure, *, down: bool) -> list[Event]:
    """A provider has failed; tells of it once when it is left alone from now on."""
    before = connections.lock(sql, config.id)
    after = before.failed(failure, moment.wall if down else None)
    connections.save(sql, after)
    if after.trouble == before.trouble:
        return []
    message = f"{config.name} ({config.model}) is not asked for now. {failure.message}"
    return [_down(moment, after, message, active=True)]


def suspicions(moment: At, config: LlmConfig, made: Iterable[LlmDecision]) -> list[Event]:
    """One alert for an answer that saw instructions inside the data."""
    found = [one for one in made if one.suspicious and not one.cached]
    if not found:
        return []
    symbols = ", ".join(one.symbol for one in found)
    alert = Alert(
        severity=Severity.WARNING,
        code="suspicious_input",
        about=f"llm:{config.id}",
        message=(
            f"{config.name} saw instructions inside the data that it was shown about {symbols};"
            " nothing is traded on it. Look at the decision for the headline or note they came in."
        ),
        service=SERVICE,
        at=moment.wall,
        occurrence=str(found[0].decision_id),
        active=False,
    )
    return [moment.event(AlertRaised, alert)]


def budget_alerts(moment: At, crossings: Iterable[Crossing]) -> list[Event]:
    """One alert for each threshold that was reached."""
    said: list[Event] = []
    for one in crossings:
        at, purse = one.purse.at, one.purse
        whose = "of all models" if at.scope == budget.TOTAL else budget.config_of(at.scope)
        used = plain(purse.spent + purse.held)
        message = (
            f"{one.threshold} % of the {at.period}'s model budget {whose} are reached: {used} of"
            f" {plain(purse.limit or purse.spent)} USD for {at.key} (UTC)."
        )
        if one.threshold == 100:
            message += " Models are not asked beyond it; raise the limit if they should be."
        severity = Severity.INFO if one.threshold < 80 else Severity.WARNING
        about = f"budget:{budget.config_of(at.scope)}:{at.period}:{at.key}"
        alert = Alert(
            severity=severity,
            code=f"budget_{one.threshold}",
            about=about,
            message=message,
            service=SERVICE,
            at=moment.wall,
            occurrence=f"{about}:{purse.limit}",
            active=False,
        )
        said.append(moment.event(AlertRaised, alert))
    return said


def left_out(config: LlmConfig) -> list[JsonValue]:
    """The settings that the config's model is known not to take, by its name."""
    wire = wires.wire_of(config.provider, config.wire)
    return [*sorted(wires.left_out(wire, config.model, config.effort))]


def budget_body(purse: Purse) -> Body:
    """A budget as commands and state tell it."""
    return {
        "scope": budget.config_of(purse.at.scope),
        "period": purse.at.period,
        "key": purse.at.key,
        "limit_usd": None if purse.limit is None else plain(purse.limit),
        "spent_usd": plain(purse.spent),
        "reserved_usd": plain(purse.reserved + purse.held),
        "unknown_usd": plain(purse.held),
        "left_usd": None if purse.left is None else plain(purse.left),
        "calls": purse.calls,
        "tokens": purse.tokens,
    }


def _down(moment: At, found: Connection, message: str, *, active: bool) -> AlertRaised:
    since = found.since or moment.wall
    alert = Alert(
        severity=Severity.WARNING if active else Severity.INFO,
        code="source_down",
        about=f"llm:{found.config_id}",
        message=message[:2000],
        service=SERVICE,
        active=active,
        at=moment.wall,
        occurrence=f"{since.isoformat()}|{found.trouble}",
    )
    return moment.event(AlertRaised, alert)


def retired(config_id: str, is_known: bool, sql: Sql, moment: At) -> list[Event]:
    """A model is switched off, or is not known any more: its trouble is over."""
    before = connections.lock(sql, config_id)
    said: list[Event] = []
    if before.trouble:
        said.append(_down(moment, before, "This model is not asked any more.", active=False))
    if is_known:
        connections.save(sql, Connection(config_id))
        return said
    connections.drop(sql, config_id)
    body: Body = {"connected": False, "active": False}
    return [*said, moment.event(StateChanged, state_of("connection", config_id, body, moment.wall))]


def state_of(kind: str, id_: str, body: Mapping[str, JsonValue], wall: datetime) -> State:
    """What is told of one thing."""
    return State(service=SERVICE, kind=kind, id=id_, body=dict(body), at=wall)
