"""The stand-in for Alpaca's market data: wire forms, pages, headlines, faults."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from sandbox.alpaca.api import SECRET
from sandbox.faults import Kind
from sandbox.history import Recorded
from sandbox.serving import Served
from sandbox.tests.bars import minutes
from sandbox.tests.prices import real_history
from signalbox.testing.examples import NOON, a_quote

D = Decimal
HEADERS = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": SECRET}
BARS, QUOTES, NEWS = "/v2/stocks/bars", "/v2/stocks/quotes/latest", "/v1beta1/news"


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    found = Served(history=real_history())
    await found.start()
    yield found
    await found.context.close()
    await found.stop()


@pytest.fixture
async def web(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    url = f"{served.url}/alpaca"
    async with httpx.AsyncClient(base_url=url, headers=HEADERS, trust_env=False) as client:
        yield client


async def pages(web: httpx.AsyncClient, path: str, name: str, **params: str) -> list[Any]:
    """Every page's part of this name."""
    found = []
    while True:
        body = (await web.get(path, params=params)).json()
        found.append(body[name])
        if body["next_page_token"] is None:
            return found
        params["page_token"] = body["next_page_token"]


async def test_real_minutes_come_page_by_page_symbol_by_symbol(web: httpx.AsyncClient) -> None:
    asked = {"symbols": "MSFT,AAPL", "timeframe": "1Min", "start": "2026-08-03T13:30:00Z"}
    found = await pages(web, BARS, "bars", **asked, end="2026-08-03T19:59:00Z", limit="150")
    assert [len(page["AAPL"]) for page in found] == [150, 150, 90]
    assert found[0]["AAPL"][0]["t"] == "2026-08-03T13:30:00Z"
    assert isinstance(found[0]["AAPL"][0]["o"], float)


async def test_a_day_is_stamped_midnight_in_new_york(web: httpx.AsyncClient) -> None:
    asked = {"symbols": "AAPL,ZZZZ", "timeframe": "1Day", "start": "2026-08-03T04:00:00Z"}
    (page,) = await pages(web, BARS, "bars", **asked, end="2026-08-04T04:00:00Z")
    assert [bar["t"] for bar in page["AAPL"]] == ["2026-08-03T04:00:00Z", "2026-08-04T04:00:00Z"]
    assert "ZZZZ" not in page


async def test_pairs_have_endpoints_of_their_own(served: Served, web: httpx.AsyncClient) -> None:
    pair = [bar.model_copy(update={"symbol": "BTC/USD"}) for bar in minutes([100, 101])]
    served.data.history = Recorded(pair)
    served.trading.venue.hear(a_quote(symbol="BTC/USD"))
    asked = {"symbols": "BTC/USD", "timeframe": "1Min", "start": NOON.isoformat()}
    (page,) = await pages(web, "/v1beta3/crypto/us/bars", "bars", **asked)
    assert [bar["c"] for bar in page["BTC/USD"]] == [100, 101]
    quotes = await web.get("/v1beta3/crypto/us/latest/quotes", params={"symbols": "BTC/USD"})
    assert quotes.json()["quotes"]["BTC/USD"]["ap"] == 210.52


async def test_news_are_made_of_daily_closes(web: httpx.AsyncClient) -> None:
    asked = {"symbols": "AAPL,MSFT", "start": "2026-07-29T00:00:00Z", "sort": "asc"}
    found = await pages(web, NEWS, "news", **asked, end="2026-08-06T00:00:00Z", limit="5")
    listed = [article for page in found for article in page]
    assert len(found) > 1
    assert [one["updated_at"] for one in listed] == sorted(one["updated_at"] for one in listed)
    assert len({one["id"] for one in listed}) == len(listed)
    apple = [one for one in listed if one["symbols"] == ["AAPL"]]
    days = real_history()
    before, day = (await days.bars("AAPL", "1d", datetime(2026, 7, 28, tzinfo=UTC), None))[:2]
    change = abs((day.close / before.close - 1) * 100).quantize(D("0.1"))
    how = "higher" if day.close > before.close else "lower"
    assert apple[0]["headline"] == f"AAPL closes {change} % {how}"
    assert apple[0]["created_at"] == "2026-07-29T20:00:00Z"


@pytest.mark.parametrize(
    ("path", "params", "status", "said"),
    [
        pytest.param(BARS, {"symbols": "A/B", "timeframe": "1Min"}, 400, "symbol: A/B", id="pair"),
        pytest.param(BARS, {"symbols": "AAPL", "timeframe": "1Year"}, 400, "timeframe", id="frame"),
        pytest.param(
            BARS, {"symbols": "AAPL", "timeframe": "1Min", "start": "x"}, 400, "start", id="start"
        ),
        pytest.param(NEWS, {"limit": "51"}, 400, "larger than 50", id="limit"),
        pytest.param(
            "/v1beta3/crypto/us/latest/quotes", {"symbols": "AAPL"}, 400, "AAPL", id="a stock"
        ),
    ],
)
async def test_refusals(
    web: httpx.AsyncClient, path: str, params: dict[str, str], status: int, said: str
) -> None:
    refused = await web.get(path, params=params)
    assert refused.status_code == status
    assert said in refused.json()["message"]


async def test_a_wrong_secret_is_refused(web: httpx.AsyncClient) -> None:
    refused = await web.get(QUOTES, headers={"APCA-API-SECRET-KEY": "wrong"})
    assert refused.status_code == 401


@pytest.mark.parametrize(
    ("kind", "status"),
    [(Kind.LIMITED, 429), (Kind.BROKEN, 500), (Kind.REVOKED, 401), (Kind.REJECTED, 403)],
)
async def test_faults_are_switched_by_path(
    served: Served, web: httpx.AsyncClient, kind: Kind, status: int
) -> None:
    served.switch(kind, path=f"alpaca/get{QUOTES}", count=1)
    assert (await web.get(NEWS)).status_code == 200
    assert (await web.get(QUOTES)).status_code == status
    assert (await web.get(QUOTES)).status_code == 200


async def test_faults_of_answers(served: Served, web: httpx.AsyncClient) -> None:
    served.trading.venue.hear(a_quote())
    asked = {"symbols": "AAPL"}
    for kind in (Kind.NAN, Kind.STRANGE, Kind.EMPTY, Kind.TRUNCATED):
        served.switch(kind, path=f"alpaca/get{QUOTES}", count=1)
    assert b'"bp": NaN' in (await web.get(QUOTES, params=asked)).content
    assert (await web.get(QUOTES, params=asked)).json()["quotes"]["AAPL"] == {"surprise": True}
    assert (await web.get(QUOTES, params=asked)).json()["quotes"] == {}
    assert not (await web.get(QUOTES, params=asked)).content.endswith(b"}")
    served.switch(Kind.DOWN, path="alpaca/get/", count=1)
    with pytest.raises(httpx.HTTPError):
        await web.get(QUOTES, params=asked)


async def test_the_clock_can_be_set_wrong(served: Served, web: httpx.AsyncClient) -> None:
    served.trading.venue.wall = lambda: NOON
    served.switch(Kind.SKEW, path=f"alpaca/get{QUOTES}", count=1, seconds=90)
    said = (await web.get(QUOTES)).headers["date"]
    assert said == (NOON + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")
