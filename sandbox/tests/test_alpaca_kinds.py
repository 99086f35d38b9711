"""Limit and stop orders at the stand-in for Alpaca: when they rest, at what they are filled, what
they reserve, what is refused.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.alpaca.api import SECRET
from sandbox.alpaca.venue import Terms, Venue, new_order
from sandbox.faults import Kind
from sandbox.serving import Served
from signalbox.testing.examples import NOON, a_quote

D = Decimal
HEADERS = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": SECRET}
MARKET = {"symbol": "AAPL", "qty": "2", "side": "buy", "type": "market", "time_in_force": "day"}
LIMIT = MARKET | {"type": "limit", "limit_price": "205"}
STOP = MARKET | {"side": "sell", "type": "stop", "stop_price": "200", "time_in_force": "gtc"}


class Floor:
    """A client, and the market that it meets."""

    def __init__(self, web: httpx.AsyncClient, served: Served) -> None:
        self.web, self.served, self.seconds = web, served, 0

    def quote(self, bid: str, ask: str, **over: Any) -> None:
        self.seconds += 1
        at = NOON + timedelta(seconds=self.seconds)
        quote = a_quote(**({"bid": D(bid), "ask": D(ask), "at": at} | over))
        self.served.trading.venue.hear(quote)

    async def place(self, body: Mapping[str, Any]) -> httpx.Response:
        return await self.web.post("/v2/orders", json=body)

    async def placed(self, body: Mapping[str, Any]) -> str:
        answer = await self.place(body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    async def order(self, order_id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.web.get(f"/v2/orders/{order_id}")).json()
        return found

    async def fate(self, order_id: str) -> tuple[str, str | None]:
        found = await self.order(order_id)
        return found["status"], found["filled_avg_price"]


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    served = Served()
    await served.start()
    url = f"{served.url}/alpaca"
    async with httpx.AsyncClient(base_url=url, headers=HEADERS, trust_env=False) as client:
        yield Floor(client, served)
    await served.context.close()
    await served.stop()


SELL = {"side": "sell", "limit_price": "215"}


@pytest.mark.parametrize(
    ("over", "quote", "fate"),
    [
        pytest.param({}, ("209", "210"), ("accepted", None), id="a buy rests above its limit"),
        pytest.param({}, ("204", "205"), ("filled", "205"), id="a buy at its limit"),
        pytest.param({}, ("202", "203"), ("filled", "203"), id="a buy that gaps better"),
        pytest.param(SELL, ("214", "216"), ("accepted", None), id="a sell rests below it"),
        pytest.param(SELL, ("217", "218"), ("filled", "217"), id="a sell that gaps better"),
    ],
)
async def test_a_limit_order_is_filled_at_its_limit_or_better(
    floor: Floor,
    over: dict[str, Any],
    quote: tuple[str, str],
    fate: tuple[str, str | None],
) -> None:
    floor.quote("210", "211")
    await floor.placed(MARKET)
    order = await floor.placed(LIMIT | over)
    assert await floor.fate(order) == ("accepted", None)
    floor.quote(*quote)
    assert await floor.fate(order) == fate
    shown = await floor.order(order)
    assert (shown["type"], shown["order_type"], shown["stop_price"]) == ("limit", "limit", None)
    assert shown["limit_price"] == (LIMIT | over)["limit_price"]


@pytest.mark.parametrize(
    ("quotes", "status", "price"),
    [
        pytest.param([("200.01", "201")], "accepted", None, id="above"),
        pytest.param([("200", "201")], "filled", "200", id="there"),
        pytest.param([("150", "151")], "filled", "150", id="a gap is filled at the market"),
        pytest.param([("201", "202"), ("199", "200")], "filled", "199", id="later"),
    ],
)
async def test_a_stop_sells_at_the_market_once_the_bid_is_there(
    floor: Floor, quotes: list[tuple[str, str]], status: str, price: str | None
) -> None:
    floor.quote("210", "210")
    await floor.placed(MARKET)
    stop = await floor.placed(STOP)
    shown = await floor.order(stop)
    assert (shown["type"], shown["stop_price"], shown["time_in_force"]) == ("stop", "200", "gtc")
    for bid, ask in quotes:
        floor.quote(bid, ask)
    assert await floor.fate(stop) == (status, price)
    held = (await floor.web.get("/v2/positions")).json()
    assert bool(held) is (status != "filled")


async def test_a_stop_buys_a_short_back_when_the_ask_is_there(floor: Floor) -> None:
    floor.quote("210", "210")
    await floor.placed(MARKET | {"side": "sell"})
    stop = await floor.placed(STOP | {"side": "buy", "stop_price": "220"})
    floor.quote("219", "219.99")
    assert await floor.fate(stop) == ("accepted", None)
    floor.quote("221", "222")
    assert await floor.fate(stop) == ("filled", "222")


async def test_a_stop_that_has_fired_goes_on_when_the_price_comes_back(floor: Floor) -> None:
    floor.quote("210", "210")
    await floor.placed(MARKET)
    floor.served.switch(Kind.PARTIAL, path="alpaca/post/v2/orders", count=1)
    stop = await floor.placed(STOP)
    floor.quote("200", "201")
    assert (await floor.order(stop))["filled_qty"] == "1"
    floor.quote("205", "206")
    assert await floor.fate(stop) == ("filled", "202.5")


async def test_a_resting_sell_keeps_what_it_is_for(floor: Floor) -> None:
    floor.quote("210", "210")
    await floor.placed(MARKET | {"qty": "5"})
    stop = await floor.placed(STOP | {"qty": "3"})
    (position,) = (await floor.web.get("/v2/positions")).json()
    assert (position["qty"], position["qty_available"]) == ("5", "2")
    refused = await floor.place(MARKET | {"side": "sell", "qty": "3"})
    assert (refused.status_code, refused.json()["code"]) == (403, 40310000)
    assert "insufficient qty available" in refused.json()["message"]
    assert (await floor.place(MARKET | {"side": "sell", "qty": "2"})).status_code == 200
    assert (await floor.web.delete(f"/v2/orders/{stop}")).status_code == 204
    assert (await floor.place(MARKET | {"side": "sell", "qty": "3"})).status_code == 200
    assert (await floor.web.get("/v2/positions")).json() == []


async def test_nothing_is_bought_beside_a_resting_sell(floor: Floor) -> None:
    floor.quote("210", "210")
    await floor.placed(MARKET)
    await floor.placed(STOP)
    refused = await floor.place(MARKET)
    assert (refused.status_code, refused.json()["code"]) == (403, 40310000)
    assert "opposite side" in refused.json()["message"]


async def test_a_resting_buy_keeps_its_money(floor: Floor) -> None:
    floor.quote("210", "210")
    await floor.placed(LIMIT | {"qty": "400", "limit_price": "200"})
    account = (await floor.web.get("/v2/account")).json()
    assert (account["cash"], account["buying_power"]) == ("100000", "20000")
    refused = await floor.place(MARKET | {"qty": "100"})
    assert refused.json()["message"] == "insufficient buying power"


@pytest.mark.parametrize(
    ("over", "code"),
    [
        pytest.param({"limit_price": "205.001"}, 42210000, id="below a cent"),
        pytest.param({"limit_price": "0.20511"}, 42210000, id="below a hundredth of a cent"),
        pytest.param({"limit_price": "0"}, 40010001, id="no price"),
        pytest.param({"limit_price": "NaN"}, 40010001, id="no number"),
        pytest.param({"limit_price": None}, 40010001, id="a limit order without its price"),
        pytest.param({"stop_price": "200"}, 40010001, id="a limit order with a stop price"),
        pytest.param({"type": "market"}, 40010001, id="a market order with a price"),
        pytest.param({"type": "stop"}, 40010001, id="a stop with a limit price"),
        pytest.param({"type": "trailing_stop"}, 42210000, id="a kind it does not play"),
        pytest.param({"time_in_force": "fok"}, 42210000, id="a time it does not play"),
        pytest.param({"qty": "0.5", "time_in_force": "gtc"}, 42210000, id="a fraction for good"),
        pytest.param({"symbol": "BTC/USD"}, 42210000, id="crypto for the day"),
        pytest.param(
            STOP | {"symbol": "BTC/USD", "limit_price": None}, 42210000, id="a plain crypto stop"
        ),
    ],
)
async def test_refusals(floor: Floor, over: dict[str, Any], code: int) -> None:
    floor.quote("210", "210")
    refused = await floor.place(LIMIT | over)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert (await floor.web.get("/v2/orders", params={"status": "all"})).json() == []


@pytest.mark.parametrize(
    "over",
    [
        pytest.param({"limit_price": "0.2051"}, id="four decimals below a dollar"),
        pytest.param({"qty": "0.5"}, id="a fraction for the day"),
        pytest.param(
            {"symbol": "BTC/USD", "limit_price": "40000.123", "time_in_force": "gtc"}, id="a pair"
        ),
    ],
)
async def test_what_is_taken(floor: Floor, over: dict[str, Any]) -> None:
    floor.quote("210", "210")
    assert (await floor.place(LIMIT | over)).status_code == 200


async def test_what_ioc_does_not_get_at_once_is_cancelled(floor: Floor) -> None:
    floor.quote("210", "211")
    assert await floor.fate(await floor.placed(LIMIT | {"time_in_force": "ioc"})) == (
        "canceled",
        None,
    )
    floor.served.switch(Kind.PARTIAL, path="alpaca/post/v2/orders", count=1)
    half = await floor.order(await floor.placed(MARKET | {"time_in_force": "ioc"}))
    assert (half["status"], half["filled_qty"]) == ("canceled", "1")


@pytest.mark.parametrize(
    ("lasting", "status"), [("day", "expired"), ("gtc", "accepted")], ids=["day", "gtc"]
)
async def test_an_order_for_the_day_ends_with_it(floor: Floor, lasting: str, status: str) -> None:
    floor.quote("210", "211")
    early = await floor.placed(LIMIT | {"time_in_force": lasting})
    floor.quote("210", "211", session_open=False)
    assert (await floor.order(early))["status"] == status
    late = await floor.placed(LIMIT | {"time_in_force": lasting})  # is good for the next session
    tomorrow = {"at": NOON + timedelta(days=1), "session_closes_at": NOON + timedelta(days=1.2)}
    floor.quote("203", "204", **tomorrow)
    assert await floor.fate(late) == ("filled", "204")
    assert (await floor.fate(early))[0] == ("expired" if lasting == "day" else "filled")


prices = st.integers(1, 400).map(lambda cents: D(cents) / 2)
steps = st.lists(st.tuples(prices, st.integers(0, 3)), min_size=1, max_size=12)


@given(side=st.sampled_from(["buy", "sell"]), limit=prices, quotes=steps, in_parts=st.booleans())
def test_no_fill_is_beyond_the_limit(
    side: str, limit: Decimal, quotes: list[tuple[Decimal, int]], in_parts: bool
) -> None:
    venue = Venue()
    account = venue.account("key")
    account.cash, account.positions["AAPL"] = D(1_000_000), D(3)
    order = new_order("AAPL", side, D(3), "", NOON, terms=Terms("limit", "gtc", limit))
    order.in_parts = in_parts
    for second, (bid, spread) in enumerate(quotes):
        at = NOON + timedelta(seconds=second)
        venue.hear(a_quote(bid=bid, ask=bid + spread, at=at))
        if not second:
            venue.place(account, order)
    meets = [bid + spread if side == "buy" else bid for bid, spread in quotes]
    for fill in venue.executions(account):
        assert (fill.price - limit) * order.sign <= 0
    passed = [price for price in meets if (price - limit) * order.sign <= 0]
    assert order.filled == (D(3) if len(passed) > in_parts else D("1.5") if passed else 0)
