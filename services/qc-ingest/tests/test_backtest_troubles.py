"""What goes wrong with backtests, and how that is told."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from qc_ingest.domain.backtests import name_at_quantconnect
from sandbox.faults import Kind
from sandbox.quantconnect.parameters import Failure
from sandbox.quantconnect.runner import Runner
from signalbox.contracts.errors import Conflict, Malformed, NotFound, Refused, TransientError
from signalbox.testing.wait import until

MOMENTUM = 23456781
Station = Any


async def ended(station: Station, backtest_id: str) -> dict[str, Any]:
    """The last that was told about a backtest, once it is over."""
    await station.work(station.worker())
    last: dict[str, Any] = station.told("backtest", backtest_id)[-1]
    assert last["finished_at"], last
    return last


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        pytest.param(Kind.TRUNCATED, "backtests/create", id="created, answer cut"),
        pytest.param(Kind.DOWN, "backtests/create", id="never arrived, answer lost"),
        pytest.param(Kind.BROKEN, "backtests/create", id="500 without a reason"),
        pytest.param(Kind.MAINTENANCE, "backtests/create", id="maintenance"),
        pytest.param(Kind.LIMITED, "backtests/create", id="429"),
        pytest.param(Kind.TRUNCATED, "compile/create", id="compiled, answer cut"),
        pytest.param(Kind.LIMITED, "backtests/read", id="429 while it runs"),
        pytest.param(Kind.DOWN, "backtests/read", id="the result breaks off"),
        pytest.param(Kind.LOADING, "backtests/chart", id="charts are prepared"),
        pytest.param(Kind.LOADING, "backtests/orders", id="orders are prepared"),
        pytest.param(Kind.CASING, "backtests", id="old casing"),
    ],
)
async def test_a_fault_costs_time_and_nothing_else(station: Station, kind: Kind, path: str) -> None:
    station.config()
    station.sandbox.switch(kind, path=path, count=2)
    backtest_id = await station.start()
    last = await ended(station, backtest_id)
    assert last["status"] == "completed"
    assert len(station.backtests) == 1
    detail = await station.jobs().backtest_detail(station.ask(backtest_id=backtest_id))
    assert detail["notes"] == []


async def test_one_that_is_created_late_is_not_created_twice(station: Station) -> None:
    config = station.config()
    station.sandbox.switch(Kind.DOWN, path="backtests/create", count=1)
    backtest_id = await station.start()
    worker = station.worker()
    await worker.take()
    while (await station.rows("jobs"))[0].sent_at is None:
        await worker.turn(backtest_id)
    station.host.wall += timedelta(seconds=125)  # it waited for its turn, then for its answer
    await worker.turn(backtest_id)  # looks, and finds nothing yet
    client = station.opened().open(config)
    (row,) = await station.rows("jobs")
    name = name_at_quantconnect("Try", backtest_id)
    await client.backtests.create(MOMENTUM, row.compile_id, name, {})
    assert (await ended(station, backtest_id))["status"] == "completed"
    assert len(station.backtests) == 1


async def test_an_outage_of_an_hour_is_waited_for(station: Station) -> None:
    station.config()
    backtest_id = await station.start()
    worker = station.worker()
    await station.sandbox.stop()
    begun = station.host.wall
    while station.host.wall - begun < timedelta(hours=1):
        await station.work(worker, most=1)
    said = station.told("backtest", backtest_id)[-1]
    assert said["status"] == "queued"
    assert "cannot be reached" in said["message"]
    assert "goes on by itself" in said["message"]
    assert len(station.told("backtest", backtest_id)) == 2, "an unchanged message is told once"
    await station.sandbox.start()
    assert (await ended(station, backtest_id))["status"] == "completed"


async def test_trouble_without_end_is_given_up(station: Station) -> None:
    station.config(key="wrong")
    backtest_id = await station.start()
    worker = station.worker()
    for _ in range(3):
        await station.work(worker, most=1)
        station.host.wall += timedelta(hours=13)
    last = station.told("backtest", backtest_id)[-1]
    assert last["status"] == "failed"
    assert last["message"].startswith("Given up after 24 hours. QuantConnect does not accept user")


async def test_a_token_that_is_corrected_meanwhile(station: Station) -> None:
    station.config(key="wrong")
    backtest_id = await station.start()
    worker, begun = station.worker(), station.host.wall
    await station.work(worker, most=3)
    assert "API token" in station.told("backtest", backtest_id)[-1]["message"]
    station.config()
    await station.work(worker)
    assert station.told("backtest", backtest_id)[-1]["status"] == "completed"
    assert station.host.wall - begun < timedelta(minutes=4), "a new token is tried at once"


async def test_a_config_that_is_deleted_meanwhile(station: Station) -> None:
    station.config()
    backtest_id = await station.start()
    station.host.configs = ()
    last = await ended(station, backtest_id)
    assert (last["status"], "config was deleted" in last["message"]) == ("failed", True)


async def test_a_project_that_was_deleted(station: Station) -> None:
    station.config()
    backtest_id = await station.start(project_id=99)
    last = await ended(station, backtest_id)
    assert last["status"] == "failed"
    assert "Project 99 cannot be read; it was deleted, or is not shared" in last["message"]


async def running(station: Station, **over: Any) -> str:
    """A backtest that runs at QuantConnect and does not end by itself."""
    station.config()
    station.sandbox.context.runner.seconds = 600
    backtest_id: str = await station.start(**over)
    await station.work(station.worker(), most=1)
    assert station.told("backtest", backtest_id)[-1]["status"] == "running"
    return backtest_id


async def test_a_project_that_is_deleted_meanwhile(station: Station) -> None:
    backtest_id = await running(station)
    del station.sandbox.desk.projects[MOMENTUM]
    last = await ended(station, backtest_id)
    assert last["status"] == "failed"
    assert "it was deleted" in last["message"]


async def test_a_backtest_that_is_deleted_at_quantconnect_meanwhile(station: Station) -> None:
    backtest_id = await running(station)
    station.sandbox.context.runner.delete(station.backtests[0])
    last = await ended(station, backtest_id)
    assert last["message"] == "The backtest was deleted at QuantConnect meanwhile."


async def test_a_project_that_does_not_compile(station: Station) -> None:
    station.config()
    station.sandbox.desk.projects[MOMENTUM].files["main.py"].content = "def broken(:"
    last = await ended(station, await station.start())
    assert last["status"] == "failed"
    assert "does not compile" in last["message"]
    assert "main.py Line:1" in last["message"]


async def test_an_algorithm_that_breaks(station: Station) -> None:
    station.config()
    backtest_id = await station.start(parameters={"rule": "nonsense"})
    last = await ended(station, backtest_id)
    assert last["status"] == "failed"
    assert "The algorithm failed: During the algorithm initialization" in last["message"]
    assert last["statistics"] == {}
    detail = await station.jobs().backtest_detail(station.ask(backtest_id=backtest_id))
    assert "initialization" in detail["error"]
    assert detail["stacktrace"]
    series = await station.jobs().backtest_series(station.ask(backtest_id=backtest_id))
    assert series == {"equity": [], "benchmark": [], "drawdown": []}


async def test_several_at_once_wait_for_a_node(station: Station) -> None:
    station.config()
    runner = station.sandbox.context.runner
    runner.seconds = 600
    first, second, third = [await station.start(f"r{n}") for n in range(3)]
    worker = station.worker()
    await station.work(worker, most=2)
    assert [station.told("backtest", i)[-1]["status"] for i in (first, second, third)] == [
        "running",
        "running",
        "queued",
    ]
    assert station.told("backtest", third)[-1]["message"] == "Waiting for a free backtest node."
    runner.seconds = 0
    runner.delete(station.backtests[0])
    assert (await cancelled(station, second))["status"] == "canceled"
    assert (await ended(station, third))["status"] == "completed"


async def cancelled(station: Station, backtest_id: str) -> dict[str, Any]:
    """Cancel it, and let the worker work."""
    answer = await station.jobs().cancel_backtest(station.ask(backtest_id=backtest_id))
    assert answer["message"] == "It is being cancelled."
    return await ended(station, backtest_id)


async def test_cancelling_one_that_waits_needs_no_quantconnect(station: Station) -> None:
    station.config()
    await station.sandbox.stop()
    last = await cancelled(station, await station.start())
    assert (last["status"], last["message"]) == ("canceled", "Cancelled.")
    await station.sandbox.start()
    assert station.backtests == []


async def test_cancelling_one_that_runs_ends_it_there(station: Station) -> None:
    last = await cancelled(station, await running(station))
    assert last["status"] == "canceled"
    assert station.backtests == []


async def test_cancelling_while_it_is_not_known_whether_it_was_created(station: Station) -> None:
    station.config()
    station.sandbox.context.runner.seconds = 600
    station.sandbox.switch(Kind.TRUNCATED, path="backtests/create")
    station.sandbox.switch(Kind.MAINTENANCE, path="backtests/list")
    backtest_id = await station.start()
    await station.work(station.worker(), most=1)
    assert len(station.backtests) == 1
    station.sandbox.clear()
    assert (await cancelled(station, backtest_id))["status"] == "canceled"
    assert station.backtests == []


async def test_what_quantconnect_does_not_let_us_delete_is_not_called_deleted(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    backtest_id = await running(station)

    def refuse(*_: object) -> None:
        raise Failure("You do not have write permission")

    monkeypatch.setattr(Runner, "delete", refuse)
    last = await cancelled(station, backtest_id)
    assert last["status"] == "failed"
    assert "ask its owner for write permission" in last["message"]
    with pytest.raises(Refused, match="ask its owner for write permission"):
        await station.jobs().cancel_backtest(station.ask(backtest_id=backtest_id))
    assert await station.rows("jobs")
    assert len(station.backtests) == 1


async def test_an_ended_one_is_deleted_here_and_there(station: Station) -> None:
    station.config()
    backtest_id = await station.start()
    await ended(station, backtest_id)
    jobs = station.jobs()
    await station.sandbox.stop()
    with pytest.raises(TransientError, match="cannot be reached"):
        await jobs.cancel_backtest(station.ask(backtest_id=backtest_id))
    assert await station.rows("results")
    await station.sandbox.start()
    answer = await jobs.cancel_backtest(station.ask(backtest_id=backtest_id))
    assert answer == {"status": "deleted"}
    assert station.backtests == []
    assert station.told("backtest", backtest_id)[-1]["status"] == "deleted"
    for table in ("jobs", "results", "pages"):
        assert await station.rows(table) == []
    with pytest.raises(NotFound):
        await jobs.backtest_detail(station.ask(backtest_id=backtest_id))


async def test_an_ended_one_whose_project_is_gone_is_deleted_here(station: Station) -> None:
    station.config()
    backtest_id = await station.start()
    await ended(station, backtest_id)
    del station.sandbox.desk.projects[MOMENTUM]
    answer = await station.jobs().cancel_backtest(station.ask(backtest_id=backtest_id))
    assert answer == {"status": "deleted"}


async def test_the_same_request_starts_one(station: Station) -> None:
    station.config()
    assert await station.start("r1") == await station.start("r1")
    assert await station.start("r2") != await station.start("r1")
    assert len(await station.rows("jobs")) == 2


async def test_too_many_at_once_are_refused(station: Station) -> None:
    station.config()
    for n in range(20):
        await station.start(f"r{n}")
    with pytest.raises(Conflict, match="20 backtests of this config wait or run"):
        await station.start("one too many")


@pytest.mark.parametrize(
    ("over", "says"),
    [
        ({"config_id": "x"}, "no QuantConnect config"),
        ({"project_id": "7"}, "project_id is not a whole number"),
        ({"start": "2026-13-01"}, "not a date"),
        ({"start": "2026-02-01", "end": "2026-01-01"}, "start is after end"),
        ({"parameters": {"signalbox_start": "2026-01-01"}}, "name those instead"),
        ({"parameters": {"a": [1]}}, "not a short text"),
        ({"parameters": {"signalbox_key": "x"}}, "looks like a secret"),
        ({"parameters": [1]}, "not a map"),
        ({"name": "x" * 101}, "at most 100"),
    ],
)
async def test_what_is_asked_is_checked(station: Station, over: dict[str, Any], says: str) -> None:
    station.config()
    with pytest.raises((Malformed, NotFound), match=says):
        await station.start(**over)


async def test_orders_of_one_that_runs_are_not_there_yet(station: Station) -> None:
    backtest_id = await running(station)
    with pytest.raises(Conflict, match="its orders come at its end"):
        await station.jobs().backtest_orders(station.ask(backtest_id=backtest_id))


async def test_replicas_share_the_work_and_take_over(station: Station) -> None:
    station.config()
    station.host.db.exclusive = False
    station.sandbox.context.runner.seconds = 600
    one, two = station.worker(), station.worker()
    backtest_id = await station.start()
    assert await one.take() == [backtest_id]
    assert await two.take() == []
    station.host.wall += timedelta(seconds=11)
    assert await two.take() == [backtest_id]
    await two.turn(backtest_id)
    said = len(station.told("backtest", backtest_id))
    assert await one.turn(backtest_id) is None, "what it held is another's now"
    assert len(station.told("backtest", backtest_id)) == said
    await two.release()
    assert await station.worker().take() == [backtest_id]


async def test_a_lease_is_renewed_while_a_step_takes_long(station: Station) -> None:
    station.config()
    station.host.db.exclusive = False
    station.sandbox.switch(Kind.SLOW, path="projects/read", seconds=2)
    backtest_id = await station.start()
    task = asyncio.create_task(station.worker().run())
    try:

        async def expiry() -> Any:
            return (await station.rows("jobs", id=backtest_id))[0].expires_at

        before = await until(expiry)
        station.host.wall += timedelta(seconds=6)

        async def is_renewed() -> bool:
            return bool(await expiry() > before)

        await until(is_renewed)
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_the_worker_runs_by_itself_and_is_woken(station: Station) -> None:
    station.config()
    worker = station.worker()
    task = asyncio.create_task(worker.run())
    try:
        backtest_id = await station.start()
        worker.wake()
        await until(lambda: station.told("backtest", backtest_id)[-1]["status"] == "completed")
    finally:
        task.cancel()
        await asyncio.wait({task})
