"""What an endpoint is: a function from parameters to a payload, found by its path."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from sandbox.history import History, Recorded
from sandbox.quantconnect.builds import Builds
from sandbox.quantconnect.deployment import Deployment
from sandbox.quantconnect.desk import Desk
from sandbox.quantconnect.formats import Json, hex32, symbol_id
from sandbox.quantconnect.objects import ObjectStore
from sandbox.quantconnect.parameters import Failure, Parameters, integer
from sandbox.quantconnect.project import Project
from sandbox.quantconnect.runner import Runner
from sandbox.quantconnect.tasks import Tasks
from sandbox.quantconnect.webhooks import Courier

ORGANIZATION_ID = hex32("organization")


class Link(NamedTuple):
    """A path of this server, to be answered as a whole address."""

    path: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the live endpoints show of a deployment, taken at one wall time."""

    taken_at: float
    is_running: bool
    insights: list[Json]
    orders: list[Json]
    logs: list[str]
    portfolio: Json


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take, in wall seconds."""

    snapshot_s: float = 0.0  # age of what live endpoints show
    compile_s: float = 0.0
    backtest_s: float = 0.0
    launch_s: float = 0.0  # from live/create to Running
    flush_s: float = 0.0  # that webhooks are collected
    webhooks_per_hour: int = 3600  # of one deployment; beyond it each costs a credit


@dataclass(slots=True)
class Context:
    """What endpoints work on."""

    desk: Desk
    wall: Callable[[], float]
    pace: Pace = field(default_factory=Pace)
    history: History = field(default_factory=lambda: Recorded(()))
    tasks: Tasks = field(default_factory=Tasks)
    builds: Builds = field(default_factory=Builds)
    objects: ObjectStore = field(default_factory=ObjectStore)
    credit: float = 10_000.0  # QCC
    runner: Runner = field(init=False)
    courier: Courier = field(init=False)
    _snapshots: dict[str, Snapshot] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.runner = Runner(self.history, self.tasks, self.pace.backtest_s)
        self.courier = Courier(
            self.tasks, self.wall, self.pay, self.pace.flush_s, self.pace.webhooks_per_hour
        )
        self.desk.listener = self.courier.listen

    async def close(self) -> None:
        """End whatever still goes on."""
        await self.tasks.close()
        await self.courier.close()

    def pay(self) -> bool:
        """One credit; False when there is none left."""
        if self.credit < 1:
            return False
        self.credit -= 1
        return True

    @property
    def now(self) -> datetime:
        """Wall time."""
        return datetime.fromtimestamp(self.wall(), UTC)

    def project(self, parameters: Parameters) -> Project:
        """The project of a request.

        Raises:
            Failure: none, or one that does not exist.
        """
        project_id = integer(parameters, "projectId")
        if project_id not in self.desk.projects:
            raise Failure(f"Project not found: {project_id}")
        return self.desk.projects[project_id]

    def deployment(self, parameters: Parameters) -> Deployment:
        """The newest deployment of a request's project, or the one that it names.

        Raises:
            Failure: never deployed, or no such deployment.
        """
        project = self.project(parameters)
        listed = self.desk.deployments(project.id)
        if not listed:
            raise Failure(f"No live deployment found for project {project.id}")
        wanted = parameters.get("algorithmId") or parameters.get("deployId")
        if not wanted:
            return listed[-1]
        for deployment in listed:
            if deployment.run_id == wanted:
                return deployment
        raise Failure(f"Invalid argument: project {project.id} has no such deployment")

    def snapshot(self, deployment: Deployment) -> Snapshot:
        """What is shown of it now: at most so old, and fresh once it has ended."""
        now = self.wall()
        held = self._snapshots.get(deployment.run_id)
        is_fresh = held is not None and now - held.taken_at < self.pace.snapshot_s
        if held is not None and is_fresh and held.is_running == deployment.is_running:
            return held
        is_kept = self.pace.snapshot_s > 0
        taken = Snapshot(
            taken_at=now,
            is_running=deployment.is_running,
            insights=copy.deepcopy(deployment.insights) if is_kept else deployment.insights,
            orders=list(deployment.orders) if is_kept else deployment.orders,
            logs=list(deployment.logs),
            portfolio=portfolio(deployment),
        )
        if is_kept:
            self._snapshots = {k: v for k, v in self._snapshots.items() if v.is_running}
            self._snapshots[deployment.run_id] = taken
        return taken


Payload = Mapping[str, object]
Endpoint = Callable[[Context, Parameters], Payload]


def check_organization(parameters: Parameters, *, needed: bool = False) -> None:
    """Refuse any organization but the one.

    Raises:
        Failure: another one, or none where it is needed.
    """
    wanted = parameters.get("organizationId")
    if needed and not wanted:
        raise Failure("Invalid argument: organizationId is required")
    if wanted not in {None, "", ORGANIZATION_ID}:
        raise Failure("Organization not found")


def portfolio(deployment: Deployment) -> Json:
    """Holdings under their compressed keys, zero values left out, and cash."""
    cash = float(deployment.cash)
    holdings = {}
    for ticker, holding in sorted(deployment.holdings.items()):
        if not holding.quantity:
            continue
        cost = abs(holding.quantity * holding.average)
        fields = {
            "a": float(holding.average),
            "q": float(holding.quantity),
            "p": float(holding.price),
            "v": float(holding.value),
            "u": float(holding.unrealized),
            "up": round(float(holding.unrealized / cost * 100), 2) if cost else 0,
        }
        holdings[symbol_id(ticker)] = {k: v for k, v in fields.items() if v}
    usd = {
        "symbol": "USD",
        "amount": cash,
        "conversionRate": 1,
        "currencySymbol": "$",
        "valueInAccountCurrency": cash,
    }
    return {"holdings": holdings or [], "cash": {"USD": usd}}
