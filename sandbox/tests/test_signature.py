"""Signatures are checked as QuantConnect checks them."""

import pytest

from sandbox.quantconnect.signature import Login, from_query, problem
from sandbox.tests.client import AT, signed

LOGIN = Login("123", "abc")
WORKED_EXAMPLE = (
    "Basic MTIzOjhkNzBhNmI2ZjM4NTMwYzc5NWJmMGZjYzIyMDJlNGU5ZmQ3YTVkMTY0ZWY5OWY1ZGI5NDcyMjA2MmM3"
    "OWIxOWE="
)


def test_problem_accepts_the_worked_example() -> None:
    assert problem(LOGIN, WORKED_EXAMPLE, str(AT), AT + 5) is None


@pytest.mark.parametrize(
    ("authorization", "timestamp", "now", "begins"),
    [
        pytest.param(signed(), str(AT), AT + 7200, None, id="as old as may be"),
        pytest.param(signed(), str(AT), AT + 7201, "Hash doesn't match. UID: 123", id="too old"),
        pytest.param(signed(), str(AT), AT - 300, None, id="a little ahead"),
        pytest.param(signed(), str(AT), AT - 301, "Hash doesn't match.", id="too far ahead"),
        pytest.param(signed(key="abd"), str(AT), AT, "Hash doesn't match.", id="wrong token"),
        pytest.param(signed(), str(AT + 1), AT, "Hash doesn't match.", id="other timestamp"),
        pytest.param(signed(user="124"), str(AT), AT, "UserID not valid", id="unknown user"),
        pytest.param("", "", AT, "UserID not valid", id="nothing"),
        pytest.param("Basic ÿ", str(AT), AT, "UserID not valid", id="not base64"),
        pytest.param("Bearer x", str(AT), AT, "UserID not valid", id="another scheme"),
        pytest.param(signed(), "1e9", AT, "Hash doesn't match.", id="odd timestamp"),
        pytest.param(signed(), "9" * 400, AT, "Hash doesn't match.", id="endless timestamp"),
    ],
)
def test_problem(authorization: str, timestamp: str, now: float, begins: str | None) -> None:
    found = problem(LOGIN, authorization, timestamp, now)
    assert (found is None) if begins is None else (found or "").startswith(begins)


def test_from_query_reads_a_signed_link() -> None:
    encoded = WORKED_EXAMPLE.removeprefix("Basic ")
    authorization, timestamp = from_query(f"authorization={encoded}&timestamp={AT}&projectId=1")
    assert problem(LOGIN, authorization, timestamp, AT) is None


def test_login_does_not_show_its_token() -> None:
    assert "abc" not in repr(LOGIN)
