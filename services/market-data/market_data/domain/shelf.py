"""Closed bars of one series in memory: what is known, what was published, what is still due."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from market_data.domain.hours import Hours
from market_data.domain.rows import Row
from signalbox.contracts.payloads import Bar

MOST_KEPT = 2_000

_opened_at = attrgetter("opened_at")
_closed_at = attrgetter("closed_at")


class Taken(NamedTuple):
    """What rows came to: new ones, known ones put right, new ones too late to be published."""

    new: int
    corrected: int
    late: int


class Shelf:
    """One series, oldest first. A published bar is a fact: what is put right or comes late changes
    the history that is shown, and is never published.
    """

    def __init__(self, symbol: str, interval: str, *, most: int = MOST_KEPT) -> None:
        self.symbol = symbol
        self.interval = interval
        self.published_to: datetime | None = None  # bars that closed by then are out
        self._shown_to: datetime | None = None  # the same and what is on its way
        self._most = most
        self._rows: list[Row] = []

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
        for row in rows:
            place = bisect_left(self._rows, row.opened_at, key=_opened_at)
            known = self._rows[place] if place < len(self._rows) else None
            if known is not None and known.opened_at == row.opened_at:
                corrected += known != row
                self._rows[place] = row
                continue
            new += 1
            out = self.published_to
            late += out is not None and row.closed_at <= out and place < len(self._rows)
            self._rows.insert(place, row)
        del self._rows[: -self._most]
        return Taken(new, corrected, late)

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
