"""Charts as series of points: unix seconds and an exact value as text."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

from qc_ingest.domain.wire import Json, normal, parse_list, parse_map, parse_number_or_none
from signalbox.contracts.ids import plain

Point = tuple[int, Decimal]
T = TypeVar("T")

MOST_POINTS = 1000


def parse_series(chart: Json, name: str) -> list[Point]:
    """The points of one series of a chart, in order of time; gaps and unreadable ones left out.

    Of a candle it is the close. Without a series of that name, the first one counts.
    """
    series = parse_map(normal(chart).get("series")) if isinstance(chart, dict) else {}
    chosen = series.get(name) or next(iter(series.values()), None)
    if not isinstance(chosen, dict):
        return []
    found: dict[int, Decimal] = {}
    for raw in parse_list(normal(chosen).get("values")):
        at, value = _point(raw)
        if at is not None and value is not None:
            found[int(at)] = value
    return sorted(found.items())


def thin(rows: Sequence[T], most: int = MOST_POINTS) -> list[T]:
    """At most `most` of these, evenly spread; the first and the last always stay."""
    if len(rows) <= most:
        return list(rows)
    last = len(rows) - 1
    return [rows[place * last // (most - 1)] for place in range(most)]


def as_json(points: Sequence[Point]) -> list[Json]:
    """What is stored and shown: at most 1,000 points."""
    return [[at, plain(value)] for at, value in thin(points)]


def _point(raw: Json) -> tuple[Decimal | None, Decimal | None]:
    if isinstance(raw, dict):
        fields = normal(raw)
        return parse_number_or_none(fields.get("x")), parse_number_or_none(fields.get("y"))
    cells = parse_list(raw)
    if len(cells) < 2:
        return None, None
    value = cells[-1] if len(cells) >= 5 else cells[1]
    return parse_number_or_none(cells[0]), parse_number_or_none(value)
