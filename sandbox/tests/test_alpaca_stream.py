"""The stand-in's stream of order updates: its words, one client for each key, faults."""

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from sandbox.alpaca.api import SECRET
from sandbox.alpaca.venue import new_order
from sandbox.faults import Kind
from sandbox.serving import Served
from signalbox.testing.examples import NOON, a_quote

UPDATE = "alpaca/stream/update"


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    found = Served()
    await found.start()
    yield found
    await found.context.close()
    await found.stop()


@pytest.fixture
async def socket(served: Served) -> AsyncIterator[ClientConnection]:
    url = served.url.replace("http", "ws") + "/alpaca/stream"
    async with connect(url, proxy=None) as found:
        yield found


async def say(socket: ClientConnection, action: str, **data: Any) -> Any:
    await socket.send(json.dumps({"action": action, "data": data}))
    return json.loads(await socket.recv())


async def begin(socket: ClientConnection) -> None:
    answer = await say(socket, "authenticate", key_id="key", secret_key=SECRET)
    assert answer["data"]["status"] == "authorized"
    answer = await say(socket, "listen", streams=["trade_updates", "weather"])
    assert answer == {"stream": "listening", "data": {"streams": ["trade_updates"]}}


def place(served: Served, name: str = "c1") -> None:
    venue = served.trading.venue
    venue.hear(a_quote())
    venue.place(venue.account("key"), new_order("AAPL", "buy", Decimal(2), name, NOON))


async def hear(socket: ClientConnection, count: int) -> list[str]:
    async with asyncio.timeout(5):
        told = [json.loads(await socket.recv())["data"] for _ in range(count)]
    return [f"{one['order']['client_order_id']} {one['event']}" for one in told]


async def test_whoever_listens_hears_what_happens_to_its_orders(
    served: Served, socket: ClientConnection
) -> None:
    await begin(socket)
    place(served)
    assert await hear(socket, 2) == ["c1 new", "c1 fill"]
    held = new_order("AAPL", "buy", Decimal(2), "c2", NOON)
    held.hold = True
    venue = served.trading.venue
    account = venue.account("key")
    venue.place(account, held)
    venue.fill(account, held, Decimal(1), Decimal(210))
    venue.cancel(account, held.id)
    assert await hear(socket, 3) == ["c2 new", "c2 partial_fill", "c2 canceled"]


async def test_wrong_keys_and_a_second_client_are_turned_away(
    served: Served, socket: ClientConnection
) -> None:
    await begin(socket)
    url = served.url.replace("http", "ws") + "/alpaca/stream"
    async with connect(url, proxy=None) as second:
        answer = await say(second, "authenticate", key_id="key", secret_key=SECRET)
        assert answer["data"]["error_message"] == "connection limit exceeded"
    async with connect(url, proxy=None) as stranger:
        answer = await say(stranger, "authenticate", key_id="other", secret_key="guess")
        assert answer["data"]["status"] == "unauthorized"
    assert list(served.trading.stream.lines) == ["key"]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Kind.TWICE, ["c1 new", "c1 new", "c1 fill"]),
        (Kind.STRANGE, ["c1 fill", "c1 new"]),
        (Kind.EMPTY, ["c1 fill"]),
    ],
)
async def test_updates_come_twice_out_of_order_or_not_at_all(
    served: Served, socket: ClientConnection, kind: Kind, told: list[str]
) -> None:
    await begin(socket)
    served.switch(kind, path=UPDATE, count=1)
    place(served)
    assert await hear(socket, len(told)) == told


async def test_the_connection_breaks(served: Served, socket: ClientConnection) -> None:
    await begin(socket)
    served.switch(Kind.DOWN, path=UPDATE)
    place(served)
    with pytest.raises(ConnectionClosed):
        await hear(socket, 1)
