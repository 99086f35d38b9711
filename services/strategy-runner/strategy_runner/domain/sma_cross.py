"""Two simple moving averages of the close: buy when the fast one crosses above the slow one, sell
when it crosses below.

Confidence grows with the gap between them at the cross: 0.5 for none, 0.9 from 5 basis points on.
"""

from collections.abc import Mapping
from decimal import Decimal

from talipp.indicators import SMA

from signalbox.contracts.errors import Malformed
from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Action
from strategy_runner.domain.strategy import Kind, Opinion, bound, confidence, whole

_FULL_GAP_BPS = 5.0
_NOISE_BPS = 1e-6  # a running mean of equal prices drifts by rounding


class SmaCross:
    """Knows which side the fast average is on."""

    def __init__(self, fast: int, slow: int) -> None:
        self._periods = (fast, slow)
        self._fast, self._slow = SMA(fast), SMA(slow)
        self._side = 0

    @property
    def warm_up(self) -> int:
        """Both averages exist, and a side is known to cross from."""
        return self._periods[1] + 1

    def update(self, bar: Bar) -> Opinion | None:
        """An opinion when the fast average has changed sides."""
        for line, period in zip((self._fast, self._slow), self._periods, strict=True):
            line.add(float(bar.close))  # float: an indicator, never an amount
            bound(line, period)
        fast, slow = self._fast[-1], self._slow[-1]
        if fast is None or slow is None:
            return None
        gap_bps = (fast - slow) / slow * 10_000
        side = 0 if abs(gap_bps) < _NOISE_BPS else 1 if gap_bps > 0 else -1
        before, self._side = self._side, side or self._side
        if side == 0 or before in (0, side):
            return None
        return self._opinion(fast, slow, gap_bps)

    def _opinion(self, fast: float, slow: float, gap_bps: float) -> Opinion:
        up, (short, long) = gap_bps > 0, self._periods
        return Opinion(
            action=Action.BUY if up else Action.SELL,
            confidence=confidence(abs(gap_bps) / _FULL_GAP_BPS),
            reasoning=(
                f"The {short}-bar average {fast:.4f} crossed {'above' if up else 'below'} the"
                f" {long}-bar average {slow:.4f}; they are {abs(gap_bps):.2f} basis points apart."
            ),
            values={"fast_sma": f"{fast:.6f}", "slow_sma": f"{slow:.6f}"},
        )


def build(parameters: Mapping[str, Decimal]) -> SmaCross:
    """From parameters `fast` and `slow`, in bars.

    Raises:
        Malformed: one is out of range, or `fast` is not below `slow`.
    """
    fast, slow = whole(parameters, "fast", 1), whole(parameters, "slow", 2)
    if fast >= slow:
        raise Malformed(f"fast is {fast}, not below slow {slow}")
    return SmaCross(fast, slow)


STRATEGY = Kind("sma_cross", {"fast": Decimal(10), "slow": Decimal(30)}, build)
