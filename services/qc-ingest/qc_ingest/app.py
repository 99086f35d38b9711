"""Who is joined to whom."""

import asyncio
import os
import secrets
import socket
from datetime import timedelta

from starlette.applications import Starlette

from qc_ingest.adapters import store, tables
from qc_ingest.adapters.accounts import Accounts, Place
from qc_ingest.adapters.limiter import Pace
from qc_ingest.adapters.quantconnect import open_http
from qc_ingest.commands import Commands
from qc_ingest.handlers import build_handlers
from qc_ingest.reporting import SERVICE
from qc_ingest.settings import Settings
from qc_ingest.worker import Poller
from signalbox.contracts.config import IngestConfig
from signalbox.contracts.values import Target
from signalbox.runtime.secrets import Box
from signalbox.runtime.service import Service

_SANDBOX_PACE = Pace(per_minute=6000, burst=200)
_FORGET_S = 3600.0


def create_app() -> Starlette:
    """The service, ready to be served."""
    return build(Settings()).app()


def build(settings: Settings) -> Service[IngestConfig]:
    """The service with everything that it does."""
    service = Service(SERVICE, settings, config=IngestConfig, metadata=tables.metadata)
    accounts = Accounts(places(settings), open_http, _LateBox(service))
    holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"[-64:]
    poller = Poller(service, accounts, holder)
    commands = Commands(service, poller, accounts)

    async def poll() -> None:
        """Poll until the service stops."""
        try:
            await poller.run()
        finally:
            await poller.release()
            await accounts.close()

    async def forget() -> None:
        """Drop words that nothing can repeat any more."""
        keep = timedelta(days=settings.retention_days)
        while True:
            while await service.write(lambda sql, now: store.forget_known(sql, now.wall - keep)):  # noqa: ASYNC110 - lets others write in between
                await asyncio.sleep(0)
            await asyncio.sleep(_FORGET_S)

    service.consume(build_handlers())
    service.command("test", commands.test)
    service.command("fetch", commands.fetch)
    service.task(poll)
    service.task(forget)
    return service


def places(settings: Settings) -> dict[Target, Place]:
    """The real QuantConnect and the sandbox."""
    pace = Pace(settings.quantconnect_per_minute, settings.quantconnect_burst)
    sandbox_url = f"{settings.sandbox_url.rstrip('/')}/api/v2"
    return {
        Target.REAL: Place(settings.quantconnect_url, pace, settings.quantconnect_poll_s),
        Target.SANDBOX: Place(sandbox_url, _SANDBOX_PACE, settings.sandbox_poll_s),
    }


class _LateBox:
    """The service's key is read when it starts, after everything here is joined."""

    def __init__(self, service: Service[IngestConfig]) -> None:
        self._service = service

    def open(self, sealed: str, *, config_id: str, field: str) -> str:
        box: Box = self._service.box
        return box.open(sealed, config_id=config_id, field=field)
