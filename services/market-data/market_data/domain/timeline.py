"""Rows of several series, merged on one clock.

At every instant the opens of the next bars come first, as quotes, then the bars that close there.
No quote is made from a close: what is known at a close trades at the next open.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from market_data.domain.rows import NEW_YORK, TICK, Row, session_of
from signalbox.contracts.payloads import Bar, Quote

SPREAD_BPS = Decimal(2)  # bid to ask of large companies, execution.md 5.2
_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Series:
    """The bars of one symbol and interval."""

    symbol: str
    interval: str
    origin: str  # data set and its version
    rows: tuple[Row, ...]
    refused: Mapping[str, int] = field(default_factory=dict)  # reason -> number of lines


class Place(NamedTuple):
    """A row of a series, by their numbers."""

    series: int
    row: int


@dataclass(slots=True)
class Step:
    """What happens at one instant."""

    at: datetime
    session: date  # New York day
    opens: list[Place]
    closes: list[Place]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The replay: what came before it, its steps in order, and how far each loop shifts them."""

    series: tuple[Series, ...]
    steps: tuple[Step, ...]
    loop: timedelta  # whole weeks

    @property
    def starts_at(self) -> datetime:
        """Where the first loop begins; rows before are history."""
        return self.steps[0].at

    @property
    def ends_at(self) -> datetime:
        """Where the first loop ends."""
        return self.steps[-1].at

    def shift(self, epoch: int) -> timedelta:
        """How far the rows of a loop are moved."""
        return self.loop * epoch

    def events(self, position: int, epoch: int) -> Iterator[Quote | Bar]:
        """What one step publishes, quotes first."""
        step = self.steps[position]
        for place in step.opens:
            yield self.quote(place, epoch)
        for place in step.closes:
            yield self.bar(place, epoch)

    def quote(self, place: Place, epoch: int) -> Quote:
        """Bid and ask around the open of a row; the volume is that of the last bar that had any."""
        series = self.series[place.series]
        row, shift = series.rows[place.row], self.shift(epoch)
        bid, ask = spread(row.open)
        return Quote(
            symbol=series.symbol,
            bid=bid,
            ask=ask,
            at=row.opened_at + shift,
            epoch=epoch,
            origin=series.origin,
            session_open=True,
            session_closes_at=session_of(row.opened_at).closes_at + shift,
            volume=_volume_before(series.rows, place.row),
        )

    def bar(self, place: Place, epoch: int) -> Bar:
        """A row as the closed bar it is in one loop."""
        series = self.series[place.series]
        row, shift = series.rows[place.row], self.shift(epoch)
        closes_at = session_of(row.opened_at).closes_at
        return Bar(
            symbol=series.symbol,
            interval=series.interval,
            open=row.open,
            high=row.high,
            low=row.low,
            close=row.close,
            volume=row.volume,
            opened_at=row.opened_at + shift,
            closed_at=row.closed_at + shift,
            epoch=epoch,
            origin=series.origin,
            true_opened_at=row.true_opened_at,
            session_open=row.closed_at < closes_at,
            session_closes_at=closes_at + shift,
        )


def spread(price: Decimal, bps: Decimal = SPREAD_BPS) -> tuple[Decimal, Decimal]:
    """Bid and ask around a price, rounded to four decimals; the bid stays above zero."""
    half = price * bps / 20_000
    return max((price - half).quantize(TICK), TICK), (price + half).quantize(TICK)


def merge(series: Sequence[Series], *, most: int | None = None) -> Timeline:
    """One timeline of all series.

    The finest series sets the pace: the replay begins with its second session, so that the first is
    history, and ends with its last bar. A symbol's quotes come from its finest series alone. `most`
    ends the replay after that many steps.

    Raises:
        ValueError: there are no rows.
    """
    filled = tuple(s for s in series if s.rows)
    if not filled:
        raise ValueError("there are no rows to replay")
    pace = min(filled, key=_width)
    starts_at, ends_at = _second_session(pace.rows), pace.rows[-1].closed_at
    quoting = _quoting(filled)
    steps: dict[datetime, Step] = {}
    for place, row in _rows(filled):
        if place.series in quoting and starts_at <= row.opened_at <= ends_at:
            _step(steps, row.opened_at).opens.append(place)
        if starts_at < row.closed_at <= ends_at:
            _step(steps, row.closed_at).closes.append(place)
    ordered = tuple(steps[at] for at in sorted(steps))[:most]
    loop = ((ordered[-1].at - starts_at) // _WEEK + 1) * _WEEK
    return Timeline(filled, ordered, loop)


def _rows(series: Sequence[Series]) -> Iterator[tuple[Place, Row]]:
    for number, one in enumerate(series):
        for index, row in enumerate(one.rows):
            yield Place(number, index), row


def _step(steps: dict[datetime, Step], at: datetime) -> Step:
    return steps.setdefault(at, Step(at, at.astimezone(NEW_YORK).date(), [], []))


def _width(series: Series) -> timedelta:
    return series.rows[0].closed_at - series.rows[0].opened_at


def _quoting(series: Sequence[Series]) -> frozenset[int]:
    finest: dict[str, int] = {}
    for number in sorted(range(len(series)), key=lambda n: _width(series[n])):
        finest.setdefault(series[number].symbol, number)
    return frozenset(finest.values())


def _second_session(rows: Sequence[Row]) -> datetime:
    first = session_of(rows[0].opened_at)
    later = (row.opened_at for row in rows if row.opened_at >= first.closes_at)
    return next(later, rows[0].opened_at)


def _volume_before(rows: Sequence[Row], index: int) -> Decimal | None:
    earlier = (rows[i].volume for i in range(index - 1, -1, -1))
    return next((volume for volume in earlier if volume > 0), None)
