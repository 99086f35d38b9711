"""Whether sources are right as often as they say: hit rate, Brier score, reliability.

A signal was right when the price had moved its way at its horizon; a price that had not moved at
all proves nobody right. All results are fractions.

Sources: E. B. Wilson, JASA 22 (1927), for the interval; G. W. Brier, Monthly Weather Review 78
(1950); A. H. Murphy, Journal of Applied Meteorology 12 (1973), for the skill.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby

from gateway.domain.performance import ratio
from signalbox.contracts.values import Action

ENOUGH = 200  # scores before a confidence can be judged; below, a curve would show chance
MOST_BINS = 10

_SIX_PLACES = Decimal("0.000001")
_Z = Decimal("1.959964")  # of a normal distribution, for 95 per cent


@dataclass(frozen=True, slots=True)
class Score:
    """One signal that was scored at its horizon."""

    action: Action  # buy or sell
    confidence: Decimal
    forward_return: Decimal  # fraction; positive when the signal was right

    @property
    def right(self) -> bool:
        """Whether the price had moved its way."""
        return self.forward_return > 0


@dataclass(frozen=True, slots=True)
class Share:
    """How many of some were right, with the interval that holds the true rate 19 times of 20."""

    count: int
    hits: int
    hit_rate: Decimal | None
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True, slots=True)
class Bin:
    """Signals of about the same confidence."""

    least: Decimal
    most: Decimal
    mean_confidence: Decimal
    share: Share


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is known of some signals. What needs enough of them is none before there are."""

    share: Share
    base_rate: Decimal | None  # right by always saying what came more often, up or down
    mean_confidence: Decimal | None
    mean_return: Decimal | None  # before trading costs
    missing: int  # scores until a confidence can be judged
    brier: Decimal | None = None  # 0 is perfect, 0.25 what a coin gets
    brier_skill: Decimal | None = None  # against always saying the hit rate; above 0 is better
    expected_error: Decimal | None = None  # mean distance of confidence and hit rate
    bins: tuple[Bin, ...] = ()  # lowest confidence first


def calibrate(scores: Iterable[Score]) -> Calibration:
    """Judge some signals by what came of them; their order does not matter."""
    known = sorted(scores, key=lambda score: (score.confidence, score.forward_return))
    share, missing = share_of(known), max(0, ENOUGH - len(known))
    counted = Calibration(
        share,
        base_rate=_base_rate(known),
        mean_confidence=_mean([score.confidence for score in known]),
        mean_return=_mean([score.forward_return for score in known]),
        missing=missing,
    )
    if missing:
        return counted
    rate = Decimal(share.hits) / share.count
    squares = [(score.confidence - score.right) ** 2 for score in known]
    brier, spread = sum(squares, Decimal(0)) / share.count, rate * (1 - rate)
    bins = tuple(_bin(part) for part in _equal_parts(known))
    return replace(
        counted,
        brier=ratio(brier, Decimal(1)),
        brier_skill=ratio(spread - brier, spread),
        expected_error=_expected_error(bins, share.count),
        bins=bins,
    )


def share_of(scores: Sequence[Score]) -> Share:
    """How many were right, with Wilson's interval; no rate of none."""
    return wilson(sum(score.right for score in scores), len(scores))


def wilson(hits: int, count: int) -> Share:
    """The share of hits with Wilson's score interval of 95 per cent."""
    if count == 0:
        return Share(0, 0, None, None, None)
    n, rate = Decimal(count), Decimal(hits) / count
    middle = rate + _Z**2 / (2 * n)
    reach = _Z * (rate * (1 - rate) / n + (_Z / (2 * n)) ** 2).sqrt()
    under = 1 + _Z**2 / n
    low, high = max(middle - reach, Decimal(0)), min(middle + reach, under)
    return Share(count, hits, ratio(Decimal(hits), n), ratio(low, under), ratio(high, under))


def _base_rate(scores: Sequence[Score]) -> Decimal | None:
    moved = [score for score in scores if score.forward_return]
    ups = sum((score.action is Action.BUY) is score.right for score in moved)
    return ratio(Decimal(max(ups, len(moved) - ups)), Decimal(len(scores)))


def _equal_parts(scores: Sequence[Score]) -> Iterator[list[Score]]:
    """At most ten parts of about the same count, by confidence; equal ones stay together."""
    least, part = len(scores) / MOST_BINS, list[Score]()
    for _, same in groupby(scores, key=lambda score: score.confidence):
        part += same
        if len(part) >= least:
            yield part
            part = []
    if part:
        yield part


def _bin(scores: Sequence[Score]) -> Bin:
    stated = [score.confidence for score in scores]
    mean = ratio(sum(stated, Decimal(0)), Decimal(len(stated))) or Decimal(0)
    return Bin(stated[0], stated[-1], mean, share_of(scores))


def _expected_error(bins: Sequence[Bin], count: int) -> Decimal | None:
    off = [
        one.share.count * abs(one.mean_confidence - Decimal(one.share.hits) / one.share.count)
        for one in bins
    ]
    return ratio(sum(off, Decimal(0)), Decimal(count))


def _mean(values: Sequence[Decimal]) -> Decimal | None:
    """To six places: returns are small."""
    return (sum(values, Decimal(0)) / len(values)).quantize(_SIX_PLACES) if values else None
