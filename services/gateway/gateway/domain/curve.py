"""A book's equity over time: its deepest fall, and fewer points that show the same line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from itertools import accumulate, chain, pairwise

NOUGHT = Decimal(0)
ALL = Decimal(1)
_WIDE = Context(prec=60)
_SHARE = Decimal("0.000001")
_KEPT_OF_A_PART = 4  # the lowest, the highest, the deepest below the highest so far, the last


@dataclass(frozen=True, slots=True)
class Fall:
    """From a high to a later low, in account currency."""

    peak: Decimal
    peak_at: datetime
    trough: Decimal
    trough_at: datetime

    @property
    def depth(self) -> Decimal:
        """The fraction of the high that was lost; 1 for all and more, 0 where it is not defined."""
        if self.peak <= 0:
            return NOUGHT
        with localcontext(_WIDE):
            return min((self.peak - self.trough) / self.peak, ALL)

    def or_deeper(self, other: "Fall") -> "Fall":
        """The deeper of the two; of equal ones that which lost more, else this one."""
        if other.peak <= 0 or other.trough >= other.peak:
            return self
        if self.peak <= 0 or self.trough >= self.peak:
            return other
        left = _WIDE.multiply(max(self.trough, NOUGHT), other.peak)  # fractions, without dividing
        right = _WIDE.multiply(max(other.trough, NOUGHT), self.peak)
        if left == right:
            return other if other.peak - other.trough > self.peak - self.trough else self
        return other if right < left else self


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a curve without a gap. Two that follow each other make one, so that a day is kept
    in one row and nothing is lost of its extremes.
    """

    first: Decimal
    last: Decimal
    last_at: datetime
    high: Decimal
    high_at: datetime
    low: Decimal
    low_at: datetime
    peak: Decimal  # of the deepest fall within
    peak_at: datetime
    trough: Decimal
    trough_at: datetime
    marks: int
    exposure: Decimal  # sum over marks of gross exposure as a fraction of the equity

    @property
    def fall(self) -> Fall:
        """The deepest one within."""
        return Fall(self.peak, self.peak_at, self.trough, self.trough_at)

    def then(self, later: "Stretch") -> "Stretch":
        """This one and the one that follows."""
        across = Fall(self.high, self.high_at, later.low, later.low_at)
        deepest = self.fall.or_deeper(across).or_deeper(later.fall)
        higher = later if later.high > self.high else self
        lower = later if later.low < self.low else self
        return Stretch(
            first=self.first,
            last=later.last,
            last_at=later.last_at,
            high=higher.high,
            high_at=higher.high_at,
            low=lower.low,
            low_at=lower.low_at,
            peak=deepest.peak,
            peak_at=deepest.peak_at,
            trough=deepest.trough,
            trough_at=deepest.trough_at,
            marks=self.marks + later.marks,
            exposure=self.exposure + later.exposure,
        )


STRETCH = tuple(field.name for field in fields(Stretch))


def mark(equity: Decimal, gross: Decimal, at: datetime) -> Stretch:
    """One point as the shortest stretch there is."""
    share = (gross / equity).quantize(_SHARE, ROUND_HALF_EVEN) if equity > 0 else NOUGHT
    return Stretch(
        first=equity,
        last=equity,
        last_at=at,
        high=equity,
        high_at=at,
        low=equity,
        low_at=at,
        peak=equity,
        peak_at=at,
        trough=equity,
        trough_at=at,
        marks=1,
        exposure=share,
    )


def joined(stretches: Iterable[Stretch]) -> Stretch | None:
    """All of them as one, in the order of time; none when there is none."""
    whole: Stretch | None = None
    for one in stretches:
        whole = one if whole is None else whole.then(one)
    return whole


def drawdowns(values: Iterable[float]) -> list[float]:
    """How far each value is below the highest so far, as a fraction, 0 to 1."""
    numbers = list(values)
    highs = accumulate(numbers, max)
    return [
        min((high - value) / high, 1.0) if high > 0 else 0.0
        for high, value in zip(highs, numbers, strict=True)
    ]


def thinned(values: Sequence[float], most: int) -> list[int]:
    """Which points to keep, at most so many: their indices, in order.

    The points are cut into equal parts; of each the highest, the lowest, the one deepest below the
    highest so far and the last are kept, and the very first. So neither the extremes of the curve
    nor those of its drawdown are lost.
    """
    if len(values) <= most:
        return list(range(len(values)))
    fallen = drawdowns(values)
    parts = max(1, (most - 1) // _KEPT_OF_A_PART)
    edges = [len(values) * part // parts for part in range(parts + 1)]
    kept = chain.from_iterable(
        (
            min(range(start, end), key=values.__getitem__),
            max(range(start, end), key=values.__getitem__),
            max(range(start, end), key=fallen.__getitem__),
            end - 1,
        )
        for start, end in pairwise(edges)
    )
    return sorted({0, *kept})
