"""The market clock as the bucket tells it. Trading rules use it instead of wall time."""

from datetime import UTC, datetime, timedelta

from signalbox.contracts.clock import ClockReading

STALE_S = 3.0


def wall_now() -> datetime:
    """Wall time; the only place where a service reads it for events."""
    return datetime.now(UTC)


class MarketClock:
    """Runs on from the last reading at its speed, and freezes when the reading is not renewed.

    Within an epoch of a replay it never runs back: when it has been slowed down and the news of
    that comes a little late, it waits.
    """

    def __init__(self) -> None:
        self.reading: ClockReading | None = None
        self._told: tuple[int, datetime] | None = None  # epoch, and the latest time told of it

    def take(self, raw: bytes) -> None:
        """Adopt a reading unless it is older than the one in hand."""
        reading = ClockReading.model_validate_json(raw)
        if self.reading is None or reading.wall_at >= self.reading.wall_at:
            self.reading = reading

    def frozen(self, wall: datetime) -> bool:
        """Whether nobody has renewed the reading for three seconds."""
        if self.reading is None:
            return True
        return (wall - self.reading.wall_at).total_seconds() > STALE_S

    def now(self, wall: datetime) -> datetime:
        """Market time at a wall time; without any reading, wall time itself."""
        reading = self.reading
        if reading is None:
            return wall
        elapsed_s = min(max((wall - reading.wall_at).total_seconds(), 0.0), STALE_S)
        now = reading.market_at + timedelta(seconds=elapsed_s * reading.speed)
        if reading.limit_at is not None and now > reading.limit_at:
            now = max(reading.limit_at, reading.market_at)
        if not reading.replay:
            return now
        if self._told is not None and self._told[0] == reading.epoch:
            now = max(now, self._told[1])
        self._told = (reading.epoch, now)
        return now
