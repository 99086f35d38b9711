"""The parts that a run is made of: trades, curve, figures, and how they are kept."""

import math
from datetime import timedelta
from decimal import Decimal as D
from itertools import pairwise

import pytest

from sandbox.quantconnect import curve as curves
from sandbox.quantconnect.curve import Curve, thin
from sandbox.quantconnect.packed import Packed
from sandbox.quantconnect.performance import risk_of
from sandbox.quantconnect.rules import RuleError, make_rule
from sandbox.quantconnect.trades import Ledger, duration
from signalbox.testing.examples import NOON, a_bar


def booked(*fills: tuple[int, str]) -> Ledger:
    ledger = Ledger()
    for number, (quantity, price) in enumerate(fills):
        ledger.book("X", D(quantity), D(price), NOON + timedelta(minutes=number), fee=D(1))
    return ledger


@pytest.mark.parametrize(
    ("fills", "trades", "left"),
    [
        pytest.param([(10, "5"), (-10, "6")], [(10, "10", "2")], 0, id="there and back"),
        pytest.param([(-10, "5"), (10, "6")], [(-10, "-10", "2")], 0, id="short"),
        pytest.param([(10, "5"), (-4, "6")], [(4, "4", "1.4")], 6, id="in part"),
        pytest.param(
            [(4, "5"), (6, "7"), (-10, "6")], [(4, "4", "1.4"), (6, "-6", "1.6")], 0, id="two lots"
        ),
        pytest.param([(4, "5"), (-8, "6")], [(4, "4", "1.5")], -4, id="turned over"),
    ],
)
def test_what_was_opened_first_is_closed_first(
    fills: list[tuple[int, str]], trades: list[tuple[int, str, str]], left: int
) -> None:
    ledger = booked(*fills)
    assert [(t.quantity, t.profit, t.fees) for t in ledger.closed] == [
        (D(q), D(p), D(f)) for q, p, f in trades
    ]
    assert sum(lot.quantity for lot in ledger.lots["X"]) == left
    owed = sum((lot.fee for lot in ledger.lots["X"]), D(0))
    assert sum((t.fees for t in ledger.closed), D(0)) + owed == len(fills)


def test_the_way_of_a_trade_is_remembered() -> None:
    ledger = booked((-10, "100"))
    ledger.mark(a_bar(symbol="X", open=100, high=104, low=97, close=99))
    ledger.book("X", D(10), D(98), NOON, fee=D(1))
    (trade,) = ledger.closed
    assert (trade.best, trade.worst, trade.profit) == (D(30), D(-40), D(20))


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "00:00:00"), (600, "00:10:00"), (93_784, "1.02:03:04")]
)
def test_durations(seconds: int, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text


def drawn(*values: int) -> Curve:
    curve = Curve()
    for number, value in enumerate(values):
        curve.add(NOON + timedelta(days=number), D(value), D(100))
    return curve


def test_drawdown_and_recovery() -> None:
    curve = drawn(100, 120, 90, 110, 119, 130, 125)
    assert curve.deepest == D("0.25")
    assert curve.recovery_days() == 4
    assert drawn(100, 90, 80).recovery_days() == 2
    assert not Curve().deepest
    assert Curve().recovery_days() == 0


def test_a_long_curve_stays_small_and_keeps_its_extremes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "MOST_POINTS", 50)
    values = [1000 + (n * 37) % 211 for n in range(2000)]
    curve = drawn(*values)
    assert len(curve.points) <= 51
    assert [curve.points[0].open, curve.points[-1].close] == [D(values[0]), D(values[-1])]
    assert max(p.high for p in curve.points) == max(values)
    peaks = [max(values[: n + 1]) for n in range(2000)]
    falls = [1 - D(value) / peak for value, peak in zip(values, peaks, strict=True)]
    assert curve.deepest == pytest.approx(max(falls))
    assert [p.at for p in curve.points] == sorted({p.at for p in curve.points})


@pytest.mark.parametrize(("most", "left"), [(1, 1), (3, 3), (10, 7), (4, 4)])
def test_thinning(most: int, left: int) -> None:
    points = drawn(1, 2, 3, 4, 5, 6, 7).points
    found = thin(points, most)
    assert len(found) == left
    assert [found[0].open, found[-1].close] == [D(1), D(7)]
    assert thin([], most) == []


def test_risk_of_known_returns() -> None:
    other = [100.0, 101.0, 99.0, 102.0, 103.0]
    own = [100 * (1 + 2 * (b / 100 - 1)) for b in other]
    risk = risk_of(list(zip(own, other, strict=True)))
    returns = [b / a - 1 for a, b in pairwise(own)]
    mean = sum(returns) / 4
    deviation = math.sqrt(sum((r - mean) ** 2 for r in returns) / 3)
    assert risk.sharpe == pytest.approx(mean / deviation * math.sqrt(252))
    assert risk.beta == pytest.approx(2, rel=0.05)
    assert risk.mean == pytest.approx(mean * 252)
    assert 0 < risk.sharpe_probability < 1
    assert risk.value_at_risk_99 < risk.value_at_risk_95 < mean
    twin = risk_of([(v, v) for v in own])
    assert (twin.beta, twin.alpha, twin.tracking) == pytest.approx((1, 0, 0), abs=1e-9)


@pytest.mark.parametrize("days", [[], [(1.0, 1.0)], [(1.0, 1.0)] * 5])
def test_too_little_says_nothing(days: list[tuple[float, float]]) -> None:
    risk = risk_of(days)
    assert (risk.sharpe, risk.sortino, risk.information, risk.treynor) == (0, 0, 0, 0)
    assert risk.sharpe_probability == 0


@pytest.mark.parametrize(("start", "end"), [(0, 100), (50, 150), (199, 250), (95, 305), (400, 500)])
def test_packed_lists_are_read_in_pages(start: int, end: int) -> None:
    items = [{"n": n} for n in range(250)]
    assert Packed(items).page(start, end) == items[start:end]
    assert len(Packed(items)) == 250


@pytest.mark.parametrize(
    ("parameters", "backtest", "model", "interval"),
    [
        ({}, False, "MomentumAlpha(5)", "1m"),
        ({"backtest_resolution": "daily"}, False, "MomentumAlpha(5)", "1m"),
        ({"backtest_resolution": "daily"}, True, "MomentumAlpha(5)", "1d"),
        ({"resolution": "Daily", "lookback": "9"}, False, "MomentumAlpha(9)", "1d"),
        ({"rule": "breadth"}, False, "BreadthAlpha(5)", "1d"),
    ],
)
def test_parameters_choose_the_rule(
    parameters: dict[str, str], backtest: bool, model: str, interval: str
) -> None:
    rule = make_rule(parameters, backtest=backtest)
    assert (rule.model, rule.interval) == (model, interval)


def test_too_many_symbols_are_refused() -> None:
    with pytest.raises(RuleError, match="more than 20"):
        make_rule({"rule": "breadth", "symbols": ",".join(f"S{n}" for n in range(21))})
