"""The stand-in's stream of order updates: its words, one client for each key, faults."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from sandbox.alpaca.api import SECRET
from sandbox.alpaca.venue import Terms, new_order
from sandbox.faults import Kind
from sandbox.serving import Served
from signalbox.testing.examples import NOON, a_quote

CONNECT, UPDATE = "alpaca/stream/connect", "alpaca/stream/update"


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    found = Served()
    await found.start()
    yield found
    await found.context.close()
    await found.stop()


@pytest.fixture
async def socket(served: Served) -> AsyncIterator[ClientConnection]:
    async with connect(address(served), proxy=None) as found:
        yield found


def address(served: Served) -> str:
    return served.url.replace("http", "ws") + "/alpaca/stream"


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
    async with asyncio.timeout(30):
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


async def test_what_rests_is_told_of_when_it_fires_or_expires(
    served: Served, socket: ClientConnection
) -> None:
    await begin(socket)
    place(served)
    venue = served.trading.venue
    account = venue.account("key")
    for name, terms in (
        ("stop", Terms("stop", "gtc", stop_price=Decimal(200))),
        ("high", Terms("limit", "day", limit_price=Decimal(300))),
    ):
        venue.place(account, new_order("AAPL", "sell", Decimal(1), name, NOON, terms=terms))
    venue.hear(a_quote(bid=Decimal(199), at=NOON + timedelta(seconds=1)))
    venue.hear(a_quote(at=NOON + timedelta(seconds=2), session_open=False))
    told = await hear(socket, 6)
    assert told == ["c1 new", "c1 fill", "stop new", "high new", "stop fill", "high expired"]


async def test_whoever_says_more_is_still_told(served: Served, socket: ClientConnection) -> None:
    await begin(socket)
    for _ in range(2):
        await socket.send(json.dumps({"action": "listen", "data": {"streams": []}}))
        await socket.ping()
    place(served)
    assert await hear(socket, 2) == ["c1 new", "c1 fill"]


@pytest.mark.parametrize("listens", [True, False])
async def test_wrong_keys_and_a_second_client_are_turned_away(
    served: Served, socket: ClientConnection, *, listens: bool
) -> None:
    if listens:
        await begin(socket)
    else:
        await say(socket, "authenticate", key_id="key", secret_key=SECRET)
    async with connect(address(served), proxy=None) as second:
        answer = await say(second, "authenticate", key_id="key", secret_key=SECRET)
        assert answer["data"]["error_message"] == "connection limit exceeded"
    async with connect(address(served), proxy=None) as stranger:
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


async def test_every_pair_of_updates_comes_the_wrong_way_round(
    served: Served, socket: ClientConnection
) -> None:
    await begin(socket)
    served.switch(Kind.STRANGE, path=UPDATE)
    place(served, "c1")
    place(served, "c2")
    assert await hear(socket, 4) == ["c1 fill", "c1 new", "c2 fill", "c2 new"]


async def test_a_connection_is_refused_as_by_a_server_that_fails(served: Served) -> None:
    served.switch(Kind.BROKEN, path=CONNECT)
    with pytest.raises(InvalidStatus) as refused:
        await connect(address(served), proxy=None, process_exception=lambda error: error)
    assert refused.value.response.status_code == 500


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Kind.REVOKED, {"action": "authenticate", "status": "unauthorized"}),
        (Kind.LIMITED, {"error_message": "connection limit exceeded"}),
        (Kind.DOWN, {"action": "authenticate", "status": "authorized"}),
    ],
)
async def test_a_connection_ends_as_it_begins(
    served: Served, kind: Kind, told: dict[str, str]
) -> None:
    served.switch(kind, path=CONNECT, count=1)
    async with connect(address(served), proxy=None) as first:
        answer = await say(first, "authenticate", key_id="key", secret_key=SECRET)
        with pytest.raises(ConnectionClosed):
            await first.recv()
    assert answer["data"] == told
    async with connect(address(served), proxy=None) as second:
        await begin(second)


async def test_a_connection_begins_late(served: Served) -> None:
    served.switch(Kind.SLOW, path=CONNECT, seconds=0.5)
    async with connect(address(served), proxy=None) as slow:
        begun = asyncio.create_task(begin(slow))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(begun), 0.2)
        await begun


async def test_the_connection_breaks(served: Served, socket: ClientConnection) -> None:
    await begin(socket)
    served.switch(Kind.DOWN, path=UPDATE)
    place(served)
    with pytest.raises(ConnectionClosed):
        await hear(socket, 1)
