"""The gateway on a real NATS server: configuration goes out, events come in, streams resume."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from nats.aio.msg import Msg

from gateway.app import build_app
from gateway.rebuild import rebuild
from gateway.settings import Settings
from signalbox.contracts.assessments import LlmDecision
from signalbox.contracts.commands import Command, Reply
from signalbox.contracts.config import (
    ExecutorConfig,
    IngestConfig,
    LlmDeciderConfig,
    Versioned,
)
from signalbox.contracts.events import LlmDecisionMade, QuoteUpdated
from signalbox.contracts.ids import derive
from signalbox.contracts.subjects import PREFIX
from signalbox.runtime.bus import Credentials
from signalbox.runtime.db import Database
from signalbox.runtime.migrating import migrate
from signalbox.runtime.moment import Outgoing
from signalbox.runtime.secrets import SecretBox
from signalbox.testing.desk import Desk, desk_on
from signalbox.testing.examples import D, a_decision, a_moment, a_quote
from signalbox.testing.servers import RunningNats
from signalbox.testing.wait import until

pytestmark = pytest.mark.integration
pytest_plugins = ("signalbox.testing.servers",)


def settings(nats: RunningNats, url: str | None, **over: Any) -> Settings:
    migrate("gateway", home=nats.home, url=url)
    given: dict[str, Any] = {"home": nats.home, "nats_url": nats.url, "database_url": url}
    return Settings(_env_file=None, **(given | over))


@asynccontextmanager
async def serving(given: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway that is ready, signed in as admin."""
    app: FastAPI = build_app(given)
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


async def document(desk: Desk, service: str, kind: Any) -> Any:
    bus = await desk.bus(service)
    raw = await bus.bucket_get("CONFIG", service)
    return Versioned[kind].model_validate_json(raw) if raw else None


async def test_a_first_start_publishes_documents_and_a_demo_that_stays_deleted(
    nats_server: RunningNats, database_url: str | None
) -> None:
    given = settings(nats_server, database_url, demo=True)
    async with desk_on(nats_server) as desk:
        async with serving(given) as web:
            mode = (given.home / "admin-password").stat().st_mode & 0o777
            assert mode == 0o600
            await until(lambda: _holds_demo(desk))
            executor = await document(desk, "executor", ExecutorConfig)
            assert [b.id for b in executor.document.bots] == ["demo", "demo-shadow"]
            assert await _token(desk, given.home) == "abc"
            deleted = await web.delete("/api/bots/demo")
            assert deleted.status_code == 204
        await desk.configure("executor", ExecutorConfig(), version=1)  # an old backup came back
        async with serving(given) as web:
            bots = (await web.get("/api/bots")).json()["items"]
            assert [b["id"] for b in bots] == ["demo-shadow"]
            executor = await until(lambda: _newer(desk, "executor", ExecutorConfig, 1))
            assert [b.id for b in executor.document.bots] == ["demo-shadow"]


async def _newer(desk: Desk, service: str, kind: Any, version: int) -> Any:
    found = await document(desk, service, kind)
    return found if found.version > version else None


LISTS = (
    "signals?limit=1&symbol=AAPL&from=2026-08-01T00:00:00Z",
    "verdicts?limit=1&outcome=pending&current=true",
    "verdicts?limit=1&current=false",
    "orders?limit=1&final=true&bot=alpha",
    "trades?limit=1&side=buy",
    "equity?limit=1&bot=alpha&step_s=60",
    "quantconnect/signals?limit=1&processed=false&config=demo",
    "alerts?active=true",
    "alerts?active=false&severity=warning",
    "dead-letters?service=executor",
    "performance?by=bot&from=2026-08-01T00:00:00Z",
    "strategies",
    "quantconnect/status",
    "quantconnect/algorithms",
)


async def test_what_the_streams_say_is_archived_and_shown(
    nats_server: RunningNats, database_url: str | None, story: Any
) -> None:
    told = story()
    given = settings(nats_server, database_url)
    async with desk_on(nats_server) as desk, serving(given) as web:
        await desk.say(*told.all())
        url = f"/api/signals/{told.signal.signal_id}"
        chain = await until(lambda: _whole(web, url))
        assert [v["bot"] for v in chain["verdicts"]] == ["alpha", "beta"]
        (order,) = chain["orders"]
        assert [step["state"] for step in order["steps"]] == ["planned", "accepted", "filled"]
        (lot,) = chain["lots"]
        assert (lot["opened"], lot["open"]) == ("10", True)
        await desk.say(*told.all())  # the streams drop repeats
        quote = a_moment().event(QuoteUpdated, a_quote())
        await desk.say(quote)
        held = await until(lambda: _marked(web))
        assert held["mark_price"] == "210.5"
        assert held["unrealised_pnl"] == "105"
        for path in LISTS:
            answer = await web.get(f"/api/{path}")
            assert answer.status_code == 200, answer.text
            if cursor := answer.json()["next_cursor"]:
                answer = await web.get(f"/api/{path}&cursor={cursor}")
                assert answer.status_code == 200, answer.text
        assert (await web.delete("/api/bots/alpha")).status_code == 404
    assert rebuilt(given) == len(told.all())


def rebuilt(given: Settings) -> int:
    """How many events the read models were built from again."""
    url = given.database_url.get_secret_value() if given.database_url else None
    db = Database.open("gateway", home=given.home, url=url)
    with db.begin() as sql:
        count = rebuild(sql, lambda _last, _newest: None)
    db.close()
    return count


async def _whole(web: httpx.AsyncClient, url: str) -> Any:
    chain = (await web.get(url)).json()
    positions = (await web.get("/api/positions")).json()["items"]
    return chain if chain.get("lots") and len(chain["verdicts"]) == 2 and positions else None


async def _marked(web: httpx.AsyncClient) -> Any:
    (held,) = (await web.get("/api/positions")).json()["items"]
    return held if held["mark_price"] else None


async def test_what_was_set_aside_stands_until_somebody_has_seen_to_it(
    nats_server: RunningNats, database_url: str | None
) -> None:
    given = settings(nats_server, database_url)
    async with desk_on(nats_server) as desk, serving(given) as web:
        for number in range(2):
            where = f"{PREFIX}.signals.strategy.tester.EDGE"
            await desk.say(Outgoing(f"bad-{number}", where, b'{"bad": %d' % number))
        (_, first), _ = await until(lambda: _set_aside(web, 2))
        settled = await web.post(f"/api/dead-letters/{first['id']}/settle")
        assert (settled.status_code, settled.json()["active"]) == (200, False)
        _, (alert,) = await until(lambda: _set_aside(web, 1))
        assert alert["about"] != f"message:{first['message_id']}"
        again = await web.post(f"/api/dead-letters/{first['id']}/settle")
        assert again.json() == settled.json()
        told = (await web.get("/api/alerts?code=dead_letter")).json()["items"]
        (over,) = [one for one in told if not one["active"]]
        assert over["message"].startswith("admin has seen to the message that gateway set aside")
        unknown = await web.post("/api/dead-letters/7/settle")
    assert (unknown.status_code, unknown.json()["detail"][:15]) == (404, "there is no mes")


async def _set_aside(web: httpx.AsyncClient, standing: int) -> Any:
    """Both messages and the alerts that stand, once there are so many."""
    letters = (await web.get("/api/dead-letters")).json()["items"]
    alerts = (await web.get("/api/alerts?active=true&code=dead_letter")).json()["items"]
    waiting = [one for one in letters if one["active"]]
    return (letters, alerts) if len(letters) == 2 and len(waiting) == standing else None


async def test_a_question_nobody_answers_says_who_is_missing(nats_server: RunningNats) -> None:
    async with desk_on(nats_server), serving(settings(nats_server, None)) as web:
        answer = await web.post("/api/positions/alpha/BTC%2FUSD/close")
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "executor is not running" in answer.json()["detail"]


async def test_keys_of_the_environment_are_imported_once_as_real(nats_server: RunningNats) -> None:
    given = settings(
        nats_server, None, QUANTCONNECT_API_KEY="4711", QUANTCONNECT_API_SECRET="s3cr3t"
    )
    async with desk_on(nats_server) as desk:
        for _ in range(2):
            async with serving(given) as web:
                configs = (await web.get("/api/quantconnect/config")).json()["items"]
                assert [(c["id"], c["target"]) for c in configs] == [("environment", "real")]
        found = await document(desk, "qc-ingest", IngestConfig)
        assert found.version == 2


async def _holds_demo(desk: Desk) -> bool:
    found = await document(desk, "qc-ingest", IngestConfig)
    return bool(found and found.document.quantconnect)


async def _token(desk: Desk, home: Path) -> str:
    found = await document(desk, "qc-ingest", IngestConfig)
    (config,) = found.document.quantconnect
    key = Credentials.read(home, "qc-ingest").private_key
    assert key
    return SecretBox(key).open(config.token_sealed, config_id=config.id, field="token")


MODEL = {
    "id": "gpt",
    "provider": "openai",
    "api_key": "sk-0123456789abcdef",
    "model": "a-model",
    "symbols": ["AAPL", "MSFT"],
    "target": "sandbox",
}
MODEL_LISTS = (
    "ai-trading/decision?limit=1&config=gpt&symbol=AAPL&outcome=answered&action=buy&q=MOMENTUM",
    "ai-trading/decision?limit=1&dry_run=true&processed=true&from=2026-08-01T00:00:00Z",
    "ai-trading/prompts",
    "ai-trading/prompts/standard/versions?limit=1",
    "ai-trading/costs?limit=1",
    "ai-trading/costs?period=month&config=gpt&target=sandbox",
    "ai-trading/costs/breakdown?by=prompt",
    "ai-trading/status",
    "ai-trading/budgets",
    "calibration?by=model&target=sandbox",
)


def answer_to(command: Command) -> list[LlmDecision]:
    """What the model says on what was asked: one call about every symbol."""
    call_id = derive("call", command.request_id)
    return [
        a_decision(
            trigger_key=command.request_id,
            symbol=symbol,
            call_id=call_id,
            dry_run=command.body["dry_run"],
            trigger="request",
            asked_by=command.by,
            cost_usd=D("0.0005"),
        )
        for symbol in MODEL["symbols"]
    ]


async def answer_as_llm_decider(desk: Desk) -> list[Command]:
    """Take the place of llm-decider: answer once, and tell of it. Returns what is asked."""
    bus = await desk.bus("llm-decider")
    asked: list[Command] = []

    async def on_message(message: Msg) -> None:
        command = Command.model_validate_json(message.data)
        asked.append(command)
        made = answer_to(command)
        body: dict[str, Any] = {
            "call_ids": [str(made[0].call_id)],
            "decision_ids": {one.symbol: str(one.decision_id) for one in made},
        }
        await message.respond(Reply(body=body).model_dump_json().encode())
        await desk.say(*(a_moment().event(LlmDecisionMade, one) for one in made))

    await bus.nc.subscribe(f"{PREFIX}.cmd.llm-decider.decide", cb=on_message)
    await bus.nc.flush()
    return asked


async def models_told(desk: Desk) -> Any:
    """The models that llm-decider is told of, as it reads it itself."""
    found = await document(desk, "llm-decider", LlmDeciderConfig)
    return found.document.models if found else ()


async def test_a_question_goes_out_and_its_answer_comes_back(
    nats_server: RunningNats, database_url: str | None
) -> None:
    given = settings(nats_server, database_url)
    async with desk_on(nats_server) as desk, serving(given) as web:
        asked = await answer_as_llm_decider(desk)
        saved = await web.post("/api/ai-trading/config", json=MODEL)
        assert saved.status_code == 201, saved.text
        (model,) = await until(lambda: models_told(desk))
        private = Credentials.read(nats_server.home, "llm-decider").private_key
        assert private
        opened = SecretBox(private).open(model.key_sealed, config_id="gpt", field="key")
        assert opened == MODEL["api_key"]
        body = {"config_id": "gpt", "dry_run": True}
        answer = await web.post("/api/ai-trading/decision", json=body)
        assert answer.status_code == 200, answer.text
        assert [one["symbol"] for one in answer.json()["items"]] == ["AAPL", "MSFT"]
        for path in MODEL_LISTS:
            page = await web.get(f"/api/{path}")
            assert page.status_code == 200, page.text
            assert page.json()["items"] or "calibration" in path
            if cursor := page.json()["next_cursor"]:
                page = await web.get(f"/api/{path}&cursor={cursor}")
                assert page.status_code == 200, page.text
        (day,) = (await web.get("/api/ai-trading/costs")).json()["items"]
    assert (day["cost_usd"], day["decisions"], day["calls"]) == ("0.001", 2, 1)
    assert [(c.body["config_id"], c.by) for c in asked] == [("gpt", "admin")]
