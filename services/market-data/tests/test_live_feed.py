"""The live feed against a sandbox: what goes out, in which order, once; and what failures leave."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from market_data.domain.rows import session_on
from market_data.live.bars import HISTORY
from sandbox.faults import Kind
from signalbox.contracts.clock import ClockReading
from signalbox.contracts.commands import Command
from signalbox.contracts.errors import (
    Malformed,
    NotFound,
    PermanentError,
    Refused,
    TransientError,
)
from signalbox.contracts.events import BarClosed, NewsPublished, QuoteUpdated, StateChanged
from signalbox.testing.examples import a_quote

Station = Any
D = Decimal
NOW = datetime(2026, 8, 3, 16, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BARS = "alpaca/get/v2/stocks/bars"


async def ask(live: Any, **body: Any) -> list[dict[str, Any]]:
    wanted = {"symbol": "AAPL", "interval": "1m"} | body
    command = Command(request_id="1", by="test", deadline=NOW, body=wanted)
    found: list[dict[str, Any]] = (await live.bars(command))["bars"]
    return found


def opened(bars: list[Any]) -> list[str]:
    return [bar.opened_at.strftime("%H:%M") for bar in bars]


async def test_the_first_start_is_history_and_then_each_bar_goes_out_once(station: Station) -> None:
    station.prices.add(NOW - 10 * MINUTE, minutes=12)
    live = await station.started()
    assert station.of(BarClosed) == []
    assert [bar["closed_at"][-9:] for bar in await ask(live, count=2)] == ["15:59:00Z", "16:00:00Z"]
    for _ in range(2):
        station.pass_by(minutes=1, seconds=2)
        await live.lanes[0].look()
        await live.lanes[0].look()
    first, second = station.of(BarClosed)
    assert opened([first, second]) == ["16:00", "16:01"]
    assert (first.epoch, first.origin, first.session_open) == (0, "alpaca iex", True)
    assert first.session_closes_at == NOW.replace(hour=20)
    assert first.open == D("210.1")  # exact, though a number on the wire
    assert len(await ask(live)) == 12


async def test_after_downtime_the_gap_goes_out_in_order_under_its_own_times(
    station: Station,
) -> None:
    station.prices.add(NOW - 10 * MINUTE, minutes=10)
    station.prices.add(NOW - 10 * MINUTE, minutes=10, symbol="MSFT")
    await station.started("AAPL", "MSFT")
    station.prices.add(NOW, minutes=60)
    station.prices.add(NOW, minutes=60, symbol="MSFT")
    station.pass_by(minutes=60, seconds=5)
    await station.started("AAPL", "MSFT")
    out = station.of(BarClosed)
    assert len(out) == 120
    assert [(bar.closed_at, bar.symbol) for bar in out] == sorted(
        {(bar.closed_at, bar.symbol) for bar in out}
    )
    assert {bar.epoch for bar in out} == {0}
    await station.started("AAPL", "MSFT")
    assert len(station.of(BarClosed)) == 120


async def test_what_the_bus_did_not_take_stays_due(station: Station) -> None:
    live = await station.started()
    station.prices.add(NOW, minutes=3)
    station.pass_by(minutes=3)
    station.host.broken = True
    with pytest.raises(TransientError):
        await live.lanes[0].look()
    station.host.broken = False
    await live.lanes[0].look()
    assert opened(station.of(BarClosed)) == ["16:00", "16:01", "16:02"]


async def test_a_kill_after_publishing_repeats_the_same_ids(station: Station) -> None:
    await station.started()
    before = dict(station.host.bucket)
    station.prices.add(NOW, minutes=2)
    station.pass_by(minutes=2)
    await station.started()
    station.host.bucket = before
    await station.started()
    ids = [event.id for event in station.host.sent if isinstance(event, BarClosed)]
    assert ids[:2] == ids[2:]


async def test_an_unfinished_bar_waits_also_when_our_clock_is_ahead(station: Station) -> None:
    live = await station.started()
    station.prices.add(NOW, minutes=1)
    station.pass_by(seconds=59)
    await live.lanes[0].look()
    station.served.switch(Kind.SKEW, path=BARS, count=1, seconds=-30)
    station.pass_by(seconds=20)
    await live.lanes[0].look()
    assert station.of(BarClosed) == []
    assert ("clock_skew", "feed:alpaca", True) in [alert[:3] for alert in station.host.alerts]
    await live.lanes[0].look()
    assert len(station.of(BarClosed)) == 1
    assert station.host.alerts[-1][:3] == ("clock_skew", "feed:alpaca", False)


async def test_corrections_and_late_bars_change_history_and_are_not_published(
    station: Station,
) -> None:
    station.prices.add(NOW, minutes=1)
    station.prices.add(NOW + 2 * MINUTE, minutes=1)
    live = await station.started()
    station.pass_by(minutes=3)
    await live.lanes[0].look()
    series = station.prices.kept["AAPL", "1m"]
    series[0] = series[0].model_copy(update={"close": D("210.7")})
    station.prices.add(NOW + MINUTE, minutes=2)
    station.pass_by(seconds=35)
    await live.lanes[0].look()
    assert opened(station.of(BarClosed)) == ["16:00", "16:02"]
    assert [bar["close"] for bar in await ask(live)] == ["210.7", "210.5", "210.5"]
    assert (live.health.corrected, live.health.late) == (1, 1)


async def test_bars_outside_of_the_session_are_left_out(station: Station) -> None:
    opens = session_on(NOW.date()).opens_at
    station.prices.add(opens - 5 * MINUTE, minutes=10)
    live = await station.started()
    assert len(await ask(live)) == 5
    assert not live.health.refused


async def test_the_last_minute_and_the_day_say_that_the_market_is_closed(station: Station) -> None:
    session = session_on(NOW.date())
    live = await station.started(intervals=("1m", "1d"))
    station.prices.add(session.closes_at - MINUTE)
    station.prices.add_day(session)
    station.host.wall = session.closes_at + timedelta(seconds=5)
    for lane in live.lanes:
        await lane.look()
    minute, day = station.of(BarClosed)
    assert (minute.interval, minute.session_open) == ("1m", False)
    assert (day.interval, day.session_open) == ("1d", False)
    assert (day.opened_at, day.closed_at) == session


async def test_crypto_is_always_open_and_has_its_own_endpoints(station: Station) -> None:
    saturday = datetime(2026, 8, 8, 3, 0, tzinfo=UTC)
    station.host.wall = saturday
    live = await station.started("BTC/USD")
    station.prices.add(saturday, symbol="BTC/USD")
    station.served.trading.venue.hear(a_quote(symbol="BTC/USD", at=saturday))
    station.pass_by(minutes=1)
    await live.lanes[0].look()
    await live.quotes.look()
    (bar,), (quote,) = station.of(BarClosed), station.of(QuoteUpdated)
    assert (bar.symbol, bar.session_open, bar.session_closes_at) == ("BTC/USD", True, None)
    assert (quote.symbol, quote.session_open, quote.volume) == ("BTC/USD", True, D(100_000))


async def test_a_long_history_comes_page_by_page(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("market_data.adapters.alpaca._BARS_PER_PAGE", "7")
    for symbol in ("AAPL", "MSFT"):
        station.prices.add(NOW - 30 * MINUTE, minutes=30, symbol=symbol)
    live = await station.started("AAPL", "MSFT")
    assert len(await ask(live)) == len(await ask(live, symbol="MSFT")) == 30
    assert HISTORY >= 1000


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        pytest.param(Kind.BROKEN, TransientError, id="500"),
        pytest.param(Kind.DOWN, TransientError, id="broken off"),
        pytest.param(Kind.SLOW, TransientError, id="slow"),
        pytest.param(Kind.TRUNCATED, TransientError, id="cut"),
        pytest.param(Kind.MAINTENANCE, TransientError, id="a page"),
        pytest.param(Kind.LIMITED, TransientError, id="429"),
        pytest.param(Kind.REVOKED, Refused, id="401"),
        pytest.param(Kind.REJECTED, Refused, id="403"),
    ],
)
async def test_nothing_is_lost_to_a_failure(
    station: Station, kind: Kind, error: type[PermanentError | TransientError]
) -> None:
    station.read_s = 1.0 if kind is Kind.SLOW else station.read_s
    live = await station.started()
    station.prices.add(NOW, minutes=3)
    station.pass_by(minutes=3)
    station.served.switch(kind, path=BARS, seconds=2 if kind is Kind.SLOW else 0.01)
    with pytest.raises(error) as raised:
        await live.lanes[0].look()
    assert "sandbox-secret" not in str(raised.value)
    station.served.clear()
    await live.lanes[0].look()
    assert opened(station.of(BarClosed)) == ["16:00", "16:01", "16:02"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        pytest.param(Kind.NAN, "not_a_number", id="NaN"),
        pytest.param(Kind.STRANGE, "bad_time", id="another shape"),
    ],
)
async def test_a_row_that_cannot_be_read_is_counted_and_takes_no_other_along(
    station: Station, kind: Kind, reason: str
) -> None:
    live = await station.started()
    station.prices.add(NOW, minutes=3)
    station.pass_by(minutes=3)
    station.served.switch(kind, path=BARS, count=1)
    await live.lanes[0].look()
    assert opened(station.of(BarClosed)) == ["16:01", "16:02"]
    assert live.health.refused == {reason: 1}


async def test_an_empty_answer_is_no_failure(station: Station) -> None:
    live = await station.started()
    station.prices.add(NOW, minutes=1)
    station.pass_by(minutes=1)
    station.served.switch(Kind.EMPTY, path=BARS, count=1)
    await live.lanes[0].look()
    await live.lanes[0].look()
    assert len(station.of(BarClosed)) == 1


async def test_an_invalid_symbol_is_set_aside_and_told_once(station: Station) -> None:
    station.prices.add(NOW - 2 * MINUTE, minutes=2)
    live = await station.started("AAPL", "NOT_ONE")
    await live.quotes.look()
    await live.lanes[0].look()
    assert len(await ask(live)) == 2
    assert await ask(live, symbol="NOT_ONE") == []
    assert [alert[:2] for alert in station.host.alerts] == [
        ("unknown_symbol", "feed:alpaca:NOT_ONE")
    ]


async def test_a_symbol_without_prices_is_told_until_it_has_some(station: Station) -> None:
    live = await station.started("ZZZZ")
    assert station.of(StateChanged)[-1].body["empty"] == ["ZZZZ 1m"]
    station.pass_by(days=1)
    station.prices.add(station.host.wall - MINUTE, symbol="ZZZZ")
    await live.lanes[0].look()
    assert [(alert[0], alert[2]) for alert in station.host.alerts] == [
        ("no_prices", True),
        ("no_prices", False),
    ]
    assert "ZZZZ" in station.host.alerts[0][3]


async def test_quotes_go_out_once_and_bad_ones_not_at_all(station: Station) -> None:
    live = await station.started("AAPL", "MSFT")
    venue = station.served.trading.venue
    venue.hear(a_quote(at=NOW))
    venue.hear(a_quote(symbol="MSFT", at=NOW, bid=D(300)))  # crossed
    await live.quotes.look()
    await live.quotes.look()
    venue.hear(a_quote(at=NOW + timedelta(minutes=5)))  # from the future
    await live.quotes.look()
    (quote,) = station.of(QuoteUpdated)
    assert (quote.symbol, quote.bid, quote.at, quote.session_open) == (
        "AAPL",
        D("210.48"),
        NOW,
        True,
    )
    assert live.health.refused == {"crossed": 3, "from_the_future": 1}


async def test_a_quote_from_before_the_session_is_marked_so(station: Station) -> None:
    opens = session_on(NOW.date()).opens_at
    station.host.wall = opens
    live = await station.started()
    station.served.trading.venue.hear(a_quote(at=opens - timedelta(seconds=1)))
    await live.quotes.look()
    (quote,) = station.of(QuoteUpdated)
    assert (quote.session_open, quote.session_closes_at) == (False, None)


async def test_people_are_told_once_that_it_is_down_and_once_that_it_is_back(
    station: Station,
) -> None:
    station.prices.add(NOW - MINUTE)
    live = await station.started()
    down = TransientError("alpaca: HTTP 500")
    for _ in range(4):
        await live.health.ill("quotes", down)
        station.pass_by(seconds=25)
    await live.health.ill("1m bars of stocks", down)
    await live.health.well("quotes")
    assert [alert[:3] for alert in station.host.alerts] == [("feed_down", "feed:alpaca", True)]
    await live.health.well("1m bars of stocks")
    assert station.host.alerts[1:] == [("feed_down", "feed:alpaca", False, "alpaca answers again.")]
    states = [state.body["connected"] for state in station.of(StateChanged)]
    assert (states[-3:], states[-1]) == ([False, False, True], True)


async def test_without_news_prices_go_on(station: Station) -> None:
    live = await station.started()
    await live.health.ill("news", Refused("alpaca refuses the request: forbidden."))
    assert station.host.alerts[-1][:3] == ("news_down", "feed:alpaca", True)
    await live.health.well("1m bars of stocks")
    await live.health.show()
    body = station.of(StateChanged)[-1].body
    assert (body["connected"], [*body["problems"]]) == (True, ["news"])
    await live.health.well("news")
    assert station.host.alerts[-1][:3] == ("news_down", "feed:alpaca", False)


async def test_a_cursor_that_could_not_be_stored_is_stored_with_the_next(station: Station) -> None:
    live = await station.started()
    desk = live.lanes[0]._desk
    station.host.broken = True
    with pytest.raises(TransientError):
        await desk.store(news_until=NOW)
    station.host.broken = False
    await desk.store()
    assert json.loads(station.host.bucket["CLOCK/alpaca"])["news_until"] == "2026-08-03T16:00:00Z"


async def test_refused_keys_are_told_at_once(station: Station) -> None:
    live = station.live()
    await live.health.ill("quotes", Refused("alpaca refuses the request: forbidden."))
    (_, _, _, message) = station.host.alerts[0]
    assert "ALPACA_API_KEY" in message
    assert live.problem == "alpaca refuses the request: forbidden."


async def test_the_clock_is_wall_time_and_a_replay_before_is_another_epoch(
    station: Station,
) -> None:
    replayed = ClockReading(
        epoch=4, market_at=NOW, wall_at=NOW, speed=60, replay=True, position=9, limit_at=NOW
    )
    station.host.bucket["CLOCK/clock"] = replayed.model_dump_json().encode()
    for _ in range(2):
        await station.started()
        reading = ClockReading.model_validate_json(station.host.bucket["CLOCK/clock"])
        assert (reading.epoch, reading.replay, reading.speed) == (5, False, 1)
        assert reading.market_at == reading.wall_at == station.host.wall


async def test_commands_are_checked(station: Station) -> None:
    live = station.live()
    await live.load()
    with pytest.raises(TransientError, match="history"):
        await ask(live)
    with pytest.raises(NotFound):
        await ask(live, symbol="KO")
    with pytest.raises(Malformed):
        await ask(live, count=0)
    station.prices.add(NOW - MINUTE)
    await live.lanes[0].look()
    command = Command(request_id="1", by="test", deadline=NOW, body={})
    (listed,) = (await live.symbols(command))["symbols"]
    assert listed["first"] == listed["last"] == (NOW - MINUTE).isoformat()


async def test_news_of_the_day_goes_out_once_also_over_a_restart(station: Station) -> None:
    for days, close in ((4, 100), (3, 102), (0, 101)):  # Thursday, Friday, and Monday to come
        session = session_on((NOW - timedelta(days=days)).date())
        station.prices.add_day(session, close=D(close), low=D(99))
    live = await station.started(intervals=("1d",))
    await live.headlines.look()
    assert station.of(NewsPublished) == []  # Friday's is older than a day
    station.host.wall = session_on(NOW.date()).closes_at + timedelta(minutes=1)
    await live.headlines.look()
    live = await station.started(intervals=("1d",))
    await live.headlines.look()
    (news,) = station.of(NewsPublished)
    assert (news.symbol, news.headline) == ("AAPL", "AAPL closes 1.0 % lower")
    assert news.published_at == session_on(NOW.date()).closes_at
    cursor = json.loads(station.host.bucket["CLOCK/alpaca"])
    assert len(cursor["news"]) == 1
