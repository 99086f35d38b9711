"""Alpaca's trading API: a dozen calls. Nothing is sent again by itself; what the answer to an order
means is said, not raised.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

import httpx

from executor.adapters.budget import Budget, Urgency
from executor.domain import alpaca as wire
from executor.domain.broker import Answer, Asset, BrokerFill, BrokerOrder, BrokerPosition, Kind
from executor.domain.orders import Ticket
from signalbox.contracts.errors import (
    PermanentError,
    RateLimited,
    Refused,
    SignalboxError,
    TransientError,
)
from signalbox.runtime import metrics
from signalbox.runtime.http import exchange, open_http, retry_after_s

_CONNECT_S, _READ_S = 5.0, 10.0
_WHOLE_S = 20.0  # for one call, however slowly it comes
_MOST_BYTES = 8 * 1024 * 1024
_PAGE = 100  # fills
_MOST_PAGES = 50
_MOST_ORDERS = 500
_ASSET_S = 86_400.0
_RETRY_S, _LONGEST_S = 5.0, 120.0


@dataclass(frozen=True, slots=True)
class Login:
    """Where and as whom."""

    url: str
    key: str = field(repr=False)
    secret: str = field(repr=False)


class Alpaca:
    """One account. Neither key nor secret appears in an error."""

    def __init__(self, login: Login, *, budget: Budget | None = None, read_s: float = _READ_S):
        keys = {"APCA-API-KEY-ID": login.key, "APCA-API-SECRET-KEY": login.secret}
        self._http = open_http(login.url, keys, connect_s=_CONNECT_S, read_s=read_s)
        self._budget = budget or Budget()
        self._assets: dict[str, tuple[float, Asset]] = {}

    async def close(self) -> None:
        """Drop the connections."""
        await self._http.aclose()

    async def turn(self) -> None:
        """Wait until an order may be sent: before it is decided that it is, so that nothing comes
        between.
        """
        await self._budget.take(Urgency.SUBMIT)

    def idle(self) -> bool:
        """Whether so little is asked of the broker that what can wait may go."""
        return self._budget.idle()

    async def submit(self, ticket: Ticket) -> Answer:
        """Post an order, once, in a turn that was waited for; DONE brings it back."""
        body = wire.order_body(ticket)
        answer = await self._call("POST", "/v2/orders", json=body)
        if answer.kind is not Kind.DONE:
            return answer
        try:
            return replace(answer, order=wire.parse_order(answer.body))
        except TransientError as error:
            return replace(answer, kind=Kind.UNKNOWN, message=str(error))

    async def cancel(self, broker_id: str) -> Answer:
        """Ask for an order's end. DONE: that was asked for; REJECTED: it is too late."""
        return await self._send("DELETE", f"/v2/orders/{_path(broker_id)}", Urgency.CANCEL)

    async def find(self, client_id: str) -> BrokerOrder | None:
        """The order of this name; None when the broker says that there is none.

        Raises:
            SignalboxError: it did not say.
        """
        params = {"client_order_id": client_id}
        answer = await self._read("/v2/orders:by_client_order_id", params, Urgency.SUBMIT)
        return wire.parse_order(answer.body) if answer is not None else None

    async def order(self, broker_id: str, urgency: Urgency = Urgency.READ) -> BrokerOrder | None:
        """The order of this id; None when there is none.

        Raises:
            SignalboxError: the broker did not say.
        """
        answer = await self._read(f"/v2/orders/{_path(broker_id)}", None, urgency)
        return wire.parse_order(answer.body) if answer is not None else None

    async def open_orders(self) -> list[BrokerOrder]:
        """The open orders, at most 500.

        Raises:
            SignalboxError: the broker did not say.
        """
        params = {"status": "open", "limit": str(_MOST_ORDERS), "nested": "false"}
        return wire.parse_orders(await self._list("/v2/orders", params))

    async def fills(
        self, *, broker_id: str | None = None, after: datetime | None = None
    ) -> list[BrokerFill]:
        """Executions of one order, or of all since `after` (wall time), oldest first.

        Raises:
            SignalboxError: the broker did not say.
        """
        params = {"page_size": str(_PAGE), "direction": "asc"}
        if broker_id is not None:
            params["order_id"] = broker_id
        if after is not None:
            params["after"] = after.isoformat().replace("+00:00", "Z")
        urgency = Urgency.READ if broker_id is None else Urgency.SUBMIT
        found: list[BrokerFill] = []
        for _ in range(_MOST_PAGES):
            page = await self._list("/v2/account/activities/FILL", params, urgency)
            fills = [wire.parse_fill(one) for one in page]
            found += fills if broker_id is None else [f for f in fills if f.broker_id == broker_id]
            if len(page) < _PAGE:
                break
            params["page_token"] = wire.activity_id(page[-1])
        return sorted(found, key=lambda fill: (fill.broker_id, fill.cumulative))

    async def positions(self) -> list[BrokerPosition]:
        """What the account holds.

        Raises:
            SignalboxError: the broker did not say.
        """
        return [wire.parse_position(one) for one in await self._list("/v2/positions", {})]

    async def position(self, symbol: str) -> BrokerPosition | None:
        """What the account holds of a symbol, before an order on it goes; None when nothing.

        Raises:
            SignalboxError: the broker did not say.
        """
        path = f"/v2/positions/{_path(wire.squeezed(symbol))}"
        answer = await self._read(path, None, Urgency.SUBMIT)
        return wire.parse_position(answer.body) if answer is not None else None

    async def asset(self, symbol: str) -> Asset | None:
        """What may be ordered of a symbol, as of today; None when the broker does not know it.

        Raises:
            SignalboxError: the broker did not say.
        """
        kept = self._assets.get(symbol)
        if kept is not None and time.monotonic() - kept[0] < _ASSET_S:
            return kept[1]
        answer = await self._read(f"/v2/assets/{_path(symbol)}", None, Urgency.SUBMIT)
        asset = wire.parse_asset(answer.body) if answer is not None else None
        if asset is not None and asset.tradable:
            self._assets[symbol] = (time.monotonic(), asset)
        return asset

    async def account(self) -> tuple[str, Decimal]:
        """The broker's own id of the account, and its cash.

        Raises:
            Refused: the keys are not valid, or the account may not trade.
            SignalboxError: the broker did not say.
        """
        answer = await self._read("/v2/account")
        blocked = wire.blocked(answer.body) if answer is not None else "there is no account"
        if answer is None or blocked:
            raise Refused(f"alpaca: {blocked}")
        return wire.parse_account(answer.body)

    async def clock(self) -> datetime:
        """The broker's time.

        Raises:
            SignalboxError: it did not say.
        """
        answer = await self._read("/v2/clock")
        return wire.parse_clock(answer.body if answer is not None else None)

    async def _list(
        self, path: str, params: Mapping[str, str], urgency: Urgency = Urgency.READ
    ) -> list[object]:
        answer = await self._read(path, params, urgency)
        return wire.parse_list(answer.body if answer is not None else None)

    async def _read(
        self, path: str, params: Mapping[str, str] | None = None, urgency: Urgency = Urgency.READ
    ) -> Answer | None:
        """What is there; None when there is no such thing."""
        answer = await self._send("GET", path, urgency, params=params)
        match answer.kind:
            case Kind.DONE:
                return answer
            case Kind.MISSING:
                return None
            case Kind.LIMITED:
                words = "alpaca: too many requests"
                raise RateLimited(words, retry_after_s=answer.retry_after_s)
            case Kind.REFUSED:
                raise Refused(f"alpaca refuses the keys: {answer.message}")
            case Kind.UNKNOWN:
                raise TransientError(f"alpaca: {answer.message}")
            case _:
                raise PermanentError(f"alpaca: {answer.code} {answer.message}")

    async def _send(
        self,
        method: str,
        path: str,
        urgency: Urgency,
        *,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        await self._budget.take(urgency)
        return await self._call(method, path, params=params)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, str] | None = None,
    ) -> Answer:
        request = self._http.build_request(method, path, params=params, json=json)
        try:
            async with asyncio.timeout(_WHOLE_S):
                response, content = await exchange(self._http, request, _MOST_BYTES)
            answer = wire.read_answer(
                response.status_code,
                content,
                request_id=response.headers.get("x-request-id", "")[:64],
                retry_after_s=retry_after_s(response.headers, usual_s=_RETRY_S, most_s=_LONGEST_S),
            )
        except (httpx.HTTPError, httpx.StreamError, TimeoutError, SignalboxError) as error:
            answer = Answer(Kind.UNKNOWN, message=f"no answer: {type(error).__name__}")
        if answer.kind is Kind.LIMITED:
            self._budget.pause(answer.retry_after_s)
        metrics.BROKER_REQUESTS.labels(wire.NAME, method, answer.kind.value).inc()
        return answer


def _path(part: str) -> str:
    """One segment of a path: the slash of `BTC/USD` is escaped."""
    return quote(part, safe="")
