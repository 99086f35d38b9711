"""Configuration: one version for all, whole documents, keys that never come back."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import select

from gateway.adapters.primary_tables import config_versions, metadata, users
from gateway.starting import Environment, start
from signalbox.contracts import payloads as p
from signalbox.contracts.config import DOCUMENTS
from signalbox.contracts.errors import NotFound
from signalbox.contracts.events import StateChanged
from signalbox.testing.examples import NOON, a_moment

SECRET = "f3a9c07715ecanary0db2"
CONNECTION = {"name": "Mine", "api_key": "4711234", "api_secret": SECRET, "target": "real"}


def documents(gateway: Any) -> dict[str, Any]:
    """What the bucket holds, by service."""
    found = gateway.service.buckets
    return {name: json.loads(found["CONFIG", name]) for name in DOCUMENTS}


async def test_every_change_rewrites_all_documents_under_one_version(gateway: Any) -> None:
    async with gateway() as web:
        made = await web.post("/api/bots", json={"id": "alpha", "name": "Alpha"})
        assert made.status_code == 201
        assert {d["version"] for d in documents(gateway).values()} == {2}
        await web.put("/api/flags", json={"llm": False})
    stored = documents(gateway)
    assert {d["version"] for d in stored.values()} == {3}
    for name, kind in DOCUMENTS.items():
        kind.model_validate(stored[name]["document"])
    assert stored["decision-router"]["document"]["flags"]["llm"] is False
    router, executor = (stored[n]["document"]["bots"] for n in ("decision-router", "executor"))
    assert router == executor
    assert [b["bound_version"] for b in router] == [2]
    assert len({m.id for m in gateway.service.sent}) == len(gateway.service.sent) == 24
    with gateway.service.db.begin() as sql:
        rows = sql.execute(select(config_versions).order_by(config_versions.c.version)).all()
    assert [(r.version, r.author) for r in rows] == [(1, "setup"), (2, "admin"), (3, "admin")]
    assert rows[2].documents["decision-router"] == stored["decision-router"]["document"]


async def test_what_changes_nothing_makes_no_version(gateway: Any) -> None:
    async with gateway() as web:
        for _ in range(2):
            await web.post("/api/bots", json={"id": "alpha", "name": "Alpha"})
            await web.put("/api/flags", json={})
    assert {d["version"] for d in documents(gateway).values()} == {2}


async def test_a_restart_publishes_again_what_the_bucket_has_lost(gateway: Any) -> None:
    service, configuration = gateway.service, gateway.context.configuration
    before = dict(service.buckets)
    await configuration.restore()
    assert service.buckets == before
    del service.buckets["CONFIG", "executor"]
    service.buckets["CONFIG", "qc-ingest"] = b'{"version": 0, "document": {}}'
    await configuration.restore()
    assert service.buckets == before
    assert [m.subject for m in service.sent[8:]] == ["$KV.CONFIG.executor", "$KV.CONFIG.qc-ingest"]
    assert len({m.id for m in service.sent}) == len(service.sent)


async def test_moving_a_bot_to_another_account_binds_it_anew(gateway: Any) -> None:
    async with gateway() as web:
        await web.post("/api/bots", json={"id": "alpha"})
        await web.post("/api/accounts", json={"id": "second"})
        changed = await web.post("/api/bots", json={"id": "alpha", "enabled": False})
        assert (changed.status_code, changed.json()["bound_version"]) == (200, 2)
        moved = await web.post("/api/bots", json={"id": "alpha", "account": "second"})
        assert moved.json()["bound_version"] == 5
        accounts = (await web.get("/api/accounts")).json()["items"]
        assert {a["id"]: a["bot"] for a in accounts} == {"alpha": None, "second": "alpha"}
        taken = await web.post("/api/bots", json={"id": "beta", "account": "second"})
        missing = await web.post("/api/bots", json={"id": "beta", "account": "gone"})
    assert (taken.status_code, missing.status_code) == (409, 404)
    assert "belongs to bot 'alpha'" in taken.json()["detail"]


async def test_nothing_with_open_positions_is_deleted(
    gateway: Any, story: Callable[..., Any]
) -> None:
    told = story()
    bot = {"id": "alpha", "account": "paper-alpha"}
    async with gateway() as web:
        await web.post("/api/accounts", json={"id": "paper-alpha"})
        await web.post("/api/bots", json=bot)
        gateway.feed(*told.all())
        refused = await web.delete("/api/bots/alpha")
        assert refused.status_code == 409
        assert "still holds AAPL" in refused.json()["detail"]
        gateway.feed(told.position((), "2"))
        assert (await web.delete("/api/accounts/paper-alpha")).status_code == 409
        assert (await web.delete("/api/bots/alpha")).status_code == 204
        assert (await web.delete("/api/bots/alpha")).status_code == 404
        assert (await web.delete("/api/accounts/paper-alpha")).status_code == 204


async def test_equal_long_and_short_lots_are_held_too(
    gateway: Any, story: Callable[..., Any]
) -> None:
    async with gateway() as web:
        await web.post("/api/bots", json={"id": "alpha"})
        gateway.feed(story().hedged())
        refused = await web.delete("/api/bots/alpha")
        (held,) = (await web.get("/api/positions")).json()["items"]
    assert refused.status_code == 409
    assert "still holds AAPL" in refused.json()["detail"]
    assert (held["quantity"], len(held["lots"])) == ("0", 2)


async def test_a_bot_is_worth_what_its_present_account_is(
    gateway: Any, story: Callable[..., Any]
) -> None:
    told = story()

    async def worth(web: Any) -> list[tuple[str, str]]:
        found = (await web.get("/api/equity/now")).json()["items"]
        return [(one["account"], one["equity"]) for one in found]

    async with gateway() as web:
        for account in ("paper-alpha", "second"):
            await web.post("/api/accounts", json={"id": account})
        await web.post("/api/bots", json={"id": "alpha", "account": "paper-alpha"})
        gateway.feed(told.equity("100"))
        assert await worth(web) == [("paper-alpha", "100")]
        await web.post("/api/bots", json={"id": "alpha", "account": "second"})
        assert await worth(web) == []
        gateway.feed(told.equity("200", "2", account="second"), told.equity("101", "3"))
        assert await worth(web) == [("second", "200")]
        await web.post("/api/bots", json={"id": "alpha", "account": "paper-alpha"})
        assert await worth(web) == [("paper-alpha", "101")]


async def test_a_token_is_sealed_to_qc_ingest_and_shown_to_nobody(gateway: Any) -> None:
    async with gateway() as web:
        made = await web.post("/api/quantconnect/config", json=CONNECTION)
        assert made.status_code == 201
        key = made.json()["id"]
        answers = [
            made.text,
            (await web.get("/api/quantconnect/config")).text,
            (await web.get(f"/api/quantconnect/config/{key}")).text,
            (await web.get("/api/quantconnect/status")).text,
            (await web.post("/api/quantconnect/config", json={**CONNECTION, "target": "x"})).text,
        ]
    assert (key, made.json()["api_secret_hint"]) == ("mine", "0db2")
    (told,) = documents(gateway)["qc-ingest"]["document"]["quantconnect"]
    box = gateway.service.ingest_box
    assert box.open(told["token_sealed"], config_id="mine", field="token") == SECRET
    assert told["token_sealed"] not in "".join(answers)
    with gateway.service.db.begin() as sql:
        stored = repr([sql.execute(select(table)).all() for table in metadata.tables.values()])
    everywhere = "".join([*answers, stored, repr(gateway.service.sent)])
    encoded = base64.b64encode(SECRET.encode()).decode().rstrip("=")
    for shape in (SECRET, encoded, quote(SECRET), json.dumps(SECRET)):
        assert shape not in everywhere


async def test_a_config_is_changed_by_its_id_and_keeps_its_token(gateway: Any) -> None:
    async with gateway() as web:
        await web.post("/api/quantconnect/config", json={**CONNECTION, "algorithm_id": 9})
        sealed = documents(gateway)["qc-ingest"]["document"]["quantconnect"][0]["token_sealed"]
        changed = await web.post(
            "/api/quantconnect/config",
            json={"id": "mine", "is_active": False, "algorithm_id": None},
        )
        other_user = await web.post("/api/quantconnect/config", json={"id": "mine", "api_key": "5"})
        incomplete = await web.post("/api/quantconnect/config", json={"name": "No keys"})
    assert changed.status_code == 200
    assert (changed.json()["is_active"], changed.json()["algorithm_id"]) == (False, None)
    (told,) = documents(gateway)["qc-ingest"]["document"]["quantconnect"]
    assert (told["token_sealed"], told["active"]) == (sealed, False)
    assert "needs its api_secret" in other_user.json()["detail"]
    assert "needs api_key and api_secret" in incomplete.json()["detail"]


async def test_without_a_public_key_nothing_is_stored(gateway: Any) -> None:
    del gateway.service.buckets["KEYS", "qc-ingest"]
    async with gateway() as web:
        answer = await web.post("/api/quantconnect/config", json=CONNECTION)
        assert (await web.get("/api/quantconnect/config")).json()["items"] == []
    assert answer.status_code == 503
    assert "no public key" in answer.json()["detail"]


async def test_testing_waits_for_a_config_that_is_still_on_its_way(gateway: Any) -> None:
    answers: list[Any] = [
        NotFound("no QuantConnect config 'mine'"),
        {"connected": True, "message": "Connected.", "projects": [{"id": 1, "name": "x"}]},
    ]
    gateway.service.answers["qc-ingest", "test"] = lambda _body: answers.pop(0)
    async with gateway() as web:
        await web.post("/api/quantconnect/config", json=CONNECTION)
        tested = await web.post("/api/quantconnect/config/mine/test")
        unknown = await web.post("/api/quantconnect/config/gone/test")
    assert tested.json()["connected"] is True
    assert unknown.status_code == 404


async def test_a_trader_engages_the_kill_switch_and_an_admin_releases_it(gateway: Any) -> None:
    everything = {"everything": True, "reason": "news"}
    async with gateway("trader") as web:
        engaged = (await web.put("/api/kill-switch", json=everything)).json()
        assert (engaged["everything"], engaged["by"], engaged["reason"]) == (
            True,
            "trader",
            "news",
        )
        refused = await web.put("/api/kill-switch", json={})
        assert refused.status_code == 403
        assert (await web.get("/api/kill-switch")).json()["everything"] is True
    assert documents(gateway)["executor"]["document"]["kill_switch"]["everything"] is True
    async with gateway() as web:
        released = await web.put("/api/kill-switch", json={})
        unknown = await web.put("/api/kill-switch", json={"bots": ["gone"]})
    assert released.json()["everything"] is False
    assert unknown.status_code == 404


async def test_strategies_are_shown_with_what_the_runner_says(gateway: Any) -> None:
    body = {"strategy": "sma-cross", "symbols": ["AAPL"], "parameters": {"fast": "5"}}
    async with gateway() as web:
        made = await web.post("/api/strategies", json=body)
        said: dict[str, Any] = {"status": "failed", "problem": "fast is 5, not below slow 3"}
        state = p.State(
            service="strategy-runner", kind="strategy", id=made.json()["id"], body=said, at=NOON
        )
        gateway.feed(a_moment().event(StateChanged, state))
        (shown,) = (await web.get("/api/strategies")).json()["items"]
        gone = await web.delete(f"/api/strategies/{made.json()['id']}")
        again = await web.delete(f"/api/strategies/{made.json()['id']}")
    assert (made.status_code, shown["parameters"]) == (201, {"fast": "5"})
    assert (shown["status"], shown["problem"]) == ("failed", "fast is 5, not below slow 3")
    assert (gone.status_code, again.status_code) == (204, 404)


async def test_the_markets_speed_goes_to_market_data(gateway: Any) -> None:
    async with gateway() as web:
        answer = await web.put("/api/market", json={"speed": 600})
        bad = await web.put("/api/market", json={"speed": -1})
    assert answer.json()["speed"] == 600
    assert documents(gateway)["market-data"]["document"] == {"speed": 600}
    assert bad.status_code == 422


def environment(home: Path, **over: Any) -> Environment:
    given: dict[str, Any] = {
        "home": home,
        "admin_password": None,
        "demo": False,
        "quantconnect_api_key": None,
        "quantconnect_api_secret": None,
    }
    return Environment(**(given | over))


async def test_a_first_password_is_made_once_and_readable_by_its_owner_only(
    gateway: Any, tmp_path: Path
) -> None:
    file = tmp_path / "admin-password"
    with gateway.service.db.begin() as sql:
        sql.execute(users.delete())
    await start(gateway.context, environment(tmp_path))
    made = file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(made.strip()) >= 20
    await start(gateway.context, environment(tmp_path))
    assert file.read_text() == made
    async with gateway(None) as web:
        body = {"username": "admin", "password": made.strip()}
        assert (await web.post("/api/auth/token", json=body)).status_code == 200


async def test_a_given_password_is_not_written_down(gateway: Any, tmp_path: Path) -> None:
    with gateway.service.db.begin() as sql:
        sql.execute(users.delete())
    await start(gateway.context, environment(tmp_path, admin_password="given"))
    assert not (tmp_path / "admin-password").exists()
    async with gateway(None) as web:
        body = {"username": "admin", "password": "given"}
        assert (await web.post("/api/auth/token", json=body)).status_code == 200


async def test_the_demo_comes_once_and_can_be_deleted(gateway: Any, tmp_path: Path) -> None:
    await start(gateway.context, environment(tmp_path, demo=True))
    async with gateway() as web:
        bots = (await web.get("/api/bots")).json()["items"]
        assert [b["id"] for b in bots] == ["demo", "demo-shadow"]
        for path in ("bots/demo", "bots/demo-shadow", "quantconnect/config/demo"):
            assert (await web.delete(f"/api/{path}")).status_code == 204
        await start(gateway.context, environment(tmp_path, demo=True))
        assert (await web.get("/api/bots")).json()["items"] == []


async def test_the_demo_stays_out_of_a_database_in_use(gateway: Any, tmp_path: Path) -> None:
    async with gateway() as web:
        await web.post("/api/bots", json={"id": "mine"})
        await start(gateway.context, environment(tmp_path, demo=True))
        assert [b["id"] for b in (await web.get("/api/bots")).json()["items"]] == ["mine"]


async def test_keys_of_the_environment_are_imported_by_fingerprint(
    gateway: Any, tmp_path: Path
) -> None:
    given = environment(tmp_path, quantconnect_api_key="4711", quantconnect_api_secret=SECRET)
    for _ in range(2):
        await start(gateway.context, given)
    changed = environment(tmp_path, quantconnect_api_key="4711", quantconnect_api_secret="newer")
    await start(gateway.context, changed)
    (told,) = documents(gateway)["qc-ingest"]["document"]["quantconnect"]
    assert (told["user_id"], told["target"]) == ("4711", "real")
    box = gateway.service.ingest_box
    assert box.open(told["token_sealed"], config_id=told["id"], field="token") == "newer"
    assert documents(gateway)["executor"]["version"] == 3


async def test_a_new_bot_has_the_defaults_that_are_told(gateway: Any) -> None:
    async with gateway("admin") as web:
        told = (await web.get("/api/defaults/bot")).json()
        made = (await web.post("/api/bots", json={"name": "plain"})).json()
    assert told == {part: made[part] for part in ("policy", "sizing", "limits", "exits")}
    assert told["limits"]["max_order_notional"] == "10000"


async def test_kinds_of_strategies_are_those_that_the_runner_names(gateway: Any) -> None:
    body: dict[str, Any] = {"parameters": {"fast": "10", "slow": "30"}}
    state = p.State(service="strategy-runner", kind="kind", id="sma-cross", body=body, at=NOON)
    gateway.feed(a_moment().event(StateChanged, state))
    async with gateway("viewer") as web:
        kinds = (await web.get("/api/strategies/kinds")).json()["items"]
    assert kinds == [{"id": "sma-cross", **body}]


@pytest.mark.parametrize("path", ["bots", "accounts", "strategies", "quantconnect/config"])
async def test_configuration_takes_no_unknown_field(gateway: Any, path: str) -> None:
    async with gateway() as web:
        answer = await web.post(f"/api/{path}", json={"surprise": 1})
    assert answer.json()["detail"] == "surprise: is not known here"
