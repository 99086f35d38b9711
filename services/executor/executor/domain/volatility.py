"""How far a price usually moves: Wilder's average true range, exact to 18 digits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from executor.domain.money import ZERO, add, divide, multiply, subtract
from signalbox.contracts.limits import Sizing
from signalbox.contracts.payloads import Bar

Key = tuple[str, str, int]  # symbol, interval, period

_LONGEST = timedelta(days=7)  # a range that is older says nothing
_APART = Decimal("1.3")  # a price so many times away may be of another scale, as after a split
_UNITS = {"m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Range:
    """The average true range after one closed bar."""

    value: Decimal  # units of price, above 0
    at: datetime  # when that bar closed, market time
    epoch: int  # in which it was read
    close: Decimal  # of that bar

    def fresh(self, now: datetime, epoch: int) -> bool:
        """Whether it may be used now: of this epoch, and not older than a week."""
        return self.epoch == epoch and now - self.at <= _LONGEST

    def of_scale(self, price: Decimal) -> bool:
        """Whether it was measured near enough to this price to be of the same scale."""
        return max(price, self.close) < multiply(_APART, min(price, self.close))


def key_of(symbol: str, sizing: Sizing) -> Key:
    """Which range a bot's sizing asks for."""
    return symbol, sizing.atr_interval, sizing.atr_period


def seconds_of(interval: str) -> int:
    """The length of a bar such as `15m`."""
    return int(interval[:-1]) * _UNITS[interval[-1]]


def bars_for(period: int) -> int:
    """How many bars are looked at: with so many, where the average began no longer shows."""
    return min(5 * period + 1, 1000)


def range_of(bars: Sequence[Bar], period: int, epoch: int) -> Range | None:
    """The average true range of these bars, oldest first; None when they are too few, or all
    alike.

    The mean of the first `period` true ranges, then Wilder's smoothing: each further one counts
    for one part in `period`.
    """
    if len(bars) <= period:
        return None
    true = [_true_range(bar, before) for before, bar in pairwise(bars)]
    whole = Decimal(period)
    total = ZERO
    for one in true[:period]:
        total = add(total, one)
    value = divide(total, whole)
    for one in true[period:]:
        value = divide(add(multiply(value, whole - 1), one), whole)
    last = bars[-1]
    return Range(value, last.closed_at, epoch, last.close) if value > 0 else None


def _true_range(bar: Bar, before: Bar) -> Decimal:
    """From the highest to the lowest, the close before included."""
    return subtract(max(bar.high, before.close), min(bar.low, before.close))
