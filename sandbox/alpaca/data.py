"""Alpaca's market data below `/alpaca`: bars, newest quotes, news. Faults meet it by paths such as
`alpaca/get/v2/stocks/bars`: method, then the path below `/alpaca`.
"""

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.alpaca import data_wire as wire
from sandbox.alpaca.api import PREFIX, SECRET
from sandbox.alpaca.venue import Rejection, Venue
from sandbox.faults import Dropped, Fault, Faults, Kind
from sandbox.history import History, Recorded
from signalbox.contracts.errors import NotFound, TransientError
from signalbox.contracts.payloads import Bar

MOST_BARS, MOST_NEWS = 10_000, 50
_FRAMES = {"1Min": "1m", "5Min": "5m", "15Min": "15m", "30Min": "30m", "1Day": "1d"}
_STOCK, _PAIR = re.compile(r"[A-Z]{1,6}(\.[A-Z]{1,2})?"), re.compile(r"[A-Z0-9]{2,8}/[A-Z]{3,4}")
_INSTEAD = {
    Kind.BROKEN: (500, "internal server error"),
    Kind.LIMITED: (429, "too many requests."),
    Kind.REVOKED: (401, "forbidden."),
    Kind.REJECTED: (403, "subscription does not permit querying recent SIP data"),
}
Answer = Callable[[Request], Awaitable[dict[str, Any]]]


def _no_history() -> History:
    return Recorded(())


@dataclass(slots=True)
class Data:
    """The endpoints over a history of bars and the newest quotes of a venue."""

    history: History = field(default_factory=_no_history)
    venue: Venue = field(default_factory=Venue)
    asked: list[str] = field(default_factory=list)  # paths with their queries, as they came

    def routes(self, faults: Faults) -> list[Route]:
        """All of them."""
        table: list[tuple[str, Answer]] = [
            ("/v2/stocks/bars", self._stock_bars),
            ("/v1beta3/crypto/us/bars", self._crypto_bars),
            ("/v2/stocks/quotes/latest", self._stock_quotes),
            ("/v1beta3/crypto/us/latest/quotes", self._crypto_quotes),
            ("/v1beta1/news", self._news),
        ]
        return [Route(PREFIX + path, self._through(faults, answer)) for path, answer in table]

    def _through(self, faults: Faults, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        async def receive(request: Request) -> Response:
            self.asked.append(f"{request.url.path}?{request.url.query}")
            fault = faults.find(f"alpaca/get{request.url.path.removeprefix(PREFIX)}", named=True)
            response = await self._answer(request, fault, answer)
            skew_s = fault.seconds if fault is not None and fault.kind is Kind.SKEW else 0.0
            at = self.venue.wall().astimezone(UTC) + timedelta(seconds=skew_s)
            response.headers["date"] = format_datetime(at, usegmt=True)
            response.headers["x-request-id"] = uuid.uuid4().hex
            return response

        return receive

    async def _answer(self, request: Request, fault: Fault | None, answer: Answer) -> Response:
        kind = fault.kind if fault else None
        if kind in {Kind.DOWN, Kind.LOST}:
            return Dropped()
        if fault is not None and kind in _INSTEAD:
            response: Response = _error(*_INSTEAD[kind])
            if kind is Kind.LIMITED:
                response.headers["retry-after"] = f"{fault.seconds:g}"
            return response
        if kind is Kind.MAINTENANCE:
            return Response("<html>Down</html>", status_code=503, media_type="text/html")
        if fault is not None and kind is Kind.SLOW:
            await asyncio.sleep(fault.seconds)
        try:
            body = await self._body(request, answer)
        except Rejection as no:
            return _error(no.status, no.message)
        return wire.spoilt(body, kind)

    @staticmethod
    async def _body(request: Request, answer: Answer) -> dict[str, Any]:
        if not request.headers.get("apca-api-key-id") or (
            request.headers.get("apca-api-secret-key") != SECRET
        ):
            raise Rejection(401, 40110000, "forbidden.")
        return await answer(request)

    async def _stock_bars(self, request: Request) -> dict[str, Any]:
        return await self._bars(request, _symbols(request, _STOCK))

    async def _crypto_bars(self, request: Request) -> dict[str, Any]:
        return await self._bars(request, _symbols(request, _PAIR))

    async def _bars(self, request: Request, symbols: list[str]) -> dict[str, Any]:
        interval = _FRAMES.get(request.query_params.get("timeframe", ""))
        if interval is None:
            raise Rejection(400, 40010001, "invalid timeframe")
        start, end = self._span(request)
        found = [
            bar for symbol in symbols for bar in await self._series(symbol, interval, start, end)
        ]
        page, token = _page(request, found, most=MOST_BARS, usual=1000)
        bars: dict[str, list[dict[str, Any]]] = {}
        for bar in page:
            bars.setdefault(bar.symbol, []).append(wire.bar_json(bar))
        return {"bars": bars, "next_page_token": token}

    async def _stock_quotes(self, request: Request) -> dict[str, Any]:
        return self._quotes(_symbols(request, _STOCK))

    async def _crypto_quotes(self, request: Request) -> dict[str, Any]:
        return self._quotes(_symbols(request, _PAIR))

    def _quotes(self, symbols: list[str]) -> dict[str, Any]:
        known = {
            symbol: self.venue.quotes[symbol] for symbol in symbols if symbol in self.venue.quotes
        }
        return {"quotes": {symbol: wire.quote_json(quote) for symbol, quote in known.items()}}

    async def _news(self, request: Request) -> dict[str, Any]:
        start, end = self._span(request)
        found: list[dict[str, Any]] = []
        for name in filter(None, request.query_params.get("symbols", "").split(",")):
            days = await self._series(_spelled(name), "1d", start - timedelta(days=10), end)
            found += [
                wire.headline_json(before, bar)
                for before, bar in pairwise(days)
                if start <= bar.closed_at <= end
            ]
        ascending = request.query_params.get("sort") == "asc"
        found.sort(key=lambda one: (one["updated_at"], one["id"]), reverse=not ascending)
        page, token = _page(request, found, most=MOST_NEWS, usual=10)
        return {"news": page, "next_page_token": token}

    async def _series(
        self, symbol: str, interval: str, start: datetime, end: datetime
    ) -> list[Bar]:
        """The bars of a symbol by their time on the wire; none where it is not known."""
        early = start - timedelta(days=1)  # a day's bar is stamped before its session
        try:
            found = await self.history.bars(symbol, interval, early, None)
        except NotFound:
            return []
        except TransientError as error:
            raise Rejection(500, 50010000, str(error)) from error
        return [bar for bar in found if start <= wire.stamp(bar) <= end]

    def _span(self, request: Request) -> tuple[datetime, datetime]:
        now = self.venue.wall()
        usual = now.replace(hour=0, minute=0, second=0, microsecond=0)
        start, end = (request.query_params.get(name) for name in ("start", "end"))
        try:
            return (
                datetime.fromisoformat(start) if start else usual,
                datetime.fromisoformat(end) if end else now + timedelta(days=3650),
            )
        except ValueError:
            raise Rejection(400, 40010001, "invalid start or end") from None


def _symbols(request: Request, shape: re.Pattern[str]) -> list[str]:
    names = sorted(set(filter(None, request.query_params.get("symbols", "").split(","))))
    wrong = [name for name in names if not shape.fullmatch(name)]
    if wrong:
        raise Rejection(400, 40010001, f"invalid symbol: {wrong[0]}")
    return names


def _spelled(name: str) -> str:
    """News write `BTCUSD` for `BTC/USD`."""
    is_pair = len(name) > 5 and name.endswith("USD") and "/" not in name
    return f"{name.removesuffix('USD')}/USD" if is_pair else name


def _page(
    request: Request, found: list[Any], *, most: int, usual: int
) -> tuple[list[Any], str | None]:
    """A page of a list, and the token of the next one."""
    try:
        first = int(request.query_params.get("page_token", "0"))
        size = int(request.query_params.get("limit", str(usual)))
    except ValueError:
        raise Rejection(400, 40010001, "invalid page_token or limit") from None
    if not 1 <= size <= most:
        raise Rejection(400, 40010001, f"invalid limit: larger than {most}")
    end = first + size
    return found[first:end], str(end) if end < len(found) else None


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"message": message}, status_code=status)
