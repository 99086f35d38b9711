"""What the feed says of itself."""

from datetime import UTC, datetime

from market_data.domain import clock
from market_data.domain.feed import describe, refusals
from market_data.domain.timeline import Series, Timeline


def test_describe_names_data_sets_rows_and_refused_lines(
    series: tuple[Series, ...], timeline: Timeline
) -> None:
    empty = Series("XYZ", "1d", "days 2", (), {"bad_time": 5})
    reading = clock.begin(timeline, datetime(2026, 11, 23, tzinfo=UTC), 60)
    body = describe(timeline, [*series, empty], reading)
    assert body["datasets"] == [
        {
            "origin": "minutes 1",
            "series": ["AAPL 1m", "AAPL 1d"],
            "rows": 16,
            "refused": {},
            "from": "2026-07-29T13:30:00+00:00",
            "to": "2026-08-03T19:59:00+00:00",
        },
        {
            "origin": "days 1",
            "series": ["MSFT 1d"],
            "rows": 12,
            "refused": {"ohlc_order": 2},
            "from": "2010-07-26T13:30:00+00:00",
            "to": "2010-08-10T13:30:00+00:00",
        },
        {
            "origin": "days 2",
            "series": ["XYZ 1d"],
            "rows": 0,
            "refused": {"bad_time": 5},
            "from": None,
            "to": None,
        },
    ]
    assert (body["rows"], body["refused"], body["speed"], body["epoch"]) == (28, 7, 60, 0)
    assert body["starts_at"] == timeline.starts_at.isoformat()


def test_refusals_add_up_by_data_set() -> None:
    one = Series("A", "1d", "x", (), {"bad_time": 1})
    two = Series("B", "1d", "x", (), {"bad_time": 2, "ohlc_order": 1})
    assert refusals([one, two]) == {"x": {"bad_time": 3, "ohlc_order": 1}}
