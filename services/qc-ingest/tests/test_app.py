"""The whole service on a real server: it starts, polls the sandbox, hears pushes, answers."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from qc_ingest.app import build
from qc_ingest.settings import Settings
from sandbox.serving import Served, serving
from signalbox.contracts.config import IngestConfig, QuantConnectConfig
from signalbox.contracts.events import PushReceived, SignalRaised, SignalWithdrawn, StateChanged
from signalbox.contracts.ids import derive
from signalbox.contracts.payloads import Bar, Push
from signalbox.contracts.values import Target
from signalbox.runtime.clock import wall_now
from signalbox.runtime.migrating import migrate
from signalbox.runtime.secrets import seal
from signalbox.testing.desk import Desk, desk_on, running
from signalbox.testing.examples import NOON, a_bar
from signalbox.testing.servers import RunningNats
from signalbox.testing.wait import until

pytestmark = pytest.mark.integration

MOMENTUM, BREADTH = 23456781, 23456782
CANARY = "canary-webhook-token-7d1e"
CLOSES = [100, 101, 102, 103, 104, 105, 106, 107, 106, 103, 102, 100, 98, 97, 97, 97, 97, 97]


def minutes(first: int, last: int) -> list[Bar]:
    return [
        a_bar(close=CLOSES[n % 18], high=1000, low=1, opened_at=NOON + timedelta(minutes=n))
        for n in range(first, last)
    ]


@asynccontextmanager
async def ingesting(nats: RunningNats, home: Path) -> AsyncIterator[tuple[Desk, Served]]:
    """qc-ingest, active, following a deployment that has said nothing yet."""
    migrate("qc-ingest", home=home, url=None)
    async with desk_on(nats) as desk, serving() as sandbox:
        sandbox.desk.begin(1, [])
        public = await (await desk.bus("gateway")).bucket_get("KEYS", "qc-ingest")
        assert public
        sealed = seal(public.decode(), config_id="demo", field="token", plaintext="abc")
        config = QuantConnectConfig(
            id="demo",
            name="Demo",
            user_id="123",
            token_sealed=sealed,
            target=Target.SANDBOX,
            project_id=MOMENTUM,
        )
        await desk.configure("qc-ingest", IngestConfig(quantconnect=(config,)))
        settings = Settings(
            home=home, nats_url=nats.url, sandbox_url=sandbox.url, sandbox_poll_s=0.05
        )
        async with running(build(settings)):
            yield desk, sandbox


async def go_on(desk: Desk, sandbox: Served, first: int, last: int) -> list[dict[str, Any]]:
    for bar in minutes(first, last):
        sandbox.desk.take(bar, 0.0)
    await desk.set_clock(sandbox.desk.now)
    newest = sandbox.desk.newest(MOMENTUM)
    assert newest
    return newest.insights


async def test_polled_and_pushed_insights_become_signals_once(nats_server: RunningNats) -> None:
    async with ingesting(nats_server, nats_server.home) as (desk, sandbox):
        await until(lambda: any(e.data.kind == "algorithm" for e in desk.of(StateChanged)))
        insights = await go_on(desk, sandbox, 0, 8)
        (first,) = await desk.hear(SignalRaised)
        assert first.data.own_id == insights[0]["id"]
        insights = await go_on(desk, sandbox, 8, 12)
        await desk.hear(SignalRaised, 2)
        (withdrawn,) = await desk.hear(SignalWithdrawn)
        assert withdrawn.data.signal_id == first.data.signal_id

        now = desk.reading.market_at.timestamp()
        pushed = insights[-1] | {"id": "f" * 32, "generatedTime": now, "closeTime": now + 600}
        body = json.dumps({"projectId": MOMENTUM, "insights": [pushed, insights[-1]]})
        push = Push(push_id=derive(body), config_id="demo", body=body, received_at=wall_now())
        await desk.say(PushReceived.of(push, source="gateway", time=wall_now()))
        assert (await desk.hear(SignalRaised, 3))[-1].data.own_id == "f" * 32
        insights.append(pushed)
        answer = await desk.ask("qc-ingest", "fetch", {})
        assert answer["body"]["raised"] == 0
        assert len(desk.of(SignalRaised)) == 3


async def test_commands_answer(nats_server: RunningNats) -> None:
    async with ingesting(nats_server, nats_server.home) as (desk, _sandbox):
        answer = await desk.ask("qc-ingest", "test", {"config_id": "demo"})
        assert answer["body"]["connected"] is True
        answer = await desk.ask("qc-ingest", "test", {"config_id": "x"}, request_id="r2")
        assert answer["problem"]["kind"] == "NotFound"


async def test_a_backtest_and_a_deployment_through_commands(nats_server: RunningNats) -> None:
    async with ingesting(nats_server, nats_server.home) as (desk, sandbox):
        asked = {"config_id": "demo", "project_id": BREADTH}
        answer = await desk.ask("qc-ingest", "backtest", asked, request_id="r1")
        backtest_id = answer["body"]["backtest_id"]
        await until(lambda: last(desk, backtest_id).get("status") == "completed")
        assert last(desk, backtest_id)["statistics"]["Total Orders"] != "0"
        again = await desk.ask("qc-ingest", "backtest", asked, request_id="r1")
        assert again["body"] == answer["body"]
        page = await desk.ask(
            "qc-ingest",
            "backtest_orders",
            {"backtest_id": backtest_id, "limit": 5},
            request_id="r2",
        )
        assert len(page["body"]["orders"]) == 5

        answer = await desk.ask("qc-ingest", "stop", asked, request_id="r3")
        assert answer["body"]["status"] == "Stopped"
        notify = {"url": "http://127.0.0.1:9/hooks", "headers": {"Authorization": CANARY}}
        answer = await desk.ask("qc-ingest", "deploy", asked | {"notify": notify}, request_id="r4")
        job_id = answer["body"]["job_id"]
        await until(lambda: last(desk, job_id).get("status") == "done")
        newest = sandbox.desk.newest(BREADTH)
        assert newest
        assert newest.deploy_id == last(desk, job_id)["deploy_id"]
        assert newest.targets[0].headers == {"Authorization": CANARY}
        shown = await desk.ask("qc-ingest", "algorithm", asked, request_id="r5")
        assert shown["body"]["status"] == "Running"
        assert CANARY not in f"{desk.heard}{shown}{answer}"
        answer = await desk.ask("qc-ingest", "liquidate", asked, request_id="r6")
        assert answer["problem"]["kind"] == "Refused"


def last(desk: Desk, id_: str) -> dict[str, Any]:
    """The newest state of one thing."""
    found = [event.data.body for event in desk.of(StateChanged) if event.data.id == id_]
    return found[-1] if found else {}
