"""Wilder's relative strength index of the close: buy when it comes back above `low`, sell when it
comes back below `high`.

Confidence grows with how far beyond the threshold it had gone: 0.5 for nothing, 0.9 from 15 points.
"""

from collections.abc import Mapping
from decimal import Decimal

from talipp.indicators import RSI

from signalbox.contracts.errors import Malformed
from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Action
from strategy_runner.domain.strategy import Kind, Opinion, bound, confidence, whole

_FULL_EXCESS = 15.0
_SETTLED = 10  # periods until the beginning of the series no longer shows
_LONGEST = 90  # a longer one would not settle within the history that there is


class RsiReversion:
    """Knows whether the index is beyond a threshold, and how far it went."""

    def __init__(self, period: int, low: float, high: float) -> None:
        self._period, self._low, self._high = period, low, high
        self._rsi = RSI(period)
        self._extreme: float | None = None  # of the excursion that goes on

    @property
    def warm_up(self) -> int:
        """Wilder's average remembers its beginning for long."""
        return _SETTLED * self._period

    def update(self, bar: Bar) -> Opinion | None:
        """An opinion when the index has come back from beyond a threshold."""
        self._rsi.add(float(bar.close))  # float: an indicator, never an amount
        bound(self._rsi, self._period)
        rsi = self._rsi[-1]
        if rsi is None:
            return None
        before = self._extreme
        self._extreme = self._follow(rsi)
        if before is None or self._same_side(before, rsi):
            return None
        return self._opinion(before, rsi)

    def _follow(self, rsi: float) -> float | None:
        """How far the excursion has gone, None between the thresholds."""
        before = self._extreme
        if rsi <= self._low:
            return min(rsi, before) if before is not None and before <= self._low else rsi
        if rsi >= self._high:
            return max(rsi, before) if before is not None and before >= self._high else rsi
        return None

    def _same_side(self, extreme: float, rsi: float) -> bool:
        return rsi <= self._low if extreme <= self._low else rsi >= self._high

    def _opinion(self, extreme: float, rsi: float) -> Opinion:
        up = extreme <= self._low
        threshold, way = (self._low, "above") if up else (self._high, "below")
        excess = abs(extreme - threshold)
        return Opinion(
            action=Action.BUY if up else Action.SELL,
            confidence=confidence(excess / _FULL_EXCESS),
            reasoning=(
                f"The {self._period}-bar RSI is back {way} {threshold:g} at {rsi:.2f};"
                f" it had gone to {extreme:.2f}."
            ),
            values={"rsi": f"{rsi:.4f}", "extreme": f"{extreme:.4f}"},
        )


def build(parameters: Mapping[str, Decimal]) -> RsiReversion:
    """From parameters `period` in bars, `low` and `high` in points of the index.

    Raises:
        Malformed: one is out of range, or `low` is not below `high`.
    """
    period = whole(parameters, "period", 2)
    if period > _LONGEST:
        raise Malformed(f"period is {period}, above {_LONGEST}")
    low, high = parameters["low"], parameters["high"]
    if not 0 < low < high < 100:
        raise Malformed(f"low is {low} and high {high}, not 0 < low < high < 100")
    return RsiReversion(period, float(low), float(high))  # float: points of an indicator


STRATEGY = Kind(
    "rsi_reversion", {"period": Decimal(14), "low": Decimal(30), "high": Decimal(70)}, build
)
