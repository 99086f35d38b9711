"""The broker's stream of order updates, over real sockets: it makes things quick, never true."""

import asyncio
import base64
import hashlib
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from executor.adapters.alpaca import Login
from executor.adapters.updates import Patience, Updates
from executor.domain import alpaca_stream as wire
from executor.domain.alpaca_stream import Said, Word
from sandbox.alpaca.api import SECRET
from sandbox.faults import Kind
from signalbox.contracts.errors import RateLimited, Refused, TransientError
from signalbox.contracts.values import Action, OrderState
from signalbox.runtime import metrics
from signalbox.testing.wait import until

D = Decimal
S = OrderState
BUY, SELL = Action.BUY, Action.SELL
POST = "alpaca/post/v2/orders"
CONNECT, UPDATE = "alpaca/stream/connect", "alpaca/stream/update"
NEVER_S = 1000.0
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
Open = Any  # opens a pit, see conftest.py
Pit = Any


def connected() -> float:
    return float(metrics.BROKER_STREAM.labels("paper-alpha")._value.get())


@asynccontextmanager
async def listening(
    pit: Open, *, polled: bool, heard: bool = True, secret: str = SECRET
) -> AsyncIterator[Pit]:
    """An account whose worker listens; unless `polled`, it looks at nothing by itself."""
    async with pit() as it:
        await it.stop()
        pace = replace(it.pace, reconnect_s=(0.02, 0.05))
        it.pace = pace if polled else replace(pace, watch_s=(NEVER_S,), sweep_s=NEVER_S)
        it.updates = Updates(Login(f"{it.served.url}/alpaca", "key", secret))
        it.start()
        it.quote()
        if heard:
            await until(lambda: it.served.trading.stream.begun and settled(it))
        yield it


def settled(it: Pit) -> bool:
    """Whether the account was looked at since its stream began."""
    return it.brokerage.active and not it.brokerage.unswept


def resting(it: Pit, quantity: Decimal | None = None) -> None:
    """The newest order at the broker is filled, or so much of it."""
    order = list(it.there.orders.values())[-1]
    it.served.trading.venue.fill(it.there, order, quantity or order.quantity, D(210))


async def test_a_fill_is_booked_at_once_where_nobody_polls(pit: Open) -> None:
    async with listening(pit, polled=False) as it:
        it.switch(Kind.HELD, POST)
        it.shop.accept(BUY)
        await it.ends(S.ACCEPTED)
        resting(it, D(2))
        await it.ends(S.PARTIALLY_FILLED)
        resting(it, D("2.7501"))
        (order,) = await it.ends(S.FILLED)
        assert (order.filled, it.shop.held()) == (D("4.7501"), D("4.7501"))
        assert connected() == 1
        assert metrics.BROKER_STREAM_HEARD.labels("paper-alpha")._value.get() > 0


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        *((kind, UPDATE) for kind in (Kind.EMPTY, Kind.TWICE, Kind.TRUNCATED, Kind.STRANGE)),
        *((kind, CONNECT) for kind in (Kind.REVOKED, Kind.LIMITED, Kind.BROKEN, Kind.SLOW)),
        (Kind.DOWN, UPDATE),
        (Kind.DOWN, CONNECT),
    ],
)
async def test_whatever_the_stream_does_the_books_are_the_same(
    pit: Open, kind: Kind, path: str
) -> None:
    async with listening(pit, polled=True, heard=path == UPDATE) as it:
        it.switch(kind, path, count=None)
        it.switch(Kind.PARTIAL, POST)
        it.shop.accept(BUY)
        await it.ends(S.PARTIALLY_FILLED)
        it.quote(at=it.shop.now, epoch=2)
        it.shop.over["epoch"] = 2
        await it.ends(S.FILLED)
        it.shop.accept(SELL)
        await it.ends(S.FILLED, 2)
        booked = [row.quantity for row in it.shop.fills()]
        assert booked == [D("2.37505"), D("2.37505"), D("4.7501")]
        await until(it.agrees)
        assert it.once()
        assert it.shop.held() == 0


async def test_after_a_reconnect_the_account_is_looked_at_before_anything_is_sent(
    pit: Open,
) -> None:
    async with listening(pit, polled=False) as it:
        it.switch(Kind.SLOW, "alpaca/get/v2/positions", seconds=0.2)
        it.served.trading.stream.drop()
        await until(lambda: it.brokerage.unswept)
        it.shop.accept(BUY)

        def looked_at() -> bool:
            swept = not it.brokerage.unswept
            assert swept or it.served.trading.posts == []
            return swept

        await until(looked_at)
        await it.ends(S.FILLED)


async def test_what_was_missed_while_nobody_listened_is_booked_after_the_reconnect(
    pit: Open,
) -> None:
    async with listening(pit, polled=False) as it:
        it.switch(Kind.HELD, POST)
        it.shop.accept(BUY)
        await it.ends(S.ACCEPTED)
        it.switch(Kind.BROKEN, CONNECT, count=3)
        it.served.trading.stream.drop()
        await until(lambda: not it.served.trading.stream.lines and connected() == 0)
        resting(it)
        await it.ends(S.FILLED)
        assert it.served.trading.stream.begun == 2


async def test_without_all_three_switches_no_account_is_listened_to(pit: Open) -> None:
    async with listening(pit, polled=True) as it:
        (account,) = it.shop.config.accounts
        it.shop.configure(accounts=(account.model_copy(update={"mode": "live"}),))
        lines = it.served.trading.stream.lines
        await until(lambda: not lines)
        begun = it.served.trading.stream.begun
        it.shop.memory.allow_live = True
        (bot,) = it.shop.config.bots
        it.shop.configure(bot.model_copy(update={"live": True}))
        await until(lambda: lines)
        assert it.served.trading.stream.begun == begun + 1


async def test_keys_that_the_stream_refuses_halt_nothing(pit: Open) -> None:
    async with listening(pit, polled=True, heard=False, secret="other") as it:
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        assert it.alerts() == []


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (Kind.REVOKED, Refused),
        (Kind.LIMITED, RateLimited),
        (Kind.BROKEN, TransientError),
        (Kind.DOWN, TransientError),
        (Kind.SLOW, TransientError),
    ],
)
async def test_why_it_cannot_be_heard_is_told_without_the_keys(
    pit: Open, caplog: pytest.LogCaptureFixture, kind: Kind, error: type[Exception]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with pit() as it:
        it.switch(kind, CONNECT, seconds=1)
        login = Login(f"{it.served.url}/alpaca", "MYKEYID", SECRET)
        hasty = Updates(login, Patience(begin_s=0.5 if kind is Kind.SLOW else 10.0))
        with pytest.raises(error) as told:
            await hasty.follow(lambda: None, lambda _said: None)
        stream = Updates(login)
        following = asyncio.create_task(stream.follow(lambda: None, lambda _said: None))
        await until(lambda: it.served.trading.stream.begun)
        with pytest.raises(RateLimited):  # one connection for each key
            await stream.follow(lambda: None, lambda _said: None)
        following.cancel()
        await asyncio.wait({following})
    for text in (caplog.text, repr(told.value), repr(told.value.__cause__)):
        assert "MYKEYID" not in text
        assert SECRET not in text


@asynccontextmanager
async def deaf(*frames: bytes) -> AsyncIterator[str]:
    """A server that shakes hands, says these frames, and reads and answers nothing more."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = re.findall(r"^sec-websocket-key: (\S+)", head, re.MULTILINE | re.IGNORECASE)[0]
        digest = hashlib.sha1((key + _GUID).encode()).digest()  # noqa: S324 - RFC 6455 says so
        proof = base64.b64encode(digest)
        upgrade = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade"
        writer.write(upgrade + b"\r\nSec-WebSocket-Accept: " + proof + b"\r\n\r\n")
        for frame in frames:
            short = len(frame) < 126
            size = bytes([len(frame)]) if short else b"\x7f" + len(frame).to_bytes(8)
            writer.write(b"\x81" + size + frame)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


GRANTED = b'{"stream": "authorization", "data": {"status": "authorized"}}'
LISTED = b'{"stream": "listening", "data": {"streams": ["trade_updates"]}}'


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param((), id="it never answers"),
        pytest.param((GRANTED,), id="it does not list the stream"),
        pytest.param((GRANTED, LISTED), id="it falls silent"),
        pytest.param((GRANTED, LISTED, b"x" * 300_000), id="a frame too large"),
    ],
)
async def test_a_stream_that_is_stuck_is_left(frames: tuple[bytes, ...]) -> None:
    said: list[Said] = []
    async with deaf(*frames) as url:
        stream = Updates(Login(url, "key", SECRET), Patience(begin_s=0.3, ping_s=0.2))
        with pytest.raises(TransientError):
            await asyncio.wait_for(stream.follow(lambda: None, said.append), 30)
    assert said == []


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (b"", Said(Word.MALFORMED)),
        ("[" * 100_000, Said(Word.MALFORMED)),
        ("null", Said(Word.MALFORMED)),
        ('{"stream": "trade_updates", "data": {"order": []}}', Said(Word.MALFORMED)),
        ('{"stream": "trade_updates", "data": {"order": {}}}', Said(Word.MALFORMED)),
        (
            b'{"stream": "trade_updates", "data": {"event": "levitate",'
            b' "order": {"client_order_id": "c1"}}}',
            Said(Word.CHANGED, "c1"),
        ),
        ('{"stream": "weather", "data": {}}', Said(Word.OTHER)),
        ('{"stream": "listening", "data": {"streams": []}}', Said(Word.FAILED)),
        ('{"action": "error", "data": {"error_message": "Connection Limit"}}', Said(Word.LIMITED)),
        ('{"action": "error", "data": {"error_message": "not authorized"}}', Said(Word.REFUSED)),
        ('{"action": "error", "data": {"error_message": "oops"}}', Said(Word.FAILED)),
    ],
)
def test_what_a_frame_says(frame: str | bytes, said: Said) -> None:
    assert wire.read(frame) == said


@pytest.mark.parametrize(
    ("rest", "stream"),
    [
        ("https://api.alpaca.markets", "wss://api.alpaca.markets/stream"),
        ("http://127.0.0.1:5612/alpaca/", "ws://127.0.0.1:5612/alpaca/stream"),
    ],
)
def test_the_stream_is_where_the_account_is(rest: str, stream: str) -> None:
    assert wire.stream_of(rest) == stream
