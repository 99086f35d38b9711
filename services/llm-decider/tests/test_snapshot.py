"""What is known of a market, in numbers."""

import math
import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from talipp.indicators import ADX, ATR, BB, EMA, MACD, RSI, SMA
from talipp.ohlcv import OHLCV

from llm_decider.domain.indicators import MOST_BARS, readings, trend
from llm_decider.domain.shapes import Market
from llm_decider.domain.snapshot import Topic, decimals, fixed, percent, snapshot
from signalbox.contracts.payloads import Bar
from signalbox.testing.examples import NOON, a_bar, a_quote, a_series

TOPICS: tuple[Topic, ...] = get_args(Topic)


def walk(count: int, seed: int = 1) -> tuple[Bar, ...]:
    """Minutes of a random walk up to noon, with wicks and changing volume."""
    dice = random.Random(seed)  # noqa: S311 - prices, not secrets
    closes = [D("210.00")]
    while len(closes) < count:
        closes.append(closes[-1] + D(dice.randint(-30, 30)) / 100)
    return tuple(
        bar.model_copy(
            update={
                "high": bar.high + D(dice.randint(0, 9)) / 100,
                "low": bar.low - D(dice.randint(0, 9)) / 100,
                "volume": D(dice.randint(1_000, 9_000)),
            }
        )
        for bar in a_series(*closes[:count])
    )


def market(*bars: Bar, **over: Any) -> Market:
    known = Market(symbol="AAPL", now=NOON, interval="1m", bars=bars)
    return replace(known, **over)


def text(of: Market) -> str:
    return "\n".join(snapshot(of).lines(*TOPICS))


def test_indicators_agree_with_an_independent_library() -> None:
    bars = walk(MOST_BARS)
    closes = [float(bar.close) for bar in bars]
    candles = [OHLCV(float(b.open), float(b.high), float(b.low), float(b.close)) for b in bars]
    macd, band, adx = MACD(12, 26, 9, closes)[-1], BB(20, 2, closes)[-1], ADX(14, 14, candles)[-1]
    exact = {
        "sma_20": SMA(20, closes)[-1],
        "sma_50": SMA(50, closes)[-1],
        "ema_20": EMA(20, closes)[-1],
        "macd": macd.macd,
        "macd_signal": macd.signal,
        "macd_histogram": macd.histogram,
        "band_low": band.lb,
        "band_middle": band.cb,
        "band_high": band.ub,
    }
    wilder = {  # the library begins its averages one bar earlier; that has worn off
        "rsi": RSI(14, closes)[-1],
        "atr": ATR(14, candles)[-1],
        "adx": adx.adx,
        "plus_di": adx.plus_di,
        "minus_di": adx.minus_di,
    }
    found = readings(bars)
    assert {name: found[name] for name in exact} == pytest.approx(exact, rel=1e-9)
    assert {name: found[name] for name in wilder} == pytest.approx(wilder, rel=2e-3)


def test_returns_range_and_volume_are_those_of_the_bars() -> None:
    closes = [D(100 + n) for n in range(61)]
    bars = [bar.model_copy(update={"volume": D(50)}) for bar in a_series(*closes)]
    bars[-1] = bars[-1].model_copy(update={"volume": D(75)})
    found = readings(bars)
    assert found["return_1"] == pytest.approx(160 / 159 - 1)
    assert found["return_60"] == pytest.approx(0.6)
    assert (found["range_low"], found["range_high"], found["place_range"]) == (100, 160, 1)
    assert (found["volume"], found["volume_mean"], found["volume_ratio"]) == (75, 50, 1.5)
    assert found["rsi"] == 100


@pytest.mark.parametrize(
    ("step", "word"), [(D("0.50"), "strongly up"), (D(0), "flat"), (D("-0.50"), "strongly down")]
)
def test_trend_words_follow_the_prices(step: D, word: str) -> None:
    bars = a_series(*(D(200) + step * n for n in range(70)))
    assert dict(trend(bars, 0.5)) == {5: word, 20: word, 60: word}


@pytest.mark.parametrize(
    ("count", "there", "missing"),
    [
        (0, [], ["bars", "returns", "recent"]),
        (1, ["bars", "volume", "recent"], ["returns", "averages", "rsi", "atr"]),
        (2, ["returns", "range"], ["averages", "rsi", "trend"]),
        (15, ["rsi", "atr", "trend"], ["averages", "macd", "bollinger"]),
        (20, ["averages", "bollinger", "adx"], ["macd"]),
        (60, ["macd", "adx", "trend"], []),
    ],
)
def test_what_there_are_too_few_bars_for_is_left_out(
    count: int, there: list[str], missing: list[str]
) -> None:
    known = snapshot(market(*walk(count), quote=a_quote()))
    keys = {fact.key for fact in known.facts}
    assert keys >= {"price", "position", *there}
    assert not keys & {*missing}
    assert "nan" not in text(market(*walk(count), quote=a_quote())).lower()


def test_without_any_price_nothing_is_said() -> None:
    known = snapshot(market())
    assert (known.price, known.facts) == (None, ())


def test_prices_that_stand_still_have_no_strength() -> None:
    found = text(market(*a_series(*[D(5)] * 80, volume=D(0))))
    assert "AAPL.rsi" not in found
    assert "AAPL.trend: 5 bars flat, 20 bars flat, 60 bars flat" in found
    assert "AAPL.volume: last 0, mean 0" in found


def test_the_future_and_older_loops_are_not_looked_at() -> None:
    bars = walk(30)
    known = text(market(*bars))
    later = a_bar(opened_at=NOON, close=D(999), high=D(999))
    past = {"epoch": 0, "opened_at": NOON - timedelta(days=1), "close": D(1)}
    older = [bar.model_copy(update=past) for bar in walk(3, seed=2)]
    quote = a_quote(at=NOON + timedelta(seconds=1), bid=D(900), ask=D(901))
    assert text(market(*older, *bars, later, quote=quote)) == known
    assert text(market(*reversed(bars), *bars)) == known  # order and repeats change nothing


def test_the_trusted_price_is_the_fresh_quote_else_the_last_close() -> None:
    bars = walk(3)
    stale = a_quote(at=NOON - timedelta(minutes=1))
    assert snapshot(market(*bars, quote=a_quote())).price == D("210.50")
    assert snapshot(market(*bars, quote=stale)).price == bars[-1].close
    assert snapshot(market(*bars, quote=a_quote(epoch=2))).price == bars[-1].close
    assert snapshot(market(quote=a_quote())).price == D("210.50")


@pytest.mark.parametrize(
    ("price", "places"),
    [("65000.1", 2), ("210.5", 2), ("12.3456", 3), ("1.2345", 4), ("0.000123", 8)],
)
def test_a_price_has_five_digits_at_least(price: str, places: int) -> None:
    assert decimals(D(price)) == places


@pytest.mark.parametrize(
    ("value", "places", "shown"),
    [(-0.0001, 2, "0.00"), (D("1E+3"), 0, "1000"), (D("0.5"), 2, "0.50"), (-1.239, 2, "-1.24")],
)
def test_numbers_have_fixed_decimals_and_no_exponent(
    value: float | D, places: int, shown: str
) -> None:
    assert fixed(value, places) == shown


def test_a_percentage_has_its_sign() -> None:
    assert [percent(D("0.0072")), percent(-0.5), percent(0.0)] == ["+0.72 %", "-50.00 %", "+0.00 %"]


PRICES = st.decimals(min_value=D("0.000001"), max_value=D("9999999"), places=6)


@given(st.lists(PRICES, min_size=1, max_size=80), PRICES)
def test_any_prices_give_the_same_finite_words_twice(closes: list[D], base: D) -> None:
    bars = a_series(*closes, volume=base)
    known = text(market(*bars))
    assert known == text(market(*bars))
    assert not {"nan", "inf", "infinity"} & {*known.lower().replace(",", " ").split()}
    assert all(math.isfinite(value) for value in readings(bars).values())
    assert "E" not in known.replace("AAPL", "")
