"""Lines of a price file become rows, or are refused with a reason."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
TICK = Decimal("0.0001")  # prices are rounded to it
_SATURDAY = 5


class Session(NamedTuple):
    """Regular trading hours of one day."""

    opens_at: datetime
    closes_at: datetime


class Span(NamedTuple):
    """When a bar lies on the timeline, and when it really happened."""

    opened_at: datetime
    closed_at: datetime
    true_opened_at: datetime


class Line(NamedTuple):
    """One line of a price file, as text."""

    when: str
    open: str
    high: str
    low: str
    close: str
    volume: str


class Row(NamedTuple):
    """One sound bar, before any loop of the replay shifts it."""

    opened_at: datetime
    closed_at: datetime
    true_opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal  # units


@dataclass(frozen=True, slots=True)
class Table:
    """What a price file came to."""

    rows: tuple[Row, ...]  # oldest first
    refused: Mapping[str, int]  # reason -> number of lines


@lru_cache(maxsize=2048)
def session_on(day: date) -> Session:
    """New York's regular hours, 09:30 to 16:00, in UTC; early closes are not known here."""
    opens = datetime.combine(day, time(9, 30), NEW_YORK).astimezone(UTC)
    closes = datetime.combine(day, time(16), NEW_YORK).astimezone(UTC)
    return Session(opens, closes)


def session_of(instant: datetime) -> Session:
    """The session of the New York day that `instant` falls on."""
    return session_on(instant.astimezone(NEW_YORK).date())


def minute_span(when: str) -> Span:
    """The minute that opens at an ISO time with its offset.

    Raises:
        ValueError: not such a time.
    """
    opened = datetime.fromisoformat(when)
    if opened.tzinfo is None:
        raise ValueError(f"{when} has no offset")
    opened = opened.astimezone(UTC)
    return Span(opened, opened + timedelta(minutes=1), opened)


def day_span(when: str, weeks: int = 0) -> Span:
    """The session of an ISO date, `2010-08-20` or `20100820`, moved by whole weeks.

    Raises:
        ValueError: not such a date.
    """
    true = date.fromisoformat(when)
    moved = session_on(true + timedelta(weeks=weeks))
    return Span(moved.opens_at, moved.closes_at, session_on(true).opens_at)


def read(
    lines: Iterable[Line], span_of: Callable[[str], Span], *, volume_unit: Decimal = Decimal(1)
) -> Table:
    """Every sound line as a row; the others are counted by reason. Never raises."""
    rows: list[Row] = []
    refused: Counter[str] = Counter()
    for line in lines:
        row = _parse(line, span_of, volume_unit)
        if isinstance(row, str):
            refused[row] += 1
        elif rows and row.opened_at < rows[-1].closed_at:
            refused["not_in_order"] += 1
        else:
            rows.append(row)
    return Table(tuple(rows), dict(refused))


def number_fault(prices: Sequence[Decimal], volume: Decimal) -> str | None:
    """Why open, high, low, close and volume cannot be true; None when they can."""
    if not all(number.is_finite() for number in (*prices, volume)):
        return "not_a_number"
    if min(prices) <= 0:
        return "price_not_positive"
    if volume < 0:
        return "volume_negative"
    opened, high, low, closed = prices
    if not low <= min(opened, closed) <= max(opened, closed) <= high:
        return "ohlc_order"
    return None


def _parse(line: Line, span_of: Callable[[str], Span], volume_unit: Decimal) -> Row | str:
    try:
        span = span_of(line.when)
    except (ValueError, OverflowError):
        return "bad_time"
    try:
        prices = [Decimal(text).quantize(TICK) for text in line[1:5]]
        volume = Decimal(line.volume) * volume_unit
    except InvalidOperation:
        return "not_a_number"
    reason = _fault(span, prices, volume)
    opened, high, low, closed = prices
    return reason or Row(*span, opened, high, low, closed, volume)


def _fault(span: Span, prices: list[Decimal], volume: Decimal) -> str | None:
    if reason := number_fault(prices, volume):
        return reason
    session = session_of(span.opened_at)
    weekend = span.opened_at.astimezone(NEW_YORK).weekday() >= _SATURDAY
    if weekend or span.opened_at < session.opens_at or span.closed_at > session.closes_at:
        return "outside_session"
    return None
