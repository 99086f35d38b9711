"""Bars of one venue and interval: history first, then each bar right after its close."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from market_data.adapters.alpaca import AlpacaData
from market_data.domain import alpaca as wire
from market_data.domain.alpaca import Bars, Venue
from market_data.domain.grid import DAILY, next_look
from market_data.domain.hours import Hours
from market_data.live.desk import Desk
from signalbox.contracts.errors import PermanentError, Refused, SignalboxError
from signalbox.contracts.intervals import interval_length

log = logging.getLogger(__name__)

HISTORY = 1000  # bars of a series that are there from the start
_CUT_AGAIN = timedelta(hours=1)  # between two readings of history that is left out
_OVERLAP = 5  # bars that are read again with each look, for what came late or was put right
_SESSION = timedelta(hours=6, minutes=30)
_BATCH = 100  # symbols in one request


class Lane:
    """One venue and interval."""

    def __init__(self, desk: Desk, source: AlpacaData, venue: Venue, interval: str) -> None:
        self.topic = f"{interval} bars of {venue}"
        self.loaded_on: datetime | None = None  # when the whole history was read last
        self._desk = desk
        self._source = source
        self.venue = venue
        self._interval = interval
        self._read_to: datetime | None = None  # by the provider's clock

    async def run(self) -> None:
        """Follow for ever."""
        failures = 0
        while True:
            try:
                await self.look()
            except SignalboxError as error:
                failures += 1
                await self._desk.health.ill(self.topic, error)
                await self._desk.until(self._desk.retry_at(error, failures))
            else:
                failures = 0
                await self._desk.health.well(self.topic)
                hours = self._desk.hours(self.venue)
                await self._desk.until(next_look(self._interval, hours, self._desk.moment().wall))

    async def look(self) -> None:
        """Read what closed since the last look, put right what is known, publish what is due. Once
        a day, and when known prices come on another scale, the whole history is read again.

        Raises:
            SignalboxError: it could not be read in full, or published; nothing is lost by that.
        """
        wall = self._desk.moment().wall
        whole = self._wants_whole(wall)
        found, until = await self._read_all(wall, whole=whole)
        if not whole and self._rescaled(found):
            whole = True
            found, until = await self._read_all(wall, whole=True)
        await self._take(found, until if whole else None)
        self._read_to = until
        self.loaded_on = wall if whole else self.loaded_on
        series = self._desk.series(self.venue, self._interval)
        await self._desk.publish_bars(series)
        if whole:
            await self._desk.health.note_known([s.symbol for s in series])
            await self._desk.health.note_empty(self.topic, [s.symbol for s in series if not s.rows])

    def _wants_whole(self, wall: datetime) -> bool:
        if self.loaded_on is None or self.loaded_on.date() != wall.date():
            return True
        series = self._desk.series(self.venue, self._interval)
        return any(s.cut_at for s in series) and wall - self.loaded_on >= _CUT_AGAIN

    def _rescaled(self, found: Bars) -> dict[str, Decimal]:
        """The symbols whose known prices have come on another scale, and by which factor."""
        series = self._desk.series(self.venue, self._interval)
        factors = {
            s.symbol: self._desk.rescaled_by(s, found.rows.get(s.symbol, ())) for s in series
        }
        return {symbol: factor for symbol, factor in factors.items() if factor is not None}

    async def _read_all(self, wall: datetime, *, whole: bool) -> tuple[Bars, datetime]:
        found, until = Bars(), wall
        names, start = self._desk.symbols(self.venue), self._start(wall, whole=whole)
        for first in range(0, len(names), _BATCH):
            until = min(until, await self._read(names[first : first + _BATCH], start, found))
        return found, until

    async def _read(self, symbols: Sequence[str], start: datetime, found: Bars) -> datetime:
        """Read the bars of a batch; what the provider does not know is set aside. Returns by when
        bars had closed, by whichever clock is behind.
        """
        asked = list(symbols)
        until = self._desk.moment().wall
        while asked:
            try:
                async for page in self._source.bars(self.venue, asked, self._interval, start):
                    until = min(until, page.at)
                    hours = self._desk.hours(self.venue)
                    wire.read_bars(page.body, found, self._interval, hours, closed_by=until)
                break
            except PermanentError as error:
                wrong = wire.invalid_symbols(str(error), asked)
                if isinstance(error, Refused) or not wrong:
                    raise
                await self._desk.health.set_aside(wrong)
                asked = [symbol for symbol in asked if symbol not in wrong]
        return until

    async def _take(self, found: Bars, began: datetime | None) -> None:
        health, late, corrected = self._desk.health, 0, 0
        wall, hours = self._desk.moment().wall, self._desk.hours(self.venue)
        rescaled = self._rescaled(found)
        for shelf in self._desk.series(self.venue, self._interval):
            factor = rescaled.get(shelf.symbol)
            if factor is not None:
                await health.tell_rescaled(shelf.symbol, factor)
                shelf.forget()
            taken = shelf.take(found.rows.get(shelf.symbol, ()))
            if shelf.published_to is None and began is not None:
                self._desk.begin(shelf, began)
            else:
                late, corrected = late + taken.late, corrected + taken.corrected
            if factor is not None:
                shelf.scale = wall.isoformat(timespec="seconds")
            if hours is not None:
                shelf.cut(hours, wall)
                await health.note_cut(shelf.symbol, self._interval, shelf.cut_at)
        health.late += late
        health.corrected += corrected
        if late:
            log.warning("%d %s came after newer ones; they are in the history", late, self.topic)
        await health.refuse(self._desk.origin(self.venue), found.refused)
        await health.look_at_clock(self._source.skew_s)

    def _start(self, wall: datetime, *, whole: bool) -> datetime:
        hours, length = self._desk.hours(self.venue), interval_length(self._interval)
        if whole or self._read_to is None:
            return history_start(self._interval, hours, wall)
        if self._interval == DAILY:
            return self._read_to - 2 * _OVERLAP * length  # over weekends and holidays
        return self._read_to - (_OVERLAP + 1) * length


def history_start(interval: str, hours: Hours | None, now: datetime) -> datetime:
    """From when on a thousand bars are expected."""
    length = interval_length(interval)
    if hours is None:
        return now - HISTORY * length
    if interval == DAILY:
        return hours.back(now, HISTORY) - timedelta(hours=12)  # a day's bar is stamped midnight
    return hours.back(now, HISTORY // (_SESSION // length) + 2)
