"""The event stream: what is told, to whom, from where on, and when it ends."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.adapters.hub import Hub, Wish, frame_of
from gateway.domain.roles import Role
from gateway.routes import stream
from signalbox.contracts.events import BarClosed, LlmDecisionMade, QuoteUpdated
from signalbox.runtime.clock import wall_now
from signalbox.testing.examples import a_bar, a_decision, a_moment, a_quote, raised
from signalbox.testing.wait import until


class Stream:
    """One open event stream, read as a browser does."""

    def __init__(self) -> None:
        self.chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.status = 0
        self._rest = b""

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body":
            await self.chunks.put(message.get("body", b""))
            if not message.get("more_body"):
                await self.chunks.put(None)

    async def frame(self) -> dict[str, str] | None:
        """The next frame's fields; none when the stream has ended."""
        while b"\n\n" not in self._rest:
            async with asyncio.timeout(30):
                chunk = await self.chunks.get()
            if chunk is None:
                return None
            self._rest += chunk
        frame, _, self._rest = self._rest.partition(b"\n\n")
        lines = frame.decode().split("\n")
        return dict(line.split(": ", 1) for line in lines if not line.startswith(":"))

    async def events(self, count: int) -> list[dict[str, str]]:
        """The next events, without `retry` and signs of life."""
        found: list[dict[str, str]] = []
        while len(found) < count:
            frame = await self.frame()
            assert frame is not None, "the stream has ended"
            if frame.get("event", "beat") != "beat":
                found.append(frame)
        return found


@pytest.fixture
def open_stream(gateway: Any) -> Any:
    """Opens `/api/stream` for the time of a block."""

    @asynccontextmanager
    async def opened(
        query: str = "", role: Role = Role.VIEWER, headers: Iterable[tuple[str, str]] = ()
    ) -> AsyncIterator[Stream]:
        pairs: Sequence[tuple[str, str]] = [
            ("authorization", f"Bearer {gateway.tokens[role]}"),
            *headers,
        ]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/api/stream",
            "raw_path": b"/api/stream",
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(k.encode(), v.encode()) for k, v in pairs],
            "client": ("127.0.0.1", 1),
            "server": ("gateway", 80),
        }
        gone = asyncio.Event()

        async def receive() -> Any:
            await gone.wait()
            return {"type": "http.disconnect"}

        stream = Stream()
        task = asyncio.create_task(gateway.app(scope, receive, stream.send))
        try:
            yield stream
        finally:
            gone.set()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return opened


async def test_a_stream_tells_what_is_committed(
    gateway: Any, open_stream: Any, story: Callable[..., Any]
) -> None:
    told = story()
    gateway.feed(told.raised())
    async with open_stream() as browser:
        (hello,) = await browser.events(1)
        assert (hello["event"], hello["id"]) == ("hello", "1")
        gateway.feed(*told.verdicts())
        first, second = await browser.events(2)
    assert [first["id"], second["id"]] == ["2", "3"]
    assert first["event"] == second["event"] == "VerdictReached"
    assert json.loads(first["data"])["data"]["verdict_id"] == str(told.accepted.verdict_id)


async def test_a_stream_tells_what_models_answer(gateway: Any, open_stream: Any) -> None:
    async with open_stream("types=LlmDecisionMade&symbol=AAPL") as browser:
        await browser.events(1)
        decisions = [a_decision(symbol=symbol) for symbol in ("MSFT", "AAPL")]
        gateway.feed(*(a_moment().event(LlmDecisionMade, one) for one in decisions))
        (told,) = await browser.events(1)
    assert (told["event"], told["id"]) == ("LlmDecisionMade", "2")
    assert json.loads(told["data"])["data"]["decision_id"] == str(decisions[1].decision_id)


async def test_a_stream_goes_on_where_it_broke_off(
    gateway: Any, open_stream: Any, holds: Callable[[int], list[Any]], monkeypatch: Any
) -> None:
    monkeypatch.setattr(stream, "_PAGE", 4)
    gateway.feed(*holds(10))
    async with open_stream(headers=[("last-event-id", "3")]) as browser:
        missed = await browser.events(8)
        assert [frame["id"] for frame in missed] == ["3", "4", "5", "6", "7", "8", "9", "10"]
        gateway.feed(*holds(12)[10:])
        assert [frame["id"] for frame in await browser.events(2)] == ["11", "12"]


async def test_what_is_committed_while_a_stream_catches_up_comes_once(
    gateway: Any, open_stream: Any, holds: Callable[[int], list[Any]]
) -> None:
    gateway.feed(*holds(5))
    real = gateway.context.read

    async def read_and_commit(look: Any) -> Any:
        found = await real(look)
        gateway.context.read = real
        gateway.feed(*holds(8)[5:])
        return found

    async with gateway() as web:  # the session is looked up first
        await web.get("/api/auth/me")
    reads = iter([real, read_and_commit])

    async def read(look: Any) -> Any:
        return await next(reads, real)(look)

    gateway.context.read = read
    async with open_stream(headers=[("last-event-id", "0")]) as browser:
        frames = await browser.events(9)
    assert [frame["id"] for frame in frames[1:]] == [str(n) for n in range(1, 9)]


async def test_a_number_beyond_the_archive_waits_for_what_is_new(
    gateway: Any, open_stream: Any, holds: Callable[[int], list[Any]]
) -> None:
    gateway.feed(*holds(2))
    async with open_stream(headers=[("last-event-id", "99")]) as browser:
        assert (await browser.events(1))[0]["id"] == "2"
        gateway.feed(*holds(3)[2:])
        assert (await browser.events(1))[0]["id"] == "3"


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("types=OrderChanged", ["OrderChanged"] * 3),
        ("types=SignalRaised,EquityMarked", ["SignalRaised", "EquityMarked"]),
        ("bot=beta", ["VerdictReached"]),
        ("bot=alpha&types=VerdictReached", ["VerdictReached"]),
        ("symbol=MSFT", []),
    ],
)
async def test_a_stream_tells_what_is_asked_for(
    gateway: Any, open_stream: Any, story: Callable[..., Any], query: str, kinds: list[str]
) -> None:
    async with open_stream(query) as browser:
        await browser.events(1)
        gateway.feed(*story().all())
        live = await browser.events(len(kinds))
    async with open_stream(query, headers=[("last-event-id", "0")]) as browser:
        missed = (await browser.events(1 + len(kinds)))[1:]
    assert sorted(f["event"] for f in live) == sorted(kinds)
    assert sorted(f["event"] for f in missed) == sorted(kinds)


async def test_prices_pass_by_without_a_number(gateway: Any, open_stream: Any) -> None:
    async with open_stream("symbol=AAPL") as browser:
        await browser.events(1)
        hub = gateway.context.hub
        await until(lambda: hub._listeners)
        await hub.hear(a_moment().event(QuoteUpdated, a_quote(symbol="MSFT")))
        await hub.hear(a_moment().event(QuoteUpdated, a_quote()))
        await hub.hear(a_moment().event(BarClosed, a_bar()))
        quote, bar = await browser.events(2)
    assert (quote["event"], bar["event"]) == ("QuoteUpdated", "BarClosed")
    assert "id" not in quote
    assert json.loads(quote["data"])["data"]["symbol"] == "AAPL"


async def test_a_reader_that_is_too_slow_is_cut_off_after_what_waits() -> None:
    hub = Hub()
    listener = hub.open(Wish(), "session")
    for number in range(1, 1500):
        listener.offer(number, frame_of("SignalRaised", "{}", number))
    got = []
    while (found := await listener.next(1)) is not None:
        got.append(found[0])
    assert got == list(range(1, 1001))


async def test_prices_alone_are_left_out_before_a_reader_is_cut_off() -> None:
    hub = Hub()
    listener = hub.open(Wish(), "session")
    price = a_moment().event(QuoteUpdated, a_quote())
    for _ in range(5000):
        await hub.hear(price)
    hub.announce_configuration(7)
    assert not listener.ended
    frames = [await listener.next(1) for _ in range(listener.frames.qsize())]
    assert len(frames) == 501
    assert frames[-1] == (0, frame_of("ConfigurationChanged", '{"data": {"version": 7}}'))


async def test_signing_out_ends_the_stream(gateway: Any, open_stream: Any) -> None:
    async with open_stream() as browser:
        await browser.events(1)
        async with gateway("viewer") as web:
            assert (await web.post("/api/auth/logout")).status_code == 204
        assert await browser.frame() is None


async def test_stopping_ends_every_stream_and_lets_none_linger(
    gateway: Any, open_stream: Any
) -> None:
    async with open_stream() as browser:
        await browser.events(1)
        gateway.context.hub.end_all()
        assert await browser.frame() is None
    async with open_stream() as browser:
        await browser.events(1)
        assert await browser.frame() is None


async def test_a_stream_ends_with_its_session(gateway: Any, monkeypatch: Any) -> None:
    hub = Hub()
    listener = hub.open(Wish(), "session")
    now = wall_now()

    class Ended:
        expires_at = now

    assert [frame async for frame in stream._live(listener, Ended(), 0)] == []  # type: ignore[arg-type]  # only its end is looked at


async def test_silence_is_filled_with_a_sign_of_life(
    gateway: Any, open_stream: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(stream, "_HEARTBEAT_S", 0.01)
    async with open_stream() as browser:
        await browser.events(1)
        assert await browser.frame() == {"event": "beat", "data": "{}"}
        gateway.feed(raised())
        assert (await browser.events(1))[0]["event"] == "SignalRaised"


@pytest.mark.parametrize(
    ("query", "header", "detail"),
    [
        ("types=Nothing", "1", "types: there is no event Nothing"),
        ("", "one", "Last-Event-ID is not one that this stream gave"),
        ("", "-1", "Last-Event-ID is not one that this stream gave"),
    ],
)
async def test_a_wish_that_makes_no_sense(
    gateway: Any, query: str, header: str, detail: str
) -> None:
    async with gateway("viewer") as web:
        answer = await web.get(f"/api/stream?{query}", headers={"last-event-id": header})
    assert (answer.status_code, answer.json()["detail"][: len(detail)]) == (422, detail)


async def test_a_change_of_the_configuration_is_told_once(gateway: Any, open_stream: Any) -> None:
    async with open_stream("types=ConfigurationChanged") as browser, gateway() as web:
        await browser.events(1)
        for _ in range(2):  # the second changes nothing
            await web.put("/api/flags", json={"llm": False})
        await web.put("/api/flags", json={"llm": True})
        first, second = await browser.events(2)
    assert first["event"] == second["event"] == "ConfigurationChanged"
    assert "id" not in first
    versions = [json.loads(frame["data"])["data"]["version"] for frame in (first, second)]
    assert versions[1] == versions[0] + 1
