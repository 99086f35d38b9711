"""A small feed: one name by the minute over three sessions and a weekend, and two by the day."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from market_data.domain.rows import Row, session_on
from market_data.domain.timeline import Series, Timeline, merge

THURSDAY, FRIDAY, MONDAY = date(2026, 7, 30), date(2026, 7, 31), date(2026, 8, 3)
LAST_MINUTES = 3  # of each session, so that it ends at the close


def minute_row(at: datetime, price: int, volume: int = 100) -> Row:
    """A minute that opens at `price` and closes one higher."""
    closed = at + timedelta(minutes=1)
    low, high = Decimal(price), Decimal(price + 1)
    return Row(at, closed, at, low, high, low, high, Decimal(volume))


def day_row(day: date, price: int, weeks: int = 0) -> Row:
    """A session that opens and closes at `price`."""
    opens, closes = session_on(day + timedelta(weeks=weeks))
    flat = Decimal(price)
    return Row(opens, closes, session_on(day).opens_at, flat, flat, flat, flat, Decimal(1000))


def last_minutes(day: date, price: int) -> list[Row]:
    """The last minutes of a session."""
    closes = session_on(day).closes_at
    return [
        minute_row(closes - timedelta(minutes=back), price + LAST_MINUTES - back)
        for back in range(LAST_MINUTES, 0, -1)
    ]


@pytest.fixture(scope="session")
def series() -> tuple[Series, ...]:
    """AAPL: Wednesday is history, then Thursday, Friday, Monday. Daily: AAPL and MSFT."""
    days = (date(2026, 7, 29), THURSDAY, FRIDAY, MONDAY)
    minutes = [row for n, day in enumerate(days) for row in last_minutes(day, 100 + 10 * n)]
    older = [day_row(day, 200 + n, 834) for n, day in enumerate(_weekdays(date(2010, 7, 26), 12))]
    return (
        Series("AAPL", "1m", "minutes 1", tuple(minutes)),
        Series("AAPL", "1d", "minutes 1", tuple(day_row(day, 300) for day in days)),
        Series("MSFT", "1d", "days 1", tuple(older), {"ohlc_order": 2}),
    )


@pytest.fixture(scope="session")
def timeline(series: tuple[Series, ...]) -> Timeline:
    """The small feed, merged."""
    return merge(series)


@pytest.fixture(scope="session")
def wall() -> datetime:
    """Some wall time, far from market time."""
    return datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def minute() -> Callable[..., Row]:
    """Makes a minute's row."""
    return minute_row


def _weekdays(first: date, count: int) -> list[date]:
    days = (first + timedelta(days=n) for n in range(2 * count))
    return [day for day in days if day.weekday() < 5][:count]
