"""Who is joined to whom."""

import asyncio
import os
import secrets
import socket
from datetime import timedelta

from sqlalchemy import Connection as Sql
from starlette.applications import Starlette

from qc_ingest.adapters import job_store, store, tables
from qc_ingest.adapters.accounts import Accounts, Place
from qc_ingest.adapters.limiter import Pace
from qc_ingest.adapters.transport import open_http
from qc_ingest.algorithms import Algorithms
from qc_ingest.backtests import Backtester
from qc_ingest.commands import Commands
from qc_ingest.deploying import Deployer
from qc_ingest.domain.jobs import Kind
from qc_ingest.handlers import build_handlers
from qc_ingest.job_commands import JobCommands, Seal
from qc_ingest.jobs import Worker
from qc_ingest.reporting import SERVICE
from qc_ingest.settings import Settings
from qc_ingest.worker import Poller
from signalbox.contracts.config import IngestConfig
from signalbox.contracts.errors import TransientError
from signalbox.contracts.values import Target
from signalbox.runtime.moment import Moment
from signalbox.runtime.secrets import Box, seal
from signalbox.runtime.service import Service
from signalbox.runtime.topology import KEYS_BUCKET

_SANDBOX_PACE = Pace(per_minute=6000, burst=200)
_SANDBOX_LOOK_S = 0.25
_FORGET_S = 3600.0
_KEEP_PERFORMANCE = timedelta(days=400)


def create_app() -> Starlette:
    """The service, ready to be served."""
    return build(Settings()).app()


def build(settings: Settings) -> Service[IngestConfig]:
    """The service with everything that it does."""
    service = Service(SERVICE, settings, config=IngestConfig, metadata=tables.metadata)
    holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"[-64:]
    box = _LateBox(service)
    accounts = Accounts(places(settings), open_http, box)
    poller = Poller(service, accounts, holder)
    commands = Commands(service, poller, accounts)
    algorithms = Algorithms(service, accounts)
    steps = {
        Kind.DEPLOY: Deployer(box, algorithms.forget).step,
        Kind.BACKTEST: Backtester().step,
    }
    worker = Worker(service, accounts, holder, steps)
    jobs = JobCommands(service, accounts, _sealing(service), worker.wake)

    async def work() -> None:
        """Poll, and go on with what takes minutes, until the service stops."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(poller.run())
                group.create_task(worker.run())
        finally:
            await poller.release()
            await worker.release()
            await accounts.close()

    service.consume(build_handlers())
    _answer(service, commands, algorithms, jobs)
    service.task(work)
    service.task(lambda: _forget_old(service, timedelta(days=settings.retention_days)))
    return service


def _answer(
    service: Service[IngestConfig], commands: Commands, algorithms: Algorithms, jobs: JobCommands
) -> None:
    acting = {
        "test": commands.test,
        "fetch": commands.fetch,
        "stop": algorithms.stop,
        "liquidate": algorithms.liquidate,
        "deploy": jobs.deploy,
        "backtest": jobs.backtest,
        "cancel_backtest": jobs.cancel_backtest,
    }
    reading = {
        "algorithms": algorithms.algorithms,
        "algorithm": algorithms.algorithm,
        "backtest_detail": jobs.backtest_detail,
        "backtest_series": jobs.backtest_series,
        "backtest_trades": jobs.backtest_trades,
        "backtest_orders": jobs.backtest_orders,
        "backtest_insights": jobs.backtest_insights,
    }
    for verb, answer in {**acting, **reading}.items():
        service.command(verb, answer, reads=verb in reading)


def places(settings: Settings) -> dict[Target, Place]:
    """The real QuantConnect and the sandbox."""
    pace = Pace(settings.quantconnect_per_minute, settings.quantconnect_burst)
    sandbox_url = f"{settings.sandbox_url.rstrip('/')}/api/v2"
    return {
        Target.REAL: Place(settings.quantconnect_url, pace, settings.quantconnect_poll_s),
        Target.SANDBOX: Place(
            sandbox_url, _SANDBOX_PACE, settings.sandbox_poll_s, look_s=_SANDBOX_LOOK_S
        ),
    }


async def _forget_old(service: Service[IngestConfig], keep: timedelta) -> None:
    """Drop words that nothing can repeat any more, and what is too old to be looked at."""

    def forget(sql: Sql, moment: Moment[IngestConfig]) -> None:
        job_store.forget_performance(sql, moment.wall - _KEEP_PERFORMANCE)
        job_store.forget_deployments(sql, moment.wall - keep)

    while True:
        await service.write(forget)
        while await service.write(lambda sql, now: store.forget_known(sql, now.wall - keep)):  # noqa: ASYNC110 - lets others write in between
            await asyncio.sleep(0)
        await asyncio.sleep(_FORGET_S)


def _sealing(service: Service[IngestConfig]) -> Seal:
    """Seals to this service, with the public key that everybody else uses."""

    async def seal_to_oneself(owner_id: str, field: str, plaintext: str) -> str:
        public = await service.bucket_get(KEYS_BUCKET, SERVICE)
        if public is None:
            raise TransientError("the public key of qc-ingest is not there yet; try again")
        return seal(public.decode(), config_id=owner_id, field=field, plaintext=plaintext)

    return seal_to_oneself


class _LateBox:
    """The service's key is read when it starts, after everything here is joined."""

    def __init__(self, service: Service[IngestConfig]) -> None:
        self._service = service

    def open(self, sealed: str, *, config_id: str, field: str) -> str:
        box: Box = self._service.box
        return box.open(sealed, config_id=config_id, field=field)
