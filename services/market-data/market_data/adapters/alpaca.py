"""Alpaca's market data over HTTP: bars, newest quotes and news, page by page, within its limits."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from market_data.adapters.pace import Pace
from market_data.domain import alpaca as wire
from market_data.domain.alpaca import Venue
from signalbox.contracts.errors import (
    PermanentError,
    RateLimited,
    Refused,
    SignalboxError,
    TransientError,
)
from signalbox.runtime import metrics
from signalbox.runtime.clock import wall_now
from signalbox.runtime.http import exchange, open_http, retry_after_s

_MOST_BYTES = 16 * 1024 * 1024
_MOST_PAGES = 200
_BARS_PER_PAGE, _NEWS_PER_PAGE = "10000", "50"
_MOST_SAID = 200
_PATHS = {
    (Venue.STOCKS, "bars"): "/v2/stocks/bars",
    (Venue.CRYPTO, "bars"): "/v1beta3/crypto/us/bars",
    (Venue.STOCKS, "quotes"): "/v2/stocks/quotes/latest",
    (Venue.CRYPTO, "quotes"): "/v1beta3/crypto/us/latest/quotes",
}


@dataclass(frozen=True, slots=True)
class Login:
    """Where and as whom."""

    url: str
    key: str = field(repr=False)
    secret: str = field(repr=False)
    feed: str = "iex"  # of stocks: iex, sip


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things may take, in seconds."""

    connect_s: float = 5.0
    read_s: float = 10.0
    whole_s: float = 30.0  # for one page with its retries
    tries: int = 3
    pause_s: float = 0.5  # before the second try; doubled for each further one
    most_wait_s: float = 120.0  # that is believed of a Retry-After
    limited_s: float = 15.0  # to wait where a 429 does not say


@dataclass(frozen=True, slots=True)
class Page:
    """One answer, and the time over there when it was given; ours where it does not say."""

    body: wire.Object
    at: datetime


class AlpacaData:
    """One key. Neither key nor secret appears in an error."""

    def __init__(
        self,
        login: Login,
        *,
        pace: Pace,
        timing: Timing | None = None,
        dice: Callable[[], float] = random.random,  # noqa: S311 - spreads retries
        wall: Callable[[], datetime] = wall_now,
    ) -> None:
        self._timing = timing or Timing()
        self._http = open_http(
            login.url,
            {"APCA-API-KEY-ID": login.key, "APCA-API-SECRET-KEY": login.secret},
            connect_s=self._timing.connect_s,
            read_s=self._timing.read_s,
        )
        self._pace = pace
        self._dice = dice
        self._wall = wall
        self.feed = login.feed
        self.skew_s: float | None = None  # by which the clock over there leads ours

    async def close(self) -> None:
        """Drop the connections."""
        await self._http.aclose()

    def bars(
        self, venue: Venue, symbols: Sequence[str], interval: str, start: datetime
    ) -> AsyncIterator[Page]:
        """Bars that opened from `start` on, adjusted for splits, until now.

        Raises:
            SignalboxError: they could not be read in full.
        """
        params = {
            "symbols": ",".join(symbols),
            "timeframe": wire.FRAMES[interval],
            "start": _text(start),
            "limit": _BARS_PER_PAGE,
        }
        if venue is Venue.STOCKS:
            params |= {"feed": self.feed, "adjustment": "split"}
        return self._pages(_PATHS[venue, "bars"], params)

    async def quotes(self, venue: Venue, symbols: Sequence[str]) -> Page:
        """The newest quotes.

        Raises:
            SignalboxError: they could not be read.
        """
        params = {"symbols": ",".join(symbols)}
        if venue is Venue.STOCKS:
            params["feed"] = self.feed
        return await self._get(_PATHS[venue, "quotes"], params)

    def news(self, symbols: Sequence[str], start: datetime) -> AsyncIterator[Page]:
        """Headlines that were published or changed from `start` on, oldest first.

        Raises:
            SignalboxError: they could not be read in full.
        """
        params = {
            "symbols": ",".join(wire.news_symbol(symbol) for symbol in symbols),
            "start": _text(start),
            "limit": _NEWS_PER_PAGE,
            "sort": "asc",
            "include_content": "false",
        }
        return self._pages("/v1beta1/news", params)

    async def _pages(self, path: str, params: dict[str, str]) -> AsyncIterator[Page]:
        for _ in range(_MOST_PAGES):
            page = await self._get(path, params)
            yield page
            token = wire.next_page(page.body)
            if token is None:
                return
            params = {**params, "page_token": token}
        raise TransientError(f"alpaca: {path} has more than {_MOST_PAGES} pages")

    async def _get(self, path: str, params: Mapping[str, str]) -> Page:
        """One answer, asked for again as long as that may help."""
        clock = asyncio.get_running_loop().time
        ends_at = clock() + self._timing.whole_s
        for tried in range(1, self._timing.tries + 1):
            try:
                async with asyncio.timeout_at(ends_at):
                    page = await self._once(path, params)
            except (httpx.HTTPError, TimeoutError) as error:
                trouble = TransientError(f"alpaca: no answer: {type(error).__name__}")
            except TransientError as error:
                trouble = error
            else:
                _count("done")
                return page
            _count("limited" if isinstance(trouble, RateLimited) else "failed")
            wait_s = self._wait_s(trouble, tried)
            if tried == self._timing.tries or clock() + wait_s >= ends_at:
                break
            await asyncio.sleep(wait_s)
        raise trouble

    def _wait_s(self, trouble: TransientError, tried: int) -> float:
        if isinstance(trouble, RateLimited):
            return trouble.retry_after_s
        return float(self._timing.pause_s * 2 ** (tried - 1) * (0.5 + self._dice()))

    async def _once(self, path: str, params: Mapping[str, str]) -> Page:
        await self._pace.take()
        asked = self._wall()
        request = self._http.build_request("GET", path, params=params)
        response, content = await exchange(self._http, request, _MOST_BYTES)
        if response.status_code != httpx.codes.OK:
            raise self._failure(response, content)
        body = wire.read_json(content)
        return Page(body, self._answered_at(response.headers, asked))

    def _answered_at(self, headers: Mapping[str, str], asked: datetime) -> datetime:
        """By the clock over there, which counts whole seconds."""
        now = self._wall()
        try:
            at = parsedate_to_datetime(headers["date"]).astimezone(UTC)
        except (KeyError, ValueError, TypeError):
            return now
        middle = asked + (now - asked) / 2
        self.skew_s = (at - middle).total_seconds() + 0.5
        return at

    def _failure(self, response: httpx.Response, content: bytes) -> SignalboxError:
        said = _said(content)
        match response.status_code:
            case 401 | 403:
                _count("refused")
                return Refused(f"alpaca refuses the request: {said or 'the keys are not valid'}")
            case 429:
                timing = self._timing
                wait_s = retry_after_s(
                    response.headers, usual_s=timing.limited_s, most_s=timing.most_wait_s
                )
                self._pace.pause(wait_s)
                return RateLimited("alpaca: too many requests", retry_after_s=wait_s)
            case 408:
                return TransientError("alpaca: HTTP 408")
            case status if 300 <= status < 500:
                _count("rejected")
                return PermanentError(f"alpaca: HTTP {status} {said}")
            case status:
                return TransientError(f"alpaca: HTTP {status}")


def _said(content: bytes) -> str:
    """The message of an error; what is none of Alpaca's own is left out."""
    try:
        message = wire.read_json(content).get("message")
    except TransientError:
        return ""
    return wire.clean(message, _MOST_SAID)


def _count(outcome: str) -> None:
    metrics.BROKER_REQUESTS.labels("alpaca-data", "GET", outcome).inc()


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
