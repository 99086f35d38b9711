"""The market clock: where the replay stands, and what is due.

Market time runs at `speed` from its last reading, waits at the next step until that is published,
and jumps over closed spans. All of it is arithmetic on a `ClockReading` and a wall time.
"""

from datetime import datetime, timedelta
from math import inf
from typing import NamedTuple

from market_data.domain.timeline import Timeline
from signalbox.contracts.clock import ClockReading

STALL_S = 3.0  # a reading older than this stands still: readers have frozen, nothing is made up for
LINGER_S = 2.0  # the clock runs on this long after a close, so that the last bar can be acted on
MOST_STEPS = 200  # published together


class Turn(NamedTuple):
    """What is due, and the reading that stands once it is published."""

    epoch: int
    positions: range
    reading: ClockReading


def next_step(timeline: Timeline, epoch: int, position: int) -> tuple[int, int]:
    """The epoch and position of the step at `position`; behind the last one comes the next loop."""
    return (epoch, position) if position < len(timeline.steps) else (epoch + 1, 0)


def instant(timeline: Timeline, epoch: int, position: int) -> datetime:
    """When the step at `position` happens, on the market clock."""
    epoch, position = next_step(timeline, epoch, position)
    return timeline.steps[position].at + timeline.shift(epoch)


def begin(timeline: Timeline, wall: datetime, speed: float) -> ClockReading:
    """The first reading of all."""
    return _reading(timeline, 0, 0, timeline.starts_at, wall=wall, speed=speed)


def resume(timeline: Timeline, stored: ClockReading, wall: datetime, speed: float) -> ClockReading:
    """Go on where a stored reading stands; the time between counts for nothing.

    When the stored reading is of other rows, the next epoch that keeps time monotonic begins.
    """
    wall = max(wall, stored.wall_at)
    known = stored.replay and 0 <= stored.position <= len(timeline.steps)
    if known and stored.limit_at == instant(timeline, stored.epoch, stored.position):
        return stored.model_copy(update={"wall_at": wall, "speed": speed})
    epoch = stored.epoch + 1
    while timeline.starts_at + timeline.shift(epoch) < stored.market_at:
        epoch += 1
    at = timeline.starts_at + timeline.shift(epoch)
    return _reading(timeline, epoch, 0, at, wall=wall, speed=speed)


def market_time(reading: ClockReading, wall: datetime) -> datetime:
    """Market time at a wall time, as every reader of the clock computes it."""
    at = _run(reading, wall)
    limit = reading.limit_at
    return at if limit is None or at <= limit else max(limit, reading.market_at)


def take_turn(
    timeline: Timeline, reading: ClockReading, wall: datetime, speed: float, most: int = MOST_STEPS
) -> Turn:
    """The steps that are due at `wall`, of one epoch, and the reading after them.

    The speed up to now is the reading's; `speed` holds from now on.
    """
    wall = max(wall, reading.wall_at)
    at = _run(reading, wall)
    epoch, first = reading.epoch, reading.position
    position = first
    while reading.speed > 0 and position - first < most:
        step_epoch, step = next_step(timeline, epoch, position)
        if step_epoch != epoch and position != first:
            break  # the next loop is a turn of its own
        due = _due_at(timeline, epoch, position, reading.speed)
        if at < due:
            break
        at += instant(timeline, epoch, position) - due
        if step_epoch != epoch:
            epoch, first = step_epoch, step
        position = step + 1
    limit = instant(timeline, epoch, position)
    after = _reading(timeline, epoch, position, min(at, limit), wall=wall, speed=speed)
    return Turn(epoch, range(first, position), after)


def wait_s(timeline: Timeline, reading: ClockReading, wall: datetime) -> float:
    """Wall seconds until the next step is due; infinite while the clock stands still."""
    if reading.speed == 0:
        return inf
    due = _due_at(timeline, reading.epoch, reading.position, reading.speed)
    return max((due - _run(reading, wall)).total_seconds() / reading.speed, 0.0)


def _due_at(timeline: Timeline, epoch: int, position: int, speed: float) -> datetime:
    at = instant(timeline, epoch, position)
    if position == 0:
        return at
    before = timeline.steps[position - 1]
    if position < len(timeline.steps) and timeline.steps[position].session == before.session:
        return at
    return min(at, before.at + timeline.shift(epoch) + timedelta(seconds=LINGER_S * speed))


def _run(reading: ClockReading, wall: datetime) -> datetime:
    elapsed_s = min(max((wall - reading.wall_at).total_seconds(), 0.0), STALL_S)
    return reading.market_at + timedelta(seconds=elapsed_s * reading.speed)


def _reading(
    timeline: Timeline, epoch: int, position: int, at: datetime, *, wall: datetime, speed: float
) -> ClockReading:
    return ClockReading(
        epoch=epoch,
        market_at=at,
        wall_at=wall,
        speed=speed,
        replay=True,
        position=position,
        limit_at=instant(timeline, epoch, position),
    )
