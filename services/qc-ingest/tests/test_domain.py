"""QuantConnect's wire: every vintage of it, and nothing that breaks the reader."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qc_ingest.domain.deployments import parse_deployment, parse_project_ids
from qc_ingest.domain.insights import Direction, parse_insight
from qc_ingest.domain.orders import parse_order, parse_order_event
from qc_ingest.domain.pages import Cursor, Kind, read_fills, read_insights
from qc_ingest.domain.projects import parse_projects
from qc_ingest.domain.signature import sign
from qc_ingest.domain.symbols import canonical_symbol, decode_symbol_id
from qc_ingest.domain.wire import (
    decode,
    normal,
    parse_integer,
    parse_number,
    parse_text,
    parse_time,
)
from signalbox.contracts.errors import Malformed, TransientError

D = Decimal
ID = "5f0d6b3e9a1c4f27b8e2d4a6c9b01357"
INSIGHT: dict[str, Any] = {
    "id": ID,
    "groupId": None,
    "sourceModel": "EmaCrossAlpha(10,30)",
    "generatedTime": 1795185060.0,
    "closeTime": 1795271460.0,
    "symbol": "SPY R735QTJ8XC9X",
    "ticker": "SPY",
    "type": "price",
    "reference": 508.89,
    "direction": "up",
    "period": 86400,
    "magnitude": 0.012,
    "confidence": 0.62,
    "weight": None,
    "tag": None,
}
FILL: dict[str, Any] = {
    "id": "L-0f3c-7-2",
    "algorithmId": "L-0f3c",
    "orderId": 7,
    "orderEventId": 2,
    "symbol": "SPY R735QTJ8XC9X",
    "symbolValue": "SPY",
    "time": 1795185061.4,
    "status": "filled",
    "fillPrice": 508.9,
    "fillQuantity": 40,
    "isAssignment": False,
}


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, D(1)),
        (0.025, D("0.025")),
        ("0.0250", D("0.025")),
        (" 3 ", D(3)),
        ("1e3", D(1000)),
        (None, None),
        ("", None),
        ("NaN", None),
        ("Infinity", None),
        ("-Infinity", None),
        (float("nan"), None),
        (float("inf"), None),
        ("1e-300", D(0)),
        (-0.0, D(0)),
    ],
)
def test_parse_number(value: object, number: Decimal | None) -> None:
    assert parse_number(value) == number


@pytest.mark.parametrize("value", [True, [], {}, "one", "1,000", "$5", "1e999999999", 10**30])
def test_parse_number_refuses(value: object) -> None:
    with pytest.raises(Malformed):
        parse_number(value)


@pytest.mark.parametrize(
    ("value", "at"),
    [
        (1795185060.5, datetime(2026, 11, 20, 14, 31, 0, 500_000, UTC)),
        ("1795185060", datetime(2026, 11, 20, 14, 31, tzinfo=UTC)),
        ("2026-11-20T14:05:09Z", datetime(2026, 11, 20, 14, 5, 9, tzinfo=UTC)),
        ("2026-11-20T14:05:09.25Z", datetime(2026, 11, 20, 14, 5, 9, 250_000, UTC)),
        ("2026-11-20 14:05:09", datetime(2026, 11, 20, 14, 5, 9, tzinfo=UTC)),
        (None, None),
        ("", None),
    ],
)
def test_parse_time(value: object, at: datetime | None) -> None:
    assert parse_time(value) == at


@pytest.mark.parametrize("value", [-1, 1e12, "2026-13-01 00:00:00", "soon", [], True])
def test_parse_time_refuses(value: object) -> None:
    with pytest.raises(Malformed):
        parse_time(value)


def test_parse_integer_refuses_a_fraction() -> None:
    assert parse_integer("7") == 7
    with pytest.raises(Malformed):
        parse_integer(7.5)


def test_decode_keeps_every_digit_and_drops_nan() -> None:
    assert decode('{"a": 0.12345678901234567890, "b": NaN, "c": 1}') == {
        "a": "0.12345678901234567890",
        "b": None,
        "c": 1,
    }


@pytest.mark.parametrize("text", ["{", "", "[" * 100_000, "1" * 5000, b"\xff\xfe"])
def test_decode_refuses(text: str | bytes) -> None:
    with pytest.raises(Malformed):
        decode(text)


def test_parse_text_is_bounded() -> None:
    assert parse_text("x" * 100, longest=10) == "x" * 10
    assert parse_text({"a": 1}, longest=10) == ""
    assert parse_text("\ud800a\x00b", longest=10) == "?ab"


@pytest.mark.parametrize(
    "key", ["closeTime", "CloseTime", "close-time", "close_time", "closeTimeUtc"]
)
def test_one_alias_table_for_every_casing(key: str) -> None:
    assert normal({key: 5})["closetime"] == 5


def test_normal_takes_an_empty_list_for_an_empty_map() -> None:
    assert normal([]) == normal(None) == {}
    with pytest.raises(Malformed):
        normal([1])


@pytest.mark.parametrize(
    ("symbol_id", "ticker", "kind", "market"),
    [
        ("SPY R735QTJ8XC9X", "SPY", 1, 1),
        ("BTCUSD 2XR", "BTCUSD", 7, 38),
        ("EURUSD 8G", "EURUSD", 4, 3),
        ("BTCUSDT 18R", "BTCUSDT", 11, 16),
    ],
)
def test_decode_symbol_id(symbol_id: str, ticker: str, kind: int, market: int) -> None:
    found = decode_symbol_id(symbol_id)
    assert (found.first_ticker, found.security_type, found.market) == (ticker, kind, market)


@pytest.mark.parametrize(
    ("symbol_id", "ticker", "symbol"),
    [
        pytest.param("SPY R735QTJ8XC9X", "SPY", "SPY", id="equity"),
        pytest.param("FB V6OIPNZEM8V9", "META", "META", id="current ticker wins"),
        pytest.param("SPY R735QTJ8XC9X", "", "SPY", id="no ticker"),
        pytest.param("BTCUSD 2XR", "BTCUSD", "BTC/USD", id="crypto"),
        pytest.param("ETHUSDT 2XR", "ETHUSDT", "ETH/USDT", id="longest quote"),
        pytest.param("BRK.B R735QTJ8XC9X", "brk.b", "BRK.B", id="upper case"),
    ],
)
def test_canonical_symbol(symbol_id: str, ticker: str, symbol: str) -> None:
    assert canonical_symbol(symbol_id, ticker) == symbol


@pytest.mark.parametrize(
    ("symbol_id", "says"),
    [
        ("EURUSD 8G", "forex"),
        ("BTCUSDT 18R", "crypto future"),
        ("SPY 2U|SPY R735QTJ8XC9X", "option"),
        ("SPY 2R", "unknown type"),
        ("SPY", "not a symbol id"),
        ("", "not a symbol id"),
        ("SPY r735", "not a symbol id"),
        ("XYZ 2XR", "quote currency"),
        ("A$B R735QTJ8XC9X", "not a symbol"),
    ],
)
def test_canonical_symbol_refuses_in_words(symbol_id: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        canonical_symbol(symbol_id, "")


def test_parse_insight() -> None:
    insight = parse_insight(INSIGHT)
    assert (insight.id, insight.ticker, insight.direction) == (ID, "SPY", Direction.UP)
    assert (insight.confidence, insight.magnitude, insight.weight) == (D("0.62"), D("0.012"), None)
    assert insight.generated_at == datetime(2026, 11, 20, 14, 31, tzinfo=UTC)
    assert insight.closes_at == datetime(2026, 11, 21, 14, 31, tzinfo=UTC)


KEBAB = {
    "id": f"{ID[:8]}-{ID[8:12]}-{ID[12:16]}-{ID[16:20]}-{ID[20:]}",
    "source-model": "EmaCrossAlpha(10,30)",
    "created-time": "1795185060",
    "close-time": 1795271460,
    "symbol": {"id": "SPY R735QTJ8XC9X", "value": "SPY"},
    "type": 0,
    "direction": 1,
    "confidence": "0.62",
    "reference": "508.89",
    "magnitude": "0.012",
}
PASCAL = {key[0].upper() + key[1:]: value for key, value in INSIGHT.items()}
EXPORTED = {
    "insight_id": ID,
    "source_model": "EmaCrossAlpha(10,30)",
    "generated_time": 1795185060,
    "close_time": 1795271460,
    "symbol_id": "SPY R735QTJ8XC9X",
    "ticker": "SPY",
    "direction": "Up",
    "confidence": "0.6200",
    "reference": 508.89,
    "magnitude": 0.012,
}
NO_CLOSE = {key: value for key, value in INSIGHT.items() if key != "closeTime"}


@pytest.mark.parametrize("raw", [KEBAB, PASCAL, EXPORTED, NO_CLOSE])
def test_every_vintage_is_the_same_insight(raw: dict[str, Any]) -> None:
    assert parse_insight(raw) == parse_insight(INSIGHT)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id": "7"}, "32 hex"),
        ({"id": None}, "32 hex"),
        ({"symbol": None}, "symbol is missing"),
        ({"direction": "sideways"}, "not up, down or flat"),
        ({"direction": 2}, "not up, down or flat"),
        ({"generatedTime": None}, "generatedTime is missing"),
        ({"closeTime": None, "period": None}, "neither closeTime"),
        ({"closeTime": None, "period": -5}, "neither closeTime"),
        ({"confidence": {}}, "expected a number"),
        ({"type": "moon"}, "unknown"),
    ],
)
def test_parse_insight_refuses_in_words(change: dict[str, Any], says: str) -> None:
    with pytest.raises(Malformed, match=says):
        parse_insight(INSIGHT | change)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*INSIGHT, *FILL, "events"]), JSON) | JSON)
def test_parsing_raises_nothing_but_malformed(raw: Any) -> None:
    for parse in (parse_insight, parse_order, parse_order_event):
        for value in (raw, INSIGHT | raw if isinstance(raw, dict) else raw):
            with suppress(Malformed):
                parse(value)


@given(st.lists(JSON | st.just(INSIGHT), max_size=5))
def test_a_page_keeps_an_item_for_every_row(rows: list[Any]) -> None:
    assert len(read_insights(rows)) == len(rows)
    read_fills(rows)


def test_read_fills_finds_fills_and_the_first_open_order() -> None:
    submitted = FILL | {"status": "submitted", "fillQuantity": 0, "orderEventId": 1}
    done = {"id": 1, "status": 3, "type": 0, "events": [submitted, FILL]}
    rows: list[Any] = [
        done,
        {"id": 2, "status": 1, "events": [FILL | {"status": "partiallyFilled", "orderId": 8}]},
        done | {"type": 6},
        {"id": "x"},
        done | {"events": [{"time": 5}]},
    ]
    found, first_open = read_fills(rows)
    assert [f.item.id for f in found[:2]] == ["L-0f3c-7-2", "L-0f3c-8-2"]
    assert [f.item.id[:4] for f in found[2:]] == ["bad-", "bad-"]
    assert first_open == 1


@pytest.mark.parametrize(
    ("status", "final"),
    [(3, True), ("canceled", True), (7, True), (None, True), (1, False), ("teleported", False)],
)
def test_an_unknown_order_status_counts_as_open(status: Any, final: bool) -> None:
    assert parse_order({"id": 1, "status": status}).is_final is final


@pytest.mark.parametrize(
    ("next_index", "reread_from", "start"),
    [(0, 0, 0), (50, 50, 0), (99, 99, 0), (250, 250, 151), (250, 20, 20), (5000, 0, 4500)],
)
def test_a_cursor_reads_the_end_again(next_index: int, reread_from: int, start: int) -> None:
    cursor = Cursor("c", 1, "L", Kind.FILLS, next_index=next_index, reread_from=reread_from)
    assert cursor.start == start


def test_sign_is_the_worked_example() -> None:
    assert sign("123", "abc", 1790000000) == {
        "Timestamp": "1790000000",
        "Authorization": "Basic MTIzOjhkNzBhNmI2ZjM4NTMwYzc5NWJmMGZjYzIyMDJlNGU5ZmQ3YTVkMTY0ZWY5OW"
        "Y1ZGI5NDcyMjA2MmM3OWIxOWE=",
    }


def test_parse_deployment() -> None:
    fields = normal({"deployId": "L-1", "status": "Warming", "runtimeStatistics": []})
    found = parse_deployment(7, fields)
    assert (found.status, found.has_ended, found.body()["name"]) == ("Warming", False, "Project 7")
    assert parse_deployment(7, fields | {"status": "RuntimeError"}).has_ended
    with pytest.raises(TransientError):
        parse_deployment(7, {})


def test_lists_of_projects_leave_out_what_is_deleted_or_unreadable() -> None:
    rows: Any = [{"projectId": 2, "name": "b"}, {"projectId": 1, "name": "a"}, 5, {"name": "x"}]
    deleted: Any = {"projectId": 3, "name": "Recycle Bin/c"}
    assert [p.id for p in parse_projects([*rows, deleted])] == [1, 2]
    assert parse_project_ids([*rows, rows[0]]) == [1, 2]
    assert parse_projects("nonsense") == []
