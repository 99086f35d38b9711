"""The live feed on a real nats-server: after downtime no gap, after a restart nothing twice."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from market_data.app import build_service
from market_data.domain.cursor import Cursor, live_reading
from market_data.settings import Settings
from sandbox.alpaca.api import SECRET
from sandbox.faults import Kind
from signalbox.contracts.config import MarketConfig
from signalbox.contracts.events import (
    AlertRaised,
    BarClosed,
    NewsPublished,
    QuoteUpdated,
    StateChanged,
    decode,
)
from signalbox.runtime.clock import wall_now
from signalbox.runtime.service import Service
from signalbox.testing.desk import Desk, desk_on, running
from signalbox.testing.examples import a_bar, a_quote
from signalbox.testing.servers import RunningNats
from signalbox.testing.wait import until

pytestmark = pytest.mark.integration
Station = Any
SYMBOL = "BTC/USD"
MINUTE = timedelta(minutes=1)
MISSED = 30


@pytest.fixture
async def desk(nats_server: RunningNats) -> AsyncIterator[Desk]:
    """Listens; the clock is the feed's own."""
    async with desk_on(nats_server) as desk:
        assert desk._clock is not None
        desk._clock.cancel()
        await desk.configure("market-data", MarketConfig())
        yield desk


def feed(nats: RunningNats, station: Station) -> Service[MarketConfig]:
    settings = Settings(
        home=nats.home,
        nats_url=nats.url,
        feed="alpaca",
        alpaca_symbols=(SYMBOL,),
        alpaca_data_url=f"{station.served.url}/alpaca",
        alpaca_quote_s=1,
        ALPACA_API_KEY=SecretStr("key-id"),
        ALPACA_API_SECRET=SecretStr(SECRET),
    )
    return build_service(settings)


def midnight(at: datetime, days_ago: int) -> datetime:
    """The last one in Chicago, where days of crypto begin, or one of days before."""
    local = at.astimezone(ZoneInfo("America/Chicago")) - timedelta(days=days_ago)  # by its calendar
    return local.replace(hour=0, minute=0).astimezone(UTC)


async def stored(desk: Desk, *kinds: type[Any]) -> list[Any]:
    """What lies in the stream, repeats included."""
    bus = await desk.bus("reader")
    info = await bus.js.stream_info("MARKET")
    found = []
    for sequence in range(1, info.state.last_seq + 1):
        message = await bus.js.get_msg("MARKET", sequence, direct=True)
        found.append(decode(message.data or b""))
    return [event for event in found if isinstance(event, kinds)]


async def stood_at(desk: Desk, at: datetime) -> None:
    """A feed that stopped then."""
    bus = await desk.bus("market-data")
    marks = {f"{SYMBOL}|{interval}": at for interval in ("1m", "1d")}
    cursor = Cursor(epoch=3, bars=marks)
    await bus.bucket_put("CLOCK", "clock", live_reading(3, at).model_dump_json().encode())
    await bus.bucket_put("CLOCK", "alpaca", cursor.model_dump_json().encode())


async def test_after_downtime_and_restarts_every_bar_is_there_once(
    nats_server: RunningNats, desk: Desk, station: Station
) -> None:
    wall = wall_now().replace(second=0, microsecond=0)
    station.host.wall = wall_now()
    station.served.trading.venue.wall = wall_now
    first = wall - MISSED * MINUTE
    station.prices.add(first - 20 * MINUTE, minutes=20 + MISSED, symbol=SYMBOL)
    for days, close in ((2, 100), (1, 103)):
        opened, closes = midnight(wall, days), midnight(wall, days - 1)
        day = a_bar(symbol=SYMBOL, interval="1d", opened_at=opened, close=close, high=300)
        closed = day.model_copy(update={"closed_at": closes})
        station.prices.kept.setdefault((SYMBOL, "1d"), []).append(closed)
    station.served.trading.venue.hear(a_quote(symbol=SYMBOL, at=wall_now()))
    station.served.switch(Kind.BROKEN, path="alpaca/get/v1beta3/crypto/us/bars", count=1)
    await stood_at(desk, first)

    for _ in range(2):
        async with running(feed(nats_server, station)):
            await desk.hear(NewsPublished)
            await desk.hear(QuoteUpdated)
            reply = await desk.ask("market-data", "bars", {"symbol": SYMBOL, "interval": "1m"})
            assert len(reply["body"]["bars"]) >= 20 + MISSED
        await stood_at(desk, first)  # killed before it could note how far it was

    bars = [e.data for e in await stored(desk, BarClosed) if e.data.interval == "1m"]
    assert [b.opened_at for b in bars][:MISSED] == [first + n * MINUTE for n in range(MISSED)]
    assert {b.epoch for b in bars} == {3}
    everything = Counter(event.id for event in await stored(desk, BarClosed, NewsPublished))
    assert set(everything.values()) == {1}
    (news,) = await stored(desk, NewsPublished)
    assert news.data.headline == "BTC/USD closes 3.0 % higher"


async def test_wrong_keys_are_told_and_the_service_is_not_ready(
    nats_server: RunningNats, desk: Desk, station: Station
) -> None:
    station.served.trading.venue.wall = wall_now
    for path in ("v1beta1", "v1beta3", "v2"):
        station.served.switch(Kind.REVOKED, path=f"alpaca/get/{path}")
    service = feed(nats_server, station)
    async with service.lifespan(None):
        (told, *_) = await desk.hear(AlertRaised)
        assert (told.data.code, told.data.active) == ("feed_down", True)
        await until(lambda: _problem(service))
        await until(lambda: any("problems" in s.data.body for s in desk.of(StateChanged)))
    assert SECRET not in str([event.model_dump() for event in desk.heard])


async def _problem(service: Service[MarketConfig]) -> bool:
    problem = (await service.checks())["feed"]
    return problem is not None and "refuses" in problem


def test_the_feed_needs_both_keys_and_shows_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPACA_API_KEY", "PKVERYSECRET")
    with pytest.raises(ValueError, match="ALPACA_API_SECRET") as raised:
        Settings(feed="alpaca", _env_file=None)
    assert "PKVERYSECRET" not in str(raised.value)


def test_symbols_come_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNALBOX_ALPACA_SYMBOLS", "AAPL, BTC/USD,AAPL")
    assert Settings().alpaca_symbols == ("AAPL", "BTC/USD")
