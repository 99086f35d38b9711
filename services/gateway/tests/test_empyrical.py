"""Every ratio against empyrical: of series of returns, and as a report shows it."""

import math
import random
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import empyrical
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.domain.curve import drawdowns, mark
from gateway.domain.performance import Owner, Tally
from gateway.domain.reports import Days, Earned, Ledger, report
from gateway.domain.statistics import ratios
from signalbox.testing.examples import NOON

NOUGHT = Decimal(0)
DAY = timedelta(days=1)
MONDAY = NOON.replace(hour=0)
YEARS = {"AAPL": 252, "BTC/USD": 365}
RETURNS = st.lists(st.floats(-0.2, 0.25), min_size=30, max_size=400)


def oracle(returns: list[float], year: int) -> dict[str, float]:
    """What empyrical says; NaN or infinite where it is not defined."""
    given_ = np.array(returns)
    with np.errstate(all="ignore"):
        return {
            "sharpe": float(empyrical.sharpe_ratio(given_, annualization=year)),
            "sortino": float(empyrical.sortino_ratio(given_, annualization=year)),
            "volatility": float(empyrical.annual_volatility(given_, annualization=year)),
            "annual_return": float(empyrical.annual_return(given_, annualization=year)),
            "calmar": float(empyrical.calmar_ratio(given_, annualization=year)),
            "max_drawdown": -float(empyrical.max_drawdown(given_)),
        }


@settings(deadline=None, max_examples=40)
@given(RETURNS, st.sampled_from([252, 365]))
def test_ratios_of_any_returns(returns: list[float], year: int) -> None:
    assume(np.std(returns) > 1e-6)
    worth = [1.0]
    for one in returns:
        worth.append(worth[-1] * (1 + one))
    deepest = max(drawdowns(worth))
    found = ratios(returns, year=year, span=90 * DAY, max_drawdown=deepest)
    wanted = oracle(returns, year)
    assert deepest == pytest.approx(wanted.pop("max_drawdown"), abs=1e-12)
    for name, value in wanted.items():
        ours = getattr(found, name)
        if ours is None:  # then it is no number there either, or beyond what an account can earn
            assert not math.isfinite(value) or wanted["annual_return"] > 1e8, name
        else:
            assert ours == pytest.approx(value, rel=1e-9, abs=1e-9), name


def a_life(seed: int, symbol: str, days: int) -> list[tuple[int, Decimal]]:
    """The profit of each day of the calendar on which the symbol trades; a Monday is the first."""
    dice = random.Random(seed)  # noqa: S311 - a seeded test
    open_ = [day for day in range(days) if "/" in symbol or day % 7 < 5]
    return [(day, Decimal(round(dice.gauss(4, 120) * 100)) / 100) for day in open_]


def worth_of(life: list[tuple[int, Decimal]]) -> list[Decimal]:
    worth = [Decimal(10_000)]
    for _, gain in life:
        worth.append(worth[-1] + gain)
    return worth


def book(life: list[tuple[int, Decimal]]) -> Days:
    """A mark at the end of each day, at the weekend too: there nothing has moved."""
    gains, value, days = dict(life), Decimal(10_000), []
    for day in range(max(gains) + 1):
        at = MONDAY + day * DAY
        before = mark(value, NOUGHT, at)
        value += gains.get(day, NOUGHT)
        days.append((at, before.then(mark(value, NOUGHT, at + DAY / 2))))
    return days


@pytest.mark.parametrize("by", ["bot", "source", "symbol"])
@pytest.mark.parametrize("symbol", YEARS)
@pytest.mark.parametrize("seed", range(3))
def test_a_report_shows_what_empyrical_says(seed: int, symbol: str, by: str) -> None:
    life = a_life(seed, symbol, days=200)
    owner = Owner("alpha", symbol, "strategy", "sma")
    earned = [
        Earned(owner, Tally(realised_pnl=gain), ((MONDAY + day * DAY, gain),)) for day, gain in life
    ]
    (view,) = report(Ledger(earned, {"alpha": book(life)}), by)  # type: ignore[arg-type]  # one of three
    returns = [float(after / before) - 1 for before, after in pairwise(worth_of(life))]
    wanted = oracle(returns, YEARS[symbol])
    assert (view.days_a_year, view.days) == (YEARS[symbol], len(life))
    for name, value in wanted.items():
        assert float(getattr(view, name)) == pytest.approx(value, abs=6e-5), name
