"""A small replay (one name by the minute over three sessions and a weekend, and two by the day),
and a live feed on a sandbox.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from market_data.adapters.alpaca import AlpacaData, Login, Timing
from market_data.adapters.pace import Pace
from market_data.domain.hours import Hours
from market_data.domain.rows import Row, Session, session_on
from market_data.domain.timeline import Series, Timeline, merge
from market_data.live.feed import Live
from sandbox.alpaca.api import SECRET
from sandbox.serving import Served, serving
from signalbox.contracts.config import MarketConfig
from signalbox.contracts.errors import NotFound, TransientError
from signalbox.contracts.events import Event
from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Severity
from signalbox.runtime.moment import Moment
from signalbox.testing.examples import a_bar

THURSDAY, FRIDAY, MONDAY = date(2026, 7, 30), date(2026, 7, 31), date(2026, 8, 3)
NOW = datetime(2026, 8, 3, 16, 0, tzinfo=UTC)  # noon in New York, a Monday
MINUTE = timedelta(minutes=1)
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


class LiveHost:
    """A service without a bus: keeps what is published and told, and the bucket."""

    def __init__(self, wall: datetime) -> None:
        self.wall = wall
        self.sent: list[Event] = []
        self.alerts: list[tuple[str, str, bool, str]] = []  # code, about, active, message
        self.bucket: dict[str, bytes] = {}
        self.broken = False

    def moment(self) -> Moment[MarketConfig]:
        return Moment("market-data", self.wall, self.wall, MarketConfig(), 1)

    async def publish(self, events: Iterable[Event]) -> None:
        if self.broken:
            raise TransientError("no stream answers")
        self.sent += events

    async def bucket_get(self, bucket: str, key: str) -> bytes | None:
        return self.bucket.get(f"{bucket}/{key}")

    async def bucket_put(self, bucket: str, key: str, value: bytes) -> None:
        if self.broken:
            raise TransientError("no stream answers")
        self.bucket[f"{bucket}/{key}"] = value

    async def alert(
        self,
        severity: Severity,
        code: str,
        about: str,
        message: str,
        *,
        occurrence: str,
        active: bool = True,
    ) -> None:
        assert severity
        assert occurrence
        self.alerts.append((code, about, active, message))


@dataclass
class Prices:
    """What the sandbox knows; bars are added as time goes by."""

    kept: dict[tuple[str, str], list[Bar]] = field(default_factory=dict)

    async def bars(
        self, symbol: str, interval: str, start: datetime | None, end: datetime | None
    ) -> list[Bar]:
        if (symbol, interval) not in self.kept:
            raise NotFound(f"there are no {interval} bars of {symbol}")
        found = sorted(self.kept[symbol, interval], key=lambda bar: bar.opened_at)
        return [b for b in found if start is None or b.opened_at >= start]

    def add(self, opened: datetime, *, minutes: int = 1, symbol: str = "AAPL", **over: Any) -> None:
        """Minutes in a row."""
        for n in range(minutes):
            at = opened + n * MINUTE
            self.kept.setdefault((symbol, "1m"), []).append(
                a_bar(symbol=symbol, opened_at=at, **over)
            )

    def add_day(self, session: Session, symbol: str = "AAPL", **over: Any) -> None:
        """A day of a stock."""
        bar = a_bar(symbol=symbol, interval="1d", opened_at=session.opens_at, **over)
        whole = bar.model_copy(update={"closed_at": session.closes_at})
        self.kept.setdefault((symbol, "1d"), []).append(whole)


class Station:
    """The live feed on a sandbox over real HTTP, at any time of any day."""

    def __init__(self, served: Served, prices: Prices) -> None:
        self.served = served
        self.prices = prices
        self.host = LiveHost(NOW)
        served.trading.venue.wall = lambda: self.host.wall
        self.sources: list[AlpacaData] = []
        self.read_s = 10.0  # until an answer is late

    def live(self, *symbols: str, intervals: Sequence[str] = ("1m",)) -> Live:
        """A process of the feed."""
        login = Login(f"{self.served.url}/alpaca", "key-id", SECRET)
        timing = Timing(read_s=self.read_s, whole_s=20, tries=2, pause_s=0.01, limited_s=0.01)
        pace = Pace(60_000, 1000)
        source = AlpacaData(login, pace=pace, timing=timing, wall=lambda: self.host.wall)
        self.sources.append(source)
        weekdays = [MONDAY + timedelta(days=n) for n in range(-40, 12)]
        hours = Hours(tuple(session_on(day) for day in weekdays if day.weekday() < 5))
        return Live(
            source,
            self.host,
            hours=hours,
            symbols=symbols or ("AAPL",),
            intervals=intervals,
            quote_s=5,
            news_s=60,
        )

    async def started(self, *symbols: str, intervals: Sequence[str] = ("1m",)) -> Live:
        """The same, with its history read."""
        live = self.live(*symbols, intervals=intervals)
        await live.load()
        for lane in live.lanes:
            await lane.look()
        return live

    def pass_by(self, **time: float) -> None:
        """Let wall time go on."""
        self.host.wall += timedelta(**time)

    def of(self, kind: type[Event]) -> list[Any]:
        """What was published of a kind, in order."""
        return [event.data for event in self.host.sent if isinstance(event, kind)]


@pytest.fixture
async def station() -> AsyncIterator[Station]:
    prices = Prices()
    async with serving(history=prices) as served:
        station = Station(served, prices)
        yield station
        for source in station.sources:
            await source.close()
