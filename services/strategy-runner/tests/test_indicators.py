"""The averages, bands and channels against plain formulas that share no code with them."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal as D
from statistics import fmean, pstdev

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Action
from strategy_runner.domain.strategy import Opinion, kind_named

Bars = Callable[..., list[Bar]]
Said = list[Action | None]
CLOSES = st.lists(
    st.decimals(min_value=50, max_value=150, places=2, allow_nan=False), min_size=1, max_size=120
)


def play(name: str, bars: Sequence[Bar], **parameters: int) -> list[Opinion | None]:
    strategy = kind_named(name).start({key: D(value) for key, value in parameters.items()})
    return [strategy.update(bar) for bar in bars]


def actions(said: Sequence[Opinion | None]) -> Said:
    return [opinion.action if opinion else None for opinion in said]


def smoothed(values: Sequence[float], period: int) -> list[float | None]:
    """An exponential average that begins with a plain one."""
    found: list[float | None] = [None] * min(period - 1, len(values))
    for end in range(period, len(values) + 1):
        last = found[-1] if found else None
        if last is None:
            found.append(fmean(values[:period]))
        else:
            found.append(last + (values[end - 1] - last) * 2 / (period + 1))
    return found


def sides(gaps: Sequence[float | None]) -> Said:
    """An action where the sign of the gap changes; whoever is near nought is left to rounding."""
    found: Said = []
    before = 0
    for gap in gaps:
        assume(gap is None or gap == 0 or abs(gap) > 1e-7)
        now = 0 if not gap else 1 if gap > 0 else -1
        found.append((Action.BUY if now > 0 else Action.SELL) if now * before < 0 else None)
        before = now or before
    return found


def less(one: Sequence[float | None], two: Sequence[float | None]) -> list[float | None]:
    pairs = zip(one, two, strict=True)
    return [None if a is None or b is None else a - b for a, b in pairs]


@settings(deadline=None)
@given(CLOSES)
def test_ema_cross(bars: Bars, closes: list[D]) -> None:
    prices = [float(c) for c in closes]
    gaps = less(smoothed(prices, 3), smoothed(prices, 6))
    assert actions(play("ema_cross", bars(closes), fast=3, slow=6)) == sides(gaps)


@settings(deadline=None)
@given(CLOSES)
def test_macd(bars: Bars, closes: list[D]) -> None:
    prices = [float(c) for c in closes]
    line = less(smoothed(prices, 3), smoothed(prices, 6))
    known = [value for value in line if value is not None]
    signal: list[float | None] = [None] * (len(line) - len(known))
    gaps = less(line, signal + smoothed(known, 4))
    assert actions(play("macd", bars(closes), fast=3, slow=6, signal=4)) == sides(gaps)


def test_macd_forgets_without_a_trace(bars: Bars) -> None:
    closes = [D(100 + n * 7919 % 13) for n in range(1200)]
    prices = [float(c) for c in closes]
    line = less(smoothed(prices, 3), smoothed(prices, 6))
    said = play("macd", bars(closes), fast=3, slow=6, signal=4)
    found = [(o, value) for o, value in zip(said, line, strict=True) if o is not None]
    assert len(found) > 100
    for opinion, value in found:
        assert float(opinion.values["macd"]) == pytest.approx(value, abs=1e-5)


@settings(deadline=None)
@given(CLOSES)
def test_bollinger(bars: Bars, closes: list[D]) -> None:
    prices = [float(c) for c in closes]
    expected: Said = []
    outside = 0
    for end in range(1, len(prices) + 1):
        window = prices[max(end - 5, 0) : end]
        reach = 1.2 * pstdev(window)
        said = None
        if len(window) == 5 and reach > window[-1] * 1e-9:
            above, below = window[-1] - fmean(window) - reach, fmean(window) - reach - window[-1]
            assume(min(abs(above), abs(below)) > 1e-7)
            now = 1 if above > 0 else -1 if below > 0 else 0
            if outside and now != outside:
                said = Action.BUY if outside < 0 else Action.SELL
            outside = now
        expected.append(said)
    strategy = kind_named("bollinger").start({"period": D(5), "width": D("1.2")})
    assert actions([strategy.update(bar) for bar in bars(closes)]) == expected


@settings(deadline=None)
@given(CLOSES)
def test_donchian(bars: Bars, closes: list[D]) -> None:
    given_bars = bars(closes)
    expected: Said = []
    last = None
    for place, bar in enumerate(given_bars):
        before = given_bars[max(place - 4, 0) : place]
        now = None
        if len(before) == 4:
            if bar.close > max(b.high for b in before):
                now = Action.BUY
            elif bar.close < min(b.low for b in before):
                now = Action.SELL
        expected.append(now if now != last else None)
        last = now or last
    assert actions(play("donchian", given_bars, period=4)) == expected


@pytest.mark.parametrize(
    ("volumes", "expected", "sure"),
    [
        pytest.param([100, 100, 100, 200], Action.BUY, "0.5000", id="just enough"),
        pytest.param([100, 100, 100, 300], Action.BUY, "0.7000", id="half as much again"),
        pytest.param([100, 100, 100, 900], Action.BUY, "0.9000", id="far more"),
        pytest.param([100, 100, 100, 199], None, None, id="not enough"),
        pytest.param([0, 0, 0, 500], None, None, id="nothing to compare with"),
    ],
)
def test_a_breakout_needs_volume(
    bars: Bars, volumes: list[int], expected: Action | None, sure: str | None
) -> None:
    made = [
        bar.model_copy(update={"volume": D(volume)})
        for bar, volume in zip(bars([100, 101, 100, 120]), volumes, strict=True)
    ]
    *before, last = play("volume_breakout", made, period=3, factor=2)
    assert before == [None] * 3
    assert (last and last.action) == expected
    assert (last and str(last.confidence)) == sure


def test_a_breakout_is_said_once_and_again_after_it_was_over(bars: Bars) -> None:
    closes = [100, 100, 100, 110, 120, 112, 130]
    parameters: Mapping[str, int] = {"period": 3, "factor": 1}
    said = actions(play("volume_breakout", bars(closes), **parameters))
    assert said == [None, None, None, Action.BUY, None, None, Action.BUY]
