"""Who is joined to whom. Started as `uvicorn --factory gateway.app:create_app`."""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from types import FrameType

from fastapi import FastAPI
from pydantic import SecretStr

from gateway import alerting
from gateway.adapters.tables import metadata
from gateway.handlers import build_handlers
from gateway.routes.api import build_api
from gateway.routes.context import Context
from gateway.settings import Settings
from gateway.starting import Environment, start
from signalbox.contracts.config import GatewayConfig, Versioned
from signalbox.contracts.subjects import PREFIX
from signalbox.runtime.service import Service

SERVICE = "gateway"
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def create_app() -> FastAPI:
    """The gateway."""
    return build_app(Settings())


def build_app(settings: Settings) -> FastAPI:
    """The gateway, from given settings."""
    service = Service(
        SERVICE,
        settings,
        config=GatewayConfig,
        metadata=metadata,
        fenced=True,
        needs_clock=False,  # it only shows the clock
    )
    context = Context(service, private_model_servers=settings.llm_private_urls)
    for handlers in build_handlers(context.hub.tell):
        service.consume(handlers)
    service.listen(f"{PREFIX}.market.quotes.>", context.hub.hear)
    service.listen(f"{PREFIX}.market.bars.>", context.hub.hear)
    service.on_start(partial(start, context, _environment(settings)))
    service.task(partial(alerting.run, service))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Its own document is empty and comes from itself: there is nothing to wait for.
        await service.config.take(
            Versioned[GatewayConfig](version=1, document=GatewayConfig()).model_dump_json().encode()
        )
        with _streams_end_first(context.hub.end_all):
            async with service.lifespan(app):
                yield

    return build_api(context, lifespan=lifespan, extra=service.routes())


def _environment(settings: Settings) -> Environment:
    return Environment(
        home=settings.home,
        admin_password=_text(settings.admin_password),
        demo=settings.demo,
        quantconnect_api_key=settings.quantconnect_api_key,
        quantconnect_api_secret=_text(settings.quantconnect_api_secret),
        openai_api_key=_text(settings.openai_api_key),
        anthropic_api_key=_text(settings.anthropic_api_key),
    )


def _text(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


class _streams_end_first:
    """While it lasts, a signal to stop ends the open event streams before the server waits for
    them; they would never end by themselves.
    """

    def __init__(self, end_all: Callable[[], None]) -> None:
        self._end_all = end_all
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            before = signal.getsignal(number)
            self._before[number] = before

            def on_signal(given: int, frame: FrameType | None, before: object = before) -> None:
                loop.call_soon_threadsafe(self._end_all)
                if callable(before):
                    before(given, frame)

            signal.signal(number, on_signal)

    def __exit__(self, *_error: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]  # what getsignal gave
