"""Whether sources are right as often as they say: hit rate, Brier score, reliability.

A signal was right when the price had moved its way at its horizon; a price that had not moved at
all proves nobody right. All results are fractions.

Sources: E. B. Wilson, JASA 22 (1927), for the interval; G. W. Brier, Monthly Weather Review 78
(1950); A. H. Murphy, Journal of Applied Meteorology 12 (1973), for the skill.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal, localcontext
from itertools import groupby

from gateway.domain.performance import ratio
from signalbox.contracts.values import Action

ENOUGH = 200  # scores before a confidence can be judged; below, a curve would show chance
MOST_BINS = 10

_WIDE = Context(prec=60)  # sums are exact, whatever their order
_SIX_PLACES = Decimal("0.000001")
_Z = Decimal("1.959964")  # of a normal distribution, for 95 per cent


@dataclass(frozen=True, slots=True)
class Scores:
    """Signals of one action and one confidence that were scored at their horizon."""

    action: Action  # buy or sell
    confidence: Decimal
    count: int
    hits: int  # the price had moved their way
    moved: int  # the price had moved at all
    returned: Decimal  # the sum of their forward returns

    @classmethod
    def of(cls, action: Action, confidence: Decimal, returns: Sequence[Decimal]) -> "Scores":
        """From the forward return of each, a fraction that is positive where it was right."""
        hits, moved = sum(one > 0 for one in returns), sum(map(bool, returns))
        with localcontext(_WIDE):
            total = sum(returns, Decimal(0))
        return cls(action, confidence, len(returns), hits, moved, total)


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


def calibrate(scores: Iterable[Scores]) -> Calibration:
    """Judge some signals by what came of them; their order does not matter."""
    known = sorted(scores, key=lambda one: one.confidence)
    share = share_of(known)
    missing = max(0, ENOUGH - share.count)
    with localcontext(_WIDE):
        returned = sum((one.returned for one in known), Decimal(0))
        squares = sum((_squares(one) for one in known), Decimal(0))
    counted = Calibration(
        share,
        base_rate=_base_rate(known, share.count),
        mean_confidence=_mean(_stated(known), share.count),
        mean_return=_mean(returned, share.count),
        missing=missing,
    )
    if missing:
        return counted
    rate = Decimal(share.hits) / share.count
    brier, spread = squares / share.count, rate * (1 - rate)
    bins = tuple(_bin(part) for part in _equal_parts(known))
    return replace(
        counted,
        brier=ratio(brier, Decimal(1)),
        brier_skill=ratio(spread - brier, spread),
        expected_error=_expected_error(bins, share.count),
        bins=bins,
    )


def share_of(scores: Sequence[Scores]) -> Share:
    """How many were right, with Wilson's interval; no rate of none."""
    return wilson(sum(one.hits for one in scores), sum(one.count for one in scores))


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


def _squares(one: Scores) -> Decimal:
    """The sum of the squared distances between what was stated and what came."""
    missed = one.count - one.hits
    return one.hits * (1 - one.confidence) ** 2 + missed * one.confidence**2


def _stated(scores: Iterable[Scores]) -> Decimal:
    with localcontext(_WIDE):
        return sum((one.count * one.confidence for one in scores), Decimal(0))


def _base_rate(scores: Sequence[Scores], count: int) -> Decimal | None:
    moved = sum(one.moved for one in scores)
    ups = sum(one.hits if one.action is Action.BUY else one.moved - one.hits for one in scores)
    return ratio(Decimal(max(ups, moved - ups)), Decimal(count))


def _equal_parts(scores: Sequence[Scores]) -> Iterator[list[Scores]]:
    """At most ten parts of about the same count, by confidence; equal ones stay together."""
    least, part = sum(one.count for one in scores) / MOST_BINS, list[Scores]()
    for _, same in groupby(scores, key=lambda one: one.confidence):
        part += same
        if sum(one.count for one in part) >= least:
            yield part
            part = []
    if part:
        yield part


def _bin(scores: Sequence[Scores]) -> Bin:
    share = share_of(scores)
    mean = ratio(_stated(scores), Decimal(share.count)) or Decimal(0)
    return Bin(scores[0].confidence, scores[-1].confidence, mean, share)


def _expected_error(bins: Sequence[Bin], count: int) -> Decimal | None:
    off = [
        one.share.count * abs(one.mean_confidence - Decimal(one.share.hits) / one.share.count)
        for one in bins
    ]
    return ratio(sum(off, Decimal(0)), Decimal(count))


def _mean(total: Decimal, count: int) -> Decimal | None:
    """To six places: returns are small."""
    return (total / count).quantize(_SIX_PLACES) if count else None
