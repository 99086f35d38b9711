"""The feed on a real nats-server: what lies in the stream, and what a restart makes of it."""

import json
from collections.abc import AsyncIterator

import pytest

from market_data.app import build_service
from market_data.settings import Settings
from signalbox.contracts.clock import ClockReading
from signalbox.contracts.config import MarketConfig, Versioned
from signalbox.contracts.events import BarClosed, decode
from signalbox.runtime.bus import Bus, Credentials
from signalbox.testing.desk import running
from signalbox.testing.servers import RunningNats
from signalbox.testing.wait import until

pytestmark = pytest.mark.integration
STEPS = 390 * 2  # into the second session
FAST = 30_000


class Caller:
    """The gateway, as far as the feed hears of it."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.version = 0

    async def set_speed(self, speed: float) -> None:
        self.version += 1
        document = Versioned(version=self.version, document=MarketConfig(speed=speed))
        await self.bus.bucket_put("CONFIG", "market-data", document.model_dump_json().encode())

    async def clock(self) -> ClockReading:
        return ClockReading.model_validate_json(await self.bus.bucket_get("CLOCK", "clock") or b"")

    async def has_come_to(self, position: int) -> bool:
        reading = await self.clock()
        return reading.epoch > 0 or reading.position >= position

    async def stands_still(self) -> bool:
        return (await self.clock()).speed == 0

    async def ask(self, verb: str, **body: object) -> list[dict[str, str]]:
        command = {"request_id": "r", "by": "test", "deadline": "2099-01-01T00:00:00Z"}
        raw = json.dumps({**command, "body": body}).encode()
        answer = await self.bus.nc.request(f"sb.v1.cmd.market-data.{verb}", raw, timeout=5)
        found: dict[str, list[dict[str, str]]] = json.loads(answer.data)["body"]
        return found[verb]

    async def minutes(self) -> list[BarClosed]:
        """AAPL's minutes of the first loop, as they lie in the stream."""
        info = await self.bus.js.stream_info("MARKET")
        kept = []
        for sequence in range(1, info.state.last_seq + 1):
            stored = await self.bus.js.get_msg("MARKET", sequence, direct=True)
            event = decode(stored.data or b"")
            if isinstance(event, BarClosed) and event.data.interval == "1m":
                kept.append(event)
        return [event for event in kept if event.data.epoch == 0]


@pytest.fixture
async def caller(nats_server: RunningNats) -> AsyncIterator[Caller]:
    bus = Bus("gateway", nats_server.url, Credentials.read(nats_server.home, "gateway"))
    await bus.connect()
    yield Caller(bus)
    await bus.close()


async def test_the_feed_goes_on_where_it_stood(nats_server: RunningNats, caller: Caller) -> None:
    settings = Settings(home=nats_server.home, nats_url=nats_server.url, replay_rows=STEPS)
    await caller.set_speed(FAST)
    async with running(build_service(settings)):
        await until(lambda: caller.has_come_to(100), 20)
        await caller.set_speed(0)
        await until(caller.stands_still)
        shown = await caller.ask("bars", symbol="AAPL", interval="1m", count=5)
    stood = await caller.clock()

    async with running(build_service(settings)):
        assert await caller.ask("bars", symbol="AAPL", interval="1m", count=5) == shown
        assert len(await caller.ask("symbols")) == 12
        revived = await caller.clock()
        await caller.set_speed(FAST)
        await until(lambda: caller.has_come_to(STEPS), 20)
    assert (revived.epoch, revived.position) == (stood.epoch, stood.position)
    assert revived.market_at == stood.market_at

    closed = [event.data.closed_at for event in await caller.minutes()]
    assert closed == sorted(set(closed))
    assert len(closed) == STEPS - 2  # the first step of a session is an open
