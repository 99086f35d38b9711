"""What an endpoint is: a function from parameters to a payload, found by its path."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.quantconnect.deployment import Deployment
from sandbox.quantconnect.desk import Desk, Project
from sandbox.quantconnect.parameters import Failure, Parameters, integer

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the live endpoints show of a deployment, taken at one wall time."""

    taken_at: float
    deploy_id: str
    is_running: bool
    insights: list[Json]
    orders: list[Json]
    logs: list[str]
    portfolio: Json


@dataclass(slots=True)
class Context:
    """What endpoints work on."""

    desk: Desk
    wall: Callable[[], float]
    delay_s: float = 0.0
    _snapshots: dict[str, Snapshot] = field(default_factory=dict)

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
            if deployment.deploy_id == wanted:
                return deployment
        raise Failure(f"Invalid argument: project {project.id} has no such deployment")

    def snapshot(self, deployment: Deployment) -> Snapshot:
        """What is shown of it now: at most `delay_s` old, and fresh once it has ended."""
        now = self.wall()
        held = self._snapshots.get(deployment.deploy_id)
        is_fresh = held is not None and now - held.taken_at < self.delay_s
        if held is not None and is_fresh and held.is_running == deployment.is_running:
            return held
        is_kept = self.delay_s > 0
        taken = Snapshot(
            taken_at=now,
            deploy_id=deployment.deploy_id,
            is_running=deployment.is_running,
            insights=copy.deepcopy(deployment.insights) if is_kept else deployment.insights,
            orders=list(deployment.orders) if is_kept else deployment.orders,
            logs=list(deployment.logs),
            portfolio=portfolio(deployment),
        )
        if is_kept:
            self._snapshots = {k: v for k, v in self._snapshots.items() if v.is_running}
            self._snapshots[deployment.deploy_id] = taken
        return taken


Endpoint = Callable[[Context, Parameters], Json]


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
        holdings[f"{ticker} R735QTJ8XC9X"] = {k: v for k, v in fields.items() if v}
    usd = {
        "symbol": "USD",
        "amount": cash,
        "conversionRate": 1,
        "currencySymbol": "$",
        "valueInAccountCurrency": cash,
    }
    return {"holdings": holdings or [], "cash": {"USD": usd}}
