"""Deployments against the sandbox: once, on paper, through faults and kills, refused in words."""

from datetime import timedelta
from typing import Any

import pytest

from qc_ingest.adapters import job_store
from sandbox.faults import Kind
from sandbox.quantconnect.desk import LIVE_NODES
from sandbox.quantconnect.endpoints import Pace
from signalbox.contracts.errors import Conflict, Malformed

MOMENTUM, BREADTH = 23456781, 23456782
CANARY = "canary-webhook-token-7d1e"
Station = Any


async def ask(station: Station, request_id: str = "r", **over: Any) -> str:
    asked = {"config_id": "demo", "project_id": MOMENTUM} | over
    return str((await station.jobs().deploy(station.ask(request_id, **asked)))["job_id"])


async def ended(station: Station, job_id: str) -> dict[str, Any]:
    """The last that was told about a deployment, once it is over."""
    await station.work(station.worker())
    last: dict[str, Any] = station.told("job", job_id)[-1]
    assert last["finished_at"], last
    return last


async def until_step(station: Station, job_id: str, step: str) -> None:
    """Go on until it has come to a step, and stop there as if killed."""
    worker = station.worker()
    await worker.take()
    for _ in range(20):
        if station.told("job", job_id)[-1]["step"] == step:
            return
        await worker.turn(job_id)
    raise AssertionError(station.told("job", job_id)[-1])


def there(station: Station, project_id: int = MOMENTUM) -> list[Any]:
    """The project's deployments that QuantConnect has."""
    return list(station.sandbox.desk.deployments(project_id))


async def test_a_deployment_is_followed_until_it_runs(station: Station) -> None:
    station.config()
    station.sandbox.context.pace = Pace(launch_s=0.05)
    job_id = await ask(station)
    last = await ended(station, job_id)
    (made,) = there(station)
    assert (last["status"], last["message"]) == ("done", "Momentum desk runs on paper.")
    assert (last["deploy_id"], last["progress"]) == (made.deploy_id, 1)
    assert made.brokerage == {"id": "QuantConnectBrokerage"}
    told = station.told("job", job_id)
    assert list(dict.fromkeys(state["step"] for state in told)) == [
        "checking",
        "compiling",
        "waiting for the build",
        "choosing a node",
        "creating",
        "starting",
    ]
    progress = [state["progress"] for state in told]
    assert progress == sorted(progress)


async def test_no_kill_deploys_twice(station: Station) -> None:
    station.config()
    blow = 0
    while True:
        blow += 1
        before = {made.deploy_id for made in there(station)}
        job_id = await ask(station, f"r{blow}")
        was_killed = await station.killed_at(blow)
        last = await ended(station, job_id)
        assert last["status"] == "done", f"killed at {blow}: {last}"
        new = [made.deploy_id for made in there(station) if made.deploy_id not in before]
        assert new == [last["deploy_id"]], f"killed at {blow}"
        there(station)[-1].stop(station.sandbox.desk.now)
        if not was_killed:
            break
    assert blow > 20


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        pytest.param(Kind.TRUNCATED, "live/create", id="deployed, answer cut"),
        pytest.param(Kind.DOWN, "live/create", id="never arrived, answer lost"),
        pytest.param(Kind.LIMITED, "live/create", id="429"),
        pytest.param(Kind.BROKEN, "live/read", id="the look fails"),
    ],
)
async def test_a_fault_deploys_once(station: Station, kind: Kind, path: str) -> None:
    station.config()
    station.sandbox.switch(kind, path=path, count=2)
    assert (await ended(station, await ask(station)))["status"] == "done"
    assert len(there(station)) == 1


async def test_one_that_is_deployed_late_is_not_deployed_twice(station: Station) -> None:
    config = station.config()
    station.sandbox.switch(Kind.DOWN, path="live/create", count=1)
    job_id = await ask(station)
    worker = station.worker()
    await worker.take()
    while (await station.rows("jobs"))[0].sent_at is None:
        await worker.turn(job_id)
    station.host.wall += timedelta(seconds=125)  # it waited for its turn, then for its answer
    await worker.turn(job_id)  # looks, and finds nothing yet
    (row,) = await station.rows("jobs")
    client = station.opened().open(config)
    deploy_id = await client.live.create(MOMENTUM, row.compile_id, row.node_id)
    last = await ended(station, job_id)
    assert (last["status"], last["deploy_id"]) == ("done", deploy_id)
    assert len(there(station)) == 1


async def test_a_project_that_runs_is_not_deployed_again(station: Station) -> None:
    station.config()
    station.begin(0)
    last = await ended(station, await ask(station))
    assert last["status"] == "failed"
    assert "deployed already" in last["message"]
    assert "Stop that deployment first" in last["message"]
    assert len(there(station)) == 1


async def test_one_that_was_deployed_elsewhere_meanwhile_is_not_deployed_again(
    station: Station,
) -> None:
    station.config()
    job_id = await ask(station)
    await until_step(station, job_id, "creating")
    station.begin(0)
    last = await ended(station, job_id)
    assert last["status"] == "failed"
    assert "deployed already" in last["message"]
    assert len(there(station)) == 1


async def test_no_free_node_is_told_with_what_they_run(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.config()
    monkeypatch.setattr("sandbox.quantconnect.nodes.LIVE_NODES", LIVE_NODES[:2])
    station.begin(0)
    there(station)[-1].stop(station.sandbox.desk.now)
    free = station.sandbox.desk.newest(BREADTH)
    free.node_id = LIVE_NODES[0]
    other = station.sandbox.desk.newest(MOMENTUM)
    assert not other.is_running
    last = await ended(station, await ask(station, node_id=LIVE_NODES[0]))
    assert last["status"] == "failed"
    assert last["message"] == (
        "The live node L-MICRO node 1 runs Breadth desk. Choose another one, or stop that first."
    )
    monkeypatch.setattr("sandbox.quantconnect.nodes.LIVE_NODES", LIVE_NODES[:1])
    last = await ended(station, await ask(station, "r2"))
    assert "No live node is free: L-MICRO node 1 runs Breadth desk. Stop one" in last["message"]
    monkeypatch.setattr("sandbox.quantconnect.nodes.LIVE_NODES", ())
    last = await ended(station, await ask(station, "r3"))
    assert "its tier does not allow a deployment" in last["message"]


async def test_a_build_error_is_told_with_its_log(station: Station) -> None:
    station.config()
    station.sandbox.desk.projects[MOMENTUM].files["main.py"].content = "x = ("
    last = await ended(station, await ask(station))
    assert last["status"] == "failed"
    assert "does not compile. Build Error: File: main.py Line:1" in last["message"]
    assert there(station) == []


async def test_one_that_never_starts_is_told(station: Station) -> None:
    station.config()
    station.sandbox.context.pace = Pace(launch_s=3600)
    last = await ended(station, await ask(station))
    assert last["status"] == "failed"
    assert "has not started it within 15 minutes; its status is" in last["message"]


async def test_one_that_ends_at_once_is_told_with_its_last_words(station: Station) -> None:
    station.config()
    station.sandbox.context.pace = Pace(launch_s=3600)
    job_id = await ask(station)
    await until_step(station, job_id, "starting")
    made = there(station)[-1]
    made.log(station.sandbox.desk.now, "No data for AAPL")
    made.status = "RuntimeError"
    last = await ended(station, job_id)
    assert last["message"].startswith("The deployment ended as RuntimeError.")
    assert "No data for AAPL" in last["message"]


async def test_parameters_are_added_to_those_of_the_project(station: Station) -> None:
    station.config()
    before = dict(station.sandbox.desk.projects[MOMENTUM].parameters)
    await ended(station, await ask(station, parameters={"lookback": 9}))
    assert station.sandbox.desk.projects[MOMENTUM].parameters == before | {"lookback": "9"}
    assert there(station)[-1].parameters["lookback"] == "9"


async def test_the_webhook_reaches_quantconnect_and_nothing_else(station: Station) -> None:
    station.config()
    headers = {"Authorization": f"Bearer {CANARY}"}
    notify = {"url": "https://desk.example/hooks/quantconnect/demo", "headers": headers}
    job_id = await ask(station, notify=notify, parameters={"signalbox_key": CANARY})
    assert CANARY not in str(await station.rows("jobs"))
    await ended(station, job_id)
    assert there(station)[-1].parameters["signalbox_key"] == CANARY
    (target,) = there(station)[-1].targets
    assert (target.address, target.headers) == (notify["url"], headers)
    (row,) = await station.rows("jobs")
    assert "sealed" not in row.asked
    assert CANARY not in str(row) + str(station.host.said)


async def test_two_deployments_of_one_project_are_refused(station: Station) -> None:
    station.config()
    assert await ask(station, "r1") == await ask(station, "r1")
    with pytest.raises(Conflict, match="is being deployed already"):
        await ask(station, "r2")
    await ask(station, "r3", project_id=BREADTH)


@pytest.mark.parametrize(
    "notify",
    ["x", {"url": "ftp://x"}, {"url": 5}, {"url": "http://x", "headers": {"a": 1}}],
)
async def test_a_webhook_has_to_be_one(station: Station, notify: Any) -> None:
    station.config()
    with pytest.raises(Malformed, match="notify"):
        await ask(station, notify=notify)


async def test_old_deployments_are_forgotten(station: Station) -> None:
    station.config()
    await ended(station, await ask(station))
    assert station.host.db
    later = station.host.wall + timedelta(days=1)
    await station.host.db.write(lambda sql: job_store.forget_deployments(sql, later))
    assert await station.rows("jobs") == []
