"""Backtests, step by step. Each is created once, however often this process dies."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from pydantic import JsonValue
from sqlalchemy import Connection as Sql

from qc_ingest.adapters import job_store
from qc_ingest.adapters.quantconnect import QuantConnect
from qc_ingest.building import compile_project, follow_build, look_up
from qc_ingest.domain import charts
from qc_ingest.domain.answers import Loading, NotDone, OutcomeUnknown, WrongCredentials
from qc_ingest.domain.backtests import (
    Reading,
    find_ours,
    ignored_dates,
    name_at_quantconnect,
    with_dates,
)
from qc_ingest.domain.history import Page, Rows, pages_of
from qc_ingest.domain.jobs import SETTLE, Job, Result, Status, Step
from qc_ingest.jobs import Run
from signalbox.contracts.errors import NotFound, PermanentError, RateLimited, Refused

_LATE = timedelta(minutes=10)  # the statistics may come later than the word that it is complete
_DAY = timedelta(days=1)
_BEGINNING = datetime.fromisoformat("1990-01-01T00:00:00Z")
# Chart and series of the equity, the benchmark and the drawdown.
_CHARTS = (
    ("Strategy Equity", "Equity"),
    ("Benchmark", "Benchmark"),
    ("Drawdown", "Equity Drawdown"),
)


class Backtester:
    """Compiles a project, starts a backtest of it, follows it, and reads what it leaves behind."""

    async def step(self, run: Run, client: QuantConnect) -> float:
        """One step; the seconds until the next.

        Raises:
            PermanentError: it cannot go on; the message says why and what to do.
            TransientError: not now.
        """
        if run.job.cancel:
            return await self._cancel(run, client)
        match run.job.step:
            case Step.CHECK:
                return await self._check(run, client)
            case Step.COMPILE:
                return await compile_project(run, client)
            case Step.BUILD:
                return await follow_build(run, client, Step.NODE)
            case Step.NODE:
                return await self._await_node(run, client)
            case Step.CREATE:
                return await self._create(run, client)
            case Step.RUN:
                return await self._follow(run, client)
            case _:
                return await self._read(run, client)

    @staticmethod
    async def _check(run: Run, client: QuantConnect) -> float:
        project = await look_up(run, client)
        job = replace(run.job, project_name=project.name, organization_id=project.organization_id)
        words = "Compiling the project."
        await run.save(job.at_step(Step.COMPILE, run.wall, words, Status.COMPILING))
        return 0.0

    @staticmethod
    async def _await_node(run: Run, client: QuantConnect) -> float:
        nodes = await client.resources.nodes(run.job.organization_id)
        if not nodes.backtest:
            raise Refused(
                "The organization has no backtest node, so its tier does not allow backtests here."
                " Add one under Organization, Resources on quantconnect.com, then start again."
            )
        if not nodes.free_backtest:
            words = "Waiting for a free backtest node."
            await run.save(run.job.at_step(Step.NODE, run.wall, words, Status.QUEUED))
            return run.look_s()
        await run.save(run.job.at_step(Step.CREATE, run.wall, "Starting the backtest."))
        return 0.0

    @staticmethod
    async def _create(run: Run, client: QuantConnect) -> float:
        job = run.job
        if job.sent_at is not None:
            return await _find(run, client)
        await run.save(replace(job, sent_at=run.wall))
        try:
            started = await client.backtests.create(
                job.project_id,
                job.compile_id,
                name_at_quantconnect(job.text("name"), job.id),
                with_dates(job.parameters(), _day(job, "start"), _day(job, "end")),
            )
        except (NotDone, RateLimited):
            await run.save(replace(run.job, sent_at=None))
            raise
        except OutcomeUnknown:
            return run.look_s()
        except PermanentError as error:
            return await _refused(run, client, error)
        return await _created(run, started.id)

    @staticmethod
    async def _follow(run: Run, client: QuantConnect) -> float:
        reading = await _reading(run, client)
        if reading.completed or reading.has_failed:
            await run.save(run.job.at_step(Step.RESULT, run.wall, "Reading the result."))
            return 0.0
        percent = int(reading.progress * 100)
        words = f"QuantConnect says {reading.status}" if reading.status else "Running."
        job = run.job.at_step(Step.RUN, run.wall, words, Status.RUNNING)
        await run.save(replace(job, percent=percent))
        return run.look_s()

    @staticmethod
    async def _read(run: Run, client: QuantConnect) -> float:
        """The whole result, in one transaction; before it is final its numbers mean nothing."""
        reading = await _reading(run, client)
        job = run.job
        if not reading.is_final:
            if run.wall - job.step_since > _LATE:
                minutes = _LATE // timedelta(minutes=1)
                raise PermanentError(
                    f"QuantConnect calls the backtest complete but has sent no statistics for"
                    f" {minutes} minutes. Look at it on quantconnect.com, or start it again."
                )
            words = "Complete; QuantConnect prepares the statistics."
            await run.save(job.at_step(Step.RESULT, run.wall, words))
            return run.look_s()
        if reading.has_failed:
            words = f"The algorithm failed: {reading.error or reading.stacktrace[:300]}"
            result = Result(error=reading.error or words, stacktrace=reading.stacktrace)
            await _finish(run, Status.FAILED, words, result, {})
            return 0.0
        await _complete(run, client, reading)
        return 0.0

    @staticmethod
    async def _cancel(run: Run, client: QuantConnect) -> float:
        job = run.job
        try:
            if job.sent_at is not None and not job.quantconnect_id:
                ours = find_ours(await client.backtests.all(job.project_id), job.id)
                if ours is None and run.wall - job.sent_at < SETTLE:
                    await run.save(replace(job, message="Cancelling."))
                    return run.look_s()
                job = replace(job, quantconnect_id=ours.id if ours else "")
            if job.quantconnect_id:
                await client.backtests.delete(job.project_id, job.quantconnect_id)
        except WrongCredentials:
            raise
        except PermanentError:
            if await is_there(client, job):
                raise
        await run.save(job)
        await run.finish(Status.CANCELED, "Cancelled.")
        return 0.0


async def is_there(client: QuantConnect, job: Job) -> bool:
    """Whether QuantConnect still has a backtest. It has none of a project that it does not know."""
    try:
        listed = await client.backtests.all(job.project_id)
    except WrongCredentials:
        raise
    except PermanentError:
        return False
    return any(summary.id == job.quantconnect_id for summary in listed)


async def _created(run: Run, quantconnect_id: str) -> float:
    job = replace(run.job, quantconnect_id=quantconnect_id, sent_at=None)
    await run.save(job.at_step(Step.RUN, run.wall, "Running.", Status.RUNNING))
    return run.look_s()


async def _find(run: Run, client: QuantConnect) -> float:
    """After a request without an answer: whether it took effect all the same."""
    job = run.job
    ours = find_ours(await client.backtests.all(job.project_id), job.id)
    if ours is not None:
        return await _created(run, ours.id)
    if job.sent_at is not None and run.wall - job.sent_at < SETTLE:
        await run.save(replace(job, message="No answer came; looking whether it was started."))
        return run.look_s()
    await run.save(replace(job, sent_at=None))
    return 0.0


async def _refused(run: Run, client: QuantConnect, error: PermanentError) -> float:
    """A node that somebody else took meanwhile is waited for; anything else ends the job."""
    nodes = await client.resources.nodes(run.job.organization_id)
    if nodes.free_backtest or isinstance(error, WrongCredentials):
        raise error
    job = replace(run.job, sent_at=None)
    words = "Waiting for a free backtest node."
    await run.save(job.at_step(Step.NODE, run.wall, words, Status.QUEUED))
    return run.look_s()


async def _reading(run: Run, client: QuantConnect) -> Reading:
    job = run.job
    try:
        return await client.backtests.read(job.project_id, job.quantconnect_id)
    except WrongCredentials:
        raise
    except PermanentError as error:
        await look_up(run, client)
        if await is_there(client, job):
            raise
        raise NotFound("The backtest was deleted at QuantConnect meanwhile.") from error


async def _complete(run: Run, client: QuantConnect, reading: Reading) -> None:
    job = run.job
    ignored = ignored_dates(_day(job, "start"), _day(job, "end"), reading)
    notes = [ignored] if ignored else []
    series = [await _chart(run, client, names, reading, notes) for names in _CHARTS]
    pages = {Rows.TRADES: pages_of(reading.trades)}
    for kind in (Rows.ORDERS, Rows.INSIGHTS):
        pages[kind] = await client.backtests.pages(kind, job.project_id, job.quantconnect_id)
    found: dict[str, JsonValue] = {
        "backtest_start": reading.start.date().isoformat() if reading.start else None,
        "backtest_end": reading.end.date().isoformat() if reading.end else None,
        "ignores_dates": bool(ignored),
        "statistics": dict(reading.statistics),
    }
    equity, benchmark, drawdown = series
    result = Result(
        performance=reading.performance,
        notes=tuple(notes),
        equity=equity,
        benchmark=benchmark,
        drawdown=drawdown,
    )
    await _finish(run, Status.COMPLETED, ignored or "Completed.", result, found, pages=pages)


async def _finish(
    run: Run,
    status: Status,
    message: str,
    result: Result,
    found: dict[str, JsonValue],
    *,
    pages: Mapping[Rows, Mapping[int, Page]] | None = None,
) -> None:
    job = replace(run.job.over(status, message, run.wall), found=found)

    def store(sql: Sql) -> None:
        job_store.save_result(sql, job.id, result)
        for kind, mine in (pages or {}).items():
            job_store.save_pages(sql, job.id, kind, mine)

    await run.save(job, store)


async def _chart(
    run: Run, client: QuantConnect, names: tuple[str, str], reading: Reading, notes: list[str]
) -> tuple[JsonValue, ...]:
    """The points of one series; a chart that is not there, or does not come, is a note."""
    chart_name, series = names
    job = run.job
    try:
        chart = await client.backtests.chart(
            job.project_id,
            job.quantconnect_id,
            chart_name,
            (reading.start or _BEGINNING) - _DAY,
            (reading.end or run.wall) + _DAY,
        )
    except WrongCredentials:
        raise
    except Loading:
        if run.wall - job.step_since < _LATE:
            raise
        notes.append(f"QuantConnect did not prepare the chart {chart_name}.")
        return ()
    except PermanentError as error:
        notes.append(f"There is no chart {chart_name} ({error}).")
        return ()
    return tuple(charts.as_json(charts.parse_series(chart, series)))


def _day(job: Job, name: str) -> date | None:
    text = job.text(name)
    return date.fromisoformat(text) if text else None
