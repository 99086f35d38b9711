"""Bollinger bands of the close: buy when it comes back above the lower band, sell when it comes
back below the upper one.

Confidence grows with how far outside the close had gone: 0.5 for nothing, 0.9 from half a band's
distance to the middle.
"""

from collections.abc import Mapping
from decimal import Decimal

from talipp.indicators import BB

from signalbox.contracts.errors import Malformed
from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Action
from strategy_runner.domain.strategy import Kind, Opinion, bound, confidence, whole

_FULL_EXCESS = 0.5
_NOISE = 1e-9  # of the price: a running deviation of equal prices drifts by rounding


class Bollinger:
    """Knows whether the close is outside the bands, and how far it went."""

    def __init__(self, period: int, width: float) -> None:
        self._period = period
        self._bands = BB(period, width)
        self._excess = 0.0  # of the excursion that goes on; below the lower band it is negative

    @property
    def warm_up(self) -> int:
        """The bands exist, and the close is known to be inside or outside."""
        return self._period + 1

    def update(self, bar: Bar) -> Opinion | None:
        """An opinion when the close has come back from outside."""
        close = float(bar.close)  # float: an indicator, never an amount
        self._bands.add(close)
        bound(self._bands, self._period)
        bands = self._bands[-1]
        if bands is None:
            return None
        reach = bands.ub - bands.cb
        before = self._excess
        if reach < close * _NOISE:
            return None
        now = (close - bands.ub if close > bands.ub else min(close - bands.lb, 0.0)) / reach
        if now * before > 0:
            self._excess = max(before, now) if now > 0 else min(before, now)
            return None
        self._excess = now
        return self._opinion(close, bands.lb, bands.ub, excess=before) if before else None

    def _opinion(self, close: float, lower: float, upper: float, *, excess: float) -> Opinion:
        up = excess < 0
        band, way = (lower, "above the lower") if up else (upper, "below the upper")
        return Opinion(
            action=Action.BUY if up else Action.SELL,
            confidence=confidence(abs(excess) / _FULL_EXCESS),
            reasoning=(
                f"The close {close:.4f} is back {way} {self._period}-bar Bollinger band"
                f" {band:.4f}; it had gone {abs(excess):.0%} of the band's reach beyond."
            ),
            values={"lower_band": f"{lower:.6f}", "upper_band": f"{upper:.6f}"},
        )


def build(parameters: Mapping[str, Decimal]) -> Bollinger:
    """From parameters `period` in bars and `width` in standard deviations.

    Raises:
        Malformed: one is out of range.
    """
    width = parameters["width"]
    if not Decimal("0.5") <= width <= 5:
        raise Malformed(f"width is {width}, not from 0.5 to 5 standard deviations")
    return Bollinger(whole(parameters, "period", 3), float(width))  # float: of an indicator


STRATEGY = Kind("bollinger", {"period": Decimal(20), "width": Decimal(2)}, build)
