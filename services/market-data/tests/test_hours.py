"""New York's sessions: holidays, early closes, daylight saving; and when to look for bars."""

from datetime import UTC, date, datetime

import pytest

from market_data.adapters.exchange import new_york
from market_data.domain.grid import is_on_grid, last_close, next_close, next_look, quote_pause_s
from market_data.domain.hours import Hours


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def hours() -> Hours:
    return new_york(date(2026, 11, 23))


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        pytest.param("2026-11-25", "14:30", "21:00", id="winter"),
        pytest.param("2026-11-27", "14:30", "18:00", id="early close after Thanksgiving"),
        pytest.param("2026-12-24", "14:30", "18:00", id="early close on Christmas Eve"),
        pytest.param("2026-10-30", "13:30", "20:00", id="the Friday before clocks go back"),
        pytest.param("2026-11-02", "14:30", "21:00", id="the Monday after"),
        pytest.param("2027-03-12", "14:30", "21:00", id="the Friday before clocks go forward"),
        pytest.param("2027-03-15", "13:30", "20:00", id="the Monday after that"),
    ],
)
def test_a_session(hours: Hours, day: str, opens: str, closes: str) -> None:
    session = hours.on(date.fromisoformat(day))
    assert session == (at(f"{day}T{opens}"), at(f"{day}T{closes}"))
    assert session is not None
    assert hours.session(session.opens_at) == session
    assert hours.session(session.closes_at) is None
    assert hours.last_closed(session.closes_at) == session


@pytest.mark.parametrize(
    "day",
    [
        pytest.param("2026-11-26", id="Thanksgiving"),
        pytest.param("2026-12-25", id="Christmas"),
        pytest.param("2027-01-01", id="New Year"),
        pytest.param("2026-07-03", id="Independence Day, observed"),
        pytest.param("2025-01-09", id="a day of mourning"),
        pytest.param("2026-11-28", id="Saturday"),
    ],
)
def test_a_day_without_a_session(hours: Hours, day: str) -> None:
    assert hours.on(date.fromisoformat(day)) is None
    assert hours.session(at(f"{day}T16:00")) is None


def test_the_session_after_a_long_weekend(hours: Hours) -> None:
    following = hours.next_opening(at("2026-12-31T21:00"))
    assert following is not None
    assert following.opens_at == at("2027-01-04T14:30")


def test_what_is_not_known_is_closed() -> None:
    empty = Hours(())
    assert empty.session(at("2026-11-25T16:00")) is None
    assert next_close("1m", empty, at("2026-11-25T16:00")) is None
    assert next_look("1m", empty, at("2026-11-25T16:00")) == at("2026-11-25T17:00")


@pytest.mark.parametrize(
    ("interval", "now", "last", "following"),
    [
        pytest.param("1m", "11-25T14:30:30", "11-24T21:00", "11-25T14:31", id="first minute"),
        pytest.param("1m", "11-25T14:31:00", "11-25T14:31", "11-25T14:32", id="on the minute"),
        pytest.param("30m", "11-25T15:29:59", "11-25T15:00", "11-25T15:30", id="half hours"),
        pytest.param("1m", "11-25T23:00:00", "11-25T21:00", "11-27T14:31", id="over a holiday"),
        pytest.param("1m", "11-27T18:00:00", "11-27T18:00", "11-30T14:31", id="early close"),
        pytest.param("1d", "11-27T15:00:00", "11-25T21:00", "11-27T18:00", id="day, early close"),
        pytest.param("1d", "11-28T15:00:00", "11-27T18:00", "11-30T21:00", id="day, weekend"),
    ],
)
def test_when_bars_close(hours: Hours, interval: str, now: str, last: str, following: str) -> None:
    now_at = at(f"2026-{now}")
    assert last_close(interval, hours, now_at) == at(f"2026-{last}")
    assert next_close(interval, hours, now_at) == at(f"2026-{following}")


def test_crypto_never_closes() -> None:
    sunday = at("2026-11-29T03:07:30")
    assert last_close("5m", None, sunday) == at("2026-11-29T03:05")
    assert next_close("5m", None, sunday) == at("2026-11-29T03:10")
    assert next_close("1d", None, sunday) == at("2026-11-29T04:00")


def test_a_bar_is_looked_for_right_after_its_close_and_again_for_what_is_late(
    hours: Hours,
) -> None:
    now, looks = at("2026-11-25T14:31:00"), []
    for _ in range(5):
        now = next_look("1m", hours, now)
        looks.append(now.strftime("%M:%S"))
    assert looks == ["31:02", "31:06", "31:15", "31:35", "32:02"]
    assert next_look("1m", hours, at("2026-11-28T12:00")) == at("2026-11-30T14:31:02")
    assert next_look("1d", hours, at("2026-11-27T18:10")) == at("2026-11-27T18:30")
    assert next_look("1d", hours, at("2026-11-28T15:00")) == at("2026-11-30T14:30")  # splits


@pytest.mark.parametrize(
    ("now", "pause_s"),
    [
        pytest.param("2026-11-25T15:00:00", 5, id="open"),
        pytest.param("2026-11-26T15:00:00", 60, id="holiday"),
        pytest.param("2026-11-27T14:29:40", 20, id="about to open"),
        pytest.param("2026-11-27T14:29:58", 5, id="never faster than usual"),
    ],
)
def test_quotes_of_a_closed_market_are_looked_at_seldom(
    hours: Hours, now: str, pause_s: float
) -> None:
    assert quote_pause_s(5, hours, at(now)) == pause_s
    assert quote_pause_s(5, None, at(now)) == 5


def test_the_grid_begins_with_the_session(hours: Hours) -> None:
    assert is_on_grid(at("2026-11-25T15:00"), "30m", hours)
    assert not is_on_grid(at("2026-11-25T15:00:30"), "1m", hours)
    assert is_on_grid(at("2026-11-29T03:05"), "5m", None)
