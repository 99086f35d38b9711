"""Jobs, results and performance on both databases."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from qc_ingest.adapters import job_store
from qc_ingest.adapters.job_store import LeaseLost
from qc_ingest.domain.deployments import Deployment
from qc_ingest.domain.history import Page, Rows
from qc_ingest.domain.jobs import Job, Kind, Result, Status, Step
from signalbox.runtime.db import Database
from signalbox.runtime.migrating import migrate

pytestmark = pytest.mark.integration

WALL = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LIFE = timedelta(seconds=10)
LATER = WALL + LIFE


@pytest.fixture
async def db(tmp_path: Path, database_url: str | None) -> AsyncIterator[Database]:
    migrate("qc-ingest", home=tmp_path, url=database_url)
    opened = Database.open("qc-ingest", home=tmp_path, url=database_url)
    yield opened
    opened.close()


def a_job(id_: str = "j", **over: Any) -> Job:
    fields: dict[str, Any] = {
        "id": id_,
        "kind": Kind.BACKTEST,
        "config_id": "demo",
        "project_id": 2**40,
        "target": "real",
        "requested_by": "admin",
        "asked": {"name": "x", "parameters": {"a": "1"}},
        "created_at": WALL,
        "status": Status.QUEUED,
        "step": Step.CHECK,
        "step_since": WALL,
    }
    return Job(**(fields | over))


async def test_a_job_is_stored_once_and_read_back(db: Database) -> None:
    job = a_job(found={"statistics": {"a": "b"}}, sent_at=WALL, failing_since=WALL)
    assert await db.write(lambda sql: job_store.add_job(sql, job, WALL))
    assert not await db.write(lambda sql: job_store.add_job(sql, replace(job, percent=5), WALL))
    assert await db.read(lambda sql: job_store.load_job(sql, "j")) == job
    assert await db.read(lambda sql: job_store.load_job(sql, "x")) is None


async def test_one_holder_at_a_time(db: Database) -> None:
    await db.write(lambda sql: job_store.add_job(sql, a_job(), WALL))

    async def due(at: datetime, *, alone: bool = False) -> list[str]:
        return await db.read(lambda sql: job_store.due_jobs(sql, at, alone=alone))

    async def take(holder: str, at: datetime, *, alone: bool = False) -> bool:
        return await db.write(
            lambda sql: job_store.take_job(sql, "j", holder, at, LIFE, alone=alone)
        )

    assert await due(WALL - LIFE) == []
    assert await due(WALL) == ["j"]
    assert await take("one", WALL)
    assert await due(WALL) == []
    assert await due(WALL, alone=True) == ["j"]
    assert not await take("two", WALL)
    assert await take("two", LATER)
    with pytest.raises(LeaseLost):
        await db.write(lambda sql: job_store.save_job(sql, a_job(percent=5), "one"))
    await db.write(lambda sql: job_store.put_off(sql, "j", "one", WALL))
    assert await due(LATER) == []
    await db.write(lambda sql: job_store.put_off(sql, "j", "two", LATER))
    assert await due(WALL) == []
    assert await take("one", LATER)
    await db.write(lambda sql: job_store.drop_leases(sql, "one"))
    assert await take("two", LATER)
    over = a_job().over(Status.COMPLETED, "Completed.", LATER)
    await db.write(lambda sql: job_store.save_job(sql, over, "two"))
    assert await due(LATER + LIFE) == []
    assert not await take("two", LATER, alone=True)


async def test_the_worker_does_not_undo_a_cancellation(db: Database) -> None:
    await db.write(lambda sql: job_store.add_job(sql, a_job(), LATER))
    await db.write(lambda sql: job_store.take_job(sql, "j", "one", WALL, LIFE, alone=True))
    await db.write(lambda sql: job_store.ask_to_cancel(sql, "j", WALL))
    await db.write(lambda sql: job_store.save_job(sql, a_job(percent=5), "one"))
    found = await db.read(lambda sql: job_store.load_job(sql, "j"))
    assert found is not None
    assert (found.cancel, found.percent) == (True, 5)


async def test_open_jobs_by_config_and_project(db: Database) -> None:
    jobs = [
        a_job("a"),
        a_job("b", project_id=7),
        a_job("c", config_id="other"),
        a_job("d", kind=Kind.DEPLOY),
    ]
    await db.write(lambda sql: [job_store.add_job(sql, job, WALL) for job in jobs])
    found = await db.read(lambda sql: job_store.open_jobs(sql, "demo", Kind.BACKTEST))
    assert sorted(found) == ["a", "b"]
    assert await db.read(lambda sql: job_store.open_jobs(sql, "demo", Kind.BACKTEST, 7)) == ["b"]


async def test_results_and_pages_go_with_their_backtest(db: Database) -> None:
    result = Result(
        performance={"portfolioStatistics": {"sharpeRatio": "1.2"}},
        notes=("a note",),
        equity=([60, "1.5"],),
        error="ä\n",
    )
    page = Page(({"id": 1},), 7, is_last=False)

    def fill(sql: Any) -> None:
        job_store.add_job(sql, a_job(), WALL)
        for _ in range(2):
            job_store.save_result(sql, "j", result)
            job_store.save_pages(sql, "j", Rows.ORDERS, {100: page})

    await db.write(fill)
    assert await db.read(lambda sql: job_store.load_result(sql, "j")) == result
    assert await db.read(lambda sql: job_store.load_page(sql, "j", Rows.ORDERS, 100)) == page
    assert await db.read(lambda sql: job_store.load_page(sql, "j", Rows.ORDERS, 0)) is None
    await db.write(lambda sql: job_store.delete_job(sql, "j"))
    assert await db.read(lambda sql: job_store.load_result(sql, "j")) is None
    assert await db.read(lambda sql: job_store.load_page(sql, "j", Rows.ORDERS, 100)) is None


def a_deployment(project_id: int, equity: str, deploy_id: str = "L-1") -> Deployment:
    statistics = {"Equity": equity, "Return": "1.24 %"}
    return Deployment(project_id, deploy_id, "Running", statistics=statistics)


async def test_performance_at_most_every_ten_minutes(db: Database) -> None:
    async def add(minute: int, deployment: Deployment) -> bool:
        at = WALL + timedelta(minutes=minute)
        return await db.write(lambda sql: job_store.add_performance(sql, "demo", deployment, at))

    assert await add(0, a_deployment(7, "$100,000.55"))
    assert not await add(9, a_deployment(7, "$100,001.00"))
    assert not await add(10, a_deployment(7, "$100,000.55"))
    assert await add(11, a_deployment(7, "$100,001.00"))
    assert await add(22, a_deployment(7, "$100,001.00", "L-2")), "a new deployment"
    assert await add(0, a_deployment(8, "$5"))
    found = await db.read(lambda sql: job_store.load_performance(sql, "demo", 7))
    assert [did.equity for _, did in found] == [
        Decimal("100000.55"),
        Decimal(100001),
        Decimal(100001),
    ]
    assert found[0][1].total_return == Decimal("0.0124")
    newest = await db.read(lambda sql: job_store.newest_performances(sql, "demo"))
    assert {n: at for n, (at, _) in newest.items()} == {7: WALL + timedelta(minutes=22), 8: WALL}
    assert await db.read(lambda sql: job_store.newest_performances(sql, "other")) == {}
    await db.write(lambda sql: job_store.forget_performance(sql, WALL + timedelta(minutes=20)))
    assert len(await db.read(lambda sql: job_store.load_performance(sql, "demo", 7))) == 1
