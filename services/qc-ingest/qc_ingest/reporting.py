"""What a polling cycle found, as state for the page and as alerts for people."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import JsonValue
from sqlalchemy import Connection as Sql

from qc_ingest.adapters import job_store, store
from qc_ingest.domain.deployments import Deployment
from qc_ingest.domain.health import Connection
from qc_ingest.domain.statistics import Performance, parse_performance
from qc_ingest.polling import Host
from signalbox.contracts.config import IngestConfig, QuantConnectConfig
from signalbox.contracts.events import AlertRaised, Event, StateChanged
from signalbox.contracts.notices import Alert
from signalbox.contracts.payloads import State
from signalbox.contracts.values import Severity
from signalbox.runtime import metrics
from signalbox.runtime.moment import Moment

SERVICE = "qc-ingest"
REPEAT = timedelta(seconds=30)  # unchanged state is said again this often, so that its age shows
_CODE = "source_down"

Body = dict[str, JsonValue]


@dataclass(slots=True)
class _Told:
    body: Body
    essence: tuple[JsonValue, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class _Kept:
    """The newest row of a deployment's performance."""

    performance: Performance
    deploy_id: str
    at: datetime


@dataclass(slots=True)
class Reporter:
    """Publishes what has changed at once, and what has not every half minute."""

    host: Host
    _told: dict[tuple[str, str], _Told] = field(default_factory=dict)
    _kept: dict[tuple[str, int], _Kept] = field(default_factory=dict)

    async def report(
        self,
        config: QuantConnectConfig,
        before: Connection | None,
        after: Connection,
        *,
        limits: Body,
        deployments: list[Deployment],
    ) -> None:
        """Store how a config was found and tell whoever should know."""
        metrics.QC_CONNECTED.labels(config.id).set(after.connected)
        wall = self.host.moment().wall
        states = self._connection(config, before, after, limits=limits, wall=wall)
        for deployment in deployments:
            states += self._algorithm(config, deployment, wall)
        alerts = _alerts(before, after, wall)
        performing = [d for d in deployments if self._is_worth_keeping(config, d, wall)]
        if not states and not alerts and not performing:
            return

        def work(sql: Sql, moment: Moment[IngestConfig]) -> list[Event]:
            store.save_connection(sql, after)
            for deployment in performing:
                job_store.add_performance(sql, config.id, deployment, wall)
            said: list[Event] = [moment.event(StateChanged, state) for state in states]
            return said + [moment.event(AlertRaised, alert) for alert in alerts]

        await self.host.transact(work)
        for state in states:
            essence = _essence(state)
            self._told[state.kind, state.id] = _Told(state.body, essence, wall)
        for deployment in performing:
            performance = parse_performance(deployment.statistics)
            kept = _Kept(performance, deployment.deploy_id, wall)
            self._kept[config.id, deployment.project_id] = kept

    async def retire(self, config_id: str, before: Connection | None) -> None:
        """A config is no longer followed: it is not connected, and its trouble is nobody's."""
        wall = self.host.moment().wall
        body: Body = {**Connection(config_id).body(), "active": False}
        states = [_state("connection", config_id, body, wall)]
        alerts = _alerts(before, Connection(config_id), wall, "It is no longer followed.")

        def work(sql: Sql, moment: Moment[IngestConfig]) -> list[Event]:
            store.drop_connection(sql, config_id)
            said: list[Event] = [moment.event(StateChanged, state) for state in states]
            return said + [moment.event(AlertRaised, alert) for alert in alerts]

        await self.host.transact(work)
        self._told.pop(("connection", config_id), None)
        metrics.QC_CONNECTED.labels(config_id).set(0)

    def _connection(
        self,
        config: QuantConnectConfig,
        before: Connection | None,
        after: Connection,
        *,
        limits: Body,
        wall: datetime,
    ) -> list[State]:
        body: Body = {
            **after.body(),
            "name": config.name,
            "target": config.target.value,
            "active": True,
            "rate_limit": limits,
        }
        state = _state("connection", config.id, body, wall)
        return [state] if after.differs(before) or self._is_due(state) else []

    def _algorithm(
        self, config: QuantConnectConfig, deployment: Deployment, wall: datetime
    ) -> list[State]:
        body: Body = {
            **deployment.body(),
            "project_id": deployment.project_id,
            "config_id": config.id,
            "target": config.target.value,
            "performance": parse_performance(deployment.statistics).body(),
        }
        state = _state("algorithm", str(deployment.project_id), body, wall)
        return [state] if self._is_due(state) else []

    def _is_worth_keeping(
        self, config: QuantConnectConfig, deployment: Deployment, wall: datetime
    ) -> bool:
        """Whether the performance has changed, and enough time has passed."""
        performance = parse_performance(deployment.statistics)
        if performance.is_empty:
            return False
        kept = self._kept.get((config.id, deployment.project_id))
        if kept is None:
            return True
        is_other = (kept.performance, kept.deploy_id) != (performance, deployment.deploy_id)
        return is_other and wall - kept.at >= job_store.EVERY

    def _is_due(self, state: State) -> bool:
        told = self._told.get((state.kind, state.id))
        if told is None or told.essence != _essence(state):
            return True
        return state.at - told.at >= REPEAT


def _essence(state: State) -> tuple[JsonValue, ...]:
    """The part of a state whose change is told at once."""
    keys = ("connected", "trouble", "last_error", "name", "deploy_id", "status", "message")
    return tuple(state.body.get(key) for key in keys)


def _state(kind: str, id_: str, body: Body, wall: datetime) -> State:
    return State(service=SERVICE, kind=kind, id=id_, body=body, at=wall)


def _alerts(
    before: Connection | None, after: Connection, wall: datetime, all_clear: str = ""
) -> list[Alert]:
    """One alert when a trouble begins or becomes another one, one when it is over."""
    was = before and before.trouble
    if after.trouble is was:
        return []
    since = after.since if after.trouble else (before and before.since)
    message = after.last_error if after.trouble else all_clear or "QuantConnect answers again."
    alert = Alert(
        severity=Severity.WARNING if after.trouble else Severity.INFO,
        code=_CODE,
        about=f"quantconnect:{after.config_id}",
        message=message[:2000],
        service=SERVICE,
        active=after.trouble is not None,
        at=wall,
        occurrence=(since or wall).isoformat(),
    )
    return [alert]
