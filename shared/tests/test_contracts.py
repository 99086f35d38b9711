"""Properties of what services say to each other: exact both ways, and the same in every process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, JsonValue

from signalbox.contracts import ids, values
from signalbox.contracts.errors import Malformed
from signalbox.contracts.events import EVENTS, Event, decode
from signalbox.contracts.subjects import STREAMS, token, untoken

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds the zone
JSON = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


def _decimals(low: str, high: str) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, allow_nan=False, allow_infinity=False, places=9)


NAMED: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (values.Symbol, st.from_regex(r"[A-Z0-9][A-Z0-9./:_-]{0,23}", fullmatch=True)),
    (values.Slug, st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)),
    (values.Name, TEXT),
    (values.UtcTime, TIMES),
    (values.Confidence, _decimals("0", "1")),
    (values.Price, _decimals("0.000000001", "1e12")),
    (values.Quantity, _decimals("0.000000001", "1e12")),
    (values.SignedQuantity, _decimals("-1e12", "1e12")),
    (values.Amount, _decimals("-1e12", "1e12")),
    (JsonValue, JSON),
    (UUID, st.uuids()),
    (str, TEXT),
    (int, st.integers(0, 2**53)),
    (float, st.floats(0.001, 1e9)),
    (bool, st.booleans()),
    (type(None), st.none()),
]


def _any_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of an annotation of the contracts."""
    for known, strategy in NAMED:
        if kind is known or kind == known:
            return strategy
    origin, inside = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return st.one_of(*map(_any_of, inside))
    if origin is Literal:
        return st.sampled_from(inside)
    if origin is tuple:
        return st.lists(_any_of(inside[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(_any_of(inside[0]), _any_of(inside[1]), max_size=3)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        hints = get_type_hints(kind, include_extras=True)
        return st.builds(kind, **{name: _any_of(hints[name]) for name in kind.model_fields})
    raise TypeError(f"no values of {kind} are known here")


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
@settings(max_examples=40)
@given(data=st.data())
def test_every_event_comes_back_as_it_was_sent(kind: type[Event], data: st.DataObject) -> None:
    payload = data.draw(_any_of(kind.model_fields["data"].annotation))
    at, cause = data.draw(TIMES), data.draw(st.integers(0, 9))
    event = kind.of(payload, source="executor", time=at, configversion=cause, sequence=cause)
    assert decode(event.encode()) == event
    again = kind.of(payload, source="executor", time=at, cause=event)
    assert (again.id, again.subject) == (event.id, event.subject)
    assert (again.correlationid, again.causationid) == (event.correlationid, event.id)
    stream = next(s for s in STREAMS if s.name == kind.STREAM)
    assert event.subject.startswith(stream.subjects[0].rstrip(">"))


@given(st.text())
@example("BRK.B")
@example("a.b.>")
@example("=2E")
@example("\x00")
def test_token_and_untoken_are_exact(text: str) -> None:
    try:
        made = token(text)
    except Malformed:
        assert not text or any("\ud800" <= letter <= "\udfff" for letter in text)
        return
    assert not set(made) & set(".*> \t\r\n\0")
    assert untoken(made) == text


@given(st.text(st.sampled_from("abzAZ09_-=2E.>FéC3"), max_size=12))
def test_what_untoken_accepts_is_what_token_makes(text: str) -> None:
    try:
        found = untoken(text)
    except Malformed:
        return
    assert token(found) == text


@given(st.binary())
@example(b"")
@example(b"\xff\xfe")
@example(b"[" * 200_000)
@example(b'{"type": 1}')
@example(b'{"type": "signalbox.SignalRaised.v1", "data": null}')
@example(b'{"type": "signalbox.SignalRaised.v2"}')
@example(b'{"type": "signalbox.BarClosed.v1", "data": {"open": 1e999999999, "close": NaN}}')
@example(b'{"type": "signalbox.BarClosed.v1", "data": {"open": "1e999999999"}}')
@example(b'{"type": "\\ud800"}')
def test_decode_raises_nothing_but_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        decode(raw)


@given(kind=st.sampled_from(EVENTS), body=st.dictionaries(TEXT, JSON, max_size=4), more=JSON)
def test_decode_of_any_json_raises_nothing_but_malformed(
    kind: type[Event], body: dict[str, Any], more: Any
) -> None:
    with pytest.raises(Malformed):
        decode(json.dumps({**body, "type": kind.TYPE, "data": more}).encode())


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"no", "body: Invalid JSON: expected ident at line 1 column 2"),
        (
            b'{"type": "signalbox.SignalRaised.v2"}',
            "body: the type 'signalbox.SignalRaised.v2' is not known here",
        ),
        (
            b'{"type": "signalbox.BarClosed.v1", "time": "yesterday"}',
            "signalbox.BarClosed.v1.id: Field required (and 5 more)",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_words(raw: bytes, words: str) -> None:
    with pytest.raises(Malformed) as caught:
        decode(raw)
    assert str(caught.value) == words


def _some_ids() -> list[str]:
    signal = ids.signal_id("strategy", "sma-cross", "1")
    return [
        str(signal),
        str(ids.withdrawal_id(signal, datetime(2026, 8, 3, 16, tzinfo=UTC))),
        str(ids.verdict_id(signal, "alpha", 0)),
        str(ids.order_event_id("ab", "filled", Decimal("10.0"))),
        str(ids.lot_id("paper|1|10")),
        ids.client_order_id("paper-alpha", str(signal), "alpha", 0, 0),
    ]


@pytest.mark.parametrize("seed", ["0", "1", "random"])
def test_ids_are_the_same_in_every_process(seed: str) -> None:
    code = f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r})\n"
    code += "from test_contracts import _some_ids; print(*_some_ids())"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == _some_ids()


def test_ids_never_change_between_versions() -> None:
    """Stored ids must match those made again later; the first version made these."""
    assert _some_ids() == [
        "0b90e6bf-573e-5ed8-b851-26936283fbc1",
        "7ca998ca-77dc-5784-a24c-5c3acc6f6c84",
        "f95bb467-85da-5d07-827d-38ce4bb97bab",
        "cb7f844e-fa59-53a2-b5ff-8694181c92d5",
        "ecefa53c-dc9f-5db5-a701-c1a5ab0f79fe",
        "4b2294d630bd31eab5ef08d8584de1c9",
    ]


@given(_decimals("-1e15", "1e15"))
@example(Decimal("1E+2"))
@example(Decimal("-0.000"))
@example(Decimal("100.10"))
def test_equal_decimals_have_one_text(number: Decimal) -> None:
    text = ids.plain(number)
    assert Decimal(text) == number
    assert ids.plain(Decimal(text)) == text
    assert ids.plain(number.normalize()) == text
    assert "E" not in text


def _unique(found: Iterable[str]) -> bool:
    listed = list(found)
    return len(set(listed)) == len(listed)


def test_every_event_has_its_own_type_and_a_stream() -> None:
    assert _unique(kind.TYPE for kind in EVENTS)
    assert {kind.STREAM for kind in EVENTS} == {stream.name for stream in STREAMS}
