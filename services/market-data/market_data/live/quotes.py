"""The newest quote of every symbol, again and again; slowly while nothing trades."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from market_data.adapters.alpaca import AlpacaData
from market_data.domain import alpaca as wire
from market_data.domain.alpaca import Tick, Venue
from market_data.domain.grid import quote_pause_s
from market_data.live.desk import Desk
from signalbox.contracts.errors import PermanentError, Refused, SignalboxError
from signalbox.contracts.events import QuoteUpdated
from signalbox.contracts.payloads import Quote

TOPIC = "quotes"
_BATCH = 100


class Quotes:
    """Publishes each quote once."""

    def __init__(self, desk: Desk, source: AlpacaData, every_s: float) -> None:
        self._desk = desk
        self._source = source
        self._every_s = every_s
        self._newest: dict[str, datetime] = {}

    async def run(self) -> None:
        """Follow for ever."""
        failures = 0
        due = dict.fromkeys(Venue, self._desk.moment().wall)
        while True:
            wall = self._desk.moment().wall
            venues = [venue for venue, at in due.items() if at <= wall]
            try:
                await self.look(venues)
            except SignalboxError as error:
                failures += 1
                await self._desk.health.ill(TOPIC, error)
                await self._desk.until(self._desk.retry_at(error, failures))
                continue
            failures = 0
            await self._desk.health.well(TOPIC)
            for venue in venues:
                pause_s = quote_pause_s(self._every_s, self._desk.hours(venue), wall)
                due[venue] = wall + timedelta(seconds=pause_s)
            await self._desk.until(min(due.values()))

    async def look(self, venues: Iterable[Venue] = tuple(Venue)) -> None:
        """Read the newest quotes and publish those that are new.

        Raises:
            SignalboxError: they could not be read, or published; the next look makes up for it.
        """
        for venue in venues:
            names = self._desk.symbols(venue)
            for first in range(0, len(names), _BATCH):
                await self._look(venue, names[first : first + _BATCH])

    async def _look(self, venue: Venue, symbols: list[str]) -> None:
        refused: Counter[str] = Counter()
        try:
            page = await self._source.quotes(venue, symbols)
        except PermanentError as error:
            wrong = wire.invalid_symbols(str(error), symbols)
            if isinstance(error, Refused) or not wrong:
                raise
            await self._desk.health.set_aside(wrong)
            return
        ticks = wire.read_quotes(page.body, refused, now=self._desk.moment().wall)
        await self._desk.health.refuse(self._desk.origin(venue), refused)
        fresh = [tick for tick in ticks if tick.symbol in symbols and self._is_new(tick)]
        moment = self._desk.moment()
        quotes = [self._quote(venue, tick) for tick in fresh]
        await self._desk.host.publish([moment.event(QuoteUpdated, quote) for quote in quotes])
        self._newest |= {tick.symbol: tick.at for tick in fresh}

    def _is_new(self, tick: Tick) -> bool:
        newest = self._newest.get(tick.symbol)
        return newest is None or tick.at > newest

    def _quote(self, venue: Venue, tick: Tick) -> Quote:
        hours = self._desk.hours(venue)
        session = hours.session(tick.at) if hours is not None else None
        return Quote(
            symbol=tick.symbol,
            bid=tick.bid,
            ask=tick.ask,
            at=tick.at,
            epoch=self._desk.cursor.epoch,
            origin=self._desk.origin(venue),
            session_open=hours is None or session is not None,
            session_closes_at=session.closes_at if session is not None else None,
            volume=self._desk.volume(tick.symbol),
        )
