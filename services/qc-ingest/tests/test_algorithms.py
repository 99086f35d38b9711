"""Algorithms: listed, shown, kept, stopped and sold out; and how deployments did over time."""

import itertools
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from qc_ingest.adapters import job_store
from qc_ingest.algorithms import Algorithms
from sandbox.faults import Kind
from signalbox.contracts.errors import (
    NotFound,
    PermanentError,
    Refused,
    SignalboxError,
    TransientError,
)

MOMENTUM, BREADTH = 23456781, 23456782
Station = Any


def algorithms(station: Station) -> Any:
    return Algorithms(station.host, station.opened())


async def test_every_project_is_listed_with_its_live_state(station: Station) -> None:
    config = station.config()
    station.begin(30)
    await station.poller().turn(config)
    answer = await algorithms(station).algorithms(station.ask(config_id="demo"))
    assert answer["problems"] == []
    rows = {row["project_id"]: row for row in answer["algorithms"]}
    assert list(rows) == [BREADTH, MOMENTUM]
    row = rows[MOMENTUM]
    newest = station.sandbox.desk.newest(MOMENTUM)
    assert (row["name"], row["status"], row["language"]) == ("Momentum desk", "Running", "Py")
    assert (row["deploy_id"], row["config_id"], row["target"]) == (
        newest.deploy_id,
        "demo",
        "sandbox",
    )
    assert row["launched"].endswith("+00:00")
    assert Decimal(row["performance"]["equity"]) == round(newest.equity, 2)


async def test_the_list_is_kept_for_ten_minutes_or_read_anew(station: Station) -> None:
    station.config()
    station.begin(0)
    asked = algorithms(station)
    first = await asked.algorithms(station.ask(config_id="demo"))
    station.sandbox.desk.newest(MOMENTUM).stop(station.sandbox.desk.now)
    station.host.wall += timedelta(minutes=9)
    assert await asked.algorithms(station.ask(config_id="demo")) == first
    anew = await asked.algorithms(station.ask(config_id="demo", refresh=True))
    assert {row["project_id"]: row["status"] for row in anew["algorithms"]} == {
        BREADTH: "Running",
        MOMENTUM: "Stopped",
    }
    age = [row["fetched_at"] for row in anew["algorithms"]]
    assert age[0] == station.host.wall.isoformat() > first["algorithms"][0]["fetched_at"]
    station.host.wall += timedelta(minutes=11)
    later = await asked.algorithms(station.ask(config_id="demo"))
    assert later["algorithms"][0]["fetched_at"] == station.host.wall.isoformat()


async def test_one_config_that_cannot_be_read_hides_no_other(station: Station) -> None:
    station.config()
    station.config(id="wrong", key="wrong")
    answer = await algorithms(station).algorithms(station.ask())
    assert {row["config_id"] for row in answer["algorithms"]} == {"demo"}
    (problem,) = answer["problems"]
    assert problem["config_id"] == "wrong"
    assert "does not accept user id 123" in problem["message"]


@pytest.mark.parametrize(
    ("kind", "error", "says"),
    [
        (Kind.REVOKED, PermanentError, "does not accept user id 123"),
        (Kind.DOWN, TransientError, "cannot be reached"),
        (Kind.LIMITED, TransientError, "limits our requests"),
        (Kind.MAINTENANCE, TransientError, "HTTP 503"),
    ],
)
async def test_what_goes_wrong_is_said_in_words(
    station: Station, kind: Kind, error: type[SignalboxError], says: str
) -> None:
    station.config()
    station.sandbox.switch(kind)
    with pytest.raises(error, match=says) as caught:
        await algorithms(station).algorithms(station.ask(config_id="demo"))
    assert type(caught.value).__module__ == "signalbox.contracts.errors", "it travels by name"


async def test_a_project_is_shown_with_all_that_is_known(station: Station) -> None:
    config = station.config()
    station.begin(30)
    await station.poller().turn(config)
    shown = await algorithms(station).algorithm(station.ask(config_id="demo", project_id=MOMENTUM))
    newest = station.sandbox.desk.newest(MOMENTUM)
    assert shown["live"]["status"] == shown["status"] == "Running"
    assert shown["description"]
    assert {"key": "lookback", "value": "5"} in shown["parameters"]
    assert [file["name"] for file in shown["files"]] == ["main.py"]
    assert shown["files"][0]["size"] > 100
    cash = shown["portfolio"]["cash"][0]
    assert (cash["currency"], Decimal(cash["amount"])) == ("USD", Decimal(str(float(newest.cash))))
    held = {row["symbol"]: Decimal(row["quantity"]) for row in shown["portfolio"]["holdings"]}
    assert held == {s: h.quantity for s, h in newest.holdings.items() if h.quantity}
    assert shown["nodes"]["free_live"] == 2
    assert shown["nodes"]["free_backtest"] == 2
    assert {node["used_by"] for node in shown["nodes"]["live"]} >= {"Momentum desk", None}
    assert shown["logs"] == list(newest.logs[-50:])
    assert [row["equity"] for row in shown["history"]] == [shown["performance"]["equity"]]
    assert shown["notes"] == []


async def test_secrets_among_its_parameters_are_not_shown(station: Station) -> None:
    station.config()
    project = station.sandbox.desk.projects[MOMENTUM]
    project.parameters |= {"signalbox_key": "sbx_hook_canary", "api_Token": "canary", "x": "7"}
    shown = await algorithms(station).algorithm(station.ask(config_id="demo", project_id=MOMENTUM))
    values = {one["key"]: one["value"] for one in shown["parameters"]}
    assert (values["signalbox_key"], values["api_Token"], values["x"]) == (
        "(hidden)",
        "(hidden)",
        "7",
    )
    assert "canary" not in str(shown)


async def test_a_project_that_never_ran_and_one_that_is_not_there(station: Station) -> None:
    station.config()
    shown = await algorithms(station).algorithm(station.ask(config_id="demo", project_id=MOMENTUM))
    assert (shown["live"], shown["portfolio"], shown["logs"], shown["status"]) == (
        None,
        None,
        [],
        None,
    )
    with pytest.raises(PermanentError, match="Project not found: 99"):
        await algorithms(station).algorithm(station.ask(config_id="demo", project_id=99))
    with pytest.raises(NotFound):
        await algorithms(station).algorithm(station.ask(config_id="x", project_id=99))


async def test_a_part_that_cannot_be_read_is_noted(station: Station) -> None:
    station.config()
    station.begin(30)
    station.sandbox.switch(Kind.MAINTENANCE, path="live/portfolio")
    shown = await algorithms(station).algorithm(station.ask(config_id="demo", project_id=MOMENTUM))
    assert shown["portfolio"] is None
    assert shown["notes"] == ["The portfolio cannot be read: HTTP 503"]
    assert shown["files"]


async def test_stop_keeps_positions_and_liquidate_sells_them(station: Station) -> None:
    station.config()
    station.begin(30)
    asked = algorithms(station)
    one = station.ask(config_id="demo", project_id=MOMENTUM)
    assert (await asked.stop(one))["status"] == "Stopped"
    assert not station.sandbox.desk.newest(MOMENTUM).is_running
    assert (await asked.stop(one))["status"] == "Stopped", "twice does no harm"
    two = {"config_id": "demo", "project_id": BREADTH}
    with pytest.raises(Refused, match="Send confirm: true"):
        await asked.liquidate(station.ask(**two, confirm="yes"))
    assert station.sandbox.desk.newest(BREADTH).is_running
    answer = await asked.liquidate(station.ask(**two, confirm=True))
    assert answer["status"] == "Liquidated"
    listed = await asked.algorithms(station.ask(config_id="demo"))
    assert [row["status"] for row in listed["algorithms"]] == ["Liquidated", "Stopped"]


async def test_stopping_when_the_answer_is_lost(station: Station) -> None:
    station.config()
    station.begin(0)
    asked = algorithms(station)
    one = station.ask(config_id="demo", project_id=MOMENTUM)
    station.sandbox.switch(Kind.DOWN, path="live/update/stop", count=1)
    with pytest.raises(TransientError, match="still Running; try again"):
        await asked.stop(one)
    station.sandbox.switch(Kind.TRUNCATED, path="live/update/stop", count=1)
    assert (await asked.stop(one))["status"] == "Stopped"


async def test_what_never_ran_cannot_be_stopped(station: Station) -> None:
    station.config()
    with pytest.raises(NotFound, match="was never deployed"):
        await algorithms(station).stop(station.ask(config_id="demo", project_id=MOMENTUM))


async def test_performance_is_kept_when_it_changes_once_in_ten_minutes(station: Station) -> None:
    config = station.config()
    station.begin(12)
    poller = station.poller()
    for minute in range(12, 60, 3):
        await poller.turn(config)
        station.go_on(minute, minute + 3)
        station.host.wall += timedelta(minutes=3)
    rows = [row for row in await station.rows("performance") if row.project_id == MOMENTUM]
    gaps = [b.at - a.at for a, b in itertools.pairwise(rows)]
    assert len(rows) >= 3
    assert min(gaps) >= timedelta(minutes=10)
    assert all(a.equity != b.equity for a, b in itertools.pairwise(rows))
    count = len(rows)
    for _ in range(3):
        station.host.wall += timedelta(hours=1)
        await poller.turn(config)
    rows = [row for row in await station.rows("performance") if row.project_id == MOMENTUM]
    assert len(rows) <= count + 1, "what does not change is kept once"
    await station.poller().turn(config)
    assert len(await station.rows("performance")) == len(rows), "also after a restart"
    assert station.host.db
    await station.host.db.write(
        lambda sql: job_store.forget_performance(sql, station.host.wall + timedelta(days=1))
    )
    assert await station.rows("performance") == []
