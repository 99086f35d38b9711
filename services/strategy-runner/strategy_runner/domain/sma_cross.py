"""Two simple moving averages of the close: buy when the fast one crosses above the slow one, sell
when it crosses below.

Confidence grows with the gap between them at the cross: 0.5 for none, 0.9 from 5 basis points on.
"""

from collections.abc import Mapping
from decimal import Decimal

from talipp.indicators import SMA

from strategy_runner.domain.crossing import Crossing, periods
from strategy_runner.domain.strategy import Kind


def build(parameters: Mapping[str, Decimal]) -> Crossing:
    """From parameters `fast` and `slow`, in bars.

    Raises:
        Malformed: one is out of range, or `fast` is not below `slow`.
    """
    fast, slow = periods(parameters)
    # Both averages exist, and a side is known to cross from.
    return Crossing(SMA(fast), SMA(slow), (fast, slow), name="sma", warm_up=slow + 1)


STRATEGY = Kind("sma_cross", {"fast": Decimal(10), "slow": Decimal(30)}, build)
