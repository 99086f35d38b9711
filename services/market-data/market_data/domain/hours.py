"""When an exchange is open. A market without hours, such as crypto, never closes."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter

from market_data.domain.rows import NEW_YORK, Session

_opens_at, _closes_at = itemgetter(0), itemgetter(1)


@dataclass(frozen=True, slots=True)
class Hours:
    """The sessions of one exchange; outside of those that are known it is closed."""

    sessions: tuple[Session, ...]  # oldest first

    def session(self, at: datetime) -> Session | None:
        """The session that `at` falls in; its close does not belong to it."""
        last = self.last_opened(at)
        return last if last is not None and at < last.closes_at else None

    def last_opened(self, at: datetime) -> Session | None:
        """The newest session that had opened by `at`."""
        number = bisect_right(self.sessions, at, key=_opens_at)
        return self.sessions[number - 1] if number else None

    def last_closed(self, at: datetime) -> Session | None:
        """The newest session that had closed by `at`."""
        number = bisect_right(self.sessions, at, key=_closes_at)
        return self.sessions[number - 1] if number else None

    def next_opening(self, at: datetime) -> Session | None:
        """The first session that opens after `at`."""
        number = bisect_right(self.sessions, at, key=_opens_at)
        return self.sessions[number] if number < len(self.sessions) else None

    def opened(self, since: datetime, until: datetime) -> Sequence[Session]:
        """The sessions that opened after `since` and by `until`, oldest first."""
        first, last = (bisect_right(self.sessions, at, key=_opens_at) for at in (since, until))
        return self.sessions[first:last]

    def on(self, day: date) -> Session | None:
        """The session of a New York day; None on a holiday."""
        number = bisect_right(self.sessions, day, key=_day)
        found = self.sessions[number - 1] if number else None
        return found if found is not None and _day(found) == day else None

    def back(self, at: datetime, count: int) -> datetime:
        """When the `count`-th newest session before or at `at` opened; the first one's opening
        where fewer are known.
        """
        number = bisect_right(self.sessions, at, key=_opens_at)
        return self.sessions[max(number - count, 0)].opens_at


def _day(session: Session) -> date:
    return session.opens_at.astimezone(NEW_YORK).date()
