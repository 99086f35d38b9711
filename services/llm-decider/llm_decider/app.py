"""Who is joined to whom."""

import asyncio
import os
import secrets
import socket
from datetime import timedelta

from starlette.applications import Starlette

from llm_decider.adapters import store, tables
from llm_decider.adapters.lines import Limits
from llm_decider.adapters.providers import Addresses, Providers
from llm_decider.answering import Answerer
from llm_decider.calling import Caller
from llm_decider.commands import Commands, check
from llm_decider.handlers import build_book_handlers, build_handlers
from llm_decider.reading import Reader
from llm_decider.reporting import SERVICE
from llm_decider.settings import Settings
from llm_decider.status import Reporter
from llm_decider.worker import Worker
from signalbox.contracts.config import LlmDeciderConfig
from signalbox.contracts.subjects import PREFIX
from signalbox.runtime.secrets import Box
from signalbox.runtime.service import Service

_FORGET_S = 3600.0


def create_app() -> Starlette:
    """The service, ready to be served."""
    return build(Settings()).app()


def build(settings: Settings) -> Service[LlmDeciderConfig]:
    """The service with everything that it does."""
    service = Service(SERVICE, settings, config=LlmDeciderConfig, metadata=tables.metadata)
    addresses = Addresses(
        openai=settings.openai_base_url,
        claude=settings.anthropic_base_url,
        sandbox=settings.sandbox_url,
    )
    limits = Limits(
        settings.llm_in_flight, settings.llm_requests_per_minute, settings.llm_tokens_per_minute
    )
    providers = Providers(addresses, _LateBox(service), limits)

    reader = Reader(service)
    caller = Caller(service, providers.open)
    holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"[-64:]
    worker = Worker(service, Answerer(service, reader, caller), holder)
    reporter = Reporter(service, lambda config: check(providers.open, config))
    commands = Commands(service, worker, reporter, reader, providers.open, caller.mend)

    service.config.changed.append(reporter.hurry)
    service.consume(build_handlers(worker.hurry))
    service.consume(build_book_handlers())
    service.listen(f"{PREFIX}.market.news.>", reader.hear)
    service.listen(f"{PREFIX}.signals.>", reader.hear)
    for verb in ("test", "decide", "settle"):
        service.command(verb, getattr(commands, verb))
    for verb in ("check_prompt", "variables", "preview", "attempts", "unresolved", "budgets"):
        service.command(verb, getattr(commands, verb), reads=True)
    service.task(reader.recall)
    service.task(worker.run)
    service.on_stop(worker.finish)
    service.task(reporter.run)
    _keep_house(service, providers)
    return service


def _keep_house(service: Service[LlmDeciderConfig], providers: Providers) -> None:
    """Let go of connections and of calls that nobody needs any more."""

    async def tidy() -> None:
        """Close the connections of keys that no model uses any more."""
        changed = asyncio.Event()
        service.config.changed.append(changed.set)
        try:
            while True:
                await changed.wait()
                changed.clear()
                await providers.keep(service.config.document.models)
        finally:
            await providers.close()

    async def forget() -> None:
        """Drop calls that nobody looks at any more."""
        keep = timedelta(days=service.settings.retention_days)
        while True:
            while await service.write(lambda sql, now: store.forget(sql, now.wall, keep)):  # noqa: ASYNC110 - lets others write in between
                await asyncio.sleep(0)
            await asyncio.sleep(_FORGET_S)

    service.task(tidy)
    service.task(forget)


class _LateBox:
    """The service's key is read when it starts, after everything here is joined."""

    def __init__(self, service: Service[LlmDeciderConfig]) -> None:
        self._service = service

    def open(self, sealed: str, *, config_id: str, field: str) -> str:
        box: Box = self._service.box
        return box.open(sealed, config_id=config_id, field=field)
