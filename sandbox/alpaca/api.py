"""Alpaca's trading endpoints below `/alpaca`. Faults meet them by paths such as
`alpaca/post/v2/orders`: method, then the path below `/alpaca`.
"""

import asyncio
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.alpaca import wire
from sandbox.alpaca.request import read_order
from sandbox.alpaca.stream import Stream
from sandbox.alpaca.venue import Account, Rejection, Venue
from sandbox.faults import Dropped, Fault, Faults, Kind

PREFIX = "/alpaca"
SECRET = "sandbox-secret"  # noqa: S105 - of the stand-in; every key has it
_MOST_BYTES = 64 * 1024
_INSTEAD = {  # nothing takes effect
    Kind.BROKEN: (500, 50010000, "internal server error occurred"),
    Kind.LIMITED: (429, 42910000, "too many requests."),
    Kind.REJECTED: (403, 40310000, "insufficient buying power"),
    Kind.REVOKED: (401, 40110000, "request is not authorized"),
}


@dataclass(slots=True)
class Trading:
    """The endpoints over one venue."""

    venue: Venue = field(default_factory=Venue)
    posts: list[str] = field(default_factory=list)  # client ids, as they were posted
    stream: Stream = field(init=False)

    def __post_init__(self) -> None:
        self.stream = Stream(self.venue, SECRET)

    def routes(self, faults: Faults) -> list[BaseRoute]:
        """All of them, and where a test looks behind them."""
        table: list[tuple[str, str, Callable[[Account, Request, Any], Response]]] = [
            ("GET", "/v2/account", self._account),
            ("GET", "/v2/clock", self._clock),
            ("POST", "/v2/orders", self._place),
            ("GET", "/v2/orders", self._orders),
            ("GET", "/v2/orders:by_client_order_id", self._named),
            ("GET", "/v2/orders/{order_id}", self._order),
            ("DELETE", "/v2/orders/{order_id}", self._cancel),
            ("GET", "/v2/positions", self._positions),
            ("GET", "/v2/positions/{symbol}", self._position),
            ("GET", "/v2/account/activities/FILL", self._fills),
            ("GET", "/v2/assets/{symbol:path}", self._asset),
        ]
        rest = [
            Route(PREFIX + path, self._through(faults, answer), methods=[method])
            for method, path, answer in table
        ]
        return [*rest, self.stream.route(f"{PREFIX}/stream", faults)]

    def _through(
        self, faults: Faults, answer: Callable[[Account, Request, Any], Response]
    ) -> Callable[[Request], Any]:
        async def receive(request: Request) -> Response:
            path = f"alpaca/{request.method.lower()}{request.url.path.removeprefix(PREFIX)}"
            fault = faults.find(path, named=True)
            response = await self._answer(request, fault, answer)
            response.headers["x-request-id"] = uuid.uuid4().hex
            return response

        return receive

    async def _answer(
        self,
        request: Request,
        fault: Fault | None,
        answer: Callable[[Account, Request, Any], Response],
    ) -> Response:
        kind = fault.kind if fault else None
        if kind is Kind.DOWN:
            return Dropped()
        if fault is not None and kind in _INSTEAD:
            response = _error(*_INSTEAD[kind])
            if kind is Kind.LIMITED:
                response.headers["retry-after"] = f"{fault.seconds:g}"
            return response
        try:
            body = await _body(request) if request.method == "POST" else {}
            if fault is not None and kind is Kind.SLOW:  # it has arrived, and takes effect late
                await asyncio.sleep(fault.seconds)
            response = self._effect(request, body, kind, answer)
        except Rejection as no:
            return _error(no.status, no.code, no.message)
        return _spoilt(response, kind)

    def _effect(
        self,
        request: Request,
        body: Any,
        kind: Kind | None,
        answer: Callable[[Account, Request, Any], Response],
    ) -> Response:
        key = request.headers.get("apca-api-key-id", "")
        if not key or request.headers.get("apca-api-secret-key") != SECRET:
            raise Rejection(401, 40110000, "request is not authorized")
        if kind is Kind.EMPTY:
            return JSONResponse([])
        request.state.fault = kind
        return answer(self.venue.account(key), request, body)

    def _account(self, account: Account, _request: Request, _body: Any) -> Response:
        return JSONResponse(wire.account_json(account, self.venue.buying_power(account)))

    def _clock(self, _account: Account, _request: Request, _body: Any) -> Response:
        at = self.venue.wall().isoformat()
        is_open = any(quote.session_open for quote in self.venue.quotes.values())
        return JSONResponse({"timestamp": at, "is_open": is_open})

    def _place(self, account: Account, request: Request, body: Any) -> Response:
        order = read_order(body, self.venue.wall())
        self.posts.append(order.client_id)
        order.hold = request.state.fault is Kind.HELD
        order.in_parts = request.state.fault is Kind.PARTIAL
        return JSONResponse(wire.order_json(self.venue.place(account, order)))

    def _orders(self, account: Account, request: Request, _body: Any) -> Response:
        status = request.query_params.get("status", "open")
        limit = min(int(request.query_params.get("limit", "50")), 500)
        until = request.query_params.get("until")
        before = datetime.fromisoformat(until) if until else None
        found = [
            wire.order_json(order)
            for order in reversed(account.orders.values())
            if (status == "all" or order.open is (status == "open"))
            and (before is None or order.at < before)
        ]
        return JSONResponse(found[:limit])

    def _named(self, account: Account, request: Request, _body: Any) -> Response:
        name = request.query_params.get("client_order_id", "")
        if name not in account.names:
            raise Rejection(404, 40410000, f"order not found for {name}")
        return JSONResponse(wire.order_json(account.names[name]))

    def _order(self, account: Account, request: Request, _body: Any) -> Response:
        name = request.path_params["order_id"]
        if name not in account.orders:
            raise Rejection(404, 40410000, f"order not found for {name}")
        return JSONResponse(wire.order_json(account.orders[name]))

    def _cancel(self, account: Account, request: Request, _body: Any) -> Response:
        self.venue.cancel(account, request.path_params["order_id"])
        return Response(status_code=204)

    def _positions(self, account: Account, _request: Request, _body: Any) -> Response:
        return JSONResponse([wire.position_json(account, symbol) for symbol in account.positions])

    def _position(self, account: Account, request: Request, _body: Any) -> Response:
        name = request.path_params["symbol"]
        symbol = next((s for s in account.positions if s.replace("/", "") == name), None)
        if symbol is None:
            raise Rejection(404, 40410000, "position does not exist")
        return JSONResponse(wire.position_json(account, symbol))

    def _fills(self, account: Account, request: Request, _body: Any) -> Response:
        asked = request.query_params
        found = list(account.executions)
        if "order_id" in asked:
            found = [one for one in found if one.order.id == asked["order_id"]]
        if "after" in asked:
            after = datetime.fromisoformat(asked["after"])
            found = [one for one in found if one.at > after]
        if "page_token" in asked:
            last = int(asked["page_token"].partition("::")[0])
            found = [one for one in found if one.number > last]
        size = min(int(asked.get("page_size", "100")), 100)
        return JSONResponse([wire.fill_json(one) for one in found[:size]])

    def _asset(self, _account: Account, request: Request, _body: Any) -> Response:
        symbol = request.path_params["symbol"]
        return JSONResponse(wire.asset_json(symbol) | self.venue.assets.get(symbol, {}))


def _error(status: int, code: int, message: str) -> Response:
    return JSONResponse({"code": code, "message": message}, status_code=status)


def _spoilt(response: Response, kind: Kind | None) -> Response:
    """What becomes of an answer after it has taken effect."""
    match kind:
        case Kind.LOST:
            return Dropped()
        case Kind.BROKEN_AFTER:
            return _error(500, 50010000, "internal server error occurred")
        case Kind.TRUNCATED:
            half = bytes(response.body)[: len(response.body) // 2]
            return Response(half, media_type="application/json")
        case Kind.STRANGE:
            found = json.loads(bytes(response.body)) | {"status": "levitating"}
            return JSONResponse(found)
        case _:
            return response


async def _body(request: Request) -> Any:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > _MOST_BYTES:
            raise Rejection(413, 41310000, "the request is too large")
    try:
        return json.loads(content, parse_float=Decimal)
    except ValueError:
        raise Rejection(400, 40010000, "request body format is invalid") from None
