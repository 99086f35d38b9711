"""What answers mean, and how troubles are told."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qc_ingest.domain.answers import (
    Doubtful,
    Loading,
    Locked,
    NotDeployed,
    NotDone,
    SealedShut,
    WrongCredentials,
    read_answer,
    trouble_of,
)
from qc_ingest.domain.health import Connection, Trouble, clock_hint, explain
from signalbox.contracts.errors import (
    NotFound,
    PermanentError,
    RateLimited,
    SignalboxError,
    TransientError,
)

WALL = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
HASH = "8d70a6b6f38530c795bf0fcc2202e4e9fd7a5d164ef99f5db94722062c79b19a"


def failure(text: str, key: str = "errors") -> bytes:
    return f'{{"success": false, "{key}": ["{text}"]}}'.encode()


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b'{"success": true, "errors": [], "insights": []}', "insights"),
        (b'{"success": true, "errors": null, "insights": []}', "insights"),
        (b'{"Success": true, "Insights": []}', "insights"),
        (b'{"orders": []}', "orders"),
    ],
)
def test_read_answer_takes_success(body: bytes, key: str) -> None:
    assert read_answer(200, body, expects=("insights", "orders"))[key] == []


def test_the_status_of_a_deployment_is_not_loading() -> None:
    assert read_answer(200, b'{"success": true, "status": "Running"}')["status"] == "Running"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        pytest.param(
            200, failure(f"Hash doesn't match. Hash: {HASH}"), WrongCredentials, id="hash"
        ),
        pytest.param(200, failure("UserID not valid"), WrongCredentials, id="user"),
        pytest.param(401, b"", WrongCredentials, id="401"),
        pytest.param(200, failure("No live deployment found for 7"), NotDeployed, id="never"),
        pytest.param(200, failure("Invalid argument"), PermanentError, id="argument"),
        pytest.param(
            200, failure("This endpoint needs Write Permission."), Locked, id="a collaborator"
        ),
        pytest.param(200, failure("Nope", "messages"), PermanentError, id="messages"),
        pytest.param(200, b'{"success": false, "Message": "x"}', PermanentError, id="Message"),
        pytest.param(200, b'{"success": false}', PermanentError, id="no reason"),
        pytest.param(200, b"{}", PermanentError, id="nothing said"),
        pytest.param(
            200,
            failure("Failed to process request data, please try again shortly."),
            NotDone,
            id="shortly",
        ),
        pytest.param(413, b"", PermanentError, id="413"),
        pytest.param(404, b"", PermanentError, id="404"),
        pytest.param(302, b"", PermanentError, id="redirect"),
        pytest.param(408, b"", TransientError, id="408"),
        pytest.param(429, b"", RateLimited, id="429"),
        pytest.param(500, b" ", Doubtful, id="empty 500"),
        pytest.param(500, b"oops", TransientError, id="500"),
        pytest.param(503, b"<html>", TransientError, id="maintenance"),
        pytest.param(200, b"<html>", TransientError, id="gateway page"),
        pytest.param(200, b'{"success": tr', TransientError, id="cut"),
        pytest.param(200, b"[1]", TransientError, id="a list"),
        pytest.param(200, b'{"status": "loading", "success": true}', Loading, id="loading"),
    ],
)
def test_read_answer_sorts_failures(status: int, body: bytes, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        read_answer(status, body)
    assert type(caught.value) is kind
    assert HASH not in str(caught.value)


def test_server_text_is_shown_without_signatures() -> None:
    with pytest.raises(PermanentError, match="QuantConnect says: Odd … thing") as caught:
        read_answer(200, failure(f"Odd {HASH} thing"))
    assert HASH not in str(caught.value)


@given(st.integers(100, 599), st.binary(max_size=60))
def test_read_answer_raises_nothing_but_our_own(status: int, body: bytes) -> None:
    with suppress(SignalboxError):
        read_answer(status, body)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0.2", 1), (None, 30), ("Fri, 20 Nov 2026 09:00:00 GMT", 30), ("999999", 3600)],
)
def test_retry_after(header: str | None, seconds: float) -> None:
    with pytest.raises(RateLimited) as caught:
        read_answer(429, b"", retry_after=header)
    assert caught.value.retry_after_s == seconds


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (WrongCredentials("x"), Trouble.CREDENTIALS),
        (SealedShut("x"), Trouble.SEALED),
        (RateLimited("x", retry_after_s=1), Trouble.LIMITED),
        (Doubtful("x"), Trouble.UNREACHABLE),
        (TransientError("x"), Trouble.UNREACHABLE),
        (NotFound("x"), Trouble.REFUSED),
    ],
)
def test_trouble_of(error: PermanentError | TransientError, trouble: Trouble) -> None:
    assert trouble_of(error) is trouble
    words = explain(trouble, "detail", user_id="123", skew_s=None)
    assert words.endswith(".")
    assert words[0] == "d" or words.startswith(("QuantConnect", "The stored"))


@pytest.mark.parametrize(
    ("skew_s", "says"),
    [(None, ""), (4.0, ""), (7500.0, "125 minutes behind"), (-600.0, "10 minutes ahead of")],
)
def test_a_clock_that_is_far_off_is_named(skew_s: float | None, says: str) -> None:
    assert says in clock_hint(skew_s)
    assert bool(clock_hint(skew_s)) == bool(says)
    assert says in explain(Trouble.CREDENTIALS, "", user_id="1", skew_s=skew_s)


def test_pauses_grow_and_are_bounded() -> None:
    connection = Connection("c")
    pauses = []
    for _ in range(7):
        connection = connection.failed(Trouble.UNREACHABLE, "x", WALL)
        pauses.append(connection.pause_s())
    assert pauses == [5, 10, 20, 40, 60, 60, 60]
    assert connection.failed(Trouble.CREDENTIALS, "x", WALL).pause_s() == 300


def test_a_trouble_keeps_its_beginning_until_it_is_another() -> None:
    later = WALL + timedelta(minutes=1)
    first = Connection("c").failed(Trouble.UNREACHABLE, "x", WALL)
    assert first.failed(Trouble.UNREACHABLE, "y", later).since == WALL
    assert first.failed(Trouble.LIMITED, "y", later).since == later
    assert first.worked(later).trouble is None
    assert first.worked(later).differs(first)
    assert not first.differs(first.failed(Trouble.UNREACHABLE, "x", later))
