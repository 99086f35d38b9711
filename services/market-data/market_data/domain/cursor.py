"""How far a live feed has published, so that a restart neither repeats nor skips anything."""

from datetime import datetime, timedelta

from signalbox.contracts.clock import ClockReading
from signalbox.contracts.values import Price, UtcTime, Value

NEWS_WINDOW = timedelta(hours=24)  # older headlines are no news


class Cursor(Value):
    """What is out. Of another epoch it says nothing."""

    epoch: int
    bars: dict[str, UtcTime] = {}  # `AAPL|1m` -> bars that closed by then are out
    closes: dict[str, Price] = {}  # and the newest one's close: a split may come in while down
    scales: dict[str, str] = {}  # since when prices are of their scale, where it has changed
    news_until: UtcTime | None = None  # when the newest headline that was read was changed last
    news: dict[str, UtcTime] = {}  # `id|symbol` -> when it was published, within the window


def start_cursor(stored: bytes | None, epoch: int) -> Cursor:
    """The stored cursor, or an empty one where it is of another epoch or cannot be read."""
    if stored:
        try:
            found = Cursor.model_validate_json(stored)
        except ValueError:
            return Cursor(epoch=epoch)
        if found.epoch == epoch:
            return found
    return Cursor(epoch=epoch)


def live_epoch(stored: ClockReading | None) -> int:
    """The epoch of a live feed: the same after a restart, a new one after a replay."""
    if stored is None:
        return 0
    return stored.epoch + 1 if stored.replay else stored.epoch


def live_reading(epoch: int, wall: datetime) -> ClockReading:
    """Market time is wall time."""
    return ClockReading(
        epoch=epoch, market_at=wall, wall_at=wall, speed=1, replay=False, position=0
    )


def is_recent(published_at: datetime, now: datetime) -> bool:
    """Whether a headline is still news."""
    return published_at > now - NEWS_WINDOW
