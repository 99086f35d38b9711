"""QuantConnect's side of the gateway on a real server: what is taken in is never lost."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from nats.aio.msg import Msg

from gateway.app import build_app
from gateway.settings import Settings
from signalbox.contracts import payloads as p
from signalbox.contracts.commands import Command, Reply
from signalbox.contracts.config import IngestConfig, Versioned
from signalbox.contracts.events import PushReceived, StateChanged
from signalbox.contracts.subjects import PREFIX
from signalbox.runtime.clock import wall_now
from signalbox.runtime.migrating import migrate
from signalbox.runtime.outbox import Relay, message_of
from signalbox.testing.desk import Desk, desk_on
from signalbox.testing.examples import a_moment
from signalbox.testing.servers import RunningNats
from signalbox.testing.wait import until

pytestmark = pytest.mark.integration
pytest_plugins = ("signalbox.testing.servers",)

HOOK = "/hooks/quantconnect/mine"
ACCOUNT = {"id": "mine", "api_key": "4711", "api_secret": "f3a9c07715e0db2", "target": "real"}


@asynccontextmanager
async def serving(nats: RunningNats, url: str | None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway that is ready, signed in as admin."""
    migrate("gateway", home=nats.home, url=url)
    options: dict[str, Any] = {"home": nats.home, "nats_url": nats.url, "database_url": url}
    given = Settings(_env_file=None, **options)
    app = build_app(given)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as web:
            await until(lambda: _ready(web), 20)
            password = (given.home / "admin-password").read_text().strip()
            body = {"username": "admin", "password": password}
            token = (await web.post("/api/auth/token", json=body)).json()["access_token"]
            web.headers["authorization"] = f"Bearer {token}"
            yield web


async def _ready(web: httpx.AsyncClient) -> bool:
    return (await web.get("/readyz")).status_code == 200


def signed(token: str, **over: Any) -> dict[str, Any]:
    """A request as an algorithm sends it."""
    said = {"projectId": 9, "sentAt": wall_now().timestamp(), "insights": [], **over}
    text = json.dumps(said)
    mac = hmac.new(token.encode(), text.encode(), hashlib.sha256).hexdigest()
    headers = {"x-signalbox-signature": f"sha256={mac}", "authorization": ""}
    return {"json": {"payload": text}, "headers": headers}


async def test_a_push_survives_a_gateway_that_dies_before_it_is_published(
    nats_server: RunningNats, database_url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk_on(nats_server) as desk:
        async with serving(nats_server, database_url) as web:
            await web.post("/api/quantconnect/config", json=ACCOUNT)
            made = await web.post("/api/quantconnect/config/mine/webhook")
            token = made.json()["token"]
            published = signed(token, v=1)
            assert (await web.post(HOOK, **published)).status_code == 202
            (first,) = await desk.hear(PushReceived)
            assert json.loads(first.data.body) == published["json"]
            monkeypatch.setattr(Relay, "submit", lambda *_: None)  # dies right after the commit
            stored = signed(token, v=2)
            assert (await web.post(HOOK, **stored)).json()["repeated"] is False
        monkeypatch.undo()
        assert len(desk.of(PushReceived)) == 1
        async with serving(nats_server, database_url) as web:
            await desk.hear(PushReceived, 2)
            again = [await web.post(HOOK, **request) for request in (published, stored)]
            assert [a.json()["repeated"] for a in again] == [True, True]
            assert (await web.post(HOOK, **signed(token, v=3))).status_code == 202
            said = await desk.hear(PushReceived, 3)
            shown = (await web.get("/api/quantconnect/config/mine")).json()["webhook"]
    assert [json.loads(json.loads(e.data.body)["payload"])["v"] for e in said] == [1, 2, 3]
    assert len(desk.ids) == len(set(desk.ids))
    assert shown["last_push_at"] is not None


async def answer_as_qc_ingest(desk: Desk) -> list[Command]:
    """Take the place of qc-ingest: start backtests and tell of them. Returns what is asked."""
    bus = await desk.bus("qc-ingest")
    asked: list[Command] = []

    async def tell(status: str, at: Any) -> None:
        body: dict[str, Any] = {
            "config_id": "mine",
            "project_id": 9,
            "status": status,
            "created_at": asked[0].deadline.isoformat(),
            "requested_by": asked[0].by,
        }
        state = p.State(service="qc-ingest", kind="backtest", id="b1", body=body, at=at)
        await bus.confirmed(await bus.send(message_of(a_moment().event(StateChanged, state))))

    async def on_message(message: Msg) -> None:
        asked.append(Command.model_validate_json(message.data))
        await message.respond(Reply(body={"backtest_id": "b1"}).model_dump_json().encode())
        await tell("queued", wall_now())
        await tell("completed", wall_now() + timedelta(seconds=1))

    await bus.nc.subscribe(f"{PREFIX}.cmd.qc-ingest.backtest", cb=on_message)
    await bus.nc.flush()
    return asked


async def test_a_backtest_is_asked_for_and_followed(
    nats_server: RunningNats, database_url: str | None
) -> None:
    async with desk_on(nats_server) as desk, serving(nats_server, database_url) as web:
        asked = await answer_as_qc_ingest(desk)
        await web.post("/api/quantconnect/config", json=ACCOUNT)
        started = await web.post("/api/quantconnect/backtest", json={"algorithm_id": 9})
        assert started.status_code == 202, started.text
        address = started.headers["location"]
        done = await until(lambda: _completed(web, address))
        missing = await web.get(f"{address}/series")
        query = "limit=1&status=completed&algorithm=9&config=mine&from=2026-01-01T00:00:00Z"
        listed = (await web.get(f"/api/quantconnect/backtest?{query}")).json()["items"]
        bus = await desk.bus("qc-ingest")
        raw = await bus.bucket_get("CONFIG", "qc-ingest")
    assert (asked[0].body, asked[0].by) == ({"project_id": 9, "config_id": "mine"}, "admin")
    assert (done["requested_by"], done["algorithm_id"]) == ("admin", "9")
    assert "qc-ingest" in done["missing"]
    assert [b["id"] for b in listed] == ["b1"]
    assert missing.status_code == 503
    assert raw is not None
    told = Versioned[IngestConfig].model_validate_json(raw)
    assert b"webhook" not in raw
    assert [c.id for c in told.document.quantconnect] == ["mine"]


async def _completed(web: httpx.AsyncClient, address: str) -> Any:
    found = (await web.get(address)).json()
    return found if found.get("status") == "completed" else None
