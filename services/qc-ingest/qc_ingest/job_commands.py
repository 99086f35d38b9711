"""Commands about work that takes minutes: it is stored first, and done by whoever is free."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import JsonValue
from sqlalchemy import Connection as Sql

from qc_ingest.adapters import job_store
from qc_ingest.adapters.accounts import Accounts
from qc_ingest.asking import (
    config_of,
    day,
    integer,
    notify,
    optional_text,
    parameters,
    talking,
    text,
    time_left_s,
)
from qc_ingest.backtests import is_there
from qc_ingest.domain.backtests import END, START
from qc_ingest.domain.hiding import is_secret
from qc_ingest.domain.history import PAGE, Page, Rows
from qc_ingest.domain.jobs import SEALED, Job, Kind, Result, Status, Step
from qc_ingest.jobs import state_of
from qc_ingest.polling import Host, database_of
from signalbox.contracts.commands import Command
from signalbox.contracts.config import IngestConfig, QuantConnectConfig
from signalbox.contracts.errors import Conflict, Malformed, NotFound
from signalbox.contracts.events import Event, StateChanged
from signalbox.contracts.ids import derive
from signalbox.contracts.payloads import State
from signalbox.runtime.moment import Moment

_MOST_OPEN = 20  # backtests of one config that may wait or run at once

# Seals a text for this service itself, bound to an id and a field.
Seal = Callable[[str, str, str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class JobCommands:
    """The answers about deployments and backtests."""

    host: Host
    accounts: Accounts
    seal: Seal
    wake: Callable[[], None]

    async def deploy(self, command: Command) -> dict[str, JsonValue]:
        """Deploy a project to QuantConnect's paper brokerage: `{job_id}`.

        Raises:
            Conflict: another deployment of the project is under way.
        """
        config = config_of(self.host, text(command, "config_id"))
        job_id = str(derive("deploy", command.request_id))
        private = json.dumps({"parameters": parameters(command), "notify": notify(command)})
        asked: dict[str, JsonValue] = {
            "node_id": optional_text(command, "node_id") or None,
            SEALED: await self.seal(job_id, SEALED, private),
        }
        job = self._job(Kind.DEPLOY, job_id, command, config, asked)

        def check(sql: Sql) -> None:
            for other in job_store.open_jobs(sql, config.id, Kind.DEPLOY, job.project_id):
                raise Conflict(
                    f"Project {job.project_id} is being deployed already (job {other}). Wait for"
                    " that one."
                )

        await self._add(job, check)
        return {"job_id": job_id}

    async def backtest(self, command: Command) -> dict[str, JsonValue]:
        """Start a backtest: `{backtest_id}`.

        Raises:
            Conflict: too many wait already.
        """
        config = config_of(self.host, text(command, "config_id"))
        start, end = day(command, "start"), day(command, "end")
        if start and end and start > end:
            raise Malformed("start is after end")
        given = parameters(command)
        if {START, END} & given.keys():
            raise Malformed(f"{START} and {END} are sent for start and end; name those instead")
        for name in filter(is_secret, given):
            raise Malformed(
                f"parameter {name!r} looks like a secret, and those of a backtest are shown to"
                " everybody; leave it out, or set it in the project on quantconnect.com"
            )
        name = optional_text(command, "name", longest=100)
        asked: dict[str, JsonValue] = {
            "name": name or f"Signalbox {self.host.moment().wall:%Y-%m-%d %H:%M}",
            "parameters": given,
            "start": start.isoformat() if start else None,
            "end": end.isoformat() if end else None,
        }
        backtest_id = str(derive("backtest", command.request_id))
        job = self._job(Kind.BACKTEST, backtest_id, command, config, asked)

        def check(sql: Sql) -> None:
            if len(job_store.open_jobs(sql, config.id, Kind.BACKTEST)) >= _MOST_OPEN:
                raise Conflict(
                    f"{_MOST_OPEN} backtests of this config wait or run. Let some end, or cancel"
                    " them."
                )

        await self._add(job, check)
        return {"backtest_id": backtest_id}

    async def backtest_detail(self, command: Command) -> dict[str, JsonValue]:
        """A backtest, with everything but its series: what is published, and what it left.

        Raises:
            NotFound: there is none.
        """
        job = await self._backtest(command)
        result = await self._result(job)
        return {
            "backtest_id": job.id,
            **job.body(),
            "performance": dict(result.performance),
            "error": result.error or None,
            "stacktrace": result.stacktrace or None,
            "notes": list(result.notes),
        }

    async def backtest_series(self, command: Command) -> dict[str, JsonValue]:
        """Equity, benchmark and drawdown as `[unix seconds, value]`; empty before the end."""
        result = await self._result(await self._backtest(command))
        return {
            "equity": list(result.equity),
            "benchmark": list(result.benchmark),
            "drawdown": list(result.drawdown),
        }

    async def backtest_trades(self, command: Command) -> dict[str, JsonValue]:
        """Some of a finished backtest's closed trades: `{trades, length}`."""
        return await self._rows(command, Rows.TRADES)

    async def backtest_orders(self, command: Command) -> dict[str, JsonValue]:
        """Some of a finished backtest's orders: `{orders, length}`."""
        return await self._rows(command, Rows.ORDERS)

    async def backtest_insights(self, command: Command) -> dict[str, JsonValue]:
        """Some of a finished backtest's insights: `{insights, length}`."""
        return await self._rows(command, Rows.INSIGHTS)

    async def cancel_backtest(self, command: Command) -> dict[str, JsonValue]:
        """Have a backtest end; one that has ended is deleted here and at QuantConnect: `{status}`.

        Raises:
            TransientError: QuantConnect cannot be asked to delete it now.
        """
        job = await self._backtest(command)
        if not job.status.is_over:
            wall = self.host.moment().wall
            await database_of(self.host).write(
                lambda sql: job_store.ask_to_cancel(sql, job.id, wall)
            )
            self.wake()
            return {"status": job.status.value, "message": "It is being cancelled."}
        await self._delete(command, job)
        return {"status": "deleted"}

    def _job(
        self,
        kind: Kind,
        job_id: str,
        command: Command,
        config: QuantConnectConfig,
        asked: dict[str, JsonValue],
    ) -> Job:
        wall = self.host.moment().wall
        return Job(
            id=job_id,
            kind=kind,
            config_id=config.id,
            project_id=integer(command, "project_id"),
            target=config.target.value,
            requested_by=command.by,
            asked=asked,
            created_at=wall,
            status=Status.QUEUED if kind is Kind.BACKTEST else Status.RUNNING,
            step=Step.CHECK,
            step_since=wall,
            message="Waiting for its turn.",
        )

    async def _add(self, job: Job, check: Callable[[Sql], None]) -> None:
        """Store a job and tell of it; one that is there already changes nothing."""

        def work(sql: Sql, moment: Moment[IngestConfig]) -> list[Event]:
            if job_store.load_job(sql, job.id) is not None:
                return []
            check(sql)
            job_store.add_job(sql, job, moment.wall)
            return [moment.event(StateChanged, state_of(job, moment.wall))]

        await self.host.transact(work)
        self.wake()

    async def _backtest(self, command: Command) -> Job:
        backtest_id = text(command, "backtest_id")
        job = await database_of(self.host).read(lambda sql: job_store.load_job(sql, backtest_id))
        if job is None or job.kind is not Kind.BACKTEST:
            raise NotFound(f"no backtest {backtest_id}")
        return job

    async def _result(self, job: Job) -> Result:
        found = await database_of(self.host).read(lambda sql: job_store.load_result(sql, job.id))
        return found or Result()

    async def _rows(self, command: Command, kind: Rows) -> dict[str, JsonValue]:
        job = await self._backtest(command)
        if not job.status.is_over:
            raise Conflict(f"The backtest is {job.status.value}; its {kind.value} come at its end.")
        offset = max(integer(command, "offset", 0), 0)
        limit = min(max(integer(command, "limit", PAGE), 1), PAGE)
        first = offset - offset % PAGE
        rows: list[dict[str, JsonValue]] = []
        length = 0
        for start in (first, first + PAGE)[: 1 + (offset + limit > first + PAGE)]:
            page = await self._page(command, job, kind, start)
            rows.extend(page.rows)
            length = max(length, page.length)
            if page.is_last:
                break
        skip = offset - first
        chosen: list[JsonValue] = [*rows[skip : skip + limit]]
        return {kind.value: chosen, "length": length}

    async def _page(self, command: Command, job: Job, kind: Rows, start: int) -> Page:
        """A page from our own books, else from QuantConnect: a finished backtest never changes."""
        database = database_of(self.host)
        kept = await database.read(lambda sql: job_store.load_page(sql, job.id, kind, start))
        if kept is not None or not job.quantconnect_id:
            return kept or Page((), 0, is_last=True)
        config = config_of(self.host, job.config_id)
        async with talking(self.accounts, config, time_left_s(self.host, command)) as client:
            found = await client.backtests.pages(kind, job.project_id, job.quantconnect_id, start)
        await database.write(lambda sql: job_store.save_pages(sql, job.id, kind, found))
        return found[start]

    async def _delete(self, command: Command, job: Job) -> None:
        configs = self.host.moment().config.quantconnect
        config = next((c for c in configs if c.id == job.config_id), None)
        if config is not None and job.quantconnect_id and job.status is not Status.CANCELED:
            await self._delete_there(command, job, config)
        wall = self.host.moment().wall

        def work(sql: Sql, moment: Moment[IngestConfig]) -> list[Event]:
            job_store.delete_job(sql, job.id)
            state = state_of(job, wall)
            body = {**state.body, "status": "deleted", "message": "Deleted."}
            gone = State(service=state.service, kind=state.kind, id=job.id, body=body, at=wall)
            return [moment.event(StateChanged, gone)]

        await self.host.transact(work)

    async def _delete_there(self, command: Command, job: Job, config: QuantConnectConfig) -> None:
        """QuantConnect's copy; one that is gone already is what was wanted."""
        async with talking(self.accounts, config, time_left_s(self.host, command)) as client:
            if await is_there(client, job):
                await client.backtests.delete(job.project_id, job.quantconnect_id)
