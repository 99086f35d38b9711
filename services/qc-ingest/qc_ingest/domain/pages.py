"""Pages of insights and orders: each item as what it says, or as why it says nothing."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from qc_ingest.domain.insights import Insight, digest_of, parse_insight
from qc_ingest.domain.orders import OrderEvent, parse_order, parse_order_event
from qc_ingest.domain.wire import Json
from signalbox.contracts.errors import Malformed

PAGE = 100  # what one call may ask for
OVERLAP = PAGE - 1  # read again each time; one less than a page, so that a quiet cycle is one call
_LOOK_BACK = 500  # an order that stays open for ever does not make every cycle longer


class Kind(StrEnum):
    """What is followed of a deployment."""

    INSIGHTS = "insights"
    FILLS = "fills"


@dataclass(frozen=True, slots=True)
class Bad:
    """An item that cannot be read. Its id is made of its bytes, so it is counted once."""

    id: str
    reason: str

    @property
    def digest(self) -> str:
        """The same bytes are the same bad item."""
        return self.id


@dataclass(frozen=True, slots=True)
class Found:
    """One item of a page, with the JSON it came from."""

    item: Insight | OrderEvent | Bad
    raw: Json


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a list of one deployment has been read."""

    config_id: str
    project_id: int
    deploy_id: str
    kind: Kind
    next_index: int = 0
    reread_from: int = 0  # lowest index whose item may still change
    history: bool = True  # first contact: what is there already is seen, never raised
    closed: bool = False  # the deployment has ended and was read to its end

    @property
    def start(self) -> int:
        """Where the next cycle begins to read."""
        overlap = self.next_index - OVERLAP
        oldest = self.next_index - _LOOK_BACK
        return max(0, oldest, min(overlap, self.reread_from))


def read_insights(rows: Sequence[Json]) -> list[Found]:
    """Every insight of a page."""
    return [_found(row) for row in rows]


def read_fills(rows: Sequence[Json]) -> tuple[list[Found], int | None]:
    """Every fill of a page of orders, and the place in it of the first order that is not final."""
    found: list[Found] = []
    first_open: int | None = None
    for place, row in enumerate(rows):
        try:
            order = parse_order(row)
        except Malformed as error:
            found.append(Found(bad(row, str(error)), row))
            continue
        if not order.is_final and first_open is None:
            first_open = place
        if not order.is_exercise:
            found.extend(read_events(order.events))
    return found, first_open


def read_events(rows: Iterable[Json]) -> Iterable[Found]:
    """Every fill among order events, and what cannot be read."""
    for row in rows:
        try:
            event = parse_order_event(row)
        except Malformed as error:
            yield Found(bad(row, str(error)), row)
            continue
        if event.is_fill:
            yield Found(event, row)


def bad(raw: Json, reason: str) -> Bad:
    """An unreadable item."""
    return Bad(f"bad-{digest_of(json.dumps(raw, sort_keys=True))}", reason[:200])


def _found(raw: Json) -> Found:
    try:
        return Found(parse_insight(raw), raw)
    except Malformed as error:
        return Found(bad(raw, str(error)), raw)
