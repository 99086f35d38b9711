"""Parameters are found wherever a client puts them."""

from contextlib import nullcontext, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.quantconnect.parameters import Failure, integer, nest, read_parameters, span

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("query", "kind", "body", "found"),
    [
        pytest.param(
            "projectId=1&name=a+b", "", b"", {"projectId": "1", "name": "a b"}, id="query"
        ),
        pytest.param("", "application/json", b'{"projectId": 1}', {"projectId": 1}, id="json"),
        pytest.param("", "", b'{"projectId": 1}', {"projectId": 1}, id="json without a type"),
        pytest.param("", FORM, b"a=1&b=", {"a": "1", "b": ""}, id="form"),
        pytest.param("", FORM, b'{"a": 1}', {"a": 1}, id="json called a form"),
        pytest.param("a=1", "application/json", b'{"a": 2}', {"a": 2}, id="the body wins"),
        pytest.param("", "application/json", b"{}", {}, id="empty object"),
        pytest.param("", "application/json", b"[]", {}, id="empty list"),
        pytest.param("", "", b"", {}, id="nothing"),
        pytest.param(
            "",
            FORM,
            b"files[0][name]=a.py&files[0][content]=1&files[1][name]=b.py",
            {"files": [{"name": "a.py", "content": "1"}, {"name": "b.py"}]},
            id="bracket keys",
        ),
        pytest.param("command[$type]=X", "", b"", {"command": {"$type": "X"}}, id="a map"),
    ],
)
def test_read_parameters(query: str, kind: str, body: bytes, found: dict[str, Any]) -> None:
    assert read_parameters(query, kind, body) == found


@pytest.mark.parametrize("body", [b"{", b"1", b'"x"', b"[1]", b"\xff", b"[" * 100_000])
def test_read_parameters_refuses_what_is_no_object(body: bytes) -> None:
    with pytest.raises(Failure):
        read_parameters("", "application/json", body)


@given(st.lists(st.tuples(st.text("ab[]01", max_size=12), st.text(max_size=3)), max_size=8))
def test_nest_raises_nothing_but_failure(pairs: list[tuple[str, str]]) -> None:
    with suppress(Failure):
        nest(pairs)


@pytest.mark.parametrize("value", ["x", "", True, 1.5, "1" * 30, None, [], {}])
def test_integer_refuses(value: object) -> None:
    with pytest.raises(Failure):
        integer({"n": value}, "n")


@pytest.mark.parametrize(
    ("given_", "fits"),
    [
        pytest.param({"start": 0, "end": 100}, True, id="a full page"),
        pytest.param({"end": "100"}, True, id="no start"),
        pytest.param({"end": 101}, False, id="too wide"),
        pytest.param({"start": 5, "end": 5}, False, id="empty"),
        pytest.param({"start": -1, "end": 5}, False, id="negative"),
        pytest.param({"start": 0}, False, id="no end"),
    ],
)
def test_span(given_: dict[str, object], fits: bool) -> None:
    with nullcontext() if fits else pytest.raises(Failure):
        assert span(given_, 100) == (0, 100)
