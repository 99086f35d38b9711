"""When bars close, and when to look for them: right after a close, and again for what came late."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from market_data.domain.hours import Hours
from signalbox.contracts.intervals import interval_length

INTERVALS = ("1m", "5m", "15m", "30m", "1d")
DAILY = "1d"
# Seconds after a close. A minute's bar is there after a second or two, and may be put right when
# late trades come in, half a minute later.
_SLOTS = (2, 6, 15, 35)
_DAILY_SLOTS = (5, 60, 300, 1800)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CHICAGO = ZoneInfo("America/Chicago")
_HOUR = timedelta(hours=1)
_CLOSED_S = 60.0  # between two looks at the quotes of a closed market
_LONG = timedelta(hours=1)  # between two looks where nothing is known to close


def next_look(interval: str, hours: Hours | None, now: datetime) -> datetime:
    """When to look for bars of an interval next; `hours` is None where the market never closes."""
    slots = _DAILY_SLOTS if interval == DAILY else _SLOTS
    closes = (last_close(interval, hours, now), next_close(interval, hours, now))
    looks = [at + timedelta(seconds=slot) for at in closes if at is not None for slot in slots]
    if interval == DAILY and hours is not None and (following := hours.next_opening(now)):
        looks.append(following.opens_at)  # when splits take effect
    return min((look for look in looks if look > now), default=now + _LONG)


def quote_pause_s(every_s: float, hours: Hours | None, now: datetime) -> float:
    """Seconds until quotes are looked at again: seldom while the market is closed, in time for its
    opening.
    """
    if hours is None or hours.session(now) is not None:
        return every_s
    following = hours.next_opening(now)
    left_s = (following.opens_at - now).total_seconds() if following else _CLOSED_S
    return max(every_s, min(_CLOSED_S, left_s))


def last_close(interval: str, hours: Hours | None, now: datetime) -> datetime | None:
    """The newest instant by `now` at which a bar closed."""
    length = _length(interval)
    if hours is None:
        return now - (now - _EPOCH) % length
    before = hours.last_closed(now)
    session = hours.session(now)
    if session is not None and interval != DAILY:
        whole = (now - session.opens_at) // length
        if whole:
            return session.opens_at + whole * length
    return before.closes_at if before is not None else None


def next_close(interval: str, hours: Hours | None, now: datetime) -> datetime | None:
    """The first instant after `now` at which a bar closes."""
    length = _length(interval)
    if hours is None:
        return now - (now - _EPOCH) % length + length
    session = hours.session(now)
    if session is None:
        following = hours.next_opening(now)
        if following is None:
            return None
        return following.closes_at if interval == DAILY else following.opens_at + length
    if interval == DAILY:
        return session.closes_at
    return session.opens_at + ((now - session.opens_at) // length + 1) * length


def is_on_grid(opened_at: datetime, interval: str, hours: Hours | None) -> bool:
    """Whether a bar of less than a day may open there."""
    session = hours.session(opened_at) if hours is not None else None
    start = session.opens_at if session is not None else _EPOCH
    return not (opened_at - start) % interval_length(interval)


def end_of_crypto_day(opened_at: datetime) -> datetime | None:
    """When a day of crypto that opens there closes: at the next midnight in Chicago, 23 or 25 hours
    later where clocks change. None: no day opens there.
    """
    local = opened_at.astimezone(_CHICAGO)
    if local.time() != time.min:
        return None
    following = local.date() + timedelta(days=1)
    return datetime.combine(following, time.min, _CHICAGO).astimezone(UTC)


def _length(interval: str) -> timedelta:
    """Days of a market that never closes begin when the provider says so: hours are looked at."""
    return _HOUR if interval == DAILY else interval_length(interval)
