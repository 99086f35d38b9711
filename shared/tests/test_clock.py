"""Market time runs on between readings, and freezes rather than guesses."""

from datetime import UTC, datetime, timedelta

import pytest

from signalbox.contracts.clock import ClockReading
from signalbox.runtime.clock import MarketClock
from signalbox.testing.examples import NOON

WALL = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def clock(**over: object) -> MarketClock:
    found = MarketClock()
    fields: dict[str, object] = {
        "epoch": 1,
        "market_at": NOON,
        "wall_at": WALL,
        "speed": 60,
        "replay": True,
        "position": 0,
    }
    found.take(ClockReading(**(fields | over)).model_dump_json().encode())  # type: ignore[arg-type]  # a test's own fields
    return found


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
