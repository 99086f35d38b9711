"""Work that takes minutes: what was asked for, how far it is, and how that is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import JsonValue

# From when a request may be sent until it has taken effect, or never will: 90 s for its turn, 35 s
# for its answer, and some to spare.
SETTLE = timedelta(seconds=150)
SEALED = "sealed"  # names the part of what was asked for that only QuantConnect may read
PATIENCE = timedelta(hours=24)  # with trouble that does not end
_BACKOFF_S = (5.0, 10.0, 20.0, 40.0, 60.0)
_LONGEST_LOOK_S = 15.0
_LOOK_SHARE = 0.15  # of the time that a step has taken: what takes long is looked at less often
_MOST_MESSAGE = 2000


class Kind(StrEnum):
    """What is to be done."""

    DEPLOY = "deploy"
    BACKTEST = "backtest"


class Status(StrEnum):
    """Where a job stands. The first four are a backtest's, the last two a deployment's."""

    QUEUED = "queued"
    COMPILING = "compiling"
    COMPLETED = "completed"
    CANCELED = "canceled"
    RUNNING = "running"
    FAILED = "failed"
    DONE = "done"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self in {Status.COMPLETED, Status.CANCELED, Status.FAILED, Status.DONE}


class Step(StrEnum):
    """What the worker does next."""

    CHECK = "checking"
    COMPILE = "compiling"
    BUILD = "waiting for the build"
    NODE = "choosing a node"
    CREATE = "creating"
    START = "starting"
    RUN = "running"
    RESULT = "reading the result"


_SHARES = {Step.COMPILE: 10, Step.BUILD: 20, Step.NODE: 40, Step.CREATE: 50, Step.START: 70}


@dataclass(frozen=True, slots=True)
class Job:
    """A deployment or a backtest that somebody asked for. Times are wall times."""

    id: str
    kind: Kind
    config_id: str
    project_id: int
    target: str
    requested_by: str
    asked: Mapping[str, JsonValue]  # name, parameters, start, end; of a deployment node_id, sealed
    created_at: datetime
    status: Status
    step: Step
    step_since: datetime
    percent: int = 0  # of a backtest
    message: str = ""
    project_name: str = ""
    organization_id: str = ""
    compile_id: str = ""
    node_id: str = ""
    earlier_id: str = ""  # the project's deployment before this one
    sent_at: datetime | None = None  # a request to create may have been sent then
    quantconnect_id: str = ""  # of the backtest, or the deployment
    found: Mapping[str, JsonValue] = field(default_factory=dict)  # of a result: what is published
    failures: int = 0  # in a row
    failing_since: datetime | None = None
    finished_at: datetime | None = None
    cancel: bool = False  # somebody asked to end it

    def at_step(
        self, step: Step, wall: datetime, message: str = "", status: Status | None = None
    ) -> "Job":
        """The job at its next step."""
        return replace(
            self,
            step=step,
            step_since=self.step_since if step is self.step else wall,
            message=message,
            status=status or self.status,
        )

    def over(self, status: Status, message: str, wall: datetime) -> "Job":
        """The job at its end. What it kept for QuantConnect alone is forgotten."""
        asked = {name: value for name, value in self.asked.items() if name != SEALED}
        return replace(
            self,
            status=status,
            message=message[:_MOST_MESSAGE],
            finished_at=wall,
            asked=asked,
            percent=100 if status in {Status.COMPLETED, Status.DONE} else self.percent,
        )

    def troubled(self, message: str, wall: datetime) -> "Job":
        """The job after a call that did not work; it goes on later, but not for ever."""
        since = self.failing_since or wall
        if wall - since > PATIENCE:
            hours = PATIENCE // timedelta(hours=1)
            return self.over(Status.FAILED, f"Given up after {hours} hours. {message}", wall)
        text = message[:_MOST_MESSAGE]
        return replace(self, failures=self.failures + 1, failing_since=since, message=text)

    def pause_s(self) -> float:
        """How long to wait after trouble."""
        return _BACKOFF_S[min(max(self.failures, 1), len(_BACKOFF_S)) - 1]

    def look_s(self, wall: datetime, quickest_s: float) -> float:
        """How long to wait before looking again at what QuantConnect does."""
        waited_s = (wall - self.step_since).total_seconds() * _LOOK_SHARE
        return max(min(waited_s, _LONGEST_LOOK_S), quickest_s)

    def text(self, name: str) -> str:
        """What was asked for under this name; empty when nothing was."""
        value = self.asked.get(name)
        return value if isinstance(value, str) else ""

    def parameters(self) -> dict[str, str]:
        """The algorithm's parameters that were asked for."""
        given = self.asked.get("parameters")
        return {k: str(v) for k, v in given.items()} if isinstance(given, dict) else {}

    def body(self) -> dict[str, JsonValue]:
        """What is published about it."""
        common: dict[str, JsonValue] = {
            "config_id": self.config_id,
            "project_id": self.project_id,
            "project_name": self.project_name,
            "target": self.target,
            "status": self.status.value,
            "message": self.message,
            "created_at": self.created_at.isoformat(),
            "finished_at": self.finished_at.isoformat() if self.finished_at else None,
            "requested_by": self.requested_by,
        }
        own = self._deployment() if self.kind is Kind.DEPLOY else self._backtest()
        return {**common, **own}

    def _deployment(self) -> dict[str, JsonValue]:
        percent = 100 if self.status.is_over else _SHARES.get(self.step, 0)
        return {
            "kind": self.kind.value,
            "step": self.step.value,
            "progress": percent / 100,
            "deploy_id": self.quantconnect_id or None,
        }

    def _backtest(self) -> dict[str, JsonValue]:
        parameters: dict[str, JsonValue] = dict(self.parameters())
        return {
            "name": self.text("name"),
            "progress": self.percent / 100,
            "parameters": parameters,
            "start": self.text("start") or None,
            "end": self.text("end") or None,
            "backtest_start": None,
            "backtest_end": None,
            "ignores_dates": False,
            "quantconnect_id": self.quantconnect_id or None,
            "statistics": {},
            **self.found,
        }


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished backtest left behind. Points are `[unix seconds, value as text]`."""

    performance: Mapping[str, JsonValue] = field(default_factory=dict)
    error: str = ""
    stacktrace: str = ""
    notes: tuple[str, ...] = ()
    equity: tuple[JsonValue, ...] = ()
    benchmark: tuple[JsonValue, ...] = ()
    drawdown: tuple[JsonValue, ...] = ()
