"""Market time runs on between readings, and freezes rather than guesses."""

from datetime import UTC, datetime, timedelta

import pytest

from signalbox.contracts.clock import ClockReading
from signalbox.runtime.clock import MarketClock
from signalbox.testing.examples import NOON

WALL = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def clock(**over: object) -> MarketClock:
    found = MarketClock()
    hear(found, **over)
    return found


def hear(clock: MarketClock, **over: object) -> None:
    """A reading of noon comes in."""
    fields: dict[str, object] = {
        "epoch": 1,
        "market_at": NOON,
        "wall_at": WALL,
        "speed": 60,
        "replay": True,
        "position": 0,
    }
    reading = ClockReading(**(fields | over))  # type: ignore[arg-type]  # a test's own fields
    clock.take(reading.model_dump_json().encode())


@pytest.mark.parametrize(
    ("elapsed_s", "expected_s"),
    [
        pytest.param(0, 0, id="at the reading"),
        pytest.param(2, 120, id="at the replay's speed"),
        pytest.param(-1, 0, id="never backwards when this clock lags"),
        pytest.param(3600, 180, id="stops three seconds after the last reading"),
    ],
)
def test_now(elapsed_s: float, expected_s: float) -> None:
    assert clock().now(WALL + timedelta(seconds=elapsed_s)) == NOON + timedelta(seconds=expected_s)


def test_now_stops_at_the_next_event() -> None:
    limit = NOON + timedelta(seconds=30)
    assert clock(limit_at=limit).now(WALL + timedelta(seconds=2)) == limit


def test_a_replay_that_is_slowed_down_waits_and_does_not_run_back() -> None:
    found, second = clock(), timedelta(seconds=1)
    assert found.now(WALL + second) == NOON + 60 * second
    hear(found, speed=1, wall_at=WALL + second / 2, market_at=NOON + 30 * second)
    assert found.now(WALL + second) == NOON + 60 * second
    assert found.now(WALL + 3 * second) == NOON + 60 * second
    hear(found, speed=1, wall_at=WALL + 40 * second, market_at=NOON + 70 * second)
    assert found.now(WALL + 41 * second) == NOON + 71 * second


@pytest.mark.parametrize("over", [{"epoch": 2}, {"replay": False, "epoch": 1}])
def test_another_feed_may_begin_earlier(over: dict[str, object]) -> None:
    found, hour = clock(), timedelta(hours=1)
    found.now(WALL)
    hear(found, market_at=NOON - hour, **over)
    assert found.now(WALL) == NOON - hour


def test_frozen_when_nobody_renews() -> None:
    assert not clock().frozen(WALL + timedelta(seconds=3))
    assert clock().frozen(WALL + timedelta(seconds=3.1))
    assert MarketClock().frozen(WALL)


def test_take_ignores_an_older_reading() -> None:
    found = clock()
    older = ClockReading(
        epoch=0,
        market_at=NOON,
        wall_at=WALL - timedelta(seconds=1),
        speed=1,
        replay=True,
        position=0,
    )
    found.take(older.model_dump_json().encode())
    assert found.reading is not None
    assert found.reading.epoch == 1
