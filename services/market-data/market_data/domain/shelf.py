"""Closed bars of one series in memory: what is known, what was published, what is still due."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from market_data.domain.hours import Hours
from market_data.domain.rows import Row
from market_data.domain.scale import DOUBTED, Again, one_scale_from, rescaled_by
from signalbox.contracts.payloads import Bar

MOST_KEPT = 2_000

_opened_at = attrgetter("opened_at")
_closed_at = attrgetter("closed_at")


class Taken(NamedTuple):
    """What rows came to: new ones, known ones put right, new ones too late to be published (older
    history is not late).
    """

    new: int
    corrected: int
    late: int


class Shelf:
    """One series, oldest first. A published bar is a fact: what is put right or comes late changes
    the history that is shown, and is never published. All prices are of one scale; where it
    changes, `scale` does, so that whoever keeps bars does not join them to later ones.
    """

    def __init__(self, symbol: str, interval: str, *, most: int = MOST_KEPT) -> None:
        self.symbol = symbol
        self.interval = interval
        self.published_to: datetime | None = None  # bars that closed by then are out
        self.scale = ""  # since when prices are of this scale; empty: always
        self.cut_at: datetime | None = None  # older bars may be of another scale: left out
        self._shown_to: datetime | None = None  # the same and what is on its way
        self._most = most
        self._rows: list[Row] = []

    @property
    def key(self) -> str:
        """Its name: `AAPL|1m`."""
        return f"{self.symbol}|{self.interval}"

    @property
    def rows(self) -> Sequence[Row]:
        """Every row in memory."""
        return self._rows

    def begin(self, published_to: datetime) -> None:
        """Say what counts as published from before."""
        self.published_to = self._shown_to = published_to

    def take(self, rows: Iterable[Row]) -> Taken:
        """Put rows in their places."""
        new = corrected = late = 0
        oldest = self._rows[0].opened_at if self._rows else None
        for row in rows:
            place, known = self._find(row.opened_at)
            if known is not None:
                corrected += known != row
                self._rows[place] = row
                continue
            new += 1
            is_out = self.published_to is not None and row.closed_at <= self.published_to
            is_within = oldest is not None and oldest < row.opened_at and place < len(self._rows)
            late += is_out and is_within
            self._rows.insert(place, row)
        del self._rows[: -self._most]
        return Taken(new, corrected, late)

    def _find(self, opened_at: datetime) -> tuple[int, Row | None]:
        """The place of a row, and the row where there is one."""
        place = bisect_left(self._rows, opened_at, key=_opened_at)
        found = self._rows[place] if place < len(self._rows) else None
        return place, found if found is not None and found.opened_at == opened_at else None

    def rescaled_by(self, rows: Iterable[Row]) -> Decimal | None:
        """The factor by which what is known has changed in these rows; None where it has not."""
        oldest_first = sorted(rows, key=_opened_at)
        both = ((self._find(row.opened_at)[1], row) for row in oldest_first)
        return rescaled_by(Again(known, read) for known, read in both if known is not None)

    def forget(self) -> None:
        """Drop every row: the same bars are read again, of another scale."""
        self._rows.clear()

    def cut(self, hours: Hours, now: datetime) -> None:
        """Leave out what may be of another scale than the newest bars, until it is read again
        without a jump, or the jump is old enough to be real.
        """
        place = one_scale_from(self._rows, hours, now)
        del self._rows[:place]
        oldest = self._rows[0].opened_at if self._rows else None
        if place and self.cut_at != oldest and oldest is not None:
            self.cut_at, self.scale = oldest, oldest.isoformat()
        elif self.cut_at is not None and oldest is not None:
            is_back = oldest < self.cut_at
            self.cut_at = None if is_back or self.cut_at <= now - DOUBTED else self.cut_at

    def newest_published(self) -> Row | None:
        """The row that was published last."""
        shown = self.shown(self.published_to, 1) if self.published_to is not None else ()
        return shown[0] if shown else None

    def due(self) -> Sequence[Row]:
        """What closed since the newest published bar."""
        if self.published_to is None:
            return ()
        return self._rows[bisect_right(self._rows, self.published_to, key=_closed_at) :]

    def send(self, row: Row) -> None:
        """A row goes out now: whoever hears of it may ask for it."""
        self._shown_to = max(self._shown_to or row.closed_at, row.closed_at)

    def sent(self, row: Row) -> None:
        """It is out."""
        self.published_to = max(self.published_to or row.closed_at, row.closed_at)

    def shown(self, before: datetime, count: int) -> Sequence[Row]:
        """The newest `count` published rows that had closed by `before`."""
        if self._shown_to is None:
            return ()
        end = bisect_right(self._rows, min(before, self._shown_to), key=_closed_at)
        return self._rows[max(end - count, 0) : end]

    def last_volume(self) -> Decimal | None:
        """Of the newest bar that had any."""
        return next((row.volume for row in reversed(self._rows) if row.volume > 0), None)


def bar_of(shelf: Shelf, row: Row, *, hours: Hours | None, epoch: int, origin: str) -> Bar:
    """A row as the bar that it is; a market without hours is always open."""
    session = hours.session(row.opened_at) if hours is not None else None
    closes_at = session.closes_at if session is not None else None
    return Bar(
        symbol=shelf.symbol,
        interval=shelf.interval,
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        volume=row.volume,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        epoch=epoch,
        origin=origin,
        true_opened_at=row.true_opened_at,
        session_open=hours is None or (closes_at is not None and row.closed_at < closes_at),
        session_closes_at=closes_at,
    )
