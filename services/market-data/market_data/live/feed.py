"""The live feed: its clock, its loops, and the commands that read its history."""

import asyncio
import logging
from collections.abc import Sequence

from pydantic import JsonValue, ValidationError

from market_data.adapters.alpaca import AlpacaData
from market_data.domain.alpaca import NAME, Venue, venue_of
from market_data.domain.cursor import live_epoch, live_reading, start_cursor
from market_data.domain.hours import Hours
from market_data.domain.shelf import Shelf
from market_data.handlers import CLOCK_KEY, RENEW_S, BarsWanted
from market_data.live.alarms import LiveHost
from market_data.live.bars import Lane
from market_data.live.desk import CURSOR_KEY, Desk
from market_data.live.health import Health
from market_data.live.news import Headlines
from market_data.live.quotes import Quotes
from signalbox.contracts.clock import ClockReading
from signalbox.contracts.commands import Command
from signalbox.contracts.errors import Malformed, NotFound, TransientError
from signalbox.contracts.misfits import in_words
from signalbox.runtime import metrics
from signalbox.runtime.topology import CLOCK_BUCKET

log = logging.getLogger(__name__)

_SHOW_S = 600.0


class Live:
    """One provider as the market. Market time is wall time."""

    def __init__(
        self,
        source: AlpacaData,
        host: LiveHost,
        *,
        hours: Hours,
        symbols: Sequence[str],
        intervals: Sequence[str],
        quote_s: float,
        news_s: float,
    ) -> None:
        self.health = Health(NAME, host)
        self.health.describe = self._describe
        self._host = host
        self._desk = Desk(
            host,
            self.health,
            hours=hours,
            symbols=symbols,
            intervals=intervals,
            origin=lambda venue: f"{NAME} {source.feed if venue is Venue.STOCKS else venue}",
        )
        lanes = [Lane(self._desk, source, v, i) for v in Venue for i in intervals]
        self.lanes = [lane for lane in lanes if self._desk.symbols(lane.venue)]
        self.quotes = Quotes(self._desk, source, quote_s)
        self.headlines = Headlines(self._desk, source, news_s) if news_s else None
        self._hours = hours

    @property
    def problem(self) -> str | None:
        """Why history cannot be answered yet; None when it can."""
        if self._hours.next_opening(self._host.moment().wall) is None:
            return "the exchange's calendar has run out: restart market-data"
        if all(lane.loaded_on for lane in self.lanes):
            return None
        return self.health.problem or "the history is being read"

    async def load(self) -> None:
        """Take up the epoch and how far was published."""
        raw = await self._host.bucket_get(CLOCK_BUCKET, CLOCK_KEY)
        epoch = live_epoch(ClockReading.model_validate_json(raw) if raw else None)
        stored = await self._host.bucket_get(CLOCK_BUCKET, CURSOR_KEY)
        self._desk.cursor = start_cursor(stored, epoch)
        metrics.CLOCK_EPOCH.set(epoch)
        await self.renew()
        series = [f"{symbol}:{interval}" for symbol, interval in self._desk.shelves]
        topics = [lane.topic for lane in self.lanes]
        await self.health.load([*self._desk.symbols(), *series, *topics])

    async def renew(self) -> None:
        """Store the clock: wall time, as of now."""
        reading = live_reading(self._desk.cursor.epoch, self._host.moment().wall)
        body = reading.model_dump_json().encode()
        await self._host.bucket_put(CLOCK_BUCKET, CLOCK_KEY, body)

    async def keep_time(self) -> None:
        """Renew the clock for ever."""
        while True:
            await self.renew()
            await asyncio.sleep(RENEW_S)

    async def keep_showing(self) -> None:
        """Publish the feed's state now and then."""
        while True:
            await self.health.show()
            await asyncio.sleep(_SHOW_S)

    async def bars(self, command: Command) -> dict[str, JsonValue]:
        """Answer `bars`: what had closed by `before` and is published, oldest first."""
        try:
            wanted = BarsWanted.model_validate(command.body)
        except ValidationError as error:
            raise Malformed(in_words(error)) from error
        shelf = self._desk.shelves.get((wanted.symbol, wanted.interval))
        if shelf is None:
            raise NotFound(f"there are no {wanted.interval} bars of {wanted.symbol}")
        if shelf.published_to is None and wanted.symbol not in self.health.unknown:
            raise TransientError(f"not yet: {self.problem}")
        before = wanted.before or self._host.moment().wall
        rows = shelf.shown(before, wanted.count)
        return {"bars": [self._desk.bar(shelf, row).model_dump(mode="json") for row in rows]}

    async def symbols(self, _command: Command) -> dict[str, JsonValue]:
        """Answer `symbols`: every series, and its first and last bar that can be seen."""
        return {"symbols": [self._listed(shelf) for shelf in self._desk.shelves.values()]}

    def _listed(self, shelf: Shelf) -> dict[str, JsonValue]:
        rows = shelf.shown(self._host.moment().wall, len(shelf.rows))
        return {
            "symbol": shelf.symbol,
            "interval": shelf.interval,
            "origin": self._desk.origin(venue_of(shelf.symbol)),
            "first": rows[0].opened_at.isoformat() if rows else None,
            "last": rows[-1].opened_at.isoformat() if rows else None,
        }

    def _describe(self) -> dict[str, JsonValue]:
        """What the state says of series and of the market."""
        wall = self._host.moment().wall
        session, following = self._hours.session(wall), self._hours.next_opening(wall)
        return {
            "series": [f"{symbol} {interval}" for symbol, interval in self._desk.shelves],
            "empty": [f"{s} {i}" for (s, i), shelf in self._desk.shelves.items() if not shelf.rows],
            "session_open": session is not None,
            "session_closes_at": session.closes_at.isoformat() if session else None,
            "next_opening": following.opens_at.isoformat() if following else None,
            "epoch": self._desk.cursor.epoch,
        }
