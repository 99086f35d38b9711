"""Jobs, the results of backtests, and the performance of deployments."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, or_, select, update
from sqlalchemy import Connection as Sql

from qc_ingest.adapters.tables import jobs, pages, performance, results
from qc_ingest.domain.deployments import Deployment
from qc_ingest.domain.history import Page, Rows
from qc_ingest.domain.jobs import Job, Kind, Result, Status, Step
from qc_ingest.domain.statistics import Performance, parse_performance
from signalbox.contracts.errors import TransientError
from signalbox.runtime.db import insert_new, upsert

EVERY = timedelta(minutes=10)  # between two rows of a deployment's performance
_JOB = [jobs.c[field.name] for field in fields(Job)]


class LeaseLost(TransientError):
    """Another replica does this job now."""


def add_job(sql: Sql, job: Job, due_at: datetime) -> bool:
    """Store a new job; False when it is there already."""
    made = sql.execute(
        insert_new(jobs).values(**_row(job), due_at=due_at).returning(jobs.c.id)
    ).first()
    return made is not None


def load_job(sql: Sql, job_id: str) -> Job | None:
    """A job, if there is one of this id."""
    row = sql.execute(select(*_JOB).where(jobs.c.id == job_id)).one_or_none()
    if row is None:
        return None
    kind, status, step = Kind(row.kind), Status(row.status), Step(row.step)
    return Job(**{**row._asdict(), "kind": kind, "status": status, "step": step})


def open_jobs(sql: Sql, config_id: str, kind: Kind, project_id: int | None = None) -> list[str]:
    """Jobs of a config that are not over."""
    found = select(jobs.c.id).where(
        jobs.c.config_id == config_id, jobs.c.kind == kind.value, jobs.c.due_at.is_not(None)
    )
    if project_id is not None:
        found = found.where(jobs.c.project_id == project_id)
    return [row.id for row in sql.execute(found)]


def due_jobs(sql: Sql, wall: datetime, *, alone: bool) -> list[str]:
    """Jobs to go on with, the longest waiting first; `alone` is true where nobody else can."""
    due = select(jobs.c.id).where(jobs.c.due_at <= wall).order_by(jobs.c.due_at, jobs.c.id)
    if not alone:
        due = due.where(_is_free(wall))
    return [row.id for row in sql.execute(due.limit(100))]


def take_job(
    sql: Sql, job_id: str, holder: str, wall: datetime, life: timedelta, *, alone: bool
) -> bool:
    """Whether `holder` may go on with a job until `wall + life`: nobody else does."""
    mine = and_(jobs.c.id == job_id, jobs.c.due_at.is_not(None))
    if not alone:
        mine = and_(mine, or_(jobs.c.holder == holder, _is_free(wall)))
    lease = {"holder": holder, "expires_at": wall + life}
    return bool(sql.execute(update(jobs).where(mine).values(lease)).rowcount)


def save_job(sql: Sql, job: Job, holder: str) -> None:
    """Store how far a job is. Whether it is to be cancelled is not the worker's to say.

    Raises:
        LeaseLost: somebody else has taken it, or it was deleted.
    """
    row = _row(job)
    del row["cancel"]
    if job.status.is_over:
        row |= {"due_at": None, "holder": None, "expires_at": None}
    mine = and_(jobs.c.id == job.id, jobs.c.holder == holder)
    if not sql.execute(update(jobs).where(mine).values(**row)).rowcount:
        raise LeaseLost(f"job {job.id} is done by another replica")


def put_off(sql: Sql, job_id: str, holder: str, due_at: datetime) -> None:
    """Let a job go until it is due again."""
    mine = and_(jobs.c.id == job_id, jobs.c.holder == holder, jobs.c.due_at.is_not(None))
    free = {"holder": None, "expires_at": None, "due_at": due_at}
    sql.execute(update(jobs).where(mine).values(free))


def hurry(sql: Sql, wall: datetime) -> None:
    """Make every job due that waits for later."""
    waiting = and_(jobs.c.due_at > wall, jobs.c.holder.is_(None))
    sql.execute(update(jobs).where(waiting).values(due_at=wall))


def drop_leases(sql: Sql, holder: str) -> None:
    """Let another replica go on at once."""
    free = {"holder": None, "expires_at": None}
    sql.execute(update(jobs).where(jobs.c.holder == holder).values(free))


def ask_to_cancel(sql: Sql, job_id: str, wall: datetime) -> None:
    """Have the worker end a job."""
    waiting = and_(jobs.c.id == job_id, jobs.c.due_at.is_not(None))
    sql.execute(update(jobs).where(waiting).values(cancel=True, due_at=wall))


def delete_job(sql: Sql, job_id: str) -> None:
    """Forget a job with all that it left behind."""
    for column in (jobs.c.id, results.c.backtest_id, pages.c.backtest_id):
        sql.execute(delete(column.table).where(column == job_id))


def forget_deployments(sql: Sql, before: datetime) -> None:
    """Drop jobs that deployed and ended before a wall time; backtests stay until somebody asks."""
    old = and_(jobs.c.kind == Kind.DEPLOY.value, jobs.c.finished_at < before)
    sql.execute(delete(jobs).where(old))


def save_result(sql: Sql, backtest_id: str, result: Result) -> None:
    """Store what a backtest left behind."""
    row = {**asdict(result), "backtest_id": backtest_id}
    sql.execute(upsert(results, ["backtest_id"]), [row])


def load_result(sql: Sql, backtest_id: str) -> Result | None:
    """What a backtest left behind."""
    row = sql.execute(select(results).where(results.c.backtest_id == backtest_id)).one_or_none()
    if row is None:
        return None
    values = {name: value for name, value in row._asdict().items() if name != "backtest_id"}
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return Result(**{**values, **lists})


def save_pages(sql: Sql, backtest_id: str, kind: Rows, found: Mapping[int, Page]) -> None:
    """Store pages of trades, orders or insights, by where they begin."""
    rows = [
        {
            "backtest_id": backtest_id,
            "kind": kind.value,
            "start": start,
            "length": page.length,
            "is_last": page.is_last,
            "rows": list(page.rows),
        }
        for start, page in found.items()
    ]
    sql.execute(upsert(pages, ["backtest_id", "kind", "start"]), rows)


def load_page(sql: Sql, backtest_id: str, kind: Rows, start: int) -> Page | None:
    """A page of trades, orders or insights that was read before."""
    same = and_(
        pages.c.backtest_id == backtest_id, pages.c.kind == kind.value, pages.c.start == start
    )
    row = sql.execute(select(pages).where(same)).one_or_none()
    return None if row is None else Page(tuple(row.rows), row.length, row.is_last)


def add_performance(sql: Sql, config_id: str, deployment: Deployment, at: datetime) -> bool:
    """Remember how a deployment does; False when too little time has passed or nothing changed."""
    project_id, deploy_id = deployment.project_id, deployment.deploy_id
    now = parse_performance(deployment.statistics)
    newest = sql.execute(_performances(config_id, project_id).limit(1)).first()
    if newest is not None:
        is_same = _performance(newest) == now and newest.deploy_id == deploy_id
        if is_same or at - newest.at < EVERY:
            return False
    values: dict[str, Decimal | None] = {f.name: getattr(now, f.name) for f in fields(now)}
    row = {"config_id": config_id, "project_id": project_id, "at": at, "deploy_id": deploy_id}
    sql.execute(insert_new(performance), [row | values])
    return True


def load_performance(
    sql: Sql, config_id: str, project_id: int
) -> list[tuple[datetime, Performance]]:
    """How a project's deployments did, oldest first."""
    found = sql.execute(_performances(config_id, project_id)).all()
    return [(row.at, _performance(row)) for row in reversed(found)]


def newest_performances(sql: Sql, config_id: str) -> dict[int, tuple[datetime, Performance]]:
    """How each project of a config did last."""
    here = performance.c.config_id == config_id
    last = (
        select(performance.c.project_id, func.max(performance.c.at).label("at"))
        .where(here)
        .group_by(performance.c.project_id)
        .subquery()
    )
    same = and_(performance.c.project_id == last.c.project_id, performance.c.at == last.c.at)
    query = select(performance).join(last, same).where(here)
    return {row.project_id: (row.at, _performance(row)) for row in sql.execute(query)}


def forget_performance(sql: Sql, before: datetime) -> None:
    """Drop what was seen before a wall time."""
    sql.execute(delete(performance).where(performance.c.at < before))


def _performances(config_id: str, project_id: int) -> Select[Any]:
    here = and_(performance.c.config_id == config_id, performance.c.project_id == project_id)
    return select(performance).where(here).order_by(performance.c.at.desc())


def _performance(row: Row[Any]) -> Performance:
    return Performance(*(getattr(row, field.name) for field in fields(Performance)))


def _is_free(wall: datetime) -> ColumnElement[bool]:
    return or_(jobs.c.holder.is_(None), jobs.c.expires_at <= wall)


def _row(job: Job) -> dict[str, object]:
    row: dict[str, object] = {f.name: getattr(job, f.name) for f in fields(job)}
    return row | {
        "kind": job.kind.value,
        "status": job.status.value,
        "step": job.step.value,
        "asked": dict(job.asked),
        "found": dict(job.found),
    }
