"""QuantConnect's backtests, with qc-ingest played."""

from datetime import timedelta
from typing import Any

import pytest

from signalbox.contracts import ids
from signalbox.contracts import payloads as p
from signalbox.contracts.errors import NotFound, TransientError
from signalbox.contracts.events import StateChanged
from signalbox.testing.examples import NOON, a_moment

ACCOUNT = {"id": "one", "api_key": "4711234", "api_secret": "f3a9c07715e0db2"}
ROOT = "/api/quantconnect"
OWNER = "qc-ingest"


def a_backtest(key: str, minute: int = 0, **over: Any) -> StateChanged:
    """What qc-ingest says of a backtest."""
    at = NOON + timedelta(minutes=minute)
    body = {
        "config_id": "one",
        "project_id": 9,
        "status": "running",
        "created_at": at.isoformat(),
        **over,
    }
    said = p.State(service=OWNER, kind="backtest", id=key, body=body, at=at)
    return a_moment().event(StateChanged, said)


def asked(gateway: Any, verb: str) -> list[dict[str, Any]]:
    return [body for _, said, body, *_ in gateway.service.asked if said == verb]


async def test_a_backtest_is_started_in_a_persons_name_once(gateway: Any) -> None:
    def begin(_body: dict[str, Any]) -> dict[str, Any]:
        gateway.feed(a_backtest("b1", status="queued", start="2024-01-02", requested_by="trader"))
        return {"backtest_id": "b1"}

    gateway.service.answers[OWNER, "backtest"] = begin
    async with gateway() as web:
        await web.post(f"{ROOT}/config", json=ACCOUNT)
    wish = {"name": "January", "parameters": {"fast": "5"}, "start": "2024-01-02"}
    body = {"algorithm_id": 9, **wish}
    async with gateway("trader", **{"idempotency-key": "k"}) as web:
        started = await web.post(f"{ROOT}/backtest", json=body)
        await web.post(f"{ROOT}/backtest", json=body)
        followed = await web.get(started.headers["location"])
    assert (started.status_code, started.json()["status"]) == (202, "queued")
    assert followed.json()["start"] == "2024-01-02"
    assert asked(gateway, "backtest") == [{**wish, "project_id": 9, "config_id": "one"}] * 2
    wanted = str(ids.derive("trader", "backtest", "k"))
    calls = [call for call in gateway.service.asked if call[1] == "backtest"]
    assert {(call[3], call[4]) for call in calls} == {("trader", wanted)}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "algorithm_id: is missing"),
        ({"algorithm_id": 0}, "algorithm_id: input should be greater than 0"),
        (
            {"algorithm_id": 9, "start": "2024-02-01", "end": "2024-01-01"},
            "body: end is before start",
        ),
        ({"algorithm_id": 9, "start": "soon"}, "start: input should be a valid date"),
        ({"algorithm_id": 9, "parameters": {"a b": "1"}}, "parameters.a b.[key]: "),
        (
            {"algorithm_id": 9, "parameters": {"a": 1}},
            "parameters.a: input should be a valid string",
        ),
    ],
)
async def test_backtests_that_do_not_fit(gateway: Any, body: dict[str, Any], detail: str) -> None:
    async with gateway("trader") as web:
        answer = await web.post(f"{ROOT}/backtest", json=body)
    assert (answer.status_code, answer.json()["detail"][: len(detail)]) == (422, detail)


async def test_backtests_are_listed_by_filters_and_pages(gateway: Any) -> None:
    gateway.feed(
        *(a_backtest(f"b{n}", n, status="completed" if n % 2 else "failed") for n in range(6)),
        a_backtest("other", 7, project_id=8, config_id="two"),
        a_backtest("gone", 8, status="deleted"),
    )
    async with gateway("viewer") as web:
        first = (await web.get(f"{ROOT}/backtest?limit=4")).json()
        cursor = first["next_cursor"]
        rest = (await web.get(f"{ROOT}/backtest?limit=4&cursor={cursor}")).json()
        counts = [
            len((await web.get(f"{ROOT}/backtest?{query}")).json()["items"])
            for query in (
                "algorithm=9",
                "algorithm=9&status=completed",
                "config=two",
                "from=2026-08-03T16:04:00Z",
                "to=2026-08-03T16:01:00Z",
            )
        ]
        gone = await web.get(f"{ROOT}/backtest/gone")
    found = [b["id"] for b in first["items"] + rest["items"]]
    assert found == ["other", "b5", "b4", "b3", "b2", "b1", "b0"]
    assert rest["next_cursor"] is None
    assert counts == [6, 3, 1, 3, 1]
    assert gone.status_code == 404


async def test_a_backtest_is_shown_at_its_newest_state(gateway: Any) -> None:
    gateway.feed(
        a_backtest(
            "b1",
            2,
            status="completed",
            progress=1,
            ignores_dates=True,
            statistics={"Sharpe Ratio": "1.2"},
            created_at=NOON.isoformat(),
        ),
        a_backtest("b1", 1, status="running", created_at=NOON.isoformat()),
    )
    gateway.service.answers[OWNER, "backtest_detail"] = {
        "performance": {"portfolioStatistics": {"sharpeRatio": "1.2"}},
        "notes": ["The algorithm ignores the dates."],
        "statistics": {},
        "token": "no",
    }
    async with gateway("viewer") as web:
        shown = (await web.get(f"{ROOT}/backtest/b1")).json()
        gateway.service.answers[OWNER, "backtest_detail"] = TransientError("qc-ingest is away")
        without = (await web.get(f"{ROOT}/backtest/b1")).json()
    assert (shown["status"], shown["ignores_dates"]) == ("completed", True)
    assert shown["statistics"] == without["statistics"] == {"Sharpe Ratio": "1.2"}
    assert shown["notes"] == ["The algorithm ignores the dates."]
    assert "token" not in shown
    assert (shown["missing"], without["missing"]) == (None, "qc-ingest is away")
    assert without["performance"] == {}


async def test_curves_are_points_in_time(gateway: Any) -> None:
    gateway.feed(a_backtest("b1"))
    gateway.service.answers[OWNER, "backtest_series"] = {
        "equity": [[1704153600, "100000.00"], [1704240000, "100120.50"], "odd"],
        "drawdown": [],
    }
    async with gateway("viewer") as web:
        curves = (await web.get(f"{ROOT}/backtest/b1/series")).json()
    assert curves == {
        "equity": [
            {"at": "2024-01-02T00:00:00Z", "value": "100000"},
            {"at": "2024-01-03T00:00:00Z", "value": "100120.5"},
        ],
        "benchmark": [],
        "drawdown": [],
    }


@pytest.mark.parametrize("what", ["trades", "orders", "insights"])
async def test_a_backtests_rows_are_paged(gateway: Any, what: str) -> None:
    every = [{"id": n, "symbol": "SPY", "quantity": n} for n in range(250)]

    def rows(body: dict[str, Any]) -> dict[str, Any]:
        assert body["limit"] <= 100
        offset = body["offset"]
        return {what: every[offset : offset + body["limit"]], "length": len(every)}

    gateway.feed(a_backtest("b1"))
    gateway.service.answers[OWNER, f"backtest_{what}"] = rows
    seen: list[str] = []
    path = f"{ROOT}/backtest/b1/{what}"
    query = "?limit=200"
    async with gateway("viewer") as web:
        while query:
            page = (await web.get(path + query)).json()
            seen += [one["id"] for one in page["items"]]
            query = f"?limit=200&cursor={page['next_cursor']}" if page["next_cursor"] else ""
        other = (await web.get(f"{ROOT}/backtest?limit=1")).json()["next_cursor"]
        assert other is None
        misfit = await web.get(f"{path}?cursor=WzEsImIxIl0")
    assert seen == [str(n) for n in range(250)]
    assert misfit.status_code == 422


async def test_a_backtest_is_cancelled_or_deleted(gateway: Any) -> None:
    gateway.feed(a_backtest("b1"))
    told = {"status": "running", "message": "It is being cancelled."}
    gateway.service.answers[OWNER, "cancel_backtest"] = told
    async with gateway("trader") as web:
        ended = await web.delete(f"{ROOT}/backtest/b1")
        unknown = await web.delete(f"{ROOT}/backtest/gone")
        gateway.service.answers[OWNER, "cancel_backtest"] = NotFound("it is gone already")
        twice = await web.delete(f"{ROOT}/backtest/b1")
    assert ended.json() == {"id": "b1", **told}
    assert (unknown.status_code, twice.status_code) == (404, 404)
    assert asked(gateway, "cancel_backtest")[0] == {"backtest_id": "b1"}
