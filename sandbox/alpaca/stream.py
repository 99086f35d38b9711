"""Alpaca's stream of order updates under `/alpaca/stream`: a WebSocket that one client of each key
may listen on. Faults meet a connection by `alpaca/stream/connect` and each update by
`alpaca/stream/update`.
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.alpaca import wire
from sandbox.alpaca.venue import Account, Execution, Order, Venue
from sandbox.faults import Fault, Faults, Kind

_NAME = "trade_updates"
_ABNORMAL = 1011


@dataclass(slots=True)
class _Line:
    """One client: whose keys have been accepted, and which listens once it has an account."""

    account: Account | None = None
    frames: asyncio.Queue[str | bytes | None] = field(default_factory=asyncio.Queue)
    late: bytes | None = None  # goes after the next one


@dataclass(slots=True)
class Stream:
    """Everybody who listens."""

    venue: Venue
    secret: str = field(repr=False)  # of every key
    lines: dict[str, _Line] = field(default_factory=dict)  # by key
    begun: int = 0  # how many have ever listened
    _faults: Faults = field(default_factory=Faults)

    def route(self, path: str, faults: Faults) -> WebSocketRoute:
        """Where it is."""
        self._faults = faults
        self.venue.tell = self.tell
        return WebSocketRoute(path, self._serve)

    def tell(self, account: Account, event: str, order: Order, fill: Execution | None) -> None:
        """Say what has happened to an order, to whoever listens to its account."""
        for line in self.lines.values():
            if line.account is account:
                self._put(line, _update(event, order, fill))

    def drop(self) -> None:
        """Every connection breaks."""
        for line in self.lines.values():
            line.frames.put_nowait(None)

    def _put(self, line: _Line, frame: bytes) -> None:
        fault = self._faults.find("alpaca/stream/update", named=True)
        frames: list[str | bytes | None] = [frame]
        match fault.kind if fault else None:
            case Kind.EMPTY:
                return
            case Kind.DOWN:
                frames = [None]
            case Kind.TRUNCATED:
                frames = [frame[: len(frame) // 2], "no JSON", b"\xff\x00", "[]", '{"data": {}}']
            case Kind.TWICE:
                frames = [frame, frame]
            case Kind.STRANGE if line.late is None:  # the wrong way round, once there is a next one
                line.late = frame
                return
        if line.late is not None:
            frames.append(line.late)
            line.late = None
        for one in frames:
            line.frames.put_nowait(one)

    async def _serve(self, socket: WebSocket) -> None:
        fault = self._faults.find("alpaca/stream/connect", named=True)
        kind = fault.kind if fault else None
        if kind is Kind.BROKEN:
            await socket.send_denial_response(Response(status_code=500))
            return
        await socket.accept()
        if fault is not None and kind is Kind.SLOW:
            await asyncio.sleep(fault.seconds)
        try:
            await self._talk(socket, fault)
        except (WebSocketDisconnect, ValueError, KeyError, TypeError):
            return

    async def _talk(self, socket: WebSocket, fault: Fault | None) -> None:
        kind = fault.kind if fault else None
        asked = json.loads(await socket.receive_text())["data"]
        key = str(asked["key_id"])
        granted = asked["secret_key"] == self.secret and kind is not Kind.REVOKED
        status = "authorized" if granted else "unauthorized"
        if kind is Kind.LIMITED or (granted and key in self.lines):
            error = {"error_message": "connection limit exceeded"}
            await socket.send_text(json.dumps({"action": "error", "data": error}))
            await socket.close()
            return
        data = {"action": "authenticate", "status": status}
        greeting = json.dumps({"stream": "authorization", "data": data})
        if not granted or kind is Kind.DOWN:
            await socket.send_text(greeting)
            await socket.close(_ABNORMAL)
            return
        line = self.lines[key] = _Line()
        try:
            await socket.send_text(greeting)
            streams = json.loads(await socket.receive_text())["data"]["streams"]
            line.account = self.venue.account(key)
            body = {"stream": "listening", "data": {"streams": [s for s in streams if s == _NAME]}}
            await socket.send_bytes(json.dumps(body).encode())
            self.begun += 1
            await _feed(socket, line)
        finally:
            del self.lines[key]


async def _feed(socket: WebSocket, line: _Line) -> None:
    """Send what there is until either side ends."""
    gone = asyncio.create_task(_gone(socket))
    try:
        while not gone.done():
            frame = asyncio.create_task(line.frames.get())
            await asyncio.wait({frame, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not frame.done():
                frame.cancel()
            elif (content := frame.result()) is None:
                await socket.close(_ABNORMAL)
                return
            elif isinstance(content, str):
                await socket.send_text(content)
            else:
                await socket.send_bytes(content)
    finally:
        gone.cancel()


async def _gone(socket: WebSocket) -> None:
    """Wait until the other side ends; whatever else it says changes nothing."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def _update(event: str, order: Order, fill: Execution | None) -> bytes:
    data: dict[str, Any] = {"event": event, "order": wire.order_json(order)}
    if fill is not None:
        told = wire.fill_json(fill)
        data |= {"price": told["price"], "qty": told["qty"], "execution_id": str(uuid4())}
        data["timestamp"] = told["transaction_time"]
    return json.dumps({"stream": _NAME, "data": data}).encode()
