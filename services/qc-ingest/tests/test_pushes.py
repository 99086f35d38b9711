"""The body of a push: every form that it may take, and the good parts of a bad one."""

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qc_ingest.domain.insights import Direction, Insight
from qc_ingest.domain.orders import OrderEvent
from qc_ingest.domain.pages import Bad, read_fills, read_insights
from qc_ingest.domain.pushes import parse_push
from signalbox.contracts.config import QuantConnectConfig
from signalbox.contracts.errors import Malformed, Refused

ID = "5f0d6b3e9a1c4f27b8e2d4a6c9b01357"
CONFIG = QuantConnectConfig(id="main", name="Main", user_id="1", token_sealed="x", project_id=7)
ANY_PROJECT = CONFIG.model_copy(update={"project_id": None})
INSIGHT: dict[str, Any] = {
    "id": ID,
    "symbol": "SPY R735QTJ8XC9X",
    "ticker": "SPY",
    "type": 0,
    "direction": 1,
    "confidence": 0.62,
    "generatedTime": 1795185060,
    "closeTime": 1795271460,
}
FILL: dict[str, Any] = {
    "id": "L-1-7-2",
    "orderId": 7,
    "orderEventId": 2,
    "symbol": "SPY R735QTJ8XC9X",
    "ticker": "SPY",
    "time": 1795185061,
    "status": 3,
    "direction": 0,
    "fillQuantity": 40,
    "fillPrice": "508.9",
}
SUBMITTED = FILL | {"id": "L-1-7-1", "orderEventId": 1, "status": 1, "fillQuantity": 0}
ENVELOPE: dict[str, Any] = {"v": 1, "projectId": 7, "deployId": "L-1", "sentAt": 1795185062}
BOTH = ENVELOPE | {"insights": [INSIGHT], "orderEvents": [SUBMITTED, FILL]}


def text_of(value: Any) -> str:
    return json.dumps(value)


def pascal(value: dict[str, Any]) -> dict[str, Any]:
    return {key[0].upper() + key[1:]: item for key, item in value.items()}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        pytest.param(text_of(BOTH), [ID, "L-1-7-2"], id="object"),
        pytest.param(text_of({"payload": text_of(BOTH)}), [ID, "L-1-7-2"], id="payload"),
        pytest.param(text_of(text_of(BOTH)), [ID, "L-1-7-2"], id="text in quotes"),
        pytest.param(
            text_of(text_of({"payload": text_of(BOTH)})), [ID, "L-1-7-2"], id="quoted payload"
        ),
        pytest.param(text_of([FILL, INSIGHT]), [ID, "L-1-7-2"], id="list of both"),
        pytest.param(text_of(text_of([INSIGHT])), [ID], id="quoted list"),
        pytest.param(text_of(INSIGHT), [ID], id="one insight"),
        pytest.param(text_of(FILL), ["L-1-7-2"], id="one order event"),
        pytest.param(text_of(SUBMITTED), [], id="nothing filled yet"),
        pytest.param(text_of(ENVELOPE | {"insights": INSIGHT}), [ID], id="one without its list"),
        pytest.param(text_of(ENVELOPE | {"insights": []}), [], id="empty"),
        pytest.param(
            text_of(pascal(ENVELOPE) | {"Insights": [pascal(INSIGHT)]}), [ID], id="other casing"
        ),
    ],
)
def test_parse_push_takes_every_form(text: str, ids: list[str]) -> None:
    push = parse_push(text, CONFIG)
    assert [found.item.id for found in push.found] == ids
    assert push.project_id == 7


@pytest.mark.parametrize(
    ("given_", "direction"),
    [
        (1, Direction.UP),
        (0, Direction.FLAT),
        (-1, Direction.DOWN),
        ("1", Direction.UP),
        ("up", Direction.UP),
        ("Down", Direction.DOWN),
        ("FLAT", Direction.FLAT),
    ],
)
def test_directions_are_numbers_or_words(given_: object, direction: Direction) -> None:
    (found,) = parse_push(text_of([INSIGHT | {"direction": given_}]), CONFIG).found
    assert isinstance(found.item, Insight)
    assert found.item.direction is direction


@pytest.mark.parametrize("status", [3, "3", "filled", "Filled", "PartiallyFilled", 2])
def test_a_fill_is_a_fill_in_number_or_word(status: object) -> None:
    (found,) = parse_push(text_of([FILL | {"status": status}]), CONFIG).found
    assert isinstance(found.item, OrderEvent)
    assert (found.item.fill_quantity, found.item.fill_price) == (Decimal(40), Decimal("508.9"))


def test_a_push_and_a_page_name_the_same_words() -> None:
    """Fractions of a second, dashes, words for numbers: what reading gives differs in all these."""
    dashed = f"{ID[:8]}-{ID[8:12]}-{ID[12:16]}-{ID[16:20]}-{ID[20:]}"
    pushed = parse_push(text_of(ENVELOPE | {"insights": [INSIGHT | {"id": dashed}]}), CONFIG)
    read_later = INSIGHT | {
        "type": "price",
        "direction": "up",
        "generatedTime": 1795185060.73,
        "closeTime": 1795271460.73,
        "confidence": "0.62",
    }
    (polled,) = read_insights([read_later])
    assert [(f.item.id, f.item.digest) for f in pushed.found] == [(ID, polled.item.digest)]

    event = FILL | {"id": "L-1-7-2", "algorithmId": "L-1", "status": "filled", "time": 1795185061.4}
    polled_fills, _ = read_fills([{"id": 7, "type": 0, "status": 3, "events": [event]}])
    pushed_fills = parse_push(text_of(ENVELOPE | {"orderEvents": [FILL]}), CONFIG).found
    assert [(f.item.id, f.item.digest) for f in pushed_fills] == [
        (f.item.id, f.item.digest) for f in polled_fills
    ]


def test_the_good_parts_of_a_bad_push_are_kept() -> None:
    body = ENVELOPE | {
        "insights": [INSIGHT | {"direction": "sideways"}, INSIGHT, 5, INSIGHT | {"id": "7"}],
        "orderEvents": [FILL | {"time": None}, FILL],
    }
    found = parse_push(text_of(body), CONFIG).found
    assert [f.item.id for f in found if not isinstance(f.item, Bad)] == [ID, "L-1-7-2"]
    assert [f.item.reason for f in found if isinstance(f.item, Bad)] == [
        "direction 'sideways' is not up, down or flat",
        "expected an object, found int",
        "id '7' is not 32 hex digits",
        "an order event has no time",
    ]
    mixed = parse_push(text_of([INSIGHT, {"hello": 1}, "x"]), CONFIG).found
    assert [f.item.reason for f in mixed if isinstance(f.item, Bad)] == [
        "it is neither an insight nor an order event"
    ] * 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("hello", "not JSON", id="not json"),
        pytest.param("5", "expected an object", id="a number"),
        pytest.param("{}", "no insights and no order events", id="nothing"),
        pytest.param(text_of({"projectId": 7}), "no insights and no order events", id="no words"),
        pytest.param(text_of([INSIGHT] * 1001), "1001 words, more than 1000", id="too many"),
        pytest.param(text_of({"payload": "{"}), "not JSON", id="broken payload"),
    ],
)
def test_what_is_no_push_is_refused_in_words(text: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        parse_push(text, CONFIG)


def test_the_followed_project_stands_in_where_none_is_named() -> None:
    assert parse_push(text_of([INSIGHT]), CONFIG).project_id == 7
    assert parse_push(text_of(BOTH), ANY_PROJECT).project_id == 7
    with pytest.raises(Malformed, match="names no project"):
        parse_push(text_of([INSIGHT]), ANY_PROJECT)


def test_another_project_is_refused() -> None:
    with pytest.raises(Refused, match="project 8; this key is for 7"):
        parse_push(text_of(BOTH | {"projectId": 8}), CONFIG)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ODD = st.dictionaries(st.sampled_from([*INSIGHT, *FILL, "insights", "orderEvents"]), JSON)


@given((JSON | ODD | st.lists(ODD, max_size=3)).map(json.dumps) | st.text())
def test_pushes_raise_nothing_but_our_own(text: str) -> None:
    with suppress(Malformed, Refused):
        parse_push(text, CONFIG)
