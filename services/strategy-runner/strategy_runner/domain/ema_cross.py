"""Two exponential moving averages of the close: buy when the fast one crosses above the slow one,
sell when it crosses below.

Confidence grows with the gap between them at the cross: 0.5 for none, 0.9 from 5 basis points on.
"""

from collections.abc import Mapping
from decimal import Decimal

from talipp.indicators import EMA

from strategy_runner.domain.crossing import Crossing, periods
from strategy_runner.domain.strategy import Kind

_SETTLED = 5  # periods until the beginning of the series no longer shows
_LONGEST = 180  # a longer one would not settle within the history that there is


def build(parameters: Mapping[str, Decimal]) -> Crossing:
    """From parameters `fast` and `slow`, in bars.

    Raises:
        Malformed: one is out of range, or `fast` is not below `slow`.
    """
    fast, slow = periods(parameters, longest=_LONGEST)
    return Crossing(EMA(fast), EMA(slow), (fast, slow), name="ema", warm_up=_SETTLED * slow)


STRATEGY = Kind("ema_cross", {"fast": Decimal(12), "slow": Decimal(26)}, build)
