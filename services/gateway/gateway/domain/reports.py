"""What each source, bot or symbol has earned, and at what risk: all that is known, as views."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from itertools import accumulate, chain

from gateway.domain.book_views import PerformanceView, StageView
from gateway.domain.curve import NOUGHT, Fall, Stretch, joined, mark
from gateway.domain.performance import PARTS, Grouping, Owner, Tally, ratio
from gateway.domain.statistics import (
    LEAST_CLOSED,
    LEAST_DAYS,
    LEAST_SPAN,
    Ratios,
    days_a_year,
    mean_error,
    ratios,
    returns_of,
    trades_on,
)

_WIDE = Context(prec=60)
_PLACES = Decimal("0.0001")
_SUMMED = ("realised_pnl", "fees", "gross_profit", "gross_loss", "trades", "wins", "losses")
_NO_LOSS = "no part of a lot was closed with a loss"
_NO_EQUITY = "the equity of its books is not known for this span"
_UNDEFINED = {
    "sharpe": "it is not defined: every day returned the same",
    "sortino": "it is not defined: no day lost anything",
    "volatility": "it is not defined",
    "annual_return": "it is not defined: too large to say",
    "calmar": "it is not defined: there was no drawdown",
}
Days = Sequence[tuple[datetime, Stretch]]  # of one bot, oldest first


@dataclass(frozen=True, slots=True)
class Earned:
    """What one owner has earned, in sum and by market day."""

    owner: Owner
    tally: Tally
    gains: Sequence[tuple[datetime, Decimal]]  # the realised profit of each day


@dataclass(frozen=True, slots=True)
class Open:
    """The value of an open lot; negative is short."""

    owner: Owner
    value: Decimal


@dataclass(frozen=True, slots=True)
class Took:
    """How long an order took for one stage, in seconds of wall time."""

    owner: Owner  # who asked for it
    stage: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Worth:
    """What something was worth at the end of each market day, beginning with what it had."""

    basis: str
    values: tuple[Decimal, ...]
    days: tuple[datetime, ...]  # one less than there are values
    year: int
    fall: Fall
    mean_exposure: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that performance is derived from."""

    earned: Sequence[Earned]
    days: Mapping[str, Days]  # by bot, of the account that it has now
    open: Sequence[Open] = ()
    took: Sequence[Took] = ()


def report(ledger: Ledger, by: Grouping) -> tuple[PerformanceView, ...]:
    """One view for each part that has earned something, sorted by its key."""
    parts: dict[tuple[str, ...], list[Earned]] = {}
    for one in ledger.earned:
        parts.setdefault(one.owner.part(by), []).append(one)
    return tuple(_view(ledger, by, key, parts[key]) for key in sorted(parts))


def _view(
    ledger: Ledger, by: Grouping, key: tuple[str, ...], mine: Sequence[Earned]
) -> PerformanceView:
    tally = sum((one.tally for one in mine), Tally())
    year = days_a_year(one.owner.symbol for one in mine)
    if by == "bot":
        worth = worth_of_book(ledger.days.get(key[0], ()), year)
    else:
        worth = worth_of_part(mine, ledger.days, year)
    missing: dict[str, str] = {}
    figures = {
        **dict(zip(PARTS[by], key, strict=True)),
        **{name: getattr(tally, name) for name in (*_SUMMED, "fills", "traded")},
        **_means(tally, missing),
        **_exposure([one.value for one in ledger.open if one.owner.part(by) == key]),
        **_risk(worth, tally, missing),
        "stages": stages(one for one in ledger.took if one.owner.part(by) == key),
    }
    return PerformanceView.model_validate({**figures, "missing": missing})


def worth_of_book(days: Days, year: int) -> Worth | None:
    """A bot's own equity; none when it is not known."""
    whole = joined(stretch for _, stretch in days)
    if whole is None:
        return None
    counted = [(day, one.last) for day, one in days if trades_on(day.weekday(), year)]
    return Worth(
        basis="equity",
        values=(whole.first, *(last for _, last in counted)),
        days=tuple(day for day, _ in counted),
        year=year,
        fall=whole.fall,
        mean_exposure=ratio(whole.exposure, Decimal(whole.marks)),
    )


def worth_of_part(earned: Sequence[Earned], days: Mapping[str, Days], year: int) -> Worth | None:
    """What the books that it trades for would be worth with its realised profit alone.

    None when the equity of one of these books is not known.
    """
    books = [days.get(bot, ()) for bot in sorted({one.owner.bot for one in earned})]
    if not books or not all(books):
        return None
    base = sum((book[0][1].first for book in books), NOUGHT)
    known = sorted({day for book in books for day, _ in book})
    gains = dict.fromkeys(known, NOUGHT)
    by_day: defaultdict[datetime, Decimal] = defaultdict(Decimal)
    with localcontext(_WIDE):
        for day, gain in chain.from_iterable(one.gains for one in earned):
            by_day[day] += gain
        for day, gain in by_day.items():
            if day >= known[0]:
                gains[known[bisect_right(known, day) - 1]] += gain
        totals = list(accumulate((gains[day] for day in known), initial=base))
    whole = mark(base, NOUGHT, known[0])
    counted = []
    for day, value in zip(known, totals[1:], strict=True):
        whole = whole.then(mark(value, NOUGHT, day))
        if trades_on(day.weekday(), year):
            counted.append((day, value))
    return Worth(
        basis="realised",
        values=(base, *(value for _, value in counted)),
        days=tuple(day for day, _ in counted),
        year=year,
        fall=whole.fall,
    )


def _means(tally: Tally, missing: dict[str, str]) -> dict[str, object]:
    closing = tally.gross_profit - tally.gross_loss
    figures: dict[str, object] = {
        "win_rate": tally.win_rate,
        "profit_factor": tally.profit_factor,
        "average_win": tally.average_win,
        "average_loss": tally.average_loss,
        "expectancy": tally.expectancy,
        "expectancy_error": rounded(mean_error(closing, tally.squares, tally.trades)),
        "slippage_bps": tally.slippage_bps,
    }
    reasons = {
        "win_rate": "nothing was closed yet",
        "profit_factor": _NO_LOSS,
        "average_win": "no part of a lot was closed with a profit",
        "average_loss": _NO_LOSS,
        "expectancy": "nothing was closed yet",
        "expectancy_error": too_few(tally.trades, LEAST_CLOSED, "closed parts of lots"),
        "slippage_bps": "no fill names the price at its verdict",
    }
    missing.update({name: reasons[name] for name, value in figures.items() if value is None})
    return figures


def _exposure(values: Iterable[Decimal]) -> dict[str, object]:
    known = list(values)
    return {
        "exposure_gross": sum((abs(value) for value in known), NOUGHT),
        "exposure_net": sum(known, NOUGHT),
    }


def _risk(worth: Worth | None, tally: Tally, missing: dict[str, str]) -> dict[str, object]:
    names = ("sharpe", "sortino", "volatility", "annual_return", "calmar")
    if worth is None:
        missing.update(dict.fromkeys((*names, "max_drawdown", "turnover"), _NO_EQUITY))
        return {}
    returns = returns_of(worth.values)
    found = Ratios()
    if returns is not None and worth.days:
        found = ratios(
            returns,
            year=worth.year,
            span=worth.days[-1] - worth.days[0],
            max_drawdown=float(worth.fall.depth),  # float: a statistic
        )
    figures: dict[str, object] = {name: rounded(getattr(found, name)) for name in names}
    missing.update({name: _why(name, worth) for name, value in figures.items() if value is None})
    mean = sum(worth.values, NOUGHT) / len(worth.values)
    return {
        **figures,
        **fallen(worth.fall),
        "turnover": ratio(tally.traded, mean) if mean > 0 else None,
        "mean_exposure": worth.mean_exposure,
        "basis": worth.basis,
        "days": len(worth.days),
        "days_a_year": worth.year,
    }


def fallen(fall: Fall) -> dict[str, object]:
    """The deepest fall as figures; without dates when there was none."""
    depth = rounded(fall.depth)
    dates = (fall.peak_at, fall.trough_at) if fall.depth else (None, None)
    names = ("max_drawdown", "max_drawdown_from", "max_drawdown_to")
    return dict(zip(names, (depth, *dates), strict=True))


def _why(name: str, worth: Worth) -> str:
    if len(worth.days) < LEAST_DAYS:
        return too_few(len(worth.days), LEAST_DAYS, "market days")
    if name in ("annual_return", "calmar") and worth.days[-1] - worth.days[0] < LEAST_SPAN:
        span = (worth.days[-1] - worth.days[0]).days
        return too_few(span, LEAST_SPAN.days, "days from first to last")
    if any(value <= 0 for value in worth.values):
        return "it is not defined: the equity was nothing or less"
    return _UNDEFINED[name]


def too_few(have: int, need: int, what: str) -> str:
    """Why nothing is said yet."""
    return f"too few to say: {have} of the {need} {what} needed"


def stages(took: Iterable[Took]) -> tuple[StageView, ...]:
    """The median and the 95th percentile (nearest rank) of each stage, in their order."""
    known: dict[str, list[float]] = {}
    for one in took:
        known.setdefault(one.stage, []).append(one.seconds)
    return tuple(
        StageView(
            stage=stage,
            orders=len(seconds),
            p50_s=_percentile(seconds, 50),
            p95_s=_percentile(seconds, 95),
        )
        for stage, seconds in known.items()
    )


def _percentile(seconds: Sequence[float], share: int) -> float:
    rank = -(-len(seconds) * share // 100)
    return round(sorted(seconds)[rank - 1], 6)


def rounded(value: float | Decimal | None, places: Decimal = _PLACES) -> Decimal | None:
    """A ratio, to four places unless told otherwise."""
    if value is None:
        return None
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    return exact.quantize(places, ROUND_HALF_EVEN, _WIDE)
