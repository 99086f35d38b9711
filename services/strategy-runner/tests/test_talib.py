"""Every strategy against TA-Lib over two thousand bars: what it says, when, with which values."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal as D

import numpy as np
import pytest
import talib
from numpy.typing import NDArray

from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Action
from signalbox.testing.examples import NOON, a_bar
from strategy_runner.domain.strategy import kind_named, kinds

BARS = 2000
SETTLED = 400  # bars: what begins otherwise in TA-Lib has become the same by then
Line = NDArray[np.float64]
Lines = Mapping[str, Line]
Found = tuple[Line, Lines]  # where the price is: 1 above, -1 below, 0 neither; and the values


@pytest.fixture(scope="module", params=range(3))
def walk(request: pytest.FixtureRequest) -> list[Bar]:
    """A price in cents that drifts, jumps and stands still, never below some dollars."""
    dice = random.Random(request.param)  # noqa: S311 - a seeded test
    bars, close = [], 20_000
    for minute in range(BARS):
        opened = close
        step = dice.choices([0, dice.gauss(0, 40), dice.gauss(0, 400)], (10, 88, 2))[0]
        close = max(round(opened + step), 500)
        high, low = max(opened, close) + dice.randrange(30), min(opened, close) - dice.randrange(30)
        bars.append(
            a_bar(
                opened_at=NOON + timedelta(minutes=minute),
                open=D(opened) / 100,
                high=D(high) / 100,
                low=D(low) / 100,
                close=D(close) / 100,
                volume=D(dice.choice([0, 10, 100, 100, 5000]) + dice.randrange(500)),
            )
        )
    return bars


def line(bars: Sequence[Bar], name: str) -> Line:
    return np.array([float(getattr(bar, name)) for bar in bars])


def sign(gap: Line, noise: Line) -> Line:
    """Neither side where rounding decides, or where there is no value yet."""
    return np.where(np.abs(gap) > noise, np.sign(gap), 0.0)


def sma(bars: Sequence[Bar]) -> Found:
    close = line(bars, "close")
    fast, slow = talib.SMA(close, 10), talib.SMA(close, 30)
    return sign(fast - slow, slow * 1e-10), {"fast_sma": fast, "slow_sma": slow}


def ema(bars: Sequence[Bar]) -> Found:
    close = line(bars, "close")
    fast, slow = talib.EMA(close, 12), talib.EMA(close, 26)
    return sign(fast - slow, slow * 1e-10), {"fast_ema": fast, "slow_ema": slow}


def macd(bars: Sequence[Bar]) -> Found:
    close = line(bars, "close")
    value, signal, gap = talib.MACD(close, 12, 26, 9)
    return sign(gap, close * 1e-10), {"macd": value, "signal": signal}


def rsi(bars: Sequence[Bar]) -> Found:
    index = talib.RSI(line(bars, "close"), 14)
    place = np.where(index <= 30, -1.0, np.where(index >= 70, 1.0, 0.0))
    extreme = index.copy()  # of the excursion that ended with the bar before, where one did
    for at in range(1, len(index)):
        if place[at] and place[at] == place[at - 1]:
            extreme[at] = place[at] * max(place[at] * extreme[at - 1], place[at] * index[at])
    return place, {"rsi": index, "extreme": np.roll(extreme, 1)}


def bollinger(bars: Sequence[Bar]) -> Found:
    close = line(bars, "close")
    upper, _, lower = talib.BBANDS(close, 20, 2, 2)
    place = np.where(close > upper, 1.0, np.where(close < lower, -1.0, 0.0))
    return place, {"upper_band": upper, "lower_band": lower}


def channel(bars: Sequence[Bar]) -> tuple[Line, Line, Line]:
    """The close's place beside the highest high and the lowest low of the 20 bars before."""
    close = line(bars, "close")
    upper = np.roll(talib.MAX(line(bars, "high"), 20), 1)
    lower = np.roll(talib.MIN(line(bars, "low"), 20), 1)
    upper[0] = lower[0] = np.nan
    return np.where(close > upper, 1.0, np.where(close < lower, -1.0, 0.0)), upper, lower


def donchian(bars: Sequence[Bar]) -> Found:
    place, upper, lower = channel(bars)
    return place, {"channel_high": upper, "channel_low": lower}


def breakout(bars: Sequence[Bar]) -> Found:
    place, upper, lower = channel(bars)
    volume = line(bars, "volume")
    usual = np.roll(talib.SMA(volume, 20), 1)
    with np.errstate(invalid="ignore"):
        return place, {"edge": np.where(place > 0, upper, lower), "volume_ratio": volume / usual}


def crossings(found: Found, start: int) -> dict[int, Action]:
    """Where the side changes; in between it is remembered."""
    said, before = {}, 0.0
    for at, now in enumerate(found[0]):
        if now and before and now != before and at >= start:
            said[at] = Action.BUY if now > 0 else Action.SELL
        before = now or before
    return said


def comebacks(found: Found, start: int) -> dict[int, Action]:
    """Where it comes back from outside: from below is a buy."""
    said, before = {}, 0.0
    for at, now in enumerate(found[0]):
        if before and now != before and at >= start:
            said[at] = Action.BUY if before < 0 else Action.SELL
        before = now
    return said


def departures(found: Found, start: int) -> dict[int, Action]:
    """Where it leaves to another side than last time."""
    said, before = {}, 0.0
    for at, now in enumerate(found[0]):
        if now and now != before and at >= start:
            said[at] = Action.BUY if now > 0 else Action.SELL
        before = now or before
    return said


def bursts(found: Found, start: int) -> dict[int, Action]:
    """Where it leaves on twice the usual volume, unless it was outside on that side already."""
    said, before = {}, 0.0
    for at, now in enumerate(found[0]):
        if now and now != before and found[1]["volume_ratio"][at] >= 2 and at >= start:
            said[at] = Action.BUY if now > 0 else Action.SELL
        before = now
    return said


Said = Callable[[Found, int], dict[int, Action]]
ORACLES: Mapping[str, tuple[Callable[[Sequence[Bar]], Found], Said, int]] = {
    "sma_cross": (sma, crossings, 0),
    "ema_cross": (ema, crossings, 0),
    "macd": (macd, crossings, SETTLED),
    "rsi_reversion": (rsi, comebacks, 0),
    "bollinger": (bollinger, comebacks, 0),
    "donchian": (donchian, departures, 0),
    "volume_breakout": (breakout, bursts, 0),
}


def test_every_strategy_has_its_oracle() -> None:
    assert ORACLES.keys() == kinds().keys()


@pytest.mark.parametrize("name", ORACLES)
def test_a_strategy_says_what_talib_says(walk: list[Bar], name: str) -> None:
    oracle, said, start = ORACLES[name]
    strategy = kind_named(name).start({})
    opinions = {at: strategy.update(bar) for at, bar in enumerate(walk)}
    spoken = {at: one for at, one in opinions.items() if one is not None and at >= start}
    found = oracle(walk)
    assert {at: one.action for at, one in spoken.items()} == said(found, start)
    assert len(spoken) > 10
    for at, one in spoken.items():
        for key, values in found[1].items():
            assert float(one.values[key]) == pytest.approx(values[at], abs=6e-5), (at, key)
