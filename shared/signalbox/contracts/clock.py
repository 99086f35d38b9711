"""The market clock as it travels."""

from signalbox.contracts.values import UtcTime, Value


class ClockReading(Value):
    """The market clock as market-data last said it. Key `clock` of the bucket CLOCK."""

    epoch: int
    market_at: UtcTime
    wall_at: UtcTime  # when market_at was read
    speed: float  # market seconds per wall second; 0 stands still
    replay: bool
    position: int  # of the feed: next row to publish
    limit_at: UtcTime | None = (
        None  # the clock does not run past the next event before it is published
    )
