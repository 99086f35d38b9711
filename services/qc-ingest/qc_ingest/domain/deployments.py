"""Live deployments, as far as ingestion needs them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from qc_ingest.domain.wire import Json, normal, parse_integer, parse_text
from signalbox.contracts.errors import Malformed, TransientError

_ENDED = frozenset(
    {
        "stopped",
        "liquidated",
        "runtimeerror",
        "completed",
        "deployerror",
        "invalid",
        "deleted",
        "undefined",
    }
)
_MOST_STATISTICS = 60


@dataclass(frozen=True, slots=True)
class Deployment:
    """One live deployment. The status is QuantConnect's own text; new ones come unannounced."""

    project_id: int
    deploy_id: str
    status: str
    name: str = ""
    launched: str = ""
    stopped: str = ""
    brokerage: str = ""
    message: str = ""
    statistics: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_ended(self) -> bool:
        """Whether it will say nothing more."""
        return self.status.lower() in _ENDED

    def body(self) -> dict[str, JsonValue]:
        """What is published about it."""
        return {
            "name": self.name or f"Project {self.project_id}",
            "deploy_id": self.deploy_id or None,
            "status": self.status,
            "launched": self.launched or None,
            "stopped": self.stopped or None,
            "brokerage": self.brokerage or None,
            "message": self.message or None,
            "statistics": dict(self.statistics),
        }


def parse_deployment(project_id: int, fields: Mapping[str, Json]) -> Deployment:
    """The answer of `live/read`.

    Raises:
        TransientError: no deployment id; the next answer may name one.
    """
    deploy_id = parse_text(fields.get("deployid"), longest=64)
    if not deploy_id:
        raise TransientError(f"live/read of project {project_id} names no deployment")
    return Deployment(
        project_id=project_id,
        deploy_id=deploy_id,
        status=parse_text(fields.get("status"), longest=32) or "Unknown",
        name=parse_text(fields.get("projectname"), longest=128),
        launched=parse_text(fields.get("launched"), longest=32),
        stopped=parse_text(fields.get("stopped"), longest=32),
        brokerage=parse_text(fields.get("brokerage"), longest=64),
        message=parse_text(fields.get("messages"), longest=500),
        statistics=_statistics(fields.get("runtimestatistics")),
    )


def parse_project_ids(rows: Json) -> list[int]:
    """The projects that a list of deployments names, each once."""
    return sorted({number for number, _ in _numbered(rows)})


def _numbered(rows: Json) -> Iterable[tuple[int, dict[str, Json]]]:
    for row in rows if isinstance(rows, list) else []:
        try:
            fields = normal(row)
            number = parse_integer(fields.get("projectid"))
        except Malformed:
            continue
        if number is not None:
            yield number, fields


def _statistics(value: Json) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    pairs = list(value.items())[:_MOST_STATISTICS]
    return {parse_text(key, longest=64): parse_text(text, longest=64) for key, text in pairs}
