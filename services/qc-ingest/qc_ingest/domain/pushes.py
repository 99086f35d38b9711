"""What an algorithm has pushed to our webhook."""

from collections.abc import Sequence
from dataclasses import dataclass

from qc_ingest.domain.pages import Found, Kind, bad, read_events, read_insights
from qc_ingest.domain.wire import Json, decode, normal, parse_integer, parse_text
from signalbox.contracts.config import QuantConnectConfig
from signalbox.contracts.errors import Malformed, Refused

_MOST_WORDS = 1000
_NEITHER = "it is neither an insight nor an order event"
_LISTS = {"insights": Kind.INSIGHTS, "orderevents": Kind.FILLS}
_OF_EVENT = frozenset({"ordereventid", "fillquantity"})
_OF_INSIGHT = frozenset({"generatedtime", "closetime", "period"})
_Rows = dict[Kind | None, list[Json]]


@dataclass(frozen=True, slots=True)
class PushBody:
    """The words of one push, under the keys that polling gives them too."""

    project_id: int
    deploy_id: str
    found: Sequence[Found]


def parse_push(text: str, config: QuantConnectConfig) -> PushBody:
    """The pushed insights and fills; what cannot be read among them says why in its place.

    `text` is our snippet's object, a list of insights and order events, or one of them; each as it
    is, as the text of a `payload`, or in quotes.

    Raises:
        Malformed: none of these, no project, or too many words.
        Refused: the push names another project than the one that is followed.
    """
    envelope, rows = _open(_unwrap(text))
    count = sum(map(len, rows.values()))
    if count > _MOST_WORDS:
        raise Malformed(f"the push holds {count} words, more than {_MOST_WORDS}")
    project_id = parse_integer(envelope.get("projectid"))
    if project_id is None:
        project_id = config.project_id
    if project_id is None:
        raise Malformed("the push names no project, and this connection follows every project")
    if config.project_id not in {None, project_id}:
        raise Refused(f"the push names project {project_id}; this key is for {config.project_id}")
    found = [
        *read_insights(rows.get(Kind.INSIGHTS, ())),
        *read_events(rows.get(Kind.FILLS, ())),
        *(Found(bad(row, _NEITHER), row) for row in rows.get(None, ())),
    ]
    return PushBody(project_id, parse_text(envelope.get("deployid"), longest=64), found)


def _unwrap(text: str) -> Json:
    value = decode(text)
    for _ in range(3):
        if isinstance(value, str):
            value = decode(value)
        elif isinstance(value, dict) and isinstance(value.get("payload"), str):
            value = value["payload"]
        else:
            break
    return value


def _open(value: Json) -> tuple[dict[str, Json], _Rows]:
    """The envelope, and the words in it by what they are."""
    if isinstance(value, list):
        return {}, _sort(value)
    fields = normal(value)
    rows: _Rows = {}
    for name, kind in _LISTS.items():
        held = fields.get(name)
        if held is not None:
            rows[kind] = held if isinstance(held, list) else [held]
    if not rows and _kind_of(value) is not None:
        rows = _sort([value])
    if not rows:
        raise Malformed("the push holds no insights and no order events")
    return fields, rows


def _sort(words: Sequence[Json]) -> _Rows:
    rows: _Rows = {}
    for word in words:
        rows.setdefault(_kind_of(word), []).append(word)
    return rows


def _kind_of(word: Json) -> Kind | None:
    """By its fields: an order event has a direction too, and an insight never fills."""
    fields = normal(word).keys() if isinstance(word, dict) else frozenset[str]()
    if fields & _OF_EVENT:
        return Kind.FILLS
    return Kind.INSIGHTS if "direction" in fields and fields & _OF_INSIGHT else None
