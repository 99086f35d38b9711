"""History: everything that was published, nothing that was not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market_data.domain import clock, history
from market_data.domain.timeline import Timeline
from signalbox.contracts.clock import ClockReading
from signalbox.contracts.payloads import Bar

FAR = datetime(2100, 1, 1, tzinfo=UTC)
WALL = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MINUTES = 0  # the number of AAPL's minutes


def reading_at(timeline: Timeline, position: int, epoch: int = 0) -> ClockReading:
    at = clock.instant(timeline, epoch, position)
    return ClockReading(
        epoch=epoch,
        market_at=at,
        wall_at=WALL,
        speed=60,
        replay=True,
        position=position,
        limit_at=at,
    )


def seen(timeline: Timeline, reading: ClockReading, count: int = 1000) -> list[Bar]:
    return history.bars(timeline, reading, MINUTES, before=FAR, count=count)


def test_bars_show_the_first_session_before_anything_is_published(timeline: Timeline) -> None:
    found = seen(timeline, reading_at(timeline, 0))
    assert [b.opened_at for b in found] == [r.opened_at for r in timeline.series[0].rows[:3]]


@settings(deadline=None)
@given(st.data(), st.integers(0, 2))
def test_bars_are_history_and_what_was_published(
    timeline: Timeline, data: st.DataObject, epoch: int
) -> None:
    position = data.draw(st.integers(0, len(timeline.steps)))
    reading = reading_at(timeline, position, epoch)
    found = [b for b in seen(timeline, reading) if b.epoch == epoch]
    said = [f for p in range(position) for f in timeline.events(p, epoch)]
    minutes = [f for f in said if isinstance(f, Bar) and f.interval == "1m"]
    assert [b.closed_at for b in found if b.opened_at >= clock.instant(timeline, epoch, 0)] == [
        b.closed_at for b in minutes
    ]
    assert all(b.closed_at <= reading.market_at for b in found)


def test_bars_of_earlier_loops_stand_as_they_were_published(timeline: Timeline) -> None:
    found = seen(timeline, reading_at(timeline, 0, epoch=2))
    assert [b.epoch for b in found] == [0] * 12 + [1] * 12 + [2] * 3
    opened = [b.opened_at for b in found]
    assert opened == sorted(set(opened))
    fresh = found[-1]
    assert fresh.opened_at == timeline.series[0].rows[2].opened_at + 2 * timeline.loop
    assert fresh.opened_at > timeline.ends_at + timeline.loop


def test_daily_history_of_a_loop_begins_where_the_last_one_ended(timeline: Timeline) -> None:
    reading = reading_at(timeline, 0, epoch=1)
    found = history.bars(timeline, reading, 2, before=FAR, count=1000)
    opened = [b.opened_at for b in found]
    assert opened == sorted(set(opened))
    assert {b.epoch for b in found} == {0, 1}


@pytest.mark.parametrize(
    ("count", "expected"), [pytest.param(2, 2, id="few"), pytest.param(100, 12, id="all")]
)
def test_bars_are_the_newest(timeline: Timeline, count: int, expected: int) -> None:
    found = seen(timeline, reading_at(timeline, len(timeline.steps)), count)
    assert len(found) == expected
    assert found[-1].closed_at == timeline.ends_at


def test_bars_had_closed_by_before(timeline: Timeline) -> None:
    edge = timeline.steps[2].at
    reading = reading_at(timeline, len(timeline.steps))
    found = history.bars(timeline, reading, MINUTES, before=edge, count=1)
    assert found[0].closed_at <= edge
    earlier = edge - timedelta(microseconds=1)
    assert history.bars(timeline, reading, MINUTES, before=earlier, count=1) != found


def test_listing_names_every_series(timeline: Timeline) -> None:
    listed = history.listing(timeline, reading_at(timeline, 0))
    assert [(one.symbol, one.interval) for one in listed] == [
        ("AAPL", "1m"),
        ("AAPL", "1d"),
        ("MSFT", "1d"),
    ]
    assert listed[0].first == timeline.series[0].rows[0].opened_at
    assert listed[0].last == timeline.series[0].rows[2].opened_at


def test_find_is_none_when_there_is_no_such_series(timeline: Timeline) -> None:
    assert history.find(timeline, "MSFT", "1m") is None
    assert history.find(timeline, "MSFT", "1d") == 2
