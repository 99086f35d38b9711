"""Sizes by volatility: how far prices move, in which steps, and no size without knowing."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.domain.volatility import Range, bars_for, range_of, seconds_of
from executor.handlers.ranges import Ranges
from signalbox.contracts.errors import TransientError
from signalbox.contracts.limits import Limits, Sizing
from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Action, OrderState
from signalbox.testing.examples import NOON, a_bar

D = Decimal
S = OrderState
BUY, SELL = Action.BUY, Action.SELL
TARGET = Sizing(kind="volatility_target", atr_interval="1m", atr_period=2)
KEY = ("AAPL", "1m", 2)
Shop = Any  # what conftest.py makes
Make = Callable[..., Shop]
Told = Callable[..., list[tuple[OrderState, str]]]


def bars(*prices: tuple[int, int, int]) -> list[Bar]:
    """Minutes up to noon: high, low, close."""
    first = NOON - timedelta(minutes=len(prices))
    return [
        a_bar(open=D(low), high=D(high), low=D(low), close=D(close), opened_at=first + n * MINUTE)
        for n, (high, low, close) in enumerate(prices)
    ]


MINUTE = timedelta(minutes=1)


def test_the_range_counts_gaps_and_is_smoothed_as_wilder_did() -> None:
    """True ranges 4, 12 (a gap up from 100), 5 (a gap down): their mean 8, then (8 + 5) / 2."""
    found = range_of(bars((101, 99, 100), (103, 99, 100), (112, 108, 111), (108, 106, 107)), 2, 7)
    assert found == Range(D("6.5"), NOON, 7, D(107))


@pytest.mark.parametrize(
    "few", [bars(), bars((101, 99, 100), (101, 99, 100)), bars(*[(100, 100, 100)] * 5)]
)
def test_too_few_bars_or_none_that_moves_say_nothing(few: list[Bar]) -> None:
    assert range_of(few, 2, 1) is None


_PRICES = st.tuples(st.integers(100, 120), st.integers(80, 100), st.integers(80, 120)).map(
    lambda p: (p[0], p[1], min(max(p[2], p[1]), p[0]))
)


@given(st.lists(_PRICES, min_size=16, max_size=60))
def test_the_range_lies_between_the_smallest_and_the_largest_move(
    prices: list[tuple[int, int, int]],
) -> None:
    found = range_of(bars(*prices), 14, 1)
    assert found is None or 0 < found.value <= 40


def test_where_the_average_began_no_longer_shows() -> None:
    moves = [(100 + n % 7, 95 - n % 5, 98) for n in range(200)]
    long, short = range_of(bars(*moves), 14, 1), range_of(bars(*moves)[-bars_for(14) :], 14, 1)
    assert long is not None
    assert short is not None
    assert abs(long.value - short.value) < long.value / 50


@pytest.mark.parametrize(("interval", "length"), [("1m", 60), ("4h", 14_400), ("1d", 86_400)])
def test_seconds_of(interval: str, length: int) -> None:
    assert seconds_of(interval) == length


def known(shop: Shop, value: str, **over: Any) -> None:
    """The range is known as of now."""
    fields = {"at": shop.now, "epoch": 1, "close": D(210)} | over
    shop.memory.ranges = {KEY: Range(D(value), **fields)}


def test_the_risk_is_what_two_ranges_cost(shop_with: Make) -> None:
    """500 of 100,000 are lost when the price falls by 2 x 30: 8 1/3 shares, in steps."""
    shop = shop_with(sizing=TARGET)
    known(shop, "30")
    shop.quote()
    shop.accept(BUY)
    assert shop.held() == D("8.3333")


def test_no_size_is_worth_more_than_an_order_may_be(shop_with: Make) -> None:
    shop = shop_with(sizing=TARGET, limits=Limits(max_order_notional=D(2000)))
    known(shop, "0.01", close=D(100))
    shop.quote(bid=D(100), ask=D(100))
    shop.accept(BUY)
    assert shop.held() == 20


def test_each_symbol_has_its_own_steps(shop_with: Make) -> None:
    sizing = Sizing(notional=D(1000), increments={"AAPL": D(1), "BTC/USD": D("0.00001")})
    shop = shop_with(symbols=(), sizing=sizing)
    ordered = {}
    for symbol, price in (("AAPL", 300), ("BTC/USD", 50_001), ("MSFT", 300)):
        shop.quote(symbol=symbol, bid=D(price), ask=D(price))
        ordered[symbol] = shop.accept(BUY, symbol=symbol)[0].data.quantity
    assert ordered == {"AAPL": D(3), "BTC/USD": D("0.01999"), "MSFT": D("3.3333")}
    withheld = D("0.01999") * D("0.0025")  # of a pair the fee is taken from what is bought
    assert shop.held("BTC/USD") == D("0.01999") - withheld.quantize(D("0.000000001"))


@pytest.mark.parametrize(
    "over",
    [
        pytest.param(None, id="never known"),
        pytest.param({"at": NOON - timedelta(days=8)}, id="of last week"),
        pytest.param({"epoch": 2}, id="of another epoch"),
        pytest.param({"close": D(21)}, id="of before a reverse split"),
        pytest.param({"close": D(630)}, id="of before a split"),
    ],
)
def test_without_the_range_nothing_is_opened(
    shop_with: Make, states: Told, over: dict[str, Any] | None
) -> None:
    shop = shop_with(sizing=TARGET)
    if over is not None:
        known(shop, "30", **over)
    shop.quote()
    assert states(shop.accept(BUY)) == [(S.DENIED, "no_volatility")]


async def test_an_entry_that_waits_gets_its_size_from_the_range_when_it_is_filled(
    shop_with: Make,
) -> None:
    shop = shop_with(sizing=TARGET)
    shop.accept(BUY)
    known(shop, "50")
    shop.quote()
    (order,) = await shop.fill()
    assert (order.state, order.filled) == (S.FILLED, D(5))


async def test_an_exit_needs_no_range(shop_with: Make) -> None:
    shop = shop_with(sizing=TARGET)
    known(shop, "50")
    shop.quote()
    shop.accept(BUY)
    shop.memory.ranges = {}
    shop.accept(SELL)
    assert shop.held() == 0


class Market:
    """Market-data, as far as it is asked for bars."""

    def __init__(self, shop: Shop, found: list[Bar]) -> None:
        self.found = found
        self.asked: list[dict[str, Any]] = []
        self.down = False
        shop.ask = self.ask

    async def ask(
        self, other: str, verb: str, body: dict[str, Any], **_over: Any
    ) -> dict[str, Any]:
        assert (other, verb) == ("market-data", "bars")
        self.asked.append(body)
        if self.down:
            raise TransientError("no answer")
        return {"bars": [bar.model_dump(mode="json") for bar in self.found]}


async def test_bars_are_asked_for_once_each_and_only_where_a_bot_needs_them(
    shop_with: Make,
) -> None:
    shop = shop_with(sizing=TARGET, symbols=("AAPL",))
    market = Market(shop, bars((101, 99, 100), (101, 99, 100), (103, 99, 100)))
    ranges = Ranges(shop.work)
    await ranges.follow()
    await ranges.follow()
    assert market.asked == [{"symbol": "AAPL", "interval": "1m", "count": 11}]
    assert shop.memory.ranges[KEY].value == D(3)
    shop.later(minutes=1)
    await ranges.follow()
    assert len(market.asked) == 2
    shop.configure(shop.config.bots[0].model_copy(update={"sizing": Sizing()}))
    shop.later(minutes=1)
    await ranges.follow()
    assert len(market.asked) == 2


async def test_a_bot_of_every_symbol_asks_for_those_with_a_quote(shop_with: Make) -> None:
    shop = shop_with(sizing=TARGET, symbols=())
    market = Market(shop, [])
    shop.quote(symbol="MSFT")
    await Ranges(shop.work).follow()
    assert [body["symbol"] for body in market.asked] == ["MSFT"]


async def test_while_nobody_answers_the_last_range_stands(shop_with: Make) -> None:
    shop = shop_with(sizing=TARGET, symbols=("AAPL",))
    market = Market(shop, bars((101, 99, 100), (101, 99, 100), (103, 99, 100)))
    ranges = Ranges(shop.work)
    await ranges.follow()
    market.down = True
    shop.later(minutes=5)
    await ranges.follow()
    await ranges.follow()
    assert len(market.asked) == 2, "not asked again at once"
    assert shop.memory.ranges[KEY].value == D(3)
