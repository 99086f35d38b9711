"""Alpaca's JSON: exact numbers, sound rows, clean headlines; noise is refused and never raises."""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market_data.domain import alpaca as wire
from market_data.domain.alpaca import Bars
from market_data.domain.hours import Hours
from market_data.domain.rows import session_on
from signalbox.contracts.errors import TransientError

D = Decimal
NOW = datetime(2026, 8, 3, 16, 0, tzinfo=UTC)
HOURS = Hours((session_on(date(2026, 7, 31)), session_on(date(2026, 8, 3))))
BAR = {"t": "2026-08-03T15:00:00Z", "o": 1, "h": 3, "l": 1, "c": 2, "v": 10}
QUOTE = {"t": "2026-08-03T15:59:59.123456789Z", "bp": 1.5, "ap": 2}
ARTICLE = {
    "id": 7,
    "headline": "Apple rises",
    "created_at": "2026-08-03T15:00:00Z",
    "updated_at": "2026-08-03T15:10:00Z",
    "symbols": ["AAPL", "BTCUSD", "OTHER"],
}
NOISE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def bars(
    *rows: Any, interval: str = "1m", hours: Hours | None = HOURS, closed_by: datetime = NOW
) -> Bars:
    into = Bars()
    raw = json.dumps({"bars": {"AAPL": rows}}).encode()
    wire.read_bars(wire.read_json(raw), into, interval, hours, closed_by=closed_by)
    return into


def test_numbers_are_exact() -> None:
    raw = json.dumps({"bars": {"AAPL": [BAR]}}).replace('"c": 2', '"c": 2.0000000000000000001')
    into = Bars()
    wire.read_bars(wire.read_json(raw.encode()), into, "1m", HOURS, closed_by=NOW)
    assert into.rows["AAPL"][0].close == D("2.0000000000000000001")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"c": None}, "not_a_number", id="nothing"),
        pytest.param({"c": True}, "not_a_number", id="a truth"),
        pytest.param({"c": float("nan")}, "not_a_number", id="NaN"),
        pytest.param({"v": float("inf")}, "not_a_number", id="infinite"),
        pytest.param({"c": "1e400"}, "not_a_number", id="beyond all measure"),
        pytest.param({"o": "1." + "3" * 40}, "not_a_number", id="too many digits"),
        pytest.param({"l": 0}, "price_not_positive", id="no price"),
        pytest.param({"v": -1}, "volume_negative", id="negative volume"),
        pytest.param({"h": 1.5}, "ohlc_order", id="above the high"),
        pytest.param({"t": "2026-08-03T15:00:00"}, "bad_time", id="no zone"),
        pytest.param({"t": "0001-01-01T00:00:00+14:00"}, "bad_time", id="before time"),
        pytest.param({"t": "9999-12-31T23:59:59Z"}, "bad_time", id="after it"),
        pytest.param({"t": 1785769200}, "bad_time", id="a number"),
        pytest.param({"t": "2026-08-03T15:00:07Z"}, "off_grid", id="not on the minute"),
    ],
)
def test_a_bar_that_is_not_sound(change: dict[str, Any], reason: str) -> None:
    found = bars(BAR | change, BAR)
    assert found.refused == {reason: 1}
    assert len(found.rows["AAPL"]) == 1


def test_a_day_of_stocks_is_its_session() -> None:
    midnight = "2026-07-31T04:00:00Z"
    (day,) = bars(BAR | {"t": midnight}, interval="1d").rows["AAPL"]
    assert (day.opened_at, day.closed_at) == session_on(date(2026, 7, 31))
    assert bars(BAR | {"t": "2026-08-03T04:00:00Z"}, interval="1d").rows == {}  # still open
    assert bars(BAR | {"t": "2026-08-01T04:00:00Z"}, interval="1d").refused == {
        "outside_session": 1
    }


@pytest.mark.parametrize(
    ("opens", "closes", "lasts"),
    [
        pytest.param("2026-07-31T05:00", "2026-08-01T05:00", 24, id="summer"),
        pytest.param("2026-01-31T06:00", "2026-02-01T06:00", 24, id="winter"),
        pytest.param("2026-03-07T06:00", "2026-03-08T06:00", 24, id="before clocks go forward"),
        pytest.param("2026-03-08T06:00", "2026-03-09T05:00", 23, id="clocks go forward"),
        pytest.param("2025-11-01T05:00", "2025-11-02T05:00", 24, id="before clocks go back"),
        pytest.param("2025-11-02T05:00", "2025-11-03T06:00", 25, id="clocks go back"),
    ],
)
def test_a_day_of_crypto_ends_at_midnight_in_chicago(opens: str, closes: str, lasts: int) -> None:
    closes_at = datetime.fromisoformat(closes).replace(tzinfo=UTC)
    one, last_trade = BAR | {"t": f"{opens}:00Z"}, closes_at - timedelta(microseconds=1)
    (day,) = bars(one, interval="1d", hours=None, closed_by=closes_at).rows["AAPL"]
    assert (day.closed_at, day.closed_at - day.opened_at) == (closes_at, timedelta(hours=lasts))
    assert bars(one, interval="1d", hours=None, closed_by=last_trade).rows == {}


@pytest.mark.parametrize("opens", ["2026-07-31T06:00", "2026-01-31T05:00", "2026-07-31T00:00"])
def test_a_day_of_crypto_that_begins_at_no_midnight_there_is_refused(opens: str) -> None:
    found = bars(BAR | {"t": f"{opens}:00Z"}, interval="1d", hours=None)
    assert (found.rows, found.refused) == ({}, {"off_grid": 1})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"bp": 0}, "one_sided", id="no bid"),
        pytest.param({"ap": 0}, "one_sided", id="no ask"),
        pytest.param({"bp": 3}, "crossed", id="crossed"),
        pytest.param({"ap": float("nan")}, "not_a_number", id="NaN"),
        pytest.param({"t": "2026-08-03T16:00:09Z"}, "from_the_future", id="ahead"),
        pytest.param({"t": ""}, "bad_time", id="no time"),
    ],
)
def test_a_quote_that_is_not_sound(change: dict[str, Any], reason: str) -> None:
    refused: Counter[str] = Counter()
    raw = json.dumps({"quotes": {"MSFT": QUOTE | change, "AAPL": QUOTE}}).encode()
    (tick,) = wire.read_quotes(wire.read_json(raw), refused, now=NOW)
    assert refused == {reason: 1}
    assert (tick.symbol, tick.bid) == ("AAPL", D("1.5"))
    assert tick.at == datetime(2026, 8, 3, 15, 59, 59, 123456, tzinfo=UTC)


def articles(*listed: Any, refused: Counter[str] | None = None) -> list[wire.Article]:
    counted = Counter[str]() if refused is None else refused
    return wire.read_news({"news": list(listed)}, ["AAPL", "BTC/USD"], counted, now=NOW)


def test_an_article_is_news_for_each_followed_symbol_that_it_names() -> None:
    (article,) = articles(ARTICLE)
    assert [(n.news_id, n.symbol) for n in article.news] == [
        ("alpaca-7", "AAPL"),
        ("alpaca-7", "BTC/USD"),
    ]
    assert article.published_at == NOW - timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("  Apple\n\trises ", "Apple rises", id="one line"),
        pytest.param("AT&amp;T &lt;b&gt;up&lt;/b&gt;", "AT&T up", id="entities, then markup"),
        pytest.param("<p>Apple <b>rises</b></p>", "Apple rises", id="markup"),
        pytest.param("Ap\u200bple \u202eup\x00", "Ap ple up", id="hidden characters"),
        pytest.param("x" * 400, "x" * 299 + "…", id="cut"),
    ],
)
def test_headlines_are_cleaned(text: str, expected: str) -> None:
    (article,) = articles(ARTICLE | {"headline": text})
    assert article.news[0].headline == expected


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://x", 7, "https://x/" + "y" * 3000, None]
)
def test_a_link_is_plain_or_none(url: object) -> None:
    (article,) = articles(ARTICLE | {"url": url})
    assert article.news[0].url == ""
    (good,) = articles(ARTICLE | {"url": "https://example.com/a"})
    assert good.news[0].url == "https://example.com/a"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"headline": " <b></b> "}, "no_headline", id="empty"),
        pytest.param({"id": None}, "no_headline", id="no id"),
        pytest.param({"created_at": "2026-08-03T17:00:00Z"}, "from_the_future", id="ahead"),
        pytest.param({"created_at": "now"}, "bad_time", id="no time"),
    ],
)
def test_an_article_that_is_not_sound(change: dict[str, Any], reason: str) -> None:
    refused: Counter[str] = Counter()
    assert len(articles(ARTICLE | change, ARTICLE, refused=refused)) == 1
    assert refused == {reason: 1}


@given(st.lists(NOISE, max_size=4))
def test_noise_is_counted_and_never_raises(rows: list[object]) -> None:
    found, refused = bars(*rows), Counter[str]()
    assert found.refused.total() == len(rows)
    assert wire.read_quotes({"quotes": dict(enumerate(rows))}, refused, now=NOW) == []
    assert articles(*rows, refused=refused) == []
    assert refused.total() == 2 * len(rows)


@given(st.binary(max_size=60))
def test_an_answer_is_read_or_it_is_no_answer(content: bytes) -> None:
    with pytest.raises(TransientError):
        wire.read_bars(wire.read_json(content), Bars(), "1m", HOURS, closed_by=NOW)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param("alpaca: HTTP 400 invalid symbol: FOO", ["FOO"], id="one"),
        pytest.param(
            "code=400, message=invalid symbol(s): BTC/XYZ, FOO.", ["BTC/XYZ", "FOO"], id="two"
        ),
        pytest.param("invalid symbol: FOOBAR", [], id="none that was asked"),
        pytest.param("invalid timeframe for FOO", [], id="something else"),
    ],
)
def test_which_symbols_are_invalid(message: str, expected: list[str]) -> None:
    assert wire.invalid_symbols(message, ["FOO", "BTC/XYZ", "AAPL"]) == expected
