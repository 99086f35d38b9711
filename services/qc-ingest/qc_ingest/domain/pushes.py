"""What an algorithm has pushed to our webhook."""

from collections.abc import Sequence
from dataclasses import dataclass

from qc_ingest.domain.pages import Found, read_insights
from qc_ingest.domain.wire import Json, decode, normal, parse_integer, parse_text
from signalbox.contracts.config import QuantConnectConfig
from signalbox.contracts.errors import Malformed, Refused

_MOST_INSIGHTS = 1000


@dataclass(frozen=True, slots=True)
class PushBody:
    """The insights of one push, under the keys that polling gives them too."""

    project_id: int
    deploy_id: str
    found: Sequence[Found]


def parse_push(text: str, config: QuantConnectConfig) -> PushBody:
    """The pushed insights.

    `text` is our snippet's object, an object whose `payload` is that as text, or either in quotes.

    Raises:
        Malformed: none of these, no project, or too many insights.
        Refused: the push names another project than the one that is followed.
    """
    fields = _unwrap(text)
    insights = fields.get("insights")
    if not isinstance(insights, list):
        raise Malformed("the push holds no list of insights")
    if len(insights) > _MOST_INSIGHTS:
        raise Malformed(f"the push holds {len(insights)} insights, more than {_MOST_INSIGHTS}")
    project_id = parse_integer(fields.get("projectid"))
    if project_id is None:
        project_id = config.project_id
    if project_id is None:
        raise Malformed("the push names no project")
    if config.project_id not in {None, project_id}:
        raise Refused(f"the push names project {project_id}; this key is for {config.project_id}")
    deploy_id = parse_text(fields.get("deployid"), longest=64)
    return PushBody(project_id, deploy_id, read_insights(insights))


def _unwrap(text: str) -> dict[str, Json]:
    value = decode(text)
    for _ in range(3):
        if isinstance(value, str):
            value = decode(value)
        elif isinstance(value, dict) and isinstance(value.get("payload"), str):
            value = value["payload"]
        else:
            break
    if isinstance(value, list):
        return {"insights": value}
    return normal(value)
