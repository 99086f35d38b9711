"""What people were told of a feed is over once it is, also when the process was another one."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from market_data.live.health import MOST_SKEW_S
from signalbox.contracts.errors import Refused, TransientError

Station = Any
NOON = datetime(2026, 8, 3, 16, 0, tzinfo=UTC)
OPENED = NOON - timedelta(hours=3)


def told(station: Station) -> list[tuple[str, str, bool]]:
    return [alert[:3] for alert in station.host.alerts]


async def again(station: Station, *symbols: str) -> Any:
    """Another process, before it has read anything."""
    live = station.live(*symbols)
    await live.load()
    return live


async def test_a_jump_that_is_no_longer_in_doubt_after_a_restart_is_over_once(
    station: Station,
) -> None:
    health = (await again(station)).health
    for _ in range(2):
        await health.note_cut("AAPL", "1m", OPENED)
        health = (await again(station)).health
    await health.note_cut("AAPL", "1m", OPENED)
    assert told(station) == [("price_jump", "feed:alpaca:AAPL:1m", True)]
    for _ in range(2):
        await health.note_cut("AAPL", "1m", None)
        health = (await again(station)).health
    assert told(station)[1:] == [("price_jump", "feed:alpaca:AAPL:1m", False)]
    assert "2026-08-03 13:00 UTC: that is no longer in doubt" in station.host.alerts[-1][3]


async def test_a_feed_that_was_down_before_a_restart_is_told_as_back(station: Station) -> None:
    health = (await again(station)).health
    await health.ill("quotes", Refused("alpaca refuses the request: forbidden."))
    await health.look_at_clock(MOST_SKEW_S + 1)
    health = (await again(station)).health
    await health.ill("quotes", Refused("alpaca refuses the request: forbidden."))
    await health.look_at_clock(MOST_SKEW_S + 1)
    assert len(told(station)) == 2
    health = (await again(station)).health
    await health.well("quotes")
    await health.look_at_clock(0.0)
    assert told(station)[2:] == [
        (code, "feed:alpaca", False) for code in ("feed_down", "clock_skew")
    ]


@pytest.mark.parametrize("mended", ["taken out", "known since"])
async def test_a_symbol_that_is_put_right_is_no_alarm(station: Station, mended: str) -> None:
    for _ in range(2):
        health = (await again(station, "AAPL", "ZZZZ")).health
        await health.set_aside(["ZZZZ"])
        await health.note_empty("1m bars of stocks", ["AAPL"])
    expected = [
        ("unknown_symbol", "feed:alpaca:ZZZZ", True),
        ("no_prices", "feed:alpaca:1m bars of stocks", True),
    ]
    assert told(station) == expected
    if mended == "taken out":
        live = await again(station, "BTC/USD")
    else:
        live = await again(station, "AAPL", "ZZZZ")
        await live.health.note_known(["AAPL", "ZZZZ"])
        await live.health.note_empty("1m bars of stocks", [])
    assert told(station)[2:] == [(code, about, False) for code, about, _ in expected]


async def test_an_end_that_could_not_be_stored_is_told_with_the_next_look(station: Station) -> None:
    health = (await again(station)).health
    await health.note_cut("AAPL", "1m", OPENED)
    station.host.broken = True
    with pytest.raises(TransientError):
        await health.note_cut("AAPL", "1m", None)
    station.host.broken = False
    await health.note_cut("AAPL", "1m", None)
    assert {active for _, _, active in told(station)[1:]} == {False}
    await health.note_cut("AAPL", "1m", OPENED)
    assert told(station)[-1][2] is True


@pytest.fixture
def slow(station: Station) -> Station:
    """Others have a turn between what is told and what is stored."""
    put = station.host.bucket_put

    async def put_later(*what: Any) -> None:
        await asyncio.sleep(0)
        await put(*what)

    station.host.bucket_put = put_later
    return station


async def test_what_two_loops_tell_at_once_is_all_remembered(slow: Station) -> None:
    health = (await again(slow, "AAPL", "MSFT")).health
    cuts = [health.note_cut(symbol, "1m", OPENED) for symbol in ("AAPL", "MSFT")]
    await asyncio.gather(*cuts, health.look_at_clock(MOST_SKEW_S + 1))
    raised = told(slow)
    assert len(raised) == 3
    health = (await again(slow, "AAPL", "MSFT")).health
    ends = [health.note_cut(symbol, "1m", None) for symbol in ("AAPL", "MSFT")]
    await asyncio.gather(*ends, health.look_at_clock(0.0))
    assert sorted(told(slow)[3:]) == sorted((code, about, False) for code, about, _ in raised)


async def test_loops_that_fail_together_are_one_alarm(slow: Station) -> None:
    health = (await again(slow)).health
    error = Refused("alpaca refuses the request: forbidden.")

    async def fail(topic: str) -> None:
        await health.ill(topic, error)
        slow.pass_by(seconds=1)

    await asyncio.gather(*map(fail, ("quotes", "1m bars of stocks")))
    assert told(slow) == [("feed_down", "feed:alpaca", True)]
