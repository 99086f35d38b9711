"""Breakout on volume: buy when the close breaks above the highest high of the bars before and the
bar has at least `factor` times their average volume; sell when it breaks below their lowest low.

Confidence grows with the volume: 0.5 at the factor, 0.9 from twice the factor on.
"""

from collections import deque
from collections.abc import Mapping
from decimal import Decimal

from signalbox.contracts.errors import Malformed
from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Action
from strategy_runner.domain.strategy import Kind, Opinion, confidence, whole


class VolumeBreakout:
    """Knows the last bars, and whether the bar before was a breakout already."""

    def __init__(self, period: int, factor: Decimal) -> None:
        self._bars: deque[Bar] = deque(maxlen=period)
        self._period, self._factor = period, factor
        self._side = 0

    @property
    def warm_up(self) -> int:
        """Enough bars to compare with, and one more to know the beginning of a breakout."""
        return self._period + 1

    def update(self, bar: Bar) -> Opinion | None:
        """An opinion on the first bar of a breakout."""
        said = self._judge(bar) if len(self._bars) == self._period else None
        self._bars.append(bar)
        return said

    def _judge(self, bar: Bar) -> Opinion | None:
        upper, lower = max(b.high for b in self._bars), min(b.low for b in self._bars)
        usual = sum((b.volume for b in self._bars), Decimal(0)) / self._period
        side = 1 if bar.close > upper else -1 if bar.close < lower else 0
        before, self._side = self._side, side
        if side in (0, before) or not usual or bar.volume < usual * self._factor:
            return None
        up, times = side > 0, bar.volume / usual
        edge, way = (upper, "above the highest high") if up else (lower, "below the lowest low")
        return Opinion(
            action=Action.BUY if up else Action.SELL,
            confidence=confidence(times / self._factor - 1),
            reasoning=(
                f"The close {bar.close:f} broke {way} {edge:f} of {self._period} bars on"
                f" {times:.1f} times their volume."
            ),
            values={"edge": f"{edge:f}", "volume_ratio": f"{times:.4f}"},
        )


def build(parameters: Mapping[str, Decimal]) -> VolumeBreakout:
    """From parameters `period` in bars and `factor`, the multiple of the average volume.

    Raises:
        Malformed: one is out of range.
    """
    factor = parameters["factor"]
    if not 1 <= factor <= 100:
        raise Malformed(f"factor is {factor}, not from 1 to 100")
    return VolumeBreakout(whole(parameters, "period", 2), factor)


STRATEGY = Kind("volume_breakout", {"period": Decimal(20), "factor": Decimal(2)}, build)
