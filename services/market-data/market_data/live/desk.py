"""What the loops of a live feed share: series in memory, the cursor, and the way out."""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from market_data.domain.alpaca import Venue, venue_of
from market_data.domain.cursor import Cursor
from market_data.domain.hours import Hours
from market_data.domain.rows import Row
from market_data.domain.scale import is_step
from market_data.domain.shelf import Shelf, bar_of
from market_data.live.alarms import LiveHost
from market_data.live.health import Health
from signalbox.contracts.config import MarketConfig
from signalbox.contracts.errors import RateLimited, Refused, SignalboxError
from signalbox.contracts.events import BarClosed
from signalbox.contracts.intervals import interval_length
from signalbox.contracts.payloads import Bar
from signalbox.runtime import metrics
from signalbox.runtime.moment import Moment
from signalbox.runtime.topology import CLOCK_BUCKET

CURSOR_KEY = "alpaca"
_TOGETHER = 200  # bars published at once
_FIRST_S, _MOST_S = 5.0, 60.0  # before the first try after a failure, and before any
_LONGEST_NAP_S = 30.0  # the machine may have slept, or its clock been set


class Desk:
    """One provider's prices on their way to the bus."""

    def __init__(
        self,
        host: LiveHost,
        health: Health,
        *,
        hours: Hours,
        symbols: Sequence[str],
        intervals: Sequence[str],
        origin: Callable[[Venue], str],
        dice: Callable[[], float] = random.random,  # noqa: S311 - spreads retries
    ) -> None:
        self.host = host
        self.health = health
        self.shelves = {(s, i): Shelf(s, i) for s in symbols for i in intervals}
        self.cursor = Cursor(epoch=0)
        self._stored: Cursor | None = None  # what the bucket holds
        self._symbols = symbols
        self._hours = hours
        self._origin = origin
        self._dice = dice

    def moment(self) -> Moment[MarketConfig]:
        """This instant."""
        return self.host.moment()

    def hours(self, venue: Venue) -> Hours | None:
        """When a venue is open; None: always."""
        return self._hours if venue is Venue.STOCKS else None

    def origin(self, venue: Venue) -> str:
        """Which feed prices of a venue are of."""
        return self._origin(venue)

    def bar(self, shelf: Shelf, row: Row) -> Bar:
        """A row as it goes out. Where the scale of prices has changed, the origin says so."""
        venue = venue_of(shelf.symbol)
        origin, hours = self._origin(venue), self.hours(venue)
        since = f", scale of {shelf.scale}" if shelf.scale else ""
        return bar_of(shelf, row, hours=hours, epoch=self.cursor.epoch, origin=origin + since)

    def symbols(self, venue: Venue | None = None) -> list[str]:
        """The followed symbols of a venue, without those that the provider does not know."""
        known = [s for s in self._symbols if s not in self.health.unknown]
        return [s for s in known if venue is None or venue_of(s) is venue]

    def series(self, venue: Venue, interval: str) -> list[Shelf]:
        """The series of a venue and interval."""
        return [self.shelves[symbol, interval] for symbol in self.symbols(venue)]

    def volume(self, symbol: str) -> Decimal | None:
        """Of the newest bar that had any, of the finest series."""
        own = [shelf for (name, _), shelf in self.shelves.items() if name == symbol]
        return min(own, key=lambda shelf: interval_length(shelf.interval)).last_volume()

    def begin(self, shelf: Shelf, now: datetime) -> None:
        """Let a series go on where it stood; the first time of all, what closed by now is past."""
        shelf.scale = self.cursor.scales.get(shelf.key, "")
        shelf.begin(self.cursor.bars.get(shelf.key, now))

    def rescaled_by(self, shelf: Shelf, rows: Sequence[Row]) -> Decimal | None:
        """The factor by which known prices have changed in what was read; None: they have not.
        After a restart the newest published close is what is known.
        """
        if shelf.published_to is not None:
            return shelf.rescaled_by(rows)
        close, at = self.cursor.closes.get(shelf.key), self.cursor.bars.get(shelf.key)
        read = next((row.close for row in rows if row.closed_at == at), None)
        if close is None or read is None or not is_step(read / close):
            return None
        return read / close

    async def publish_bars(self, shelves: Sequence[Shelf]) -> None:
        """Everything that is due, oldest first; then the cursor. A kill repeats, never skips.

        Raises:
            TransientError: the bus did not take it; what was not confirmed stays due.
        """
        due = [(row, shelf) for shelf in shelves for row in shelf.due()]
        due.sort(key=lambda one: (one[0].closed_at, one[1].symbol))
        for first in range(0, len(due), _TOGETHER):
            await self._send(due[first : first + _TOGETHER])
        await self.keep(shelves)

    async def _send(self, due: Sequence[tuple[Row, Shelf]]) -> None:
        moment = self.moment()
        events = [moment.event(BarClosed, self.bar(shelf, row)) for row, shelf in due]
        for row, shelf in due:
            shelf.send(row)
        await self.host.publish(events)
        for row, shelf in due:
            shelf.sent(row)
            metrics.BARS.labels(shelf.interval).inc()
        await self.keep([shelf for _, shelf in due])

    async def keep(self, shelves: Sequence[Shelf]) -> None:
        """Store how far these series are published, and of which scale, when that has changed."""
        marks = {s.key: s.published_to for s in shelves if s.published_to is not None}
        newest = {s.key: row.close for s in shelves if (row := s.newest_published()) is not None}
        scales = {s.key: s.scale for s in shelves if s.scale}
        await self.store(
            bars={**self.cursor.bars, **marks},
            closes={**self.cursor.closes, **newest},
            scales={**self.cursor.scales, **scales},
        )

    async def store(self, **changes: object) -> None:
        """Change the cursor, and store it where it differs from what is stored.

        Raises:
            TransientError: it could not be stored; the next change stores both.
        """
        changed = self.cursor = self.cursor.model_copy(update=changes)
        if changed != self._stored:
            body = changed.model_dump_json().encode()
            await self.host.bucket_put(CLOCK_BUCKET, CURSOR_KEY, body)
            self._stored = changed

    async def until(self, at: datetime) -> None:
        """Sleep until a wall time."""
        while (left_s := (at - self.moment().wall).total_seconds()) > 0:  # noqa: ASYNC110 - a clock
            await asyncio.sleep(min(left_s, _LONGEST_NAP_S))

    def retry_at(self, error: SignalboxError, failures: int) -> datetime:
        """When to try again after so many failures in a row."""
        if isinstance(error, RateLimited):
            wait_s = error.retry_after_s
        elif isinstance(error, Refused):
            wait_s = _MOST_S
        else:
            wait_s = min(_FIRST_S * 2 ** min(failures - 1, 5), _MOST_S)
        return self.moment().wall + timedelta(seconds=wait_s * (1 + 0.2 * self._dice()))
