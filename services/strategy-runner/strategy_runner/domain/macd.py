"""Moving average convergence divergence of the close: buy when the MACD line crosses above its
signal line, sell when it crosses below.

Confidence grows with the gap between the lines at the cross: 0.5 for none, 0.9 from 2 basis points
of the price on.
"""

from collections.abc import Mapping
from decimal import Decimal

from talipp.indicators import MACD

from signalbox.contracts.errors import Malformed
from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Action
from strategy_runner.domain.crossing import periods
from strategy_runner.domain.strategy import Kind, Opinion, bound, confidence, whole

_FULL_GAP_BPS = 2.0
_NOISE_BPS = 1e-6
_SETTLED = 5  # periods until the beginning of the series no longer shows
_LONGEST = 150  # slow and signal together; more would not settle within the history that there is


class Macd:
    """Knows which side of its signal line the MACD line is on."""

    def __init__(self, fast: int, slow: int, signal: int) -> None:
        self._length = slow + signal
        self._macd = MACD(fast, slow, signal)
        self._side = 0

    @property
    def warm_up(self) -> int:
        """Averages of averages remember their beginning for long."""
        return _SETTLED * self._length

    def update(self, bar: Bar) -> Opinion | None:
        """An opinion when the MACD line has changed sides."""
        close = float(bar.close)  # float: an indicator, never an amount
        self._macd.add(close)
        bound(self._macd, self._length)
        value = self._macd[-1]
        if value is None or value.histogram is None:
            return None
        gap_bps = value.histogram / close * 10_000
        side = 0 if abs(gap_bps) < _NOISE_BPS else 1 if gap_bps > 0 else -1
        before, self._side = self._side, side or self._side
        if side == 0 or before in (0, side):
            return None
        up = side > 0
        return Opinion(
            action=Action.BUY if up else Action.SELL,
            confidence=confidence(abs(gap_bps) / _FULL_GAP_BPS),
            reasoning=(
                f"MACD {value.macd:.4f} crossed {'above' if up else 'below'} its signal line"
                f" {value.signal:.4f}; they are {abs(gap_bps):.2f} basis points of the price apart."
            ),
            values={"macd": f"{value.macd:.6f}", "signal": f"{value.signal:.6f}"},
        )


def build(parameters: Mapping[str, Decimal]) -> Macd:
    """From parameters `fast`, `slow` and `signal`, in bars.

    Raises:
        Malformed: one is out of range, or `fast` is not below `slow`.
    """
    fast, slow = periods(parameters)
    signal = whole(parameters, "signal", 1)
    if slow + signal > _LONGEST:
        raise Malformed(f"slow and signal are {slow + signal} together, above {_LONGEST}")
    return Macd(fast, slow, signal)


STRATEGY = Kind("macd", {"fast": Decimal(12), "slow": Decimal(26), "signal": Decimal(9)}, build)
