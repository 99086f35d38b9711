"""Lines become rows or are refused with a reason."""

from datetime import UTC, date, datetime
from decimal import Decimal as D
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market_data.domain.rows import Line, day_span, minute_span, read, session_of, session_on

GOOD = Line("2026-07-29 09:30:00-04:00", "10", "12", "9", "11", "500")


def line(**over: str) -> Line:
    return GOOD._replace(**over)


def test_read_gives_a_row_when_the_line_is_sound() -> None:
    (row,) = read([line(open="339.69000244140625", high="400")], minute_span).rows
    assert row.open == D("339.6900")
    assert (row.opened_at, row.closed_at) == (
        datetime(2026, 7, 29, 13, 30, tzinfo=UTC),
        datetime(2026, 7, 29, 13, 31, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param(line(when="soon"), "bad_time", id="no time"),
        pytest.param(line(when="2026-07-29 09:30:00"), "bad_time", id="no offset"),
        pytest.param(line(when=""), "bad_time", id="empty line"),
        pytest.param(line(open="ten"), "not_a_number", id="text for a price"),
        pytest.param(line(close=""), "not_a_number", id="no price"),
        pytest.param(line(high="NaN"), "not_a_number", id="not a number"),
        pytest.param(line(high="Infinity"), "not_a_number", id="infinite"),
        pytest.param(line(volume="sNaN"), "not_a_number", id="signalling"),
        pytest.param(line(volume="many"), "not_a_number", id="text for a volume"),
        pytest.param(line(low="0"), "price_not_positive", id="zero price"),
        pytest.param(line(low="0.00001"), "price_not_positive", id="rounds to zero"),
        pytest.param(line(open="-1"), "price_not_positive", id="negative price"),
        pytest.param(line(volume="-1"), "volume_negative", id="negative volume"),
        pytest.param(line(low="10.5"), "ohlc_order", id="low above open"),
        pytest.param(line(close="12.5"), "ohlc_order", id="close above high"),
        pytest.param(line(high="8"), "ohlc_order", id="high below low"),
        pytest.param(
            line(when="2026-07-29 09:29:00-04:00"), "outside_session", id="before the open"
        ),
        pytest.param(
            line(when="2026-07-29 16:00:00-04:00"), "outside_session", id="after the close"
        ),
        pytest.param(line(when="2026-08-01 12:00:00-04:00"), "outside_session", id="Saturday"),
    ],
)
def test_read_refuses_and_counts(bad: Line, reason: str) -> None:
    table = read([bad, GOOD, bad], minute_span)
    assert len(table.rows) == 1
    assert table.refused == {reason: 2}


def test_read_refuses_a_row_when_it_overlaps_the_one_before() -> None:
    later = line(when="2026-07-29 09:31:00-04:00")
    table = read([later, GOOD, later, line(when="2026-07-29 09:32:00-04:00")], minute_span)
    assert [row.opened_at.minute for row in table.rows] == [31, 32]
    assert table.refused == {"not_in_order": 2}


def test_read_multiplies_volume_when_the_file_counts_in_hundreds() -> None:
    table = read([line(when="20100820")], day_span, volume_unit=D(100))
    assert table.rows[0].volume == 50_000


@given(st.lists(st.builds(Line, *[st.text(max_size=12)] * 6)))
def test_read_never_raises(lines: list[Line]) -> None:
    for span_of in (minute_span, day_span):
        table = read(lines, span_of)
        assert len(table.rows) + sum(table.refused.values()) == len(lines)


@pytest.mark.parametrize(
    ("day", "opens_hour", "closes_hour"),
    [
        pytest.param(date(2026, 7, 30), 13, 20, id="summer"),
        pytest.param(date(2026, 1, 15), 14, 21, id="winter"),
        pytest.param(date(2026, 3, 6), 14, 21, id="before the clocks go forward"),
        pytest.param(date(2026, 3, 9), 13, 20, id="after the clocks went forward"),
        pytest.param(date(2026, 10, 30), 13, 20, id="before the clocks go back"),
        pytest.param(date(2026, 11, 2), 14, 21, id="after the clocks went back"),
    ],
)
def test_session_on_follows_new_york(day: date, opens_hour: int, closes_hour: int) -> None:
    opens, closes = session_on(day)
    assert (opens.hour, opens.minute, closes.hour) == (opens_hour, 30, closes_hour)
    assert session_of(opens) == session_of(closes) == (opens, closes)


def test_day_span_keeps_the_true_date_when_moved() -> None:
    span = partial(day_span, weeks=834)("20100805")
    assert span.opened_at == datetime(2026, 7, 30, 13, 30, tzinfo=UTC)
    assert span.closed_at == datetime(2026, 7, 30, 20, 0, tzinfo=UTC)
    assert span.true_opened_at == datetime(2010, 8, 5, 13, 30, tzinfo=UTC)


def test_day_span_uses_the_hours_of_the_moved_date_when_clocks_differ() -> None:
    span = partial(day_span, weeks=834)("20091105")  # winter time in 2009
    assert span.opened_at.hour == 13  # 30 October 2025 was still summer time
    assert span.true_opened_at.hour == 14
