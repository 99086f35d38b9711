"""Equity over time: candles that join as they grow many, so that memory stays bounded."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

MOST_POINTS = 4000
_MOST_DAYS = 2000


@dataclass(slots=True)
class Point:
    """A stretch of time, and the values at its end."""

    at: int  # unix seconds
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    benchmark: Decimal
    drawdown: Decimal  # deepest on the way, a fraction, 0 or below

    def join(self, later: "Point") -> None:
        """Take in the stretch that follows."""
        self.at, self.close, self.benchmark = later.at, later.close, later.benchmark
        self.high, self.low = max(self.high, later.high), min(self.low, later.low)
        self.drawdown = min(self.drawdown, later.drawdown)


@dataclass(slots=True)
class Curve:
    """Equity, benchmark and drawdown; begins with the first point that is added."""

    points: list[Point] = field(default_factory=list)
    days: dict[date, tuple[float, float]] = field(default_factory=dict)  # last values of each
    peak: Decimal = Decimal(0)
    _every: int = 1  # so many additions make one point
    _joined: int = 0

    def add(self, at: datetime, equity: Decimal, benchmark: Decimal) -> None:
        """The values at one time, later than those before."""
        self.peak = max(self.peak, equity)
        drawdown = equity / self.peak - 1 if self.peak else Decimal(0)
        before = self.points[-1].close if self.points else equity
        high, low = max(before, equity), min(before, equity)
        point = Point(int(at.timestamp()), before, high, low, equity, benchmark, drawdown)
        if self.points and self._joined < self._every:
            self.points[-1].join(point)
            self._joined += 1
        else:
            self.points.append(point)
            self._joined = 1
        self.days[at.date()] = (float(equity), float(benchmark))
        if len(self.days) > _MOST_DAYS:
            del self.days[next(iter(self.days))]
        if len(self.points) > MOST_POINTS:
            self.points = thin(self.points, MOST_POINTS // 2)
            self._every *= 2

    @property
    def deepest(self) -> Decimal:
        """The largest loss from a peak, a fraction, 0 or above."""
        return -min((point.drawdown for point in self.points), default=Decimal(0))

    def recovery_days(self) -> int:
        """The longest time from a peak until it was reached again, or until the end."""
        longest, peak, peak_at = 0, Decimal(0), self.points[0].at if self.points else 0
        for point in self.points:
            longest = max(longest, point.at - peak_at)
            if point.close >= peak:
                peak, peak_at = point.close, point.at
        return longest // 86_400


def thin(points: list[Point], most: int) -> list[Point]:
    """At most so many points over the same time, neighbours joined evenly."""
    size = max(-(-len(points) // most), 1)
    made = []
    for first in range(0, len(points), size):
        source = points[first]
        joined = Point(*(getattr(source, name) for name in Point.__slots__))
        for later in points[first + 1 : first + size]:
            joined.join(later)
        made.append(joined)
    return made
