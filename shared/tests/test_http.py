"""HTTP to an API outside: bounded answers, and how long it asks to wait."""

import time

import httpx
import pytest

from signalbox.contracts.errors import TransientError
from signalbox.runtime.http import exchange, open_http, retry_after_s
from signalbox.testing.scripted import How, Script, Step, scripted


async def ask(script: Script, most_bytes: int) -> tuple[httpx.Response, bytes]:
    http = open_http(script.url, {"x-key": "k"}, connect_s=10, read_s=10)
    try:
        return await exchange(http, http.build_request("GET", "/a"), most_bytes)
    finally:
        await http.aclose()


async def test_an_answer_is_read_to_the_end_and_no_redirect_is_followed() -> None:
    async with scripted(Step(302, b"12345", {"location": "/b"})) as script:
        response, content = await ask(script, 5)
    assert (response.status_code, content) == (302, b"12345")
    (seen,) = script.seen
    assert (seen.path, seen.headers["x-key"]) == ("/a", "k")


async def test_an_answer_that_is_too_large_is_not_read_to_the_end() -> None:
    async with scripted(Step(200, b"123456")) as script:
        with pytest.raises(TransientError, match="too large"):
            await ask(script, 5)


async def test_an_answer_that_is_cut_is_none() -> None:
    async with scripted(Step(200, b"12345", how=How.CUT)) as script:
        with pytest.raises(httpx.HTTPError):
            await ask(script, 100)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        pytest.param({"retry-after": "3"}, 3, id="it says"),
        pytest.param({}, 15, id="it does not"),
        pytest.param({"retry-after": "soon"}, 15, id="in words"),
        pytest.param({"retry-after": "nan"}, 15, id="no number"),
        pytest.param({"retry-after": "-1"}, 15, id="in the past"),
        pytest.param({"retry-after": "1e9"}, 15, id="for ever"),
        pytest.param({"retry-after": "x", "x-ratelimit-reset": "+20"}, 20, id="when it resets"),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], wait_s: float) -> None:
    given = dict(headers)
    if "x-ratelimit-reset" in given:
        given["x-ratelimit-reset"] = str(time.time() + float(given["x-ratelimit-reset"]))
    assert retry_after_s(given, usual_s=15, most_s=120) == pytest.approx(wait_s, abs=1)
