"""Ratios of returns by market day. Floats in and out; what is not defined is none, never NaN.

Formulas: W. F. Sharpe, The Sharpe Ratio (1994), with a risk-free rate of 0; F. Sortino and R. van
der Meer, Downside Risk (1991), over all days; E. B. Wilson, Probable Inference (1927).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Context, Decimal, localcontext
from itertools import pairwise
from statistics import fmean, stdev

LEAST_DAYS = 30  # returns, before a ratio of them says anything
LEAST_SPAN = timedelta(days=90)  # before a return is worth stating by the year
LEAST_CLOSED = 30  # closed parts of lots, before their mean or a hit rate says anything
EXCHANGE_DAYS = 252
ALL_DAYS = 365
_SATURDAY = 5
_Z = 1.959963984540054  # of 95 per cent, two-sided
_TINY = 1e-15
_WIDE = Context(prec=60)


def days_a_year(symbols: Iterable[str]) -> int:
    """Trading days of a year: every day where any of these trades around the clock.

    Pairs such as BTC/USD do; shares and funds have no slash in their name.
    """
    return ALL_DAYS if any("/" in symbol for symbol in symbols) else EXCHANGE_DAYS


def trades_on(weekday: int, year: int) -> bool:
    """Whether a day of the week (Monday is 0) is a period of its own in such a year."""
    return year == ALL_DAYS or weekday < _SATURDAY


@dataclass(frozen=True, slots=True)
class Ratios:
    """What a series of daily returns amounts to; none is not defined, or too few to say."""

    sharpe: float | None = None
    sortino: float | None = None
    volatility: float | None = None  # a year
    annual_return: float | None = None
    calmar: float | None = None


def returns_of(values: Sequence[Decimal]) -> list[float] | None:
    """The return of each step; none where a step begins with nothing or a debt."""
    if any(value <= 0 for value in values[:-1]):
        return None
    steps = (after / before - 1 for before, after in pairwise(values))
    return [float(step) for step in steps]  # float: statistics follow


def ratios(
    returns: Sequence[float], *, year: int, span: timedelta, max_drawdown: float | None
) -> Ratios:
    """Every ratio of daily returns that there are enough days for.

    Args:
        returns: of each market day, as fractions.
        year: days of a year, 252 or 365.
        span: of market time between the first and the last day.
        max_drawdown: the deepest fall, as a fraction of its peak, > 0 when there was one.
    """
    if len(returns) < LEAST_DAYS:
        return Ratios()
    annual = annual_return(returns, year) if span >= LEAST_SPAN else None
    return Ratios(
        sharpe=_finite(sharpe(returns, year)),
        sortino=_finite(sortino(returns, year)),
        volatility=_finite(stdev(returns) * math.sqrt(year)),
        annual_return=_finite(annual),
        calmar=_finite(annual / max_drawdown if annual is not None and max_drawdown else None),
    )


def sharpe(returns: Sequence[float], year: int) -> float | None:
    """Mean over standard deviation (n - 1), times the root of a year's days; none without one."""
    spread = stdev(returns)
    return fmean(returns) / spread * math.sqrt(year) if spread > _TINY else None


def sortino(returns: Sequence[float], year: int) -> float | None:
    """Mean over downside deviation, times the root of a year's days; none without a losing day."""
    downside = math.sqrt(fmean(min(one, 0.0) ** 2 for one in returns))
    return fmean(returns) / downside * math.sqrt(year) if downside > _TINY else None


def annual_return(returns: Sequence[float], year: int) -> float | None:
    """The compound return of a year; none after a total loss, or too large for a number."""
    if any(one <= -1 for one in returns):
        return None
    growth = math.fsum(math.log1p(one) for one in returns) * year / len(returns)
    return math.expm1(growth) if growth < math.log(1e9) else None


def rate_interval(hits: int, tries: int) -> tuple[float, float] | None:
    """Between which a rate lies with 95 per cent confidence (Wilson); none without a try."""
    if not tries:
        return None
    rate, z2 = hits / tries, _Z * _Z
    middle = (rate + z2 / (2 * tries)) / (1 + z2 / tries)
    half = _Z * math.sqrt(rate * (1 - rate) / tries + z2 / (4 * tries * tries)) / (1 + z2 / tries)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def mean_error(total: Decimal, squares: Decimal, count: int) -> float | None:
    """Half the width of the 95 per cent interval of a mean; none below `LEAST_CLOSED`."""
    if count < LEAST_CLOSED:
        return None
    with localcontext(_WIDE):  # the difference of two large numbers
        variance = max(squares - total * total / count, Decimal(0)) / (count - 1)
    return _finite(_Z * math.sqrt(variance / count))


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
