"""Bars that have closed, for warm-up and charts: never one that the feed has not published.

Loops follow each other on the market clock. A loop's own history (the rows before its start,
shifted like the loop) fills the time since the loop before it ended, so that indicators warm up on
the prices that belong to it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from market_data.domain.clock import next_step
from market_data.domain.timeline import Place, Series, Timeline
from signalbox.contracts.clock import ClockReading
from signalbox.contracts.payloads import Bar

MOST_BARS = 1000

_closed_at = attrgetter("closed_at")
_opened_at = attrgetter("opened_at")


class Listing(NamedTuple):
    """One series, and which of its bars can be seen."""

    symbol: str
    interval: str
    origin: str
    first: datetime | None  # opened_at of the oldest bar that can be seen
    last: datetime | None  # and of the newest


def find(timeline: Timeline, symbol: str, interval: str) -> int | None:
    """The number of a series, or None."""
    wanted = (symbol, interval)
    numbered = enumerate(timeline.series)
    return next((n for n, s in numbered if (s.symbol, s.interval) == wanted), None)


def bars(
    timeline: Timeline, reading: ClockReading, number: int, *, before: datetime, count: int
) -> list[Bar]:
    """The newest `count` published bars that had closed by `before`, oldest first."""
    places = _newest_first(timeline, reading, number, before)
    newest = [timeline.bar(place, epoch) for epoch, place in islice(places, count)]
    return newest[::-1]


def listing(timeline: Timeline, reading: ClockReading) -> list[Listing]:
    """Every series, with the first and last bar that can be seen."""
    return [_listing(timeline, reading, number) for number in range(len(timeline.series))]


def _listing(timeline: Timeline, reading: ClockReading, number: int) -> Listing:
    series = timeline.series[number]
    limit = reading.limit_at or reading.market_at
    seen = [(e, p) for e, p in _places(timeline, reading, number, limit) if p]
    first = last = None
    if seen:
        (newest, newest_places), (oldest, oldest_places) = seen[0], seen[-1]
        last = series.rows[newest_places[-1]].opened_at + timeline.shift(newest)
        first = series.rows[oldest_places[0]].opened_at + timeline.shift(oldest)
    return Listing(series.symbol, series.interval, series.origin, first, last)


def _newest_first(
    timeline: Timeline, reading: ClockReading, number: int, before: datetime
) -> Iterator[tuple[int, Place]]:
    for epoch, rows in _places(timeline, reading, number, before):
        for row in reversed(rows):
            yield epoch, Place(number, row)


def _places(
    timeline: Timeline, reading: ClockReading, number: int, before: datetime
) -> Iterator[tuple[int, range]]:
    """The rows of a series that can be seen, loop by loop, newest loop first."""
    series = timeline.series[number]
    for epoch in range(reading.epoch, -1, -1):
        shift = timeline.shift(epoch)
        end = bisect_right(series.rows, before - shift, key=_closed_at)
        end = min(end, _end(timeline, reading, series, epoch))
        yield epoch, range(_floor(timeline, series, epoch), end)


def _floor(timeline: Timeline, series: Series, epoch: int) -> int:
    if epoch == 0:
        return 0
    return bisect_left(series.rows, timeline.ends_at - timeline.loop, key=_opened_at)


def _end(timeline: Timeline, reading: ClockReading, series: Series, epoch: int) -> int:
    """How many rows had closed before the next unpublished step; all of a finished loop's."""
    step_epoch, position = next_step(timeline, epoch, reading.position)
    if epoch < reading.epoch or step_epoch > epoch:
        return bisect_right(series.rows, timeline.ends_at, key=_closed_at)
    return bisect_left(series.rows, timeline.steps[position].at, key=_closed_at)
