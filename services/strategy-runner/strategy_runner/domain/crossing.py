"""Two averages of the close, and which one is on top. What the averages are is the caller's."""

from collections.abc import Mapping
from decimal import Decimal

from talipp.indicators import EMA, SMA

from signalbox.contracts.errors import Malformed
from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Action
from strategy_runner.domain.strategy import MOST_BARS, Opinion, bound, confidence, whole

_FULL_GAP_BPS = 5.0
_NOISE_BPS = 1e-6  # a running mean of equal prices drifts by rounding


class Crossing:
    """Knows which side the fast average is on."""

    def __init__(
        self,
        fast: SMA | EMA,
        slow: SMA | EMA,
        lengths: tuple[int, int],
        *,
        name: str,
        warm_up: int,
    ) -> None:
        self.warm_up = warm_up
        self._fast, self._slow = fast, slow
        self._lengths, self._name = lengths, name
        self._side = 0

    def update(self, bar: Bar) -> Opinion | None:
        """An opinion when the fast average has changed sides."""
        for line, length in zip((self._fast, self._slow), self._lengths, strict=True):
            line.add(float(bar.close))  # float: an indicator, never an amount
            bound(line, length)
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
        up, (short, long) = gap_bps > 0, self._lengths
        return Opinion(
            action=Action.BUY if up else Action.SELL,
            confidence=confidence(abs(gap_bps) / _FULL_GAP_BPS),
            reasoning=(
                f"The {short}-bar average {fast:.4f} crossed {'above' if up else 'below'} the"
                f" {long}-bar average {slow:.4f}; they are {abs(gap_bps):.2f} basis points apart."
            ),
            values={f"fast_{self._name}": f"{fast:.6f}", f"slow_{self._name}": f"{slow:.6f}"},
        )


def periods(parameters: Mapping[str, Decimal], longest: int = MOST_BARS) -> tuple[int, int]:
    """Parameters `fast` and `slow`, in bars.

    Raises:
        Malformed: one is out of range, or `fast` is not below `slow`.
    """
    fast, slow = whole(parameters, "fast", 1), whole(parameters, "slow", 2)
    if fast >= slow:
        raise Malformed(f"fast is {fast}, not below slow {slow}")
    if slow > longest:
        raise Malformed(f"slow is {slow}, above {longest}")
    return fast, slow
