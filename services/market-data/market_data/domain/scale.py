"""Whether the prices of a series are all of one scale.

A split changes the scale. A feed that adjusts for splits gives everything from before one anew: on
that day, or some days later; until then two scales stand beside each other.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from market_data.domain.hours import Hours
from market_data.domain.rows import Row

JUMP = Decimal("1.3")  # from a close to the next session's open, either way: it may be a split
DOUBTED = timedelta(
    days=7
)  # an unadjusted split is looked for this far back; what is older is real
_STEP = Decimal("0.02")  # less than that is a correction
_ROUNDING = Decimal("0.01")  # by which the factors of one bar's prices may differ
_PAIRS = 2  # bars that must agree: one alone may have been put right

_opened_at = attrgetter("opened_at")


class Again(NamedTuple):
    """A bar as it was known, and as it was read again."""

    known: Row
    read: Row


def rescaled_by(again: Iterable[Again]) -> Decimal | None:
    """The factor by which the oldest of these bars, oldest first, have changed; None where they
    have not, or where what was put right are single prices.
    """
    oldest = list(islice(again, _PAIRS))
    factors = [factor for pair in oldest for factor in _factors(pair)]
    if len(oldest) < _PAIRS or max(factors) - min(factors) > _ROUNDING * min(factors):
        return None
    factor = factors[-1]
    return factor if is_step(factor) else None


def is_step(factor: Decimal) -> bool:
    """Whether a factor is another scale rather than a correction."""
    return max(factor, 1 / factor) - 1 >= _STEP


def one_scale_from(rows: Sequence[Row], hours: Hours, now: datetime) -> int:
    """The place in `rows`, oldest first, from which on they are surely of one scale: behind the
    newest jump between two sessions that may be a split which was not adjusted for. 0: all.
    """
    for session in reversed(hours.opened(now - DOUBTED, now)):
        place = bisect_left(rows, session.opens_at, key=_opened_at)
        if 0 < place < len(rows) and _is_jump(rows[place].open / rows[place - 1].close):
            return place
    return 0


def _factors(pair: Again) -> list[Decimal]:
    known, read = pair
    return [
        read.open / known.open,
        read.high / known.high,
        read.low / known.low,
        read.close / known.close,
    ]


def _is_jump(factor: Decimal) -> bool:
    return max(factor, 1 / factor) >= JUMP
