"""Every way in which a provider fails, through its own library, against a server that does it."""

import asyncio
import logging
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from llm_decider.adapters import anthropic_client, openai_client
from llm_decider.adapters.lines import Line
from llm_decider.adapters.providers import Addresses, Providers
from llm_decider.domain.shapes import Ask, Booking, Ending, Failure, Question, Reply
from signalbox.contracts.config import LlmConfig
from signalbox.testing.bodies import claude_error, completion, message, openai_error, response
from signalbox.testing.scripted import How, Script, Step, scripted

LOADED = (anthropic_client, openai_client)  # so that no deadline below includes it
KEY = "sk-canary-5f0d6b3e9a41"
MODELS = {"responses": "gpt-4o-mini", "chat": "gpt-4o-mini", "messages": "claude-haiku-4-5"}
GOOD: dict[str, Callable[..., dict[str, Any]]] = {
    "responses": response,
    "chat": completion,
    "messages": message,
}
QUESTION = Question(
    symbols=("AAPL",),
    system="Decide.",
    user="AAPL 100 RSI 50",
    schema={"type": "object", "properties": {}, "required": [], "additionalProperties": False},
    prices={},
    evidence=frozenset(),
    snapshots={},
    horizon_s=3600,
    hash="0",
)
HOLD, RELEASE = Booking.HOLD, Booking.RELEASE
HTML = b"<html><title>Sign in</title></html>"
HTML_TYPE = {"content-type": "text/html"}
wires = pytest.mark.parametrize("wire", ["responses", "chat", "messages"])


class Open:
    """Opens every sealed key as itself."""

    def open(self, sealed: str, *, config_id: str, field: str) -> str:
        assert (config_id, field) == ("m", "key")
        return sealed


def config(wire: str, **over: Any) -> LlmConfig:
    given = {
        "id": "m",
        "name": "M",
        "provider": "claude" if wire == "messages" else "openai",
        "wire": "responses" if wire == "messages" else wire,
        "key_sealed": KEY,
        "model": MODELS[wire],
        "prompt_id": "p",
        "symbols": ("AAPL",),
    }
    return LlmConfig.model_validate(given | over)


def line(url: str, wire: str, key: str = KEY) -> Line:
    providers = Providers(Addresses(f"{url}/v1", url, "http://nowhere"), Open())
    return providers.open(config(wire, key_sealed=key))


def ask(wire: str, timeout_s: float = 5.0, **over: Any) -> Ask:
    return Ask(QUESTION, MODELS[wire], max_tokens=500, timeout_s=timeout_s, **over)


async def tried(wire: str, *steps: Step, timeout_s: float = 5.0) -> tuple[Reply | Failure, Script]:
    async with scripted(*steps) as script:
        provider = line(script.url, wire)
        try:
            return await provider.ask(ask(wire, timeout_s)), script
        finally:
            await provider.close()


async def failed(wire: str, *steps: Step, timeout_s: float = 5.0) -> Failure:
    found, script = await tried(wire, *steps, timeout_s=timeout_s)
    assert isinstance(found, Failure), found
    assert len(script.seen) == 1, "the library must not repeat by itself"
    assert KEY not in repr(found)
    return found


def problem(wire: str, text: str, code: str | None = None) -> dict[str, Any]:
    """An error body of the provider, with its code where the provider has one."""
    if wire == "messages":
        return claude_error("api_error", text, code)
    return openai_error(text, code=code)


BY_STATUS: list[tuple[Any, ...]] = [  # with kind, retry, booking, breaks
    (400, "bad_request", False, RELEASE, False),
    (401, "credentials", False, RELEASE, True),
    (402, "exhausted", False, RELEASE, True),
    (403, "forbidden", False, RELEASE, True),
    (404, "unknown_model", False, RELEASE, True),
    (408, "timed_out", True, HOLD, False),
    (409, "conflict", True, RELEASE, False),
    (413, "too_long", False, RELEASE, False),
    (422, "bad_request", False, RELEASE, False),
    (429, "rate_limited", True, RELEASE, False),
    (500, "provider_error", True, RELEASE, False),
    (501, "provider_error", True, RELEASE, False),
    (502, "gateway", True, HOLD, False),
    (503, "provider_error", True, RELEASE, False),
    (504, "gateway", True, HOLD, False),
    (529, "overloaded", True, RELEASE, False),
]


@wires
@pytest.mark.parametrize("row", BY_STATUS, ids=lambda row: str(row[0]))
async def test_status(wire: str, row: tuple[Any, ...]) -> None:
    status, *expected = row
    headers = {"x-request-id": "req_7", "request-id": "req_7"}
    found = await failed(wire, Step(status, problem(wire, "It went wrong"), headers))
    assert [found.kind, found.retry, found.booking, found.breaks] == expected
    assert (found.status, found.request_id) == (status, "req_7")
    assert len(found.message) > 40
    assert "{" not in found.message


@wires
@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_html_from_something_in_between_may_be_billed(wire: str, status: int) -> None:
    found = await failed(wire, Step(status, HTML, HTML_TYPE))
    assert (found.kind, found.booking, found.retry) == ("gateway", HOLD, True)


@pytest.mark.parametrize(
    ("wire", "status", "body", "kind", "breaks"),
    [
        pytest.param(
            "responses",
            400,
            openai_error("too long", code="context_length_exceeded"),
            "too_long",
            False,
            id="context",
        ),
        pytest.param(
            "messages",
            400,
            claude_error("invalid_request_error", "prompt is too long: 300000 tokens > 200000"),
            "too_long",
            False,
            id="context, anthropic",
        ),
        pytest.param(
            "messages",
            400,
            claude_error(
                "invalid_request_error",
                "You have reached your specified API usage limits. You will regain access on 1.12.",
            ),
            "exhausted",
            True,
            id="usage limits",
        ),
        pytest.param(
            "responses",
            429,
            openai_error("quota", code="insufficient_quota", type="insufficient_quota"),
            "exhausted",
            True,
            id="quota",
        ),
        pytest.param(
            "chat",
            429,
            openai_error("quota", type="insufficient_quota"),
            "exhausted",
            True,
            id="quota by type",
        ),
        pytest.param(
            "messages",
            429,
            claude_error("rate_limit_error", "spend", "enforced_spend_limit_reached"),
            "exhausted",
            True,
            id="spend limit",
        ),
        pytest.param(
            "messages",
            429,
            claude_error("rate_limit_error", "spend", "contract_spend_limit_reached"),
            "exhausted",
            True,
            id="contract limit",
        ),
        pytest.param(
            "messages",
            429,
            claude_error("rate_limit_error", "slow down", "ramp_limit_exceeded"),
            "rate_limited",
            False,
            id="growth limit",
        ),
        pytest.param(
            "chat", 404, {"detail": "Not Found"}, "address", True, id="a server without the path"
        ),
        pytest.param("responses", 404, HTML, "address", True, id="a page without the path"),
        pytest.param("responses", 302, b"", "address", True, id="moved"),
    ],
)
async def test_what_a_code_says_beyond_its_status(
    wire: str, status: int, body: Any, kind: str, breaks: bool
) -> None:
    headers = {"location": "http://127.0.0.1:1/"} if status == 302 else {}
    found = await failed(wire, Step(status, body, headers))
    assert (found.kind, found.breaks, found.booking) == (kind, breaks, RELEASE)
    assert found.retry is (kind == "rate_limited")


@wires
@pytest.mark.parametrize("asked", ["1", "300", "86400", "0.5"])
async def test_retry_after_in_seconds(wire: str, asked: str) -> None:
    found = await failed(wire, Step(429, problem(wire, "slow"), {"retry-after": asked}))
    assert found.retry_after_s == float(asked)


@wires
async def test_retry_after_as_a_date(wire: str) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=120), usegmt=True)
    found = await failed(wire, Step(429, problem(wire, "slow"), {"retry-after": at}))
    assert found.retry_after_s is not None
    assert 110 < found.retry_after_s <= 120
    found = await failed(wire, Step(429, problem(wire, "slow"), {"retry-after-ms": "250"}))
    assert found.retry_after_s == 0.25
    found = await failed(wire, Step(429, problem(wire, "slow"), {"retry-after": "soon"}))
    assert found.retry_after_s is None


@wires
@pytest.mark.parametrize("how", [How.HANG, How.DRIP])
async def test_the_deadline_bounds_everything(wire: str, how: How) -> None:
    began = asyncio.get_running_loop().time()
    step = Step(200, GOOD[wire](), {"content-length": "100000"}, how)
    found = await failed(wire, step, timeout_s=1.5)
    assert (found.kind, found.booking, found.retry) == ("deadline", HOLD, False)
    assert asyncio.get_running_loop().time() - began < 6


@wires
@pytest.mark.parametrize("how", [How.DROP_BEFORE, How.DROP_AFTER, How.CUT])
async def test_a_lost_connection_may_be_billed(wire: str, how: How) -> None:
    found = await failed(wire, Step(200, GOOD[wire](), how=how))
    assert (found.kind, found.booking, found.retry, found.once) == (
        "connection_lost",
        HOLD,
        True,
        True,
    )


@wires
async def test_a_refused_connection_is_not_billed(wire: str) -> None:
    async with scripted(Step()) as script:
        url = script.url
    await check_nothing_was_sent(url, wire)


@wires
async def test_a_host_that_no_name_server_knows_is_not_billed(
    wire: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    await check_nothing_was_sent("https://llm.example", wire)


@wires
async def test_a_server_that_speaks_no_tls_is_not_billed(wire: str) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await check_nothing_was_sent(f"https://127.0.0.1:{port}", wire)


async def check_nothing_was_sent(url: str, wire: str) -> None:
    provider = line(url, wire)
    found = await provider.ask(ask(wire))
    await provider.close()
    assert isinstance(found, Failure)
    assert (found.kind, found.booking, found.retry) == ("unreachable", RELEASE, True)


@wires
@pytest.mark.parametrize(
    "url", ["nonsense", "ftp://127.0.0.1", "http://[", "http://127.0.0.1:99999"]
)
async def test_an_address_that_is_none(wire: str, url: str) -> None:
    found = await line(url, wire).ask(ask(wire))
    assert isinstance(found, Failure)
    assert (found.booking, found.retry) == (RELEASE, False)
    assert "base URL" in found.message


@wires
@pytest.mark.parametrize(
    ("step", "kind", "once"),
    [
        pytest.param(Step(200, b'{"id": "resp_1", "outp'), "cut_off", True, id="cut JSON"),
        pytest.param(Step(200, b""), "cut_off", True, id="empty"),
        pytest.param(Step(200, HTML, HTML_TYPE), "not_json", False, id="HTML with 200"),
        pytest.param(Step(200, {"error": {"message": "oh"}}), "malformed", True, id="error, 200"),
        pytest.param(Step(200, {"error": "oh"}), "malformed", True, id="error text, 200"),
        pytest.param(Step(200, {}), "malformed", True, id="no fields"),
        pytest.param(Step(200, [1, 2]), "malformed", True, id="a list"),
        pytest.param(Step(200, b"[" * 200_000), "cut_off", True, id="deep nesting"),
        pytest.param(Step(200, b"x" * (5 << 20)), "too_large", False, id="endless"),
    ],
)
async def test_a_good_status_with_a_bad_body(wire: str, step: Step, kind: str, once: bool) -> None:
    found = await failed(wire, step)
    assert (found.kind, found.once, found.retry, found.booking) == (kind, once, once, HOLD)


async def test_a_response_that_calls_itself_failed() -> None:
    error = {"code": "server_error", "message": "The model stumbled"}
    found = await failed("responses", Step(200, response(status="failed", error=error, usage=None)))
    assert (found.kind, found.booking, found.once) == ("provider_error", HOLD, True)
    assert "stumbled" in found.message
    error = {"code": "rate_limit_exceeded", "message": "slow"}
    found = await failed("responses", Step(200, response(status="failed", error=error, usage=None)))
    assert (found.kind, found.booking) == ("rate_limited", RELEASE)
    counted, _ = await tried("responses", Step(200, response(status="failed", error=error)))
    assert isinstance(counted, Reply)
    assert (counted.ending, counted.usage is None) == (Ending.UNREADABLE, False)


@wires
async def test_the_key_is_nowhere_to_be_seen(
    wire: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("openai", "anthropic", "httpx2", "httpcore2"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.DEBUG)
    quoting = problem(wire, f"Incorrect API key provided: {KEY}, sk-can*******9a41. See the page.")
    for status in (401, 400, 500):
        found, script = await tried(wire, Step(status, quoting))
        assert isinstance(found, Failure)
        assert KEY not in repr(found)
        assert "9a41" not in found.message
        assert script.seen[0].headers["authorization"] == f"Bearer {KEY}"
    echoed, _ = await tried(wire, Step(200, GOOD[wire](f"the key is {KEY}")))
    provider = line("http://127.0.0.1:1", wire)
    await provider.ask(ask(wire))
    seen = f"{caplog.text} {echoed!r} {provider!r} {vars(provider)!r}"
    assert KEY not in seen
    assert "AAPL 100 RSI 50" not in caplog.text


@wires
async def test_a_key_of_any_shape_is_taken_out_of_what_is_said(wire: str) -> None:
    key = "canary5f0d6b3e9a41"
    async with scripted(Step(400, problem(wire, f"What is {key}"))) as script:
        provider = line(script.url, wire, key)
        found = await provider.ask(ask(wire))
        await provider.close()
    assert isinstance(found, Failure)
    assert "What is ***" in found.message


@wires
async def test_stray_settings_of_the_environment_redirect_nothing(
    wire: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_ORG_ID"):
        monkeypatch.setenv(name, "stray-value")
    for name in ("OPENAI_CUSTOM_HEADERS", "ANTHROPIC_CUSTOM_HEADERS"):
        monkeypatch.setenv(name, "Authorization: Bearer stray-value")
    found, script = await tried(wire, Step(200, GOOD[wire]()))
    assert isinstance(found, Reply)
    assert script.seen[0].headers["authorization"] == f"Bearer {KEY}"
    assert "stray-value" not in str(script.seen[0].headers)
