"""The stand-in for Alpaca: wire forms, refusals in its words, fills at the market's quotes."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from sandbox.alpaca.api import SECRET, Trading
from sandbox.faults import Kind
from sandbox.serving import Served
from signalbox.testing.examples import NOON, a_quote

D = Decimal
HEADERS = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": SECRET}
BUY = {"symbol": "AAPL", "qty": "2", "side": "buy", "type": "market", "time_in_force": "day"}


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    found = Served()
    await found.start()
    yield found
    await found.context.close()
    await found.stop()


@pytest.fixture
async def web(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    url = f"{served.url}/alpaca"
    async with httpx.AsyncClient(base_url=url, headers=HEADERS, trust_env=False) as client:
        yield client


async def place(web: httpx.AsyncClient, **over: Any) -> httpx.Response:
    return await web.post("/v2/orders", json=BUY | over)


async def test_an_order_is_filled_at_the_quote_and_shown_everywhere(
    served: Served, web: httpx.AsyncClient
) -> None:
    served.trading.venue.hear(a_quote())
    order = (await place(web, client_order_id="c1")).json()
    assert (order["status"], order["filled_qty"], order["filled_avg_price"]) == (
        "filled",
        "2",
        "210.52",
    )
    named = await web.get("/v2/orders:by_client_order_id", params={"client_order_id": "c1"})
    assert named.json() == order == (await web.get(f"/v2/orders/{order['id']}")).json()
    (fill,) = (await web.get("/v2/account/activities/FILL")).json()
    assert (fill["order_id"], fill["qty"], fill["cum_qty"]) == (order["id"], "2", "2")
    (position,) = (await web.get("/v2/positions")).json()
    assert (position["symbol"], position["qty"], position["side"]) == ("AAPL", "2", "long")
    account = (await web.get("/v2/account")).json()
    assert account["cash"] == "99578.96"


async def test_orders_are_listed_newest_first_and_page_by_page(
    served: Served, web: httpx.AsyncClient
) -> None:
    served.trading.venue.hear(a_quote())
    placed = [(await place(web)).json() for _ in range(3)]
    query = {"status": "all", "limit": "2"}
    page = (await web.get("/v2/orders", params=query)).json()
    assert page == [placed[2], placed[1]]
    query["until"] = page[-1]["created_at"]
    assert (await web.get("/v2/orders", params=query)).json() == [placed[0]]


async def test_an_order_waits_for_the_session_and_can_be_cancelled(
    served: Served, web: httpx.AsyncClient
) -> None:
    served.trading.venue.hear(a_quote(session_open=False))
    order = (await place(web)).json()
    assert order["status"] == "accepted"
    assert (await web.delete(f"/v2/orders/{order['id']}")).status_code == 204
    late = await web.delete(f"/v2/orders/{order['id']}")
    assert (late.status_code, late.json()["code"]) == (422, 42210000)
    served.trading.venue.hear(a_quote(at=NOON + timedelta(seconds=1)))
    assert (await web.get("/v2/positions")).json() == []


async def test_crypto_pays_its_fee_in_what_it_gets(served: Served, web: httpx.AsyncClient) -> None:
    served.trading.venue.hear(a_quote(symbol="BTC/USD", bid=D(50_000), ask=D(50_000)))
    await place(web, symbol="BTC/USD", qty="0.1", time_in_force="gtc")
    position = (await web.get("/v2/positions/BTCUSD")).json()
    assert (position["symbol"], position["qty"]) == ("BTCUSD", "0.09975")


@pytest.mark.parametrize(
    ("over", "status", "code"),
    [
        pytest.param({"client_order_id": "taken"}, 422, 40010001, id="the name is taken"),
        pytest.param({"qty": "0"}, 422, 40010001, id="nothing"),
        pytest.param({"side": "sell", "qty": "5"}, 403, 40310000, id="across zero"),
        pytest.param({"qty": "100000"}, 403, 40310000, id="too much"),
        pytest.param({"time_in_force": "fok"}, 422, 42210000, id="a kind it does not play"),
        pytest.param(
            {"symbol": "GE", "side": "sell", "qty": "0.5"}, 403, 40310000, id="half short"
        ),
    ],
)
async def test_refusals(
    served: Served, web: httpx.AsyncClient, over: dict[str, str], status: int, code: int
) -> None:
    served.trading.venue.hear(a_quote())
    await place(web, client_order_id="taken")
    refused = await place(web, **over)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


async def test_keys_open_accounts_of_their_own(served: Served, web: httpx.AsyncClient) -> None:
    served.trading.venue.hear(a_quote())
    await place(web)
    other = await web.get("/v2/positions", headers={"APCA-API-KEY-ID": "other"})
    assert other.json() == []
    wrong = await web.get("/v2/positions", headers={"APCA-API-SECRET-KEY": "wrong"})
    assert wrong.status_code == 401


async def test_faults_meet_the_broker_by_method_and_path_only(
    served: Served, web: httpx.AsyncClient
) -> None:
    served.switch(Kind.BROKEN)  # QuantConnect's
    served.switch(Kind.BROKEN_AFTER, path="alpaca/post/v2/orders", count=1)
    assert (await web.get("/v2/account")).status_code == 200
    assert (await place(web, client_order_id="c1")).status_code == 500
    assert (await web.get("/v2/orders")).json()[0]["client_order_id"] == "c1"


def test_an_older_quote_changes_nothing() -> None:
    venue = Trading().venue
    venue.hear(a_quote())
    venue.hear(a_quote(at=NOON - timedelta(seconds=1), ask=D(300)))
    assert venue.quotes["AAPL"].ask == D("210.52")
