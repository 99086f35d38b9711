"""Lists of deployments, their logs, and what a new one is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from qc_ingest.domain.deployments import Deployment
from qc_ingest.domain.wire import (
    Json,
    parse_integer_or_none,
    parse_list,
    parse_number_or_none,
    parse_text,
    parse_time_or_none,
    rows_of,
)

_PAPER = "QuantConnectBrokerage"


@dataclass(frozen=True, slots=True)
class Listing:
    """A line of `live/list`."""

    project_id: int
    deploy_id: str
    status: str
    launched: datetime | None = None
    stopped: datetime | None = None
    brokerage: str = ""
    equity: Decimal | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Logs:
    """Some lines of a deployment's log, and how many there are of all deployments."""

    lines: tuple[str, ...]
    length: int


@dataclass(frozen=True, slots=True)
class Notify:
    """Where QuantConnect is to send a deployment's insights and order events."""

    url: str
    headers: Mapping[str, str]


def parse_listings(rows: Json) -> list[Listing]:
    """The lines of `live/list`, oldest first; unreadable ones are left out."""
    found = [
        Listing(
            project_id=project_id,
            deploy_id=parse_text(row.get("deployid"), longest=64),
            status=parse_text(row.get("status"), longest=32) or "Unknown",
            launched=parse_time_or_none(row.get("launched")),
            stopped=parse_time_or_none(row.get("stopped")),
            brokerage=parse_text(row.get("brokerage"), longest=64),
            equity=parse_number_or_none(row.get("equity")),
            error=parse_text(row.get("error"), longest=500),
        )
        for row in rows_of(rows)
        if (project_id := parse_integer_or_none(row.get("projectid"))) is not None
    ]
    return sorted(found, key=_when)


def newest_of(listings: list[Listing]) -> dict[int, Listing]:
    """The newest deployment of each project."""
    return {listing.project_id: listing for listing in listings}


def parse_logs(fields: Mapping[str, Json]) -> Logs:
    """The answer of `live/logs/read`."""
    lines = tuple(parse_text(line, longest=1000) for line in parse_list(fields.get("logs")))
    length = parse_integer_or_none(fields.get("length"))
    return Logs(lines, len(lines) if length is None else length)


def paper_deployment(
    project_id: int, compile_id: str, node_id: str, notify: Notify | None
) -> dict[str, Json]:
    """The request of `live/create` for QuantConnect's own paper brokerage, and no other."""
    body: dict[str, Json] = {
        "projectId": project_id,
        "compileId": compile_id,
        "nodeId": node_id,
        "versionId": "-1",
        "automaticRedeploy": False,
        "brokerage": {"id": _PAPER},
        "dataProviders": {_PAPER: {"id": _PAPER}},
    }
    if notify is not None:
        headers: dict[str, Json] = dict(notify.headers)
        target: dict[str, Json] = {"address": notify.url, "headers": headers}
        body["notification"] = {"events": ["orderEvent", "insight"], "targets": [target]}
    return body


def is_alive(deployment: Deployment | None) -> bool:
    """Whether a deployment runs, or is about to."""
    return deployment is not None and not deployment.has_ended


def _when(listing: Listing) -> tuple[bool, float]:
    at = listing.launched
    return (at is not None, at.timestamp() if at else 0.0)
