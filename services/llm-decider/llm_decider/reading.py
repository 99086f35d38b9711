"""What the market, the books and other sources say at the moment of a question."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from pydantic import JsonValue, TypeAdapter

from llm_decider.adapters import store
from llm_decider.domain.indicators import MOST_BARS
from llm_decider.domain.shapes import Market
from signalbox.contracts.config import LlmConfig, LlmDeciderConfig
from signalbox.contracts.errors import NotFound, SignalboxError, TransientError
from signalbox.contracts.events import (
    Event,
    NewsPublished,
    QuoteUpdated,
    SignalRaised,
    SignalWithdrawn,
    decode,
)
from signalbox.contracts.intervals import interval_length
from signalbox.contracts.payloads import Bar, News, Position, Quote, Signal
from signalbox.contracts.subjects import PREFIX, subject, token
from signalbox.runtime.db import Database
from signalbox.runtime.hosts import Asks
from signalbox.runtime.moment import Moment

log = logging.getLogger(__name__)

NEVER = datetime.min.replace(tzinfo=UTC)

_ASK_TIMEOUT_S = 5.0
_TRIES = 3
_PAUSE_S = 0.3
_NEWS = 20  # headlines kept of one symbol
_WORDS = 2000  # sources and symbols whose last word is kept
_BARS = TypeAdapter(list[Bar])


class Stored(Protocol):
    """What streams hold."""

    async def last(self, stream: str, subject: str) -> bytes | None:
        """The newest message on a subject."""

    async def newest(self, stream: str, *filters: str) -> list[bytes]:
        """The newest message on every subject that fits."""


class Host(Asks, Protocol):
    """What is needed of the service."""

    db: Database | None

    @property
    def bus(self) -> Stored:
        """Opened when the service starts."""

    def moment(self) -> Moment[LlmDeciderConfig]:
        """This instant."""


class Reader:
    """Reads bars and quotes when they are needed, and listens to news and signals meanwhile."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._news: defaultdict[str, deque[News]] = defaultdict(lambda: deque(maxlen=_NEWS))
        self._words: dict[tuple[str, str, str], Signal | None] = {}  # none: it was withdrawn
        self._bars: dict[tuple[str, str], tuple[Bar, ...]] = {}  # by symbol and interval

    async def recall(self) -> None:
        """Read what was said before this process listened: of every symbol that a model is asked
        about each source's last word, and the last headline.

        Raises:
            TransientError: the server does not answer.
        """
        models = self._host.moment().config.models
        symbols = sorted({token(symbol) for model in models for symbol in model.symbols})
        if not symbols:
            return
        bus = self._host.bus
        words = await bus.newest("SIGNALS", *(f"{PREFIX}.signals.*.*.{one}" for one in symbols))
        news = await bus.newest("MARKET", *(f"{PREFIX}.market.news.{one}" for one in symbols))
        for event in map(_event, (*words, *news)):
            if event is not None and not self._has_heard_after(event):
                await self.hear(event)

    def _has_heard_after(self, event: Event) -> bool:
        if isinstance(event, NewsPublished):
            return bool(self._news[event.data.symbol])
        return _speaker(event) in self._words

    async def hear(self, event: Event) -> None:
        """Take note of a headline or of another source's word."""
        if isinstance(event, NewsPublished):
            known = self._news[event.data.symbol]
            if all(news.news_id != event.data.news_id for news in known):
                known.appendleft(event.data)
        elif (key := _speaker(event)) is not None:
            self._words.pop(key, None)
            self._words[key] = event.data if isinstance(event, SignalRaised) else None
            if len(self._words) > _WORDS:
                self._words.pop(next(iter(self._words)))

    async def markets(
        self, config: LlmConfig, symbols: Sequence[str], *, since: datetime | None = None
    ) -> list[Market]:
        """What is known of each symbol now, and nothing later. What cannot be read is left out of
        its market; a market without bars and quote has no price. `since` is a market time that has
        come already, whatever the clock here says.
        """
        held = await self._positions(config, symbols)
        read = [self._market(config, symbol, held.get(symbol)) for symbol in symbols]
        found = await asyncio.gather(*read)
        now = max(self._host.moment().now, since or NEVER)
        return [replace(market, now=now) for market in found]

    async def _market(self, config: LlmConfig, symbol: str, position: Position | None) -> Market:
        bars, quote = await asyncio.gather(
            self._history(symbol, config.interval), self._quote(symbol)
        )
        return Market(
            symbol=symbol,
            now=self._host.moment().now,
            interval=config.interval,
            bars=tuple(bars),
            quote=quote,
            news=tuple(self._news[symbol]),
            position=position,
            signals=self._signals(config, symbol),
        )

    async def _history(self, symbol: str, interval: str) -> Sequence[Bar]:
        """The newest closed bars; those that are known already are not fetched again."""
        known = self._bars.get((symbol, interval), ())
        count = self._missing(known, interval)
        fresh = await self._fetch(symbol, interval, count)
        if fresh and not _overlap(known, fresh):
            known = ()
            if count < MOST_BARS:
                fresh = await self._fetch(symbol, interval, MOST_BARS)
        kept = [bar for bar in known if fresh and bar.opened_at < fresh[0].opened_at]
        self._bars[symbol, interval] = (*kept, *fresh)[-MOST_BARS:]
        return self._bars[symbol, interval]

    def _missing(self, known: Sequence[Bar], interval: str) -> int:
        """How many bars to fetch: one that is known, to join on, and all that came since."""
        if not known:
            return MOST_BARS
        since = self._host.moment().now - known[-1].closed_at
        return min(max(since // interval_length(interval), 0) + 2, MOST_BARS)

    async def _fetch(self, symbol: str, interval: str, count: int) -> list[Bar]:
        body: dict[str, JsonValue] = {"symbol": symbol, "interval": interval, "count": count}
        for tried in range(1, _TRIES + 1):
            try:
                answer = await self._host.ask(
                    "market-data", "bars", body, by="llm-decider", timeout_s=_ASK_TIMEOUT_S
                )
            except NotFound:
                return []
            except TransientError as error:
                log.warning("no bars of %s (try %d of %d): %s", symbol, tried, _TRIES, error)
                await asyncio.sleep(_PAUSE_S)
            else:
                return _BARS.validate_python(answer["bars"])
        return []

    async def _quote(self, symbol: str) -> Quote | None:
        try:
            raw = await self._host.bus.last("MARKET", subject("market", "quotes", symbol))
        except TransientError as error:
            log.warning("no quote of %s: %s", symbol, error)
            return None
        event = decode(raw) if raw else None
        return event.data if isinstance(event, QuoteUpdated) else None

    async def _positions(self, config: LlmConfig, symbols: Sequence[str]) -> dict[str, Position]:
        bot, database = config.bot, self._host.db
        if bot is None or database is None:
            return {}
        return await database.read(lambda sql: store.load_positions(sql, bot, symbols))

    def _signals(self, config: LlmConfig, symbol: str) -> tuple[Signal, ...]:
        """What sources last said of a symbol; the snapshot leaves out what no longer stands."""
        if not config.show_signals:
            return ()
        return tuple(word for word in self._words.values() if word and word.symbol == symbol)


def _event(raw: bytes) -> Event | None:
    """The event in a message; one that cannot be read is as good as none."""
    try:
        return decode(raw)
    except SignalboxError:
        return None


def _speaker(event: Event | None) -> tuple[str, str, str] | None:
    """Who spoke about which symbol; none where nobody did."""
    if not isinstance(event, SignalRaised | SignalWithdrawn):
        return None
    return event.data.source_type, event.data.source_id, event.data.symbol


def _overlap(known: Sequence[Bar], fresh: Sequence[Bar]) -> bool:
    """Whether nothing lies between what is known and what has come, and prices are of the same feed
    and scale: they share a bar.
    """
    first = fresh[0]
    same = (first.opened_at, first.epoch, first.origin)
    return any((bar.opened_at, bar.epoch, bar.origin) == same for bar in known)
