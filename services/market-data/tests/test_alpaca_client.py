"""Alpaca's data endpoints over real TCP: what is asked, what is asked again, what is raised."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from market_data.adapters.alpaca import AlpacaData, Login, Page, Timing
from market_data.adapters.pace import Pace
from market_data.domain.alpaca import Venue
from signalbox.contracts.errors import (
    PermanentError,
    RateLimited,
    Refused,
    SignalboxError,
    TransientError,
)
from signalbox.testing.scripted import How, Script, Step, scripted

NOON = datetime(2026, 8, 3, 16, 0, tzinfo=UTC)
EMPTY = Step(200, {"bars": {}, "next_page_token": None})
QUICK = Timing(read_s=10, whole_s=20, tries=3, pause_s=0.01, limited_s=0.02)


def client(script: Script, timing: Timing = QUICK) -> AlpacaData:
    login = Login(script.url, "key-id", "very-secret")
    return AlpacaData(login, pace=Pace(60_000, 100), timing=timing, wall=lambda: NOON)


async def read(script: Script, timing: Timing = QUICK) -> list[Page]:
    source = client(script, timing)
    try:
        found = source.bars(Venue.STOCKS, ["AAPL", "BRK.B"], "1m", NOON)
        return [page async for page in found]
    finally:
        await source.close()


async def test_what_is_asked() -> None:
    async with scripted(EMPTY) as script:
        await read(script)
        source = client(script)
        [_ async for _ in source.bars(Venue.CRYPTO, ["BTC/USD"], "1d", NOON)]
        await source.close()
    stocks, crypto = script.seen
    assert stocks.headers["apca-api-key-id"] == "key-id"
    assert stocks.path == (
        "/v2/stocks/bars?symbols=AAPL%2CBRK.B&timeframe=1Min&start=2026-08-03T16%3A00%3A00Z"
        "&limit=10000&feed=iex&adjustment=split"
    )
    assert crypto.path == (
        "/v1beta3/crypto/us/bars?symbols=BTC%2FUSD&timeframe=1Day"
        "&start=2026-08-03T16%3A00%3A00Z&limit=10000"
    )


async def test_pages_are_read_to_the_end() -> None:
    first = Step(200, {"bars": {"AAPL": [1]}, "next_page_token": "QUFQTA=="})
    async with scripted(first, EMPTY) as script:
        pages = await read(script)
    assert [page.body["bars"] for page in pages] == [{"AAPL": [1]}, {}]
    assert "page_token" not in script.seen[0].path
    assert script.seen[1].path.endswith("&page_token=QUFQTA%3D%3D")


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(Step(500, {"message": "internal"}), id="500"),
        pytest.param(Step(504, b""), id="504"),
        pytest.param(Step(429, {}, {"retry-after": "0.01"}), id="429"),
        pytest.param(Step(429, {}), id="429 that does not say"),
        pytest.param(Step(200, b'{"bars": {"AAPL"'), id="cut in the middle"),
        pytest.param(Step(200, {"bars": {}}, how=How.CUT), id="shorter than promised"),
        pytest.param(Step(200, b"<html>"), id="a page"),
        pytest.param(Step(200, b"[]"), id="a list"),
        pytest.param(Step(how=How.DROP_BEFORE), id="closed"),
        pytest.param(Step(how=How.HANG), id="silent"),
    ],
)
async def test_what_may_pass_is_asked_again(step: Step) -> None:
    async with scripted(step, step, EMPTY) as script:
        read_s = 1.0 if step.how is How.HANG else QUICK.read_s
        assert len(await read(script, replace(QUICK, read_s=read_s))) == 1
        assert len(script.seen) == 3


@pytest.mark.parametrize(
    ("step", "error", "asked"),
    [
        pytest.param(Step(401, {"message": "forbidden."}), Refused, 1, id="wrong key"),
        pytest.param(Step(403, b"<html>"), Refused, 1, id="403 in a page"),
        pytest.param(Step(400, {"message": "invalid symbol: X"}), PermanentError, 1, id="400"),
        pytest.param(Step(302, b"", {"location": "/x"}), PermanentError, 1, id="redirect"),
        pytest.param(Step(500, {}), TransientError, 3, id="500"),
        pytest.param(Step(429, {}, {"retry-after": "60"}), RateLimited, 1, id="429 for long"),
        pytest.param(
            Step(200, b" " * 999, how=How.DRIP), TransientError, 1, id="a byte now and then"
        ),
    ],
)
async def test_what_is_raised_in_the_end(
    step: Step, error: type[SignalboxError], asked: int
) -> None:
    async with scripted(step) as script:
        whole_s = 0.4 if step.how is How.DRIP else QUICK.whole_s
        with pytest.raises(error) as raised:
            await read(script, replace(QUICK, whole_s=whole_s))
        assert type(raised.value) is error
        assert len(script.seen) == asked
        script.release.set()
    assert "secret" not in repr(raised.value)
    if isinstance(raised.value, RateLimited):
        assert raised.value.retry_after_s == 60


async def test_a_pagination_without_an_end_is_given_up() -> None:
    async with scripted(Step(200, {"bars": {}, "next_page_token": "x"})) as script:
        with pytest.raises(TransientError, match="more than 200 pages"):
            await read(script)


@pytest.mark.parametrize("ahead_s", [-30, 0, 30])
async def test_the_clock_over_there_is_measured(ahead_s: int) -> None:
    at = NOON + timedelta(seconds=ahead_s)
    step = Step(200, {"quotes": {}}, {"date": format_datetime(at, usegmt=True)})
    async with scripted(step) as script:
        source = client(script)
        page = await source.quotes(Venue.STOCKS, ["AAPL"])
        await source.close()
    assert page.at == at
    assert source.skew_s == pytest.approx(ahead_s, abs=0.6)


async def test_without_a_date_our_clock_counts() -> None:
    async with scripted(Step(200, {"quotes": {}}, {"date": "yesterday"})) as script:
        source = client(script)
        assert (await source.quotes(Venue.STOCKS, ["AAPL"])).at == NOON
        await source.close()
    assert source.skew_s is None


def test_keys_do_not_show() -> None:
    assert "very-secret" not in repr(Login("http://x", "key-id", "very-secret"))


async def test_a_429_slows_down_everything_that_uses_the_key() -> None:
    now = [0.0]
    pace: Any = Pace(60, 5, clock=lambda: now[0])
    await pace.take()
    pace.pause(10)
    assert pace._wait_s() == pytest.approx(10)
    now[0] = 10
    await pace.take()
    assert pace._wait_s() == pytest.approx(1)
