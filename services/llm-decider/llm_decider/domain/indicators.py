"""Indicators over closed bars, each with the least bars it needs. What cannot be said is left out.

They are statistics, so they are computed in binary fractions; none is ever an amount. A library
that updates bar by bar needs ten times as long for the whole series, which every call pays again;
the tests hold these to such a library's numbers.

Source: J. W. Wilder, New Concepts in Technical Trading Systems (1978), for RSI, ATR and ADX.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean

from signalbox.contracts.payloads import Bar

MOST_BARS = 150  # Wilder's averages over 14 bars have forgotten their beginning by then
RANGE_BARS = 60
VOLUME_BARS = 20
RETURNS = (1, 5, 15, 60)  # bars back
TRENDS = (5, 20, 60)

_WILDER, _BAND = 14, 20  # bars
_FAST, _SLOW, _SIGNAL = 12, 26, 9  # bars of MACD

Readings = Mapping[str, float]


def readings(bars: Sequence[Bar]) -> Readings:
    """Everything that these bars, oldest first, are enough for; every value is finite.

    `return_<n>` is a fraction; `rsi`, `adx`, `plus_di`, `minus_di` are points; `place_…` is where
    the close lies between a low (0) and a high (1); the rest has the unit of its input.
    """
    known = bars[-MOST_BARS:]
    if not known:
        return {}
    highs = [float(bar.high) for bar in known]  # float: a statistic
    lows = [float(bar.low) for bar in known]  # float: a statistic
    closes = [float(bar.close) for bar in known]  # float: a statistic
    volumes = [float(bar.volume) for bar in known]  # float: a statistic
    found = {
        **_returns(closes),
        **_range(highs, lows, closes[-1]),
        **_volume(volumes),
        **_averages(closes),
        **_bands(closes),
        **_rsi(closes),
        **_macd(closes),
        **_directions(highs, lows, closes),
    }
    return {name: value for name, value in found.items() if math.isfinite(value)}


def trend(bars: Sequence[Bar], atr: float) -> Mapping[int, str]:
    """The direction over some numbers of bars: a word each.

    Flat is less than half of what a random walk with this average true range goes.
    """
    closes = [float(bar.close) for bar in bars[-MOST_BARS:]]  # float: a statistic
    words: dict[int, str] = {}
    for span in TRENDS:
        if len(closes) <= span:
            continue
        usual = atr * math.sqrt(span)
        move = (closes[-1] - closes[-1 - span]) / usual if usual > 0 else 0.0
        size = "" if abs(move) < 1.5 else "strongly "
        words[span] = "flat" if abs(move) < 0.5 else f"{size}{'up' if move > 0 else 'down'}"
    return words


def _returns(closes: Sequence[float]) -> Readings:
    return {
        f"return_{n}": closes[-1] / closes[-1 - n] - 1
        for n in RETURNS
        if len(closes) > n and closes[-1 - n] > 0
    }


def _range(highs: Sequence[float], lows: Sequence[float], close: float) -> Readings:
    low, high = min(lows[-RANGE_BARS:]), max(highs[-RANGE_BARS:])
    return {"range_low": low, "range_high": high, **_place("range", close, low, high)}


def _volume(volumes: Sequence[float]) -> Readings:
    before = volumes[-1 - VOLUME_BARS : -1]
    if len(before) < VOLUME_BARS:
        return {"volume": volumes[-1]}
    mean = fmean(before)
    ratio = {"volume_ratio": volumes[-1] / mean} if mean > 0 else {}
    return {"volume": volumes[-1], "volume_mean": mean, **ratio}


def _averages(closes: Sequence[float]) -> Readings:
    found = {f"sma_{n}": fmean(closes[-n:]) for n in (20, 50) if len(closes) >= n}
    exponential = _exponential(closes, 20)
    return {**found, "ema_20": exponential[-1]} if exponential else found


def _bands(closes: Sequence[float]) -> Readings:
    """Bollinger bands: the mean and two standard deviations of the population around it."""
    shown = closes[-_BAND:]
    if len(shown) < _BAND:
        return {}
    middle = fmean(shown)
    width = 2 * math.sqrt(fmean((close - middle) ** 2 for close in shown))
    low, high = middle - width, middle + width
    band = {"band_low": low, "band_middle": middle, "band_high": high}
    return {**band, **_place("band", closes[-1], low, high)}


def _rsi(closes: Sequence[float]) -> Readings:
    moves = [after - before for before, after in pairwise(closes)]
    gains = _wilder([max(move, 0.0) for move in moves], _WILDER)
    losses = _wilder([max(-move, 0.0) for move in moves], _WILDER)
    if not gains or gains[-1] + losses[-1] <= 0:  # prices that stand still have no strength
        return {}
    return {"rsi": 100 * gains[-1] / (gains[-1] + losses[-1])}


def _macd(closes: Sequence[float]) -> Readings:
    slow = _exponential(closes, _SLOW)
    if not slow:
        return {}
    fast = _exponential(closes, _FAST)[-len(slow) :]
    lines = [f - s for f, s in zip(fast, slow, strict=True)]
    signals = _exponential(lines, _SIGNAL)
    if not signals:
        return {"macd": lines[-1]}
    return {
        "macd": lines[-1],
        "macd_signal": signals[-1],
        "macd_histogram": lines[-1] - signals[-1],
    }


def _directions(highs: Sequence[float], lows: Sequence[float], closes: Sequence[float]) -> Readings:
    """Average true range, the two directional indices, and the strength of a direction (ADX)."""
    ranges: list[float] = []
    rises: list[float] = []
    falls: list[float] = []
    for i in range(1, len(closes)):
        ranges.append(max(highs[i], closes[i - 1]) - min(lows[i], closes[i - 1]))
        rise, fall = highs[i] - highs[i - 1], lows[i - 1] - lows[i]
        rises.append(rise if rise > fall and rise > 0 else 0.0)
        falls.append(fall if fall > rise and fall > 0 else 0.0)
    atr = _wilder(ranges, _WILDER)
    if not atr:
        return {}
    found = {"atr": atr[-1]}
    ups, downs = _wilder(rises, _WILDER), _wilder(falls, _WILDER)
    if atr[-1] <= 0:
        return found
    found |= {"plus_di": 100 * ups[-1] / atr[-1], "minus_di": 100 * downs[-1] / atr[-1]}
    strengths = [
        100 * abs(up - down) / (up + down) if up + down > 0 else 0.0
        for up, down in zip(ups, downs, strict=True)
    ]
    adx = _wilder(strengths, _WILDER)
    return found | {"adx": adx[-1]} if adx else found


def _exponential(values: Sequence[float], period: int) -> list[float]:
    return _smoothed(values, period, 2 / (period + 1))


def _wilder(values: Sequence[float], period: int) -> list[float]:
    return _smoothed(values, period, 1 / period)


def _smoothed(values: Sequence[float], period: int, weight: float) -> list[float]:
    """A running average that begins with the mean of the first `period` values; empty before."""
    if len(values) < period:
        return []
    average = fmean(values[:period])
    line = [average]
    for value in values[period:]:
        average += weight * (value - average)
        line.append(average)
    return line


def _place(name: str, value: float, low: float, high: float) -> Readings:
    return {f"place_{name}": (value - low) / (high - low)} if high > low else {}
