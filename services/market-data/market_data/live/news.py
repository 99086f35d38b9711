"""Headlines, each once for every followed symbol that it names."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from market_data.adapters.alpaca import AlpacaData
from market_data.domain import alpaca as wire
from market_data.domain.alpaca import Article
from market_data.domain.cursor import NEWS_WINDOW, is_recent
from market_data.live.desk import Desk
from market_data.live.health import NEWS
from signalbox.contracts.errors import SignalboxError
from signalbox.contracts.events import NewsPublished
from signalbox.contracts.payloads import News

ORIGIN = "alpaca news"
_OVERLAP = timedelta(minutes=10)  # read again, for what comes in late


class Headlines:
    """Publishes news; what was out stays known over a restart."""

    def __init__(self, desk: Desk, source: AlpacaData, every_s: float) -> None:
        self._desk = desk
        self._source = source
        self._every_s = every_s

    async def run(self) -> None:
        """Follow for ever."""
        failures = 0
        while True:
            try:
                await self.look()
            except SignalboxError as error:
                failures += 1
                await self._desk.health.ill(NEWS, error)
                await self._desk.until(self._desk.retry_at(error, failures))
            else:
                failures = 0
                await self._desk.health.well(NEWS)
                next_at = self._desk.moment().wall + timedelta(seconds=self._every_s)
                await self._desk.until(next_at)

    async def look(self) -> None:
        """Read what was published since the last look, and publish what is not out yet.

        Raises:
            SignalboxError: it could not be read in full, or published; nothing is lost by that.
        """
        symbols, wall = self._desk.symbols(), self._desk.moment().wall
        if not symbols:
            return
        cursor, refused = self._desk.cursor, Counter[str]()
        start = wall - NEWS_WINDOW
        if cursor.news_until is not None:
            start = max(start, cursor.news_until - _OVERLAP)
        articles: list[Article] = []
        async for page in self._source.news(symbols, start):
            articles += wire.read_news(page.body, symbols, refused, now=wall)
        await self._desk.health.refuse(ORIGIN, refused)
        await self._publish(articles, wall)

    async def _publish(self, articles: Sequence[Article], wall: datetime) -> None:
        cursor, moment = self._desk.cursor, self._desk.moment()
        fresh: dict[str, News] = {}
        for article in sorted(articles, key=lambda a: (a.published_at, a.number)):
            for news in article.news:
                key = f"{article.number}|{news.symbol}"
                if key not in cursor.news and is_recent(news.published_at, wall):
                    fresh.setdefault(key, news)
        await self._desk.host.publish([moment.event(NewsPublished, n) for n in fresh.values()])
        out = {**self._desk.cursor.news, **{key: n.published_at for key, n in fresh.items()}}
        newest = [min(article.updated_at, wall) for article in articles]
        until = [*newest, *([cursor.news_until] if cursor.news_until is not None else ())]
        await self._desk.store(
            news={key: at for key, at in out.items() if is_recent(at, wall)},
            news_until=max(until, default=None),
        )
