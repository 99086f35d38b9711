"""Work that takes minutes, shared by leased rows: any replica goes on where another one stopped."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection as Sql

from qc_ingest.adapters import job_store
from qc_ingest.adapters.accounts import Accounts
from qc_ingest.adapters.job_store import LeaseLost
from qc_ingest.adapters.quantconnect import QuantConnect
from qc_ingest.domain.answers import SealedShut, WrongCredentials, trouble_of
from qc_ingest.domain.health import explain
from qc_ingest.domain.jobs import Job, Kind, Status
from qc_ingest.polling import Host, database_of
from qc_ingest.reporting import SERVICE
from signalbox.contracts.config import IngestConfig, QuantConnectConfig
from signalbox.contracts.errors import PermanentError, RateLimited, TransientError
from signalbox.contracts.events import Event, StateChanged
from signalbox.contracts.payloads import State
from signalbox.runtime.moment import Moment

log = logging.getLogger(__name__)

_LOOK_S = 0.5  # how often the table is looked at
_LEASE = timedelta(seconds=10)  # renewed at half of it, however long a step takes
_MOST_AT_ONCE = 8
_KEEP_S = 5.0  # a longer pause gives the job back, so that another replica may go on
_REFUSED_PAUSE_S = 300.0  # a wrong token does not become right by asking

Also = Callable[[Sql], None]


def state_of(job: Job, wall: datetime) -> State:
    """A job as the page sees it."""
    kind = "job" if job.kind is Kind.DEPLOY else "backtest"
    return State(service=SERVICE, kind=kind, id=job.id, body=job.body(), at=wall)


class Run:
    """One job in the hands of this replica."""

    def __init__(self, host: Host, holder: str, job: Job, quickest_s: float) -> None:
        self._host = host
        self._holder = holder
        self._quickest_s = quickest_s
        self.job = job

    @property
    def wall(self) -> datetime:
        """Wall time."""
        return self._host.moment().wall

    async def save(self, job: Job, also: Also | None = None) -> None:
        """Store how far the job is, and tell it when anybody would see a difference.

        Raises:
            LeaseLost: another replica has taken it.
        """
        before = self.job
        if job == before and also is None:
            return

        def work(sql: Sql, moment: Moment[IngestConfig]) -> list[Event]:
            job_store.save_job(sql, job, self._holder)
            if also is not None:
                also(sql)
            if job.body() == before.body():
                return []
            return [moment.event(StateChanged, state_of(job, moment.wall))]

        await self._host.transact(work)
        self.job = job

    async def finish(self, status: Status, message: str, also: Also | None = None) -> None:
        """Store the job's end."""
        await self.save(self.job.over(status, message, self.wall), also)

    def look_s(self) -> float:
        """How long to wait before looking again."""
        return self.job.look_s(self.wall, self._quickest_s)


# Does one step of a job; returns the seconds until the next.
Steps = Callable[[Run, QuantConnect], Awaitable[float]]


class Worker:
    """Goes on with every job that is due and that no other replica holds.

    A step reads what is stored, asks QuantConnect for one thing, and stores what came of it. It may
    be cut off anywhere and repeated.
    """

    def __init__(
        self,
        host: Host,
        accounts: Accounts,
        holder: str,
        steps: Mapping[Kind, Steps],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._host = host
        self._accounts = accounts
        self._holder = holder
        self._steps = steps
        self._sleep = sleep
        self._held: dict[str, datetime] = {}  # until when each is leased
        self._configs: tuple[QuantConnectConfig, ...] = ()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                await self._look(group)
        finally:
            self._held.clear()

    async def release(self) -> None:
        """Let another replica go on at once."""
        with suppress(TransientError):
            await database_of(self._host).write(
                lambda sql: job_store.drop_leases(sql, self._holder)
            )

    def wake(self) -> None:
        """Look at once: something is due."""
        self._wake.set()

    async def take(self) -> list[str]:
        """Lease what is due, as much as can be worked on at once."""
        database, wall = database_of(self._host), self._host.moment().wall
        configs, alone = self._host.moment().config.quantconnect, database.exclusive
        if configs != self._configs:  # what a job waits for may have been put right
            await database.write(lambda sql: job_store.hurry(sql, wall))
            self._configs = configs
        due = await database.read(lambda sql: job_store.due_jobs(sql, wall, alone=alone))
        wanted = [i for i in due if i not in self._held][: _MOST_AT_ONCE - len(self._held)]
        if not wanted:
            return []

        def lease(sql: Sql) -> list[str]:
            return [i for i in wanted if self._lease(sql, i, wall)]

        taken = await database.write(lease)
        self._held.update(dict.fromkeys(taken, wall + _LEASE))
        return taken

    async def turn(self, job_id: str) -> float | None:
        """One step of a leased job; the seconds until the next, None when there is none for us."""
        job = await database_of(self._host).read(lambda sql: job_store.load_job(sql, job_id))
        if job is None or job.status.is_over:
            return None
        try:
            return await self._step(job)
        except LeaseLost as error:
            log.info("%s", error)
            return None

    async def _step(self, job: Job) -> float | None:
        configs = self._host.moment().config.quantconnect
        config = next((c for c in configs if c.id == job.config_id), None)
        if config is None:
            run = Run(self._host, self._holder, job, 0.0)
            await run.finish(Status.FAILED, "The QuantConnect config was deleted meanwhile.")
            return None
        run = Run(self._host, self._holder, job, self._accounts.look_s(config))
        client: QuantConnect | None = None
        try:
            client = self._accounts.open(config)
            pause_s = await self._steps[job.kind](run, client)
        except LeaseLost:
            raise
        except (WrongCredentials, SealedShut, TransientError) as error:
            words = wait_words(error, config.user_id, client.skew_s if client else None)
            pause_s = await self._put_up_with(run, error, words)
        except PermanentError as error:
            await run.finish(Status.FAILED, str(error))
        else:
            if not run.job.status.is_over:
                await run.save(replace(run.job, failures=0, failing_since=None))
        return None if run.job.status.is_over else pause_s

    async def _put_up_with(
        self, run: Run, error: PermanentError | TransientError, words: str
    ) -> float:
        """Trouble that may end by itself, or by what a person does to the config."""
        log.warning("a job has to wait: %s", words, extra={"job_id": run.job.id})
        await run.save(run.job.troubled(words, run.wall))
        if isinstance(error, RateLimited):
            return max(error.retry_after_s, run.job.pause_s())
        return _REFUSED_PAUSE_S if isinstance(error, PermanentError) else run.job.pause_s()

    async def drive(self, job_id: str) -> None:
        """Step after step, until the job is over, lost, or has to wait for long."""
        try:
            while (pause_s := await self.turn(job_id)) is not None:
                if pause_s > _KEEP_S:
                    await self._put_off(job_id, pause_s)
                    return
                await self._sleep(pause_s)
        finally:
            self._held.pop(job_id, None)

    async def _look(self, group: asyncio.TaskGroup) -> None:
        while True:
            for job_id in await self.take():
                group.create_task(self.drive(job_id))
            await self._renew()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._wake.wait()
            self._wake.clear()

    async def _put_off(self, job_id: str, pause_s: float) -> None:
        due_at = self._host.moment().wall + timedelta(seconds=pause_s)
        await database_of(self._host).write(
            lambda sql: job_store.put_off(sql, job_id, self._holder, due_at)
        )

    async def _renew(self) -> None:
        wall = self._host.moment().wall
        late = [job_id for job_id, until in self._held.items() if until - wall < _LEASE / 2]
        if not late:
            return

        def lease(sql: Sql) -> list[str]:
            return [i for i in late if self._lease(sql, i, wall)]

        kept = await database_of(self._host).write(lease)
        self._held.update({i: wall + _LEASE for i in kept if i in self._held})

    def _lease(self, sql: Sql, job_id: str, wall: datetime) -> bool:
        alone = database_of(self._host).exclusive
        return job_store.take_job(sql, job_id, self._holder, wall, _LEASE, alone=alone)


def wait_words(error: PermanentError | TransientError, user_id: str, skew_s: float | None) -> str:
    """Why a job waits, and what ends that."""
    if isinstance(error, PermanentError):
        return explain(trouble_of(error), str(error), user_id=user_id, skew_s=skew_s)
    if isinstance(error, RateLimited):
        return f"QuantConnect limits our requests ({error}). This goes on by itself."
    return f"QuantConnect cannot be reached ({error}). This goes on by itself once it answers."
