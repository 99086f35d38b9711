"""Splits: no bars of two scales stand in one history, and whoever keeps bars hears of a change."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import JsonValue

from market_data.domain.hours import Hours
from market_data.domain.rows import Row, session_on
from market_data.domain.scale import Again, one_scale_from, rescaled_by
from signalbox.contracts.commands import Command
from signalbox.contracts.errors import TransientError
from signalbox.contracts.events import BarClosed

Station = Any
D = Decimal
MINUTE = timedelta(minutes=1)
FRIDAY, MONDAY, TUESDAY = date(2026, 7, 31), date(2026, 8, 3), date(2026, 8, 4)
HOURS = Hours(tuple(session_on(day) for day in (FRIDAY, MONDAY, TUESDAY)))
NOON = datetime(2026, 8, 3, 16, 0, tzinfo=UTC)


def row(at: datetime, *prices: str) -> Row:
    opened, high, low, close = (D(price) for price in (prices if len(prices) > 1 else prices * 4))
    return Row(at, at + MINUTE, at, opened, high, low, close, D(100))


@pytest.mark.parametrize(
    ("again", "factor"),
    [
        pytest.param([], None, id="nothing was known"),
        pytest.param([("100", "100"), ("101", "101")], None, id="the same"),
        pytest.param([("100", "25"), ("101", "25.25")], D("0.25"), id="four for one"),
        pytest.param([("2.01", "20.1"), ("2", "20")], D(10), id="one for ten"),
        pytest.param([("100", "66.67"), ("101", "67.33")], D("67.33") / 101, id="three for two"),
        pytest.param([("25", "25"), ("100", "25")], None, id="two bars disagree"),
        pytest.param([("100", "25"), ("101", "25.25"), ("25", "25")], D("0.25"), id="since then"),
        pytest.param([("100", "101"), ("100", "101")], None, id="too little for a split"),
        pytest.param([("100", "50")], None, id="one bar alone"),
    ],
)
def test_by_which_factor_known_prices_have_changed(
    again: list[tuple[str, str]], factor: Decimal | None
) -> None:
    pairs = [Again(row(NOON, known), row(NOON, read)) for known, read in again]
    assert rescaled_by(pairs) == factor


def test_a_price_that_is_put_right_is_no_other_scale() -> None:
    known, read = row(NOON, "100", "140", "99", "140"), row(NOON, "100", "102", "99", "101")
    assert rescaled_by([Again(known, read)]) is None


@pytest.mark.parametrize(
    ("opens_at", "now", "place"),
    [
        pytest.param("25", TUESDAY, 2, id="a quarter"),
        pytest.param("131", TUESDAY, 2, id="a third more"),
        pytest.param("78", TUESDAY, 0, id="a bad day"),
        pytest.param("25", TUESDAY + timedelta(days=7), 0, id="so long ago that it is real"),
    ],
)
def test_from_where_on_prices_are_of_one_scale(opens_at: str, now: date, place: int) -> None:
    friday, monday, tuesday = (session_on(day).opens_at for day in (FRIDAY, MONDAY, TUESDAY))
    rows = [row(friday, "100"), row(monday, "100"), row(tuesday, opens_at)]
    end = datetime.combine(now, session_on(TUESDAY).closes_at.timetz())
    assert one_scale_from(rows, HOURS, end) == place
    assert one_scale_from(rows[2:], HOURS, end) == 0


def test_a_fall_within_a_session_is_no_split() -> None:
    opens = session_on(MONDAY).opens_at
    rows = [row(opens, "100"), row(opens + MINUTE, "30")]
    assert one_scale_from(rows, HOURS, opens + 2 * MINUTE) == 0


async def history(live: Any, interval: str = "1m") -> list[dict[str, Any]]:
    body: dict[str, JsonValue] = {"symbol": "AAPL", "interval": interval, "count": 1000}
    command = Command(request_id="1", by="test", deadline=NOON, body=body)
    found: list[dict[str, Any]] = (await live.bars(command))["bars"]
    return found


def at_scale(factor: str) -> dict[str, Decimal]:
    """Prices of a bar."""
    usual = {"open": "200", "high": "202", "low": "199", "close": "201"}
    return {name: D(price) * D(factor) for name, price in usual.items()}


def split(station: Station, interval: str = "1m", factor: str = "0.25") -> None:
    """The provider adjusts for a split on Tuesday."""
    series, ex_date = station.prices.kept["AAPL", interval], session_on(TUESDAY).opens_at
    changed = at_scale(factor)
    series[:] = [b.model_copy(update=changed) if b.opened_at < ex_date else b for b in series]


def closes(bars: list[dict[str, Any]]) -> set[Decimal]:
    return {D(bar["close"]) for bar in bars}


async def a_monday(station: Station) -> Any:
    """The last ten minutes of Monday are out, a long history stands before them."""
    closing = session_on(MONDAY).closes_at
    station.prices.add(session_on(FRIDAY).opens_at, minutes=390, **at_scale("1"))
    station.prices.add(closing - 20 * MINUTE, minutes=20, **at_scale("1"))
    station.host.wall = closing - 10 * MINUTE
    live = await station.started()
    station.host.wall = closing
    await live.lanes[0].look()
    assert len(station.of(BarClosed)) == 10
    return live


def tuesday_opens(station: Station, minutes: int = 1) -> None:
    opens = session_on(TUESDAY).opens_at
    station.prices.add(opens, minutes=minutes, **at_scale("0.25"))
    station.host.wall = opens + minutes * MINUTE


async def test_after_a_split_the_history_is_of_the_new_scale_and_bars_say_so(
    station: Station,
) -> None:
    live = await a_monday(station)
    split(station)
    tuesday_opens(station)
    await live.lanes[0].look()
    before, after = station.of(BarClosed)[-2:]
    assert (before.close, after.close) == (D(201), D("50.25"))
    assert (before.origin, after.origin) == (
        "alpaca iex",
        "alpaca iex, scale of 2026-08-04T13:31:00+00:00",
    )
    known = await history(live)
    assert (closes(known), len(known)) == ({D("50.25")}, 411)
    assert {bar["origin"] for bar in known} == {after.origin}
    ((code, about, active, message),) = station.host.alerts
    assert (code, about, active) == ("price_scale", "feed:alpaca:AAPL", False)
    assert "times 0.25" in message


async def test_rows_that_are_not_read_again_do_not_outlive_a_split(station: Station) -> None:
    opens = session_on(date(2026, 7, 29)).opens_at
    station.prices.add(opens, minutes=3, **at_scale("1"))
    station.prices.add(session_on(MONDAY).opens_at, minutes=3, **at_scale("1"))
    station.host.wall = opens + 3 * MINUTE
    live = await station.started()
    station.host.wall = session_on(MONDAY).closes_at
    await live.lanes[0].look()
    assert len(await history(live)) == 6
    split(station)
    tuesday_opens(station)
    await live.lanes[0].look()
    known = await history(live)
    assert (closes(known), len(known)) == ({D("50.25")}, 4)
    assert [alert[0] for alert in station.host.alerts] == ["price_scale"]  # no jump is left


async def test_a_split_while_the_feed_was_down_is_noticed_and_not_forgotten(
    station: Station,
) -> None:
    await a_monday(station)
    split(station)
    tuesday_opens(station)
    await station.started()
    origin = station.of(BarClosed)[-1].origin
    assert origin == "alpaca iex, scale of 2026-08-04T13:31:00+00:00"
    station.pass_by(minutes=1)
    station.prices.add(session_on(TUESDAY).opens_at + MINUTE, **at_scale("0.25"))
    live = await station.started()
    assert station.of(BarClosed)[-1].origin == origin
    assert {bar["origin"] for bar in await history(live)} == {origin}
    assert [alert[0] for alert in station.host.alerts] == ["price_scale"]


async def test_a_split_that_is_not_adjusted_yet_cuts_the_history_until_it_is(
    station: Station,
) -> None:
    live = await a_monday(station)
    tuesday_opens(station, minutes=2)
    await live.lanes[0].look()
    known = await history(live)
    assert (closes(known), len(known)) == ({D("50.25")}, 2)
    origin = "alpaca iex, scale of 2026-08-04T13:30:00+00:00"
    assert {bar.origin for bar in station.of(BarClosed)[-2:]} == {origin}
    station.pass_by(minutes=59)
    split(station)
    await live.lanes[0].look()  # not read again before an hour has passed
    assert len(await history(live)) == 2
    station.pass_by(minutes=1)
    await live.lanes[0].look()
    known = await history(live)
    assert (closes(known), len(known)) == ({D("50.25")}, 412)
    assert {bar["origin"] for bar in known} == {origin}  # the scale is the same
    told = [("price_jump", "feed:alpaca:AAPL:1m", active) for active in (True, False)]
    assert [alert[:3] for alert in station.host.alerts] == told
    assert live.health.late == 0


async def test_a_jump_that_stays_is_real_after_a_week(station: Station) -> None:
    await a_monday(station)
    tuesday_opens(station)
    for day, factor in ((MONDAY, "1"), (TUESDAY, "0.25")):
        station.prices.add_day(session_on(day), **at_scale(factor))
    station.host.wall = session_on(TUESDAY).closes_at
    live = await station.started(intervals=("1m", "1d"))
    assert [closes(await history(live, i)) for i in ("1m", "1d")] == [{D("50.25")}] * 2
    station.pass_by(days=7)
    for lane in live.lanes:
        await lane.look()
    assert closes(await history(live, "1d")) == {D(201), D("50.25")}
    assert [alert[2] for alert in station.host.alerts] == [True, True, False, False]


async def test_days_that_come_on_another_scale_have_the_whole_history_read_again(
    station: Station,
) -> None:
    days = [
        MONDAY - timedelta(days=n) for n in range(35) if (MONDAY - timedelta(days=n)).weekday() < 5
    ]
    for day in reversed(days):
        station.prices.add_day(session_on(day), **at_scale("1"))
    session = session_on(TUESDAY)
    station.host.wall = session.opens_at
    live = await station.started(intervals=("1d",))
    assert closes(await history(live, "1d")) == {D(201)}
    split(station, "1d")
    station.prices.add_day(session, **at_scale("0.25"))
    station.host.wall = session.closes_at
    await live.lanes[0].look()
    known = await history(live, "1d")
    assert (closes(known), len(known)) == ({D("50.25")}, 26)


async def test_a_change_that_could_not_be_told_is_told_with_the_next_look(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = await a_monday(station)
    split(station)
    tuesday_opens(station)
    with monkeypatch.context() as patched:
        patched.setattr(station.host, "alert", _fails)
        with pytest.raises(TransientError):
            await live.lanes[0].look()
    await live.lanes[0].look()
    assert [alert[0] for alert in station.host.alerts] == ["price_scale"]
    assert closes(await history(live)) == {D("50.25")}


async def _fails(*_: object, **__: object) -> None:
    raise TransientError("no stream answers")
