"""Each strategy against a plain formula, and what holds for every strategy."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal as D
from itertools import accumulate, pairwise, takewhile
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signalbox.contracts.errors import Malformed
from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Action
from strategy_runner.domain.strategy import MOST_BARS, Opinion, confidence, kind_named, kinds

Bars = Callable[..., list[Bar]]
SMALL: Mapping[str, Mapping[str, D]] = {
    "sma_cross": {"fast": D(2), "slow": D(4)},
    "rsi_reversion": {"period": D(3), "low": D(30), "high": D(70)},
    "ema_cross": {"fast": D(2), "slow": D(4)},
    "macd": {"fast": D(2), "slow": D(4), "signal": D(3)},
    "bollinger": {"period": D(4), "width": D(1)},
    "donchian": {"period": D(3)},
    "volume_breakout": {"period": D(3), "factor": D(1)},
}
CLOSES = st.lists(
    st.decimals(min_value=1, max_value=1000, places=2, allow_nan=False), min_size=1, max_size=120
)


def play(name: str, bars: Sequence[Bar], parameters: Mapping[str, D]) -> list[Opinion | None]:
    strategy = kind_named(name).start(parameters)
    return [strategy.update(bar) for bar in bars]


def actions(said: Sequence[Opinion | None]) -> list[Action | None]:
    return [opinion.action if opinion else None for opinion in said]


def crosses(closes: Sequence[float], fast: int, slow: int) -> list[Action | None]:
    """Crossings of two averages, each one summed afresh."""
    found: list[Action | None] = [None] * min(slow - 1, len(closes))
    above: bool | None = None
    for end in range(slow, len(closes) + 1):
        short, long = fmean(closes[end - fast : end]), fmean(closes[end - slow : end])
        now = above if abs(short - long) < long * 1e-10 else short > long
        crossed = above is not None and now != above
        found.append((Action.BUY if now else Action.SELL) if crossed else None)
        above = now
    return found


def wilder(closes: Sequence[float], period: int) -> list[float | None]:
    """The index by Wilder's own recipe: plain averages first, then smoothed ones."""
    changes = [b - a for a, b in pairwise(closes)]
    values: list[float | None] = [None] * min(period, len(closes))
    for end in range(period, len(changes) + 1):
        window = changes[:end]
        if end == period:
            gain = fmean(max(c, 0) for c in window)
            loss = fmean(max(-c, 0) for c in window)
        else:
            gain = (gain * (period - 1) + max(window[-1], 0)) / period
            loss = (loss * (period - 1) + max(-window[-1], 0)) / period
        values.append(100.0 if loss == 0 else 100 - 100 / (1 + gain / loss))
    return values


def reversions(values: Sequence[float | None], low: float, high: float) -> list[Action | None]:
    found: list[Action | None] = []
    before: float | None = None
    for value in values:
        said = None
        if before is not None and value is not None:
            if before <= low < value:
                said = Action.BUY
            elif before >= high > value:
                said = Action.SELL
        found.append(said)
        before = value
    return found


@settings(deadline=None)
@given(CLOSES)
def test_sma_cross_agrees_with_the_formula(bars: Bars, closes: list[D]) -> None:
    said = play("sma_cross", bars(closes), SMALL["sma_cross"])
    assert actions(said) == crosses([float(c) for c in closes], 2, 4)


@settings(deadline=None)
@given(CLOSES)
def test_rsi_reversion_agrees_with_the_formula(bars: Bars, closes: list[D]) -> None:
    said = play("rsi_reversion", bars(closes), SMALL["rsi_reversion"])
    index = wilder([float(c) for c in closes], 3)
    near = any(v is not None and min(abs(v - 30), abs(v - 70)) < 1e-9 for v in index)
    assert near or actions(said) == reversions(index, 30, 70)


def test_rsi_values_agree_with_the_formula_after_forgetting(bars: Bars) -> None:
    steps = ((1 if n // 7 % 2 else -1) * (1 + n * 7919 % 5) for n in range(1500))
    closes = list(accumulate(steps, initial=5000))
    index = wilder([float(c) for c in closes], 3)
    said = play("rsi_reversion", bars(closes), SMALL["rsi_reversion"])
    checked = 0
    for bar, (opinion, value) in enumerate(zip(said, index, strict=True)):
        if opinion is not None:
            assert float(opinion.values["rsi"]) == pytest.approx(value, abs=1e-4)
            extreme = furthest(index[:bar], 30, 70)
            assert float(opinion.values["extreme"]) == pytest.approx(extreme, abs=1e-4)
            checked += 1
    assert checked > 30


def furthest(values: Sequence[float | None], low: float, high: float) -> float:
    """How far the excursion went that ends with the last of these values."""
    known = [v for v in values if v is not None]
    below = known[-1] <= low
    going = list(takewhile(lambda v: v <= low if below else v >= high, reversed(known)))
    return min(going) if below else max(going)


@pytest.mark.parametrize("name", sorted(kinds()))
@settings(deadline=None)
@given(closes=CLOSES, data=st.data())
def test_no_strategy_looks_ahead(
    name: str, bars: Bars, closes: list[D], data: st.DataObject
) -> None:
    """What is said at a bar does not change whatever comes after it."""
    cut = data.draw(st.integers(0, len(closes)))
    whole = play(name, bars(closes), SMALL[name])
    assert play(name, bars(closes[:cut]), SMALL[name]) == whole[:cut]


@pytest.mark.parametrize("name", sorted(kinds()))
@settings(deadline=None)
@given(closes=CLOSES)
def test_every_opinion_is_sound(name: str, bars: Bars, closes: list[D]) -> None:
    for opinion in play(name, bars(closes), SMALL[name]):
        if opinion is not None:
            assert D("0.5") <= opinion.confidence <= D("0.9")
            assert opinion.action in {Action.BUY, Action.SELL}
            assert opinion.reasoning.endswith(".")
            assert all(D(value).is_finite() for value in opinion.values.values())


@pytest.mark.parametrize("name", sorted(kinds()))
def test_flat_prices_say_nothing(name: str, bars: Bars) -> None:
    assert not any(play(name, bars(["0.1"] * 500), SMALL[name]))


@pytest.mark.parametrize("name", sorted(kinds()))
def test_memory_is_bounded(name: str, bars: Bars) -> None:
    strategy = kind_named(name).start(SMALL[name])
    for bar in bars([100 + n % 7 for n in range(3000)]):
        strategy.update(bar)
    kept = [getattr(v, "input_values", v) for v in vars(strategy).values()]
    sizes = [len(v) for v in kept if isinstance(v, list | deque)]
    assert sizes
    assert max(sizes) <= 30


def test_opinions_come_on_the_change_only(bars: Bars) -> None:
    said = play("sma_cross", bars([10, 9, 8, 7, 9, 12, 15, 18, 14, 8, 3]), SMALL["sma_cross"])
    assert actions(said) == [None] * 5 + [Action.BUY, None, None, None, Action.SELL, None]
    assert said[5] is not None
    assert said[5].reasoning.startswith("The 2-bar average 10.5000 crossed above the 4-bar average")


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        pytest.param("sma_cross", {"fast": D(30), "slow": D(10)}, "not below", id="order"),
        pytest.param("sma_cross", {"fast": D("2.5")}, "fast is 2.5", id="half a bar"),
        pytest.param("sma_cross", {"slow": D(MOST_BARS + 1)}, "slow is 501", id="too long"),
        pytest.param("sma_cross", {"fast": D("sNaN")}, "fast is sNaN", id="not a number"),
        pytest.param("sma_cross", {"speed": D(1)}, "no parameter speed", id="unknown"),
        pytest.param("rsi_reversion", {"period": D(1)}, "period is 1", id="no average of one"),
        pytest.param("rsi_reversion", {"period": D(91)}, "above 90", id="too much history"),
        pytest.param("rsi_reversion", {"low": D(80)}, "low is 80", id="thresholds"),
        pytest.param("rsi_reversion", {"high": D(100)}, "high 100", id="never reached"),
        pytest.param("rsi_reversion", {"low": D("NaN")}, "low is NaN", id="no threshold"),
        pytest.param("ema_cross", {"slow": D(181)}, "above 180", id="an EMA that never settles"),
        pytest.param("macd", {"signal": D(200)}, "226 together, above 150", id="nor does a MACD"),
        pytest.param("bollinger", {"width": D(6)}, "width is 6", id="bands nobody leaves"),
        pytest.param("donchian", {"period": D(1)}, "period is 1", id="no channel of one bar"),
        pytest.param("volume_breakout", {"factor": D("0.5")}, "factor is 0.5", id="not much"),
    ],
)
def test_start_refuses(name: str, parameters: Mapping[str, D], message: str) -> None:
    with pytest.raises(Malformed, match=message):
        kind_named(name).start(parameters)


def test_strategies_are_found_by_their_files() -> None:
    assert set(kinds()) == set(SMALL)
    assert kind_named("sma-cross") is kinds()["sma_cross"]


def test_an_unknown_strategy_is_named() -> None:
    with pytest.raises(Malformed, match="no strategy momentum; there are bollinger, donchian"):
        kind_named("momentum")


@pytest.mark.parametrize(
    ("share", "expected"), [(-1, "0.5"), (0, "0.5"), (0.5, "0.7"), (1, "0.9"), (99, "0.9")]
)
def test_confidence(share: float, expected: str) -> None:
    assert confidence(share) == D(expected)
