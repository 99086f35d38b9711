"""Donchian channel: buy when the close breaks above the highest high of the bars before, sell when
it breaks below their lowest low. A breakout in the same direction as the last one says nothing.

Confidence grows with how far outside the close is: 0.5 for nothing, 0.9 from a quarter of the
channel's width.
"""

from collections import deque
from collections.abc import Mapping
from decimal import Decimal

from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Action
from strategy_runner.domain.strategy import Kind, Opinion, confidence, whole

_FULL_SHARE = Decimal("0.25")


class Donchian:
    """Knows the channel of the last bars, and which way it was left last."""

    def __init__(self, period: int) -> None:
        self._highs: deque[Decimal] = deque(maxlen=period)
        self._lows: deque[Decimal] = deque(maxlen=period)
        self._period = period
        self._side = 0

    @property
    def warm_up(self) -> int:
        """The channel is whole; it has been left at least once or not for long."""
        return 2 * self._period

    def update(self, bar: Bar) -> Opinion | None:
        """An opinion when the channel is left the other way than last time."""
        said = self._judge(bar) if len(self._highs) == self._period else None
        self._highs.append(bar.high)
        self._lows.append(bar.low)
        return said

    def _judge(self, bar: Bar) -> Opinion | None:
        upper, lower = max(self._highs), min(self._lows)
        side = 1 if bar.close > upper else -1 if bar.close < lower else 0
        if side in (0, self._side):
            return None
        self._side = side
        up = side > 0
        edge, way = (upper, "above the highest high") if up else (lower, "below the lowest low")
        width = upper - lower or edge
        return Opinion(
            action=Action.BUY if up else Action.SELL,
            confidence=confidence(abs(bar.close - edge) / width / _FULL_SHARE),
            reasoning=f"The close {bar.close:f} broke {way} {edge:f} of {self._period} bars.",
            values={"channel_high": f"{upper:f}", "channel_low": f"{lower:f}"},
        )


def build(parameters: Mapping[str, Decimal]) -> Donchian:
    """From parameter `period`, in bars.

    Raises:
        Malformed: it is out of range.
    """
    return Donchian(whole(parameters, "period", 2))


STRATEGY = Kind("donchian", {"period": Decimal(20)}, build)
