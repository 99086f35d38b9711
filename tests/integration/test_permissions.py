"""What the server itself allows: every user against every family of subjects."""

import asyncio
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from nats.aio.client import Client
from nats.errors import TimeoutError as NatsTimeout

from signalbox.testing.servers import RunningNats
from signalbox.testing.wait import until

pytestmark = pytest.mark.integration
PAGE = Path(__file__).parents[2] / "docs" / "reading-events.md"

FAMILIES = {
    "quantconnect signals": "sb.v1.signals.quantconnect.p1.AAPL",
    "strategy signals": "sb.v1.signals.strategy.ema.AAPL",
    "model signals": "sb.v1.signals.llm.demo.AAPL",
    "model decisions": "sb.v1.llm.demo.AAPL",
    "manual signals": "sb.v1.signals.manual.admin.AAPL",
    "verdicts": "sb.v1.verdicts.alpha.AAPL",
    "orders": "sb.v1.orders.alpha.AAPL",
    "books": "sb.v1.books.alpha",
    "market": "sb.v1.market.quotes.AAPL",
    "ingress": "sb.v1.ingress.quantconnect.c1",
    "executor's state": "sb.v1.state.executor.book.alpha",
    "commands": "sb.v1.cmd.executor.flatten",
    "configuration": "$KV.CONFIG.executor",
    "clock": "$KV.CLOCK.clock",
    "keys": "$KV.KEYS.executor",
    "another's durable": "$JS.API.CONSUMER.MSG.NEXT.ALERTS.gateway",
    "make a consumer": "$JS.API.CONSUMER.CREATE.SIGNALS",
    "make a named consumer": "$JS.API.CONSUMER.CREATE.SIGNALS.mine.sb.v1.signals.>",
    "delete a stream": "$JS.API.STREAM.DELETE.SIGNALS",
    "another's inbox": "_INBOX_provision.x",
}
ALLOWED = {
    "market-data": {"market", "clock"},
    "qc-ingest": {"quantconnect signals"},
    "llm-decider": {"model signals", "model decisions"},
    "strategy-runner": {"strategy signals"},
    "decision-router": {"verdicts"},
    "executor": {"orders", "books", "executor's state"},
    "gateway": {"manual signals", "ingress", "commands", "configuration", "another's durable"},
    "sandbox": set(),
    "reader": set(),
}


async def _denied(nc: Client, denied: list[str], subjects: dict[str, str]) -> set[str]:
    for subject in subjects.values():
        await nc.publish(subject, b"{}")
    await nc.flush()
    await nc.publish("sb.v1.nobody", b"")  # denied to all, so it shows that all denials have come
    await until(lambda: any("sb.v1.nobody" in one for one in denied))
    text = " ".join(denied)
    return {name for name, subject in subjects.items() if f'"{subject.lower()}"' in text.lower()}


@pytest.mark.parametrize("user", ALLOWED)
async def test_a_user_publishes_exactly_what_is_tabled(user: str, shared_nats: RunningNats) -> None:
    denied: list[str] = []
    nc = await shared_nats.connect(user, denied=denied)
    assert set(FAMILIES) - await _denied(nc, denied, FAMILIES) == ALLOWED[user]
    await nc.close()


@pytest.mark.parametrize("user", ["executor", "reader", "strategy-runner"])
@pytest.mark.parametrize(
    "subject", ["_INBOX_gateway.>", "_INBOX.>", ">", "sb.v1.cmd.gateway.>", "$JS.EVENT.>"]
)
async def test_nobody_listens_where_it_should_not(
    user: str, subject: str, shared_nats: RunningNats
) -> None:
    denied: list[str] = []
    nc = await shared_nats.connect(user, denied=denied)
    await nc.subscribe(subject)
    await nc.flush()
    await until(lambda: denied)
    assert "subscription" in denied[0].lower()
    await nc.close()


async def test_nobody_comes_in_with_a_wrong_password_or_without_one(
    shared_nats: RunningNats,
) -> None:
    for login in (b'{"user":"executor","pass":"guess","verbose":false}', b"{}"):
        reader, writer = await asyncio.open_connection("127.0.0.1", shared_nats.server.port)
        assert (await reader.readline()).startswith(b"INFO ")
        writer.write(b"CONNECT " + login + b"\r\nPING\r\n")
        assert (await reader.readline()).strip() == b"-ERR 'Authorization Violation'"
        writer.close()
        await writer.wait_closed()


async def test_a_service_reads_acknowledges_and_rewinds_its_own_durable(
    shared_nats: RunningNats,
) -> None:
    denied: list[str] = []
    executor = await shared_nats.connect("executor", denied=denied)
    router = await shared_nats.connect("decision-router")
    await router.jetstream().publish("sb.v1.verdicts.alpha.AAPL", b"one")
    inbox = await executor.subscribe(executor.new_inbox())
    request = {"batch": 1, "expires": 10**9, "group": "executor"}
    await executor.publish(
        "$JS.API.CONSUMER.MSG.NEXT.VERDICTS.executor",
        json.dumps(request).encode(),
        reply=inbox.subject,
    )
    message = await inbox.next_msg(timeout=20)
    assert message.headers
    assert message.headers["Nats-Pin-Id"]
    await message.ack_sync(timeout=10)
    for verb, body in (("UNPIN", b'{"group":"executor"}'), ("RESET", b""), ("INFO", b"")):
        answer = await executor.request(f"$JS.API.CONSUMER.{verb}.VERDICTS.executor", body)
        assert "error" not in json.loads(answer.data), verb
    assert denied == []
    await executor.close()
    await router.close()


async def test_a_service_hears_and_reads_its_configuration_and_the_clock(
    shared_nats: RunningNats,
) -> None:
    executor = await shared_nats.connect("executor")
    gateway = await shared_nats.connect("gateway")
    market = await shared_nats.connect("market-data")
    heard = await executor.subscribe("$KV.CONFIG.executor")
    await executor.flush()
    await gateway.jetstream().publish("$KV.CONFIG.executor", b"document")
    await market.jetstream().publish("$KV.CLOCK.clock", b"reading")
    assert (await heard.next_msg(timeout=20)).data == b"document"
    js = executor.jetstream()
    stored = await js.get_last_msg("KV_CONFIG", "$KV.CONFIG.executor", direct=True)
    assert stored.data == b"document"
    assert (await js.get_last_msg("KV_CLOCK", "$KV.CLOCK.clock", direct=True)).data == b"reading"
    assert (await js.get_last_msg("KV_KEYS", "$KV.KEYS.qc-ingest", direct=True)).data
    for nc in (executor, gateway, market):
        await nc.close()


async def test_a_request_is_answered_once_and_only_by_who_was_asked(
    shared_nats: RunningNats,
) -> None:
    denied: list[str] = []
    executor = await shared_nats.connect("executor", denied=denied)
    gateway = await shared_nats.connect("gateway")
    asked = await executor.subscribe("sb.v1.cmd.executor.*", queue="executor")
    await executor.flush()
    answers = await gateway.subscribe(gateway.new_inbox())
    await gateway.publish("sb.v1.cmd.executor.flatten", b"{}", reply=answers.subject)
    request = await asked.next_msg(timeout=20)
    await request.respond(b"first")
    await request.respond(b"second")
    assert (await answers.next_msg(timeout=20)).data == b"first"
    await until(lambda: denied)
    with pytest.raises(NatsTimeout):
        await answers.next_msg(timeout=0.1)
    await executor.close()
    await gateway.close()


def _example() -> ModuleType:
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    assert code
    module = ModuleType("reading_events")
    exec(compile(code[1], str(PAGE), "exec"), module.__dict__)  # noqa: S102 - our own page
    return module


async def test_the_example_of_the_page_reads_history_and_hears_news(
    shared_nats: RunningNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNALBOX_HOME", str(shared_nats.home))
    example = _example()
    executor = await shared_nats.connect("executor")
    subject = "sb.v1.books.example"
    before = await executor.jetstream().publish(subject, json.dumps({"id": -1}).encode())
    for number in range(450):
        await executor.publish(subject, json.dumps({"id": number}).encode())
    await executor.jetstream().publish(subject, json.dumps({"id": 450}).encode())

    reader = await example.connect()
    live = await reader.subscribe("sb.v1.books.>")
    await reader.flush()
    found: list[tuple[int, Any]] = [
        one async for one in example.stored(reader, "BOOKS", first=before.seq + 1)
    ]
    assert [event["id"] for _, event in found] == list(range(451))
    assert [sequence for sequence, _ in found] == list(range(before.seq + 1, before.seq + 452))
    await executor.jetstream().publish(subject, b'{"id": 451}')
    assert json.loads((await live.next_msg(timeout=20)).data) == {"id": 451}
    await reader.close()
    await executor.close()


async def test_the_reader_hears_events_but_no_commands(shared_nats: RunningNats) -> None:
    reader = await shared_nats.connect("reader")
    gateway = await shared_nats.connect("gateway")
    heard = await reader.subscribe("sb.v1.>")
    await reader.flush()
    await gateway.publish("sb.v1.cmd.executor.flatten", b"a command")
    await gateway.publish("sb.v1.ingress.quantconnect.c1", b"an event")
    assert (await heard.next_msg(timeout=20)).data == b"an event"
    await reader.close()
    await gateway.close()
