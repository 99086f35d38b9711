"""Orders and their events: what an algorithm has done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from qc_ingest.domain.insights import digest_of, parse_symbol
from qc_ingest.domain.wire import Json, normal, parse_integer, parse_number, parse_text, parse_time
from signalbox.contracts.errors import Malformed

# QuantConnect numbers the states of an order and names those of its events; there is no 4.
_STATUS_NAMES = {
    "0": "new",
    "1": "submitted",
    "2": "partiallyfilled",
    "3": "filled",
    "5": "canceled",
    "6": "none",
    "7": "invalid",
    "8": "cancelpending",
    "9": "updatesubmitted",
    "": "canceled",  # null, in older files
}
_FINAL = frozenset({"filled", "canceled", "invalid"})
_FILLED = frozenset({"filled", "partiallyfilled"})
_OPTION_EXERCISE = "6"


@dataclass(frozen=True, slots=True)
class Order:
    """An order as far as ingestion needs it; its events are still raw."""

    id: int  # counts within one deployment
    status: str
    is_exercise: bool
    events: Sequence[Json]

    @property
    def is_final(self) -> bool:
        """Whether no further event may follow. An unknown status counts as open."""
        return self.status in _FINAL


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One event of an order. Only fills say anything; the rest is not looked at closely."""

    id: str  # {algorithmId}-{orderId}-{orderEventId}
    symbol_id: str
    ticker: str
    at: datetime
    status: str
    fill_quantity: Decimal  # signed
    fill_price: Decimal | None
    is_assignment: bool

    @property
    def is_fill(self) -> bool:
        """Whether something was bought or sold."""
        return self.status in _FILLED and self.fill_quantity != 0

    @property
    def digest(self) -> str:
        """A fill never changes."""
        return digest_of(self.id, self.fill_quantity)


def parse_order(raw: object) -> Order:
    """An order.

    Raises:
        Malformed: not an object, no id, or events that are no list.
    """
    fields = normal(raw)
    number = parse_integer(fields.get("id"))
    if number is None:
        raise Malformed("an order has no id")
    events = fields.get("events") or []
    if not isinstance(events, list):
        raise Malformed(f"the events of order {number} are no list")
    return Order(
        id=number,
        status=_status(fields.get("status")),
        is_exercise=parse_text(fields.get("type"), longest=8) == _OPTION_EXERCISE,
        events=tuple(events),
    )


def parse_order_event(raw: object) -> OrderEvent:
    """An order event.

    Raises:
        Malformed: not an object, or id, symbol or time is missing or unreadable.
    """
    fields = normal(raw)
    at = parse_time(fields.get("time"))
    if at is None:
        raise Malformed("an order event has no time")
    symbol_id, ticker = parse_symbol(fields)
    return OrderEvent(
        id=_event_id(fields),
        symbol_id=symbol_id,
        ticker=ticker,
        at=at,
        status=_status(fields.get("status")),
        fill_quantity=parse_number(fields.get("fillquantity")) or Decimal(0),
        fill_price=parse_number(fields.get("fillprice")),
        is_assignment=fields.get("isassignment") is True,
    )


def _event_id(fields: dict[str, Json]) -> str:
    algorithm = parse_text(fields.get("algorithmid"), longest=64)
    order, event = parse_integer(fields.get("orderid")), parse_integer(fields.get("ordereventid"))
    if algorithm and order is not None and event is not None:
        return f"{algorithm}-{order}-{event}"
    given = parse_text(fields.get("id"), longest=128)
    if given.count("-") < 2:
        raise Malformed(f"order event id {given[:40]!r} does not name a deployment and an order")
    return given


def _status(value: object) -> str:
    text = parse_text(value, longest=32).lower()
    return _STATUS_NAMES.get(text, text)
