"""The market clock: monotonic, never ahead of the feed, the same after every restart."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market_data.domain import clock
from market_data.domain.timeline import Series, Timeline, merge
from signalbox.contracts.clock import ClockReading
from signalbox.contracts.events import BarClosed, QuoteUpdated
from signalbox.contracts.payloads import Quote

FRIDAY_CLOSE = datetime(2026, 7, 31, 20, 0, tzinfo=UTC)
MONDAY_OPEN = datetime(2026, 8, 3, 13, 30, tzinfo=UTC)
WALL = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return WALL + timedelta(seconds=seconds)


def standing(
    timeline: Timeline, at: datetime, *, speed: float = 60, epoch: int = 0
) -> ClockReading:
    """The reading right after the step at `at` was published."""
    position = [s.at for s in timeline.steps].index(at) + 1
    return ClockReading(
        epoch=epoch,
        market_at=at + timeline.shift(epoch),
        wall_at=WALL,
        speed=speed,
        replay=True,
        position=position,
        limit_at=clock.instant(timeline, epoch, position),
    )


def published(timeline: Timeline, turn: clock.Turn) -> list[UUID]:
    facts = [f for p in turn.positions for f in timeline.events(p, turn.epoch)]
    return [QuoteUpdated.key(f) if isinstance(f, Quote) else BarClosed.key(f) for f in facts]


def test_first_turn_publishes_the_first_open(timeline: Timeline) -> None:
    turn = clock.take_turn(timeline, clock.begin(timeline, WALL, 60), WALL, 60)
    assert (turn.epoch, turn.positions) == (0, range(1))
    assert turn.reading.market_at == timeline.starts_at


def test_market_time_runs_at_its_speed_and_waits_for_the_next_step(timeline: Timeline) -> None:
    reading = standing(timeline, FRIDAY_CLOSE - timedelta(minutes=3))
    assert clock.market_time(reading, later(0.5)) == reading.market_at + timedelta(seconds=30)
    assert clock.market_time(reading, later(2)) == FRIDAY_CLOSE - timedelta(minutes=2)


@pytest.mark.parametrize(
    ("after_s", "steps"),
    [
        pytest.param(0.9, 0, id="not yet"),
        pytest.param(1, 1, id="due"),
        pytest.param(2, 2, id="two at once"),
        pytest.param(60, 3, id="a stall is not made up for"),
        pytest.param(-60, 0, id="wall time went back"),
    ],
)
def test_turn_takes_what_is_due(timeline: Timeline, after_s: float, steps: int) -> None:
    reading = standing(timeline, FRIDAY_CLOSE - timedelta(minutes=3))
    turn = clock.take_turn(timeline, reading, later(after_s), 60)
    assert len(turn.positions) == steps
    assert turn.reading.wall_at >= reading.wall_at
    assert turn.reading.market_at >= reading.market_at


@pytest.mark.parametrize(
    ("after_s", "market_at"),
    [
        pytest.param(1, FRIDAY_CLOSE + timedelta(minutes=1), id="runs on after the close"),
        pytest.param(2, MONDAY_OPEN, id="then jumps over the weekend"),
        pytest.param(2.5, MONDAY_OPEN + timedelta(seconds=30), id="and runs on from there"),
    ],
)
def test_turn_skips_a_closed_span(timeline: Timeline, after_s: float, market_at: datetime) -> None:
    turn = clock.take_turn(timeline, standing(timeline, FRIDAY_CLOSE), later(after_s), 60)
    assert turn.reading.market_at == market_at
    assert len(turn.positions) == (market_at >= MONDAY_OPEN)


def test_turn_publishes_nothing_while_paused(timeline: Timeline) -> None:
    reading = standing(timeline, FRIDAY_CLOSE, speed=0)
    turn = clock.take_turn(timeline, reading, later(3), 0)
    assert not turn.positions
    assert turn.reading.market_at == FRIDAY_CLOSE
    assert clock.wait_s(timeline, turn.reading, later(3)) == float("inf")


def test_new_speed_holds_from_now_on(timeline: Timeline) -> None:
    reading = standing(timeline, FRIDAY_CLOSE - timedelta(minutes=3), speed=30)
    turn = clock.take_turn(timeline, reading, later(1), 600)
    assert turn.reading.market_at == reading.market_at + timedelta(seconds=30)
    assert clock.wait_s(timeline, turn.reading, later(1)) == pytest.approx(0.05)


def test_next_loop_begins_behind_the_last_step(timeline: Timeline) -> None:
    reading = standing(timeline, timeline.ends_at)
    assert reading.position == len(timeline.steps)
    turn = clock.take_turn(timeline, reading, later(2), 60)
    assert (turn.epoch, turn.positions, turn.reading.epoch) == (1, range(1), 1)
    assert turn.reading.market_at == timeline.starts_at + timeline.loop


def test_one_turn_stays_within_one_loop(timeline: Timeline) -> None:
    reading = clock.begin(timeline, WALL, 1_000_000)
    for wall_s in (1, 2, 3, 4):
        turn = clock.take_turn(timeline, reading, later(wall_s), 1_000_000)
        assert turn.positions.stop <= len(timeline.steps)
        assert turn.reading.epoch == turn.epoch
        reading = turn.reading
    assert reading.epoch > 0


def test_one_turn_takes_no_more_than_it_may(timeline: Timeline) -> None:
    reading = clock.begin(timeline, WALL, 1_000_000)
    turn = clock.take_turn(timeline, reading, later(1), 1_000_000, most=2)
    assert turn.positions == range(2)
    assert turn.reading.market_at == turn.reading.limit_at


SPEEDS = st.sampled_from([0, 1, 60, 3600, 1_000_000])


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 5), SPEEDS), min_size=1, max_size=60))
def test_time_is_monotonic_and_every_step_is_published_once(
    timeline: Timeline, course: list[tuple[float, float]]
) -> None:
    reading, wall = clock.begin(timeline, WALL, 60), WALL
    order: list[tuple[int, int]] = []
    for pause_s, speed in course:
        wall += timedelta(seconds=pause_s)
        seen = clock.market_time(reading, wall)
        turn = clock.take_turn(timeline, reading, wall, speed)
        assert turn.reading.market_at >= seen >= reading.market_at
        assert turn.reading.limit_at is not None
        assert turn.reading.market_at <= turn.reading.limit_at
        order += [(turn.epoch, p) for p in turn.positions]
        reading = turn.reading
    steps = len(timeline.steps)
    assert [epoch * steps + p for epoch, p in order] == list(range(len(order)))


@settings(deadline=None)
@given(lost_s=st.floats(0, 1e6), epoch=st.integers(0, 3), data=st.data())
def test_restart_at_every_position_goes_on_with_the_same_ids(
    timeline: Timeline, lost_s: float, epoch: int, data: st.DataObject
) -> None:
    at = timeline.steps[data.draw(st.integers(0, len(timeline.steps) - 1))].at
    stored = standing(timeline, at, epoch=epoch)
    revived = clock.resume(timeline, stored, later(lost_s), 60)
    assert (revived.epoch, revived.position) == (stored.epoch, stored.position)
    assert revived.market_at == stored.market_at

    wait_s = clock.wait_s(timeline, stored, WALL)
    kept_on = clock.take_turn(timeline, stored, later(wait_s), 60)
    went_on = clock.take_turn(timeline, revived, later(lost_s + wait_s), 60)
    assert published(timeline, kept_on)[:1] == published(timeline, went_on)[:1]


def test_resume_begins_a_later_epoch_when_the_rows_have_changed(
    timeline: Timeline, series: tuple[Series, ...]
) -> None:
    stored = standing(timeline, FRIDAY_CLOSE, epoch=2)
    other = merge(series, most=3)
    revived = clock.resume(other, stored, later(1), 60)
    assert revived.epoch > stored.epoch
    assert revived.market_at >= stored.market_at
    assert (revived.position, revived.limit_at) == (0, revived.market_at)


def test_resume_begins_a_later_epoch_when_the_feed_was_live(timeline: Timeline) -> None:
    live = ClockReading(
        epoch=0, market_at=WALL, wall_at=WALL, speed=1, replay=False, position=0, limit_at=None
    )
    revived = clock.resume(timeline, live, later(1), 60)
    assert revived.replay
    assert revived.market_at >= WALL
