"""Live deployments: what they say, hold and do, and how they are started and stopped."""

from qc_ingest.adapters.transport import Body, Transport
from qc_ingest.domain.answers import NotDeployed
from qc_ingest.domain.deployments import Deployment, parse_deployment, parse_project_ids
from qc_ingest.domain.live import (
    Listing,
    Logs,
    Notify,
    paper_deployment,
    parse_listings,
    parse_logs,
)
from qc_ingest.domain.pages import Kind
from qc_ingest.domain.portfolio import Portfolio, parse_portfolio
from qc_ingest.domain.wire import Json, parse_list, parse_text
from signalbox.contracts.errors import TransientError

MOST_LOG_LINES = 250  # that one call may ask for
_LISTS = {Kind.INSIGHTS: "insights", Kind.FILLS: "orders"}


class Live:
    """The `live` endpoints."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def running(self) -> list[int]:
        """Projects that trade live now."""
        body: Body = {"status": "Running"}
        fields = await self._transport.read("live/list", body, expects=("live",))
        return parse_project_ids(fields.get("live"))

    async def all(self) -> list[Listing]:
        """Every deployment of the account, past and present, oldest first."""
        fields = await self._transport.read("live/list", expects=("live",))
        return parse_listings(fields.get("live"))

    async def deployment(self, project_id: int) -> Deployment | None:
        """The newest deployment of a project; None when there never was one."""
        body: Body = {"projectId": project_id}
        try:
            fields = await self._transport.read("live/read", body, expects=("deployid", "status"))
        except NotDeployed:
            return None
        if fields.get("status") == "Undefined":
            return None
        return parse_deployment(project_id, fields)

    async def page(self, kind: Kind, deployment: Deployment, start: int, end: int) -> list[Json]:
        """Items `start` to `end` (exclusive) of a deployment's list, oldest first.

        Raises:
            Loading: the data was not ready within a minute.
        """
        body: Body = {
            "projectId": deployment.project_id,
            "algorithmId": deployment.deploy_id,
            "start": start,
            "end": end,
        }
        name = _LISTS[kind]
        fields = await self._transport.prepared(f"live/{name}/read", body, expects=(name,))
        return parse_list(fields.get(name))

    async def portfolio(self, project_id: int) -> Portfolio:
        """What the newest deployment of a project holds."""
        body: Body = {"projectId": project_id}
        fields = await self._transport.read("live/portfolio/read", body, expects=("portfolio",))
        return parse_portfolio(fields.get("portfolio"))

    async def logs(self, deployment: Deployment, start: int, end: int) -> Logs:
        """Lines `start` to `end` (exclusive, at most 250) of a project's log."""
        body: Body = {
            "format": "json",
            "projectId": deployment.project_id,
            "algorithmId": deployment.deploy_id,
            "startLine": start,
            "endLine": end,
        }
        return parse_logs(await self._transport.read("live/logs/read", body, expects=("logs",)))

    async def create(
        self, project_id: int, compile_id: str, node_id: str, notify: Notify | None = None
    ) -> str:
        """Deploy a build to QuantConnect's paper brokerage; the new deployment's id."""
        body = paper_deployment(project_id, compile_id, node_id, notify)
        fields = await self._transport.change("live/create", body, expects=("deployid",))
        deploy_id = parse_text(fields.get("deployid"), longest=64)
        if not deploy_id:
            raise TransientError("QuantConnect names no deployment that it created")
        return deploy_id

    async def stop(self, project_id: int) -> None:
        """Stop; positions stay."""
        await self._transport.change("live/update/stop", {"projectId": project_id})

    async def liquidate(self, project_id: int) -> None:
        """Sell everything, then stop."""
        await self._transport.change("live/update/liquidate", {"projectId": project_id})

    async def command(self, project_id: int, command: dict[str, Json]) -> None:
        """Hand a command to a running algorithm. Accepted is not executed."""
        body: Body = {"projectId": project_id, "command": command}
        await self._transport.change("live/commands/create", body)
