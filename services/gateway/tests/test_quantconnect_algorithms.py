"""QuantConnect's status, algorithms and jobs, with qc-ingest played."""

from datetime import timedelta
from typing import Any

import pytest

from gateway.routes import following
from signalbox.contracts import ids
from signalbox.contracts import payloads as p
from signalbox.contracts.errors import Conflict, TransientError
from signalbox.contracts.events import StateChanged
from signalbox.testing.examples import NOON, a_moment

ACCOUNT = {"api_key": "4711234", "api_secret": "f3a9c07715e0db2", "target": "sandbox"}
ROOT = "/api/quantconnect"
OWNER = "qc-ingest"


def state(about: str, key: str, minute: int = 0, **body: Any) -> StateChanged:
    at = NOON + timedelta(minutes=minute)
    said = p.State(service=OWNER, kind=about, id=key, body=body, at=at)
    return a_moment().event(StateChanged, said)


def row(project_id: int, config_id: str = "one", **over: Any) -> dict[str, Any]:
    """An algorithm as qc-ingest lists it."""
    return {
        "project_id": project_id,
        "config_id": config_id,
        "name": f"Project {project_id}",
        "status": "Running",
        "deploy_id": None,
        "performance": {"Equity": "$100,000.00"},
        "fetched_at": "2026-08-03T16:00:00+00:00",
        **over,
    }


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the read models do not know yet is not waited for."""
    monkeypatch.setattr(following, "_BETWEEN_S", 0)


async def accounts(gateway: Any, *keys: str, **over: Any) -> None:
    async with gateway() as web:
        for key in keys:
            body = {**ACCOUNT, "id": key, **over}
            made = await web.post(f"{ROOT}/config", json=body)
            assert made.status_code == 201, made.text


def asked(gateway: Any, verb: str) -> list[dict[str, Any]]:
    return [body for _, said, body, *_ in gateway.service.asked if said == verb]


async def test_an_account_is_added_once_under_an_idempotency_key(gateway: Any) -> None:
    body = {**ACCOUNT, "name": "Mine"}
    async with gateway(**{"idempotency-key": "k"}) as web:
        made = [await web.post(f"{ROOT}/config", json=body) for _ in range(2)]
    async with gateway() as web:
        other = await web.post(f"{ROOT}/config", json=body)
        listed = (await web.get(f"{ROOT}/config")).json()["items"]
    first, again = (answer.json() for answer in made)
    assert first["id"] == again["id"] != other.json()["id"]
    assert {c["id"] for c in listed} == {first["id"], other.json()["id"]}


async def test_status_comes_from_what_qc_ingest_says(gateway: Any) -> None:
    gateway.feed(
        state(
            "connection",
            "one",
            connected=True,
            last_ok_at="2026-08-03T16:00:00+00:00",
            last_error=None,
            clock_skew_s=0.2,
            rate_limit={"limit": 100},
        ),
        state("algorithm", "9", **row(9)),
    )
    await accounts(gateway, "one", "two")
    async with gateway("viewer") as web:
        one, two = (await web.get(f"{ROOT}/status")).json()["items"]
    assert (one["connected"], one["rate_limit"], one["clock_skew_s"]) == (True, {"limit": 100}, 0.2)
    assert (one["last_ok_at"], one["last_error"]) == ("2026-08-03T16:00:00Z", None)
    (algorithm,) = one["algorithms"]
    assert algorithm["performance"] == {"Equity": "$100,000.00"}
    assert algorithm["fetched_at"] == "2026-08-03T16:00:00Z"
    assert (two["connected"], two["last_ok_at"], two["algorithms"]) == (False, None, [])


async def test_algorithms_are_listed_by_pages_with_their_age(gateway: Any) -> None:
    rows = [row(12), row(9), row(100, status=None), row(9, "two")]
    problem = {"config_id": "three", "message": "QuantConnect does not accept the token."}
    gateway.service.answers[OWNER, "algorithms"] = {"algorithms": rows, "problems": [problem]}
    await accounts(gateway, "one", "two")
    seen, path = [], f"{ROOT}/algorithms?limit=2"
    async with gateway("viewer") as web:
        while path:
            page = (await web.get(path)).json()
            seen += [(a["id"], a["config_id"]) for a in page["items"]]
            following = page["next_cursor"]
            path = f"{ROOT}/algorithms?limit=2&cursor={following}" if following else ""
        await web.get(f"{ROOT}/algorithms?config=two&refresh=true")
        unknown = await web.get(f"{ROOT}/algorithms?config=gone")
    assert seen == [("9", "one"), ("9", "two"), ("12", "one"), ("100", "one")]
    last = page["items"][-1]
    assert (last["status"], last["fetched_at"]) == ("Not deployed", "2026-08-03T16:00:00Z")
    assert page["problems"] == [problem]
    assert asked(gateway, "algorithms")[-1] == {"config_id": "two", "refresh": True}
    assert unknown.status_code == 404


async def test_what_is_live_is_listed_while_qc_ingest_is_away(gateway: Any) -> None:
    gateway.feed(state("algorithm", "9", **row(9, statistics={"Equity": "$1"}, performance=None)))
    gateway.service.answers[OWNER, "algorithms"] = TransientError("qc-ingest is not running")
    await accounts(gateway, "one")
    async with gateway("viewer") as web:
        page = (await web.get(f"{ROOT}/algorithms?config=one")).json()
        fresh = await web.get(f"{ROOT}/algorithms?refresh=true")
    (known,), (problem,) = page["items"], page["problems"]
    assert (known["id"], known["performance"]) == ("9", {"Equity": "$1"})
    assert problem == {"config_id": "one", "message": "qc-ingest is not running"}
    assert (fresh.status_code, fresh.json()["detail"]) == (503, "qc-ingest is not running")


DETAIL = {
    **row(9),
    "description": "Momentum",
    "parameters": [{"key": "fast", "value": 5}],
    "files": [{"name": "main.py", "size": 120, "modified": "2026-08-01T00:00:00Z"}],
    "portfolio": {
        "holdings": [{"symbol": "AAPL", "quantity": 10, "price": "NaN", "secret": "no"}],
        "cash": [{"currency": "USD", "amount": "97999.5"}],
    },
    "nodes": {"live": [{"id": "L1", "name": "L-MICRO", "busy": True}], "free_live": 0},
    "history": [{"at": "2026-08-03T15:00:00Z", "equity": "100000.00", "return": "0.01"}],
    "logs": ["hello"],
    "live": {"message": "It runs."},
    "notes": ["The nodes cannot be read: try again"],
    "surprise": 1,
}


async def test_an_algorithm_is_shown_whole_and_nothing_else(gateway: Any) -> None:
    gateway.service.answers[OWNER, "algorithm"] = DETAIL
    await accounts(gateway, "one")
    async with gateway("viewer") as web:
        shown = (await web.get(f"{ROOT}/algorithms/9?refresh=true")).json()
    assert asked(gateway, "algorithm") == [{"config_id": "one", "project_id": 9, "refresh": True}]
    assert (shown["parameters"], shown["message"]) == ({"fast": "5"}, "It runs.")
    assert shown["notes"] == DETAIL["notes"]
    (held,) = shown["portfolio"]["holdings"]
    assert (held["quantity"], held["price"]) == ("10", None)
    assert "secret" not in held
    assert "surprise" not in shown
    assert shown["portfolio"]["cash"][0]["amount"] == "97999.5"
    assert (shown["nodes"]["free_live"], shown["nodes"]["live"][0]["busy"]) == (0, True)
    assert (shown["history"][0]["return"], shown["history"][0]["equity"]) == ("0.01", "100000")


async def test_a_project_in_two_accounts_needs_one_named(gateway: Any) -> None:
    gateway.service.answers[OWNER, "algorithms"] = {
        "algorithms": [row(9), row(9, "two"), row(12, "two")]
    }
    gateway.service.answers[OWNER, "algorithm"] = row(9)
    await accounts(gateway, "one", "two")
    async with gateway("viewer") as web:
        several = await web.get(f"{ROOT}/algorithms/9")
        named = await web.get(f"{ROOT}/algorithms/9?config=two")
        single = await web.get(f"{ROOT}/algorithms/12")
        nowhere = await web.get(f"{ROOT}/algorithms/13")
        no_number = await web.get(f"{ROOT}/algorithms/momentum")
    assert several.status_code == 409
    assert several.json()["detail"] == "project 9 is in one and two; say which with ?config="
    assert (named.status_code, single.status_code) == (200, 200)
    assert [a["config_id"] for a in asked(gateway, "algorithm")] == ["two", "two"]
    assert (nowhere.status_code, no_number.status_code) == (404, 404)
    assert "refresh=true" in nowhere.json()["detail"]


async def test_an_account_of_another_project_is_not_asked(gateway: Any) -> None:
    await accounts(gateway, "one", algorithm_id=8)
    await accounts(gateway, "two", is_active=False)
    async with gateway("viewer") as web:
        answer = await web.get(f"{ROOT}/algorithms/9")
    assert answer.status_code == 404
    assert "no active QuantConnect config may hold project 9" in answer.json()["detail"]
    assert gateway.service.asked == []


async def test_deploying_answers_with_a_job_that_can_be_followed(gateway: Any) -> None:
    def deploy(_body: dict[str, Any]) -> dict[str, Any]:
        gateway.feed(
            state(
                "job",
                "j1",
                kind="deploy",
                config_id="one",
                project_id=9,
                status="running",
                step="compiling",
                progress=0.1,
                message=None,
            )
        )
        return {"job_id": "j1"}

    gateway.service.answers[OWNER, "deploy"] = deploy
    await accounts(gateway, "one")
    body = {
        "node_id": "L1",
        "parameters": {"fast": "5"},
        "notify": {
            "url": "https://desk.example/hooks/quantconnect/one",
            "headers": {"Authorization": "Bearer canary"},
        },
    }
    async with gateway("trader", **{"idempotency-key": "k"}) as web:
        started = await web.post(f"{ROOT}/algorithms/9/deploy", json=body)
        again = await web.post(f"{ROOT}/algorithms/9/deploy", json=body)
        followed = await web.get(started.headers["location"])
        unknown = await web.get(f"{ROOT}/jobs/gone")
    assert (started.status_code, again.status_code) == (202, 202)
    assert started.json() == followed.json()
    assert (followed.json()["step"], followed.json()["algorithm_id"]) == ("compiling", "9")
    assert unknown.status_code == 404
    assert "canary" not in started.text + followed.text
    assert asked(gateway, "deploy")[0] == {**body, "config_id": "one", "project_id": 9}
    ((*_, by, first), (*_, second)) = gateway.service.asked
    assert (by, first, second) == ("trader", str(ids.derive("trader", "deploy", "9|k")), first)


async def test_deploying_says_why_not(gateway: Any) -> None:
    why = "no live node is free: L-MICRO runs project 8; stop it, or add a node at QuantConnect"
    gateway.service.answers[OWNER, "deploy"] = Conflict(why)
    await accounts(gateway, "one")
    async with gateway("trader") as web:
        refused = await web.post(f"{ROOT}/algorithms/9/deploy")
        misfit = await web.post(f"{ROOT}/algorithms/9/deploy", json={"brokerage": "real"})
    assert (refused.status_code, refused.json()["detail"]) == (409, why)
    assert misfit.json()["detail"] == "brokerage: is not known here"


async def test_a_job_is_known_before_it_is_heard_of(gateway: Any) -> None:
    gateway.service.answers[OWNER, "deploy"] = {"job_id": "j1"}
    await accounts(gateway, "one")
    async with gateway("trader") as web:
        started = await web.post(f"{ROOT}/algorithms/9/deploy")
    assert started.status_code == 202
    assert (started.json()["id"], started.json()["status"]) == ("j1", "running")


async def test_liquidating_wants_to_be_confirmed(gateway: Any) -> None:
    gateway.service.answers[OWNER, "stop"] = {"status": "Stopped"}
    gateway.service.answers[OWNER, "liquidate"] = {"status": "Liquidated"}
    await accounts(gateway, "one")
    path = f"{ROOT}/algorithms/9"
    async with gateway("trader") as web:
        stopped = await web.post(f"{path}/stop")
        unconfirmed = [
            await web.post(f"{path}/liquidate", json=body) for body in ({}, {"confirm": False})
        ]
        assert asked(gateway, "liquidate") == []
        confirmed = await web.post(f"{path}/liquidate", json={"confirm": True})
    assert [answer.status_code for answer in unconfirmed] == [422, 422]
    assert (stopped.json()["status"], confirmed.json()["status"]) == ("Stopped", "Liquidated")
    named = {"config_id": "one", "project_id": 9}
    assert (asked(gateway, "stop"), asked(gateway, "liquidate")) == (
        [named],
        [{**named, "confirm": True}],
    )
