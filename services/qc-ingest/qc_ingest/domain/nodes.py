"""QuantConnect's machines: which are free, and what to say when none is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from qc_ingest.domain.wire import Json, parse_text, rows_of
from signalbox.contracts.errors import Conflict, NotFound, Refused


@dataclass(frozen=True, slots=True)
class Node:
    """One machine."""

    id: str
    name: str
    busy: bool
    used_by: str = ""  # the project, else the person

    def body(self) -> dict[str, JsonValue]:
        """What is shown of it."""
        return {
            "id": self.id,
            "name": self.name,
            "busy": self.busy,
            "used_by": self.used_by or None,
        }


@dataclass(frozen=True, slots=True)
class Nodes:
    """What an organization has."""

    backtest: tuple[Node, ...] = ()
    research: tuple[Node, ...] = ()
    live: tuple[Node, ...] = ()

    @property
    def free_backtest(self) -> int:
        """Machines that could run a backtest now."""
        return sum(not node.busy for node in self.backtest)

    @property
    def free_live(self) -> int:
        """Machines that could run a deployment now."""
        return sum(not node.busy for node in self.live)

    def body(self) -> dict[str, JsonValue]:
        """What is shown of them."""
        return {
            "live": [node.body() for node in self.live],
            "free_live": self.free_live,
            "free_backtest": self.free_backtest,
        }


def parse_nodes(fields: Mapping[str, Json]) -> Nodes:
    """The answer of `nodes/read`."""
    kinds = ("backtest", "research", "live")
    return Nodes(*(tuple(_nodes(fields.get(kind))) for kind in kinds))


def choose_live(nodes: Sequence[Node], wanted: str | None) -> Node:
    """The live node to deploy to: the one that is asked for, else the first free one.

    Raises:
        NotFound: there is no such node.
        Refused: the organization has none at all.
        Conflict: it is busy, or all are; the message says with what.
    """
    if wanted is not None:
        return _free(_named(nodes, wanted))
    if not nodes:
        raise Refused(
            "The organization has no live node, so its tier does not allow a deployment. Add a"
            " live node under Organization, Resources on quantconnect.com, then deploy again."
        )
    for node in nodes:
        if not node.busy:
            return node
    busy = ", ".join(_in_words(node) for node in nodes[:5])
    raise Conflict(
        f"No live node is free: {busy}. Stop one of these deployments or add a live node on"
        " quantconnect.com, then deploy again."
    )


def _named(nodes: Sequence[Node], wanted: str) -> Node:
    for node in nodes:
        if node.id == wanted:
            return node
    raise NotFound(f"The organization has no live node {wanted!r}. Choose one of those listed.")


def _free(node: Node) -> Node:
    if node.busy:
        raise Conflict(f"The live node {_in_words(node)}. Choose another one, or stop that first.")
    return node


def _in_words(node: Node) -> str:
    return f"{node.name} runs {node.used_by or 'something'}"


def _nodes(rows: Json) -> list[Node]:
    found = []
    for row in rows_of(rows):
        node_id = parse_text(row.get("id"), longest=64)
        project = parse_text(row.get("projectname"), longest=128)
        node = Node(
            id=node_id,
            name=parse_text(row.get("name"), longest=64) or node_id,
            busy=row.get("busy") in (True, "1", "true"),
            used_by=project or parse_text(row.get("usedby"), longest=128),
        )
        if node_id:
            found.append(node)
    return found
