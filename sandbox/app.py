"""Who is joined to whom in the sandbox."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.alpaca.api import Trading
from sandbox.alpaca.data import Data
from sandbox.alpaca.quotes import follow
from sandbox.faults import Faults
from sandbox.llm.api import Models
from sandbox.market import Market
from sandbox.quantconnect.api import Api
from sandbox.quantconnect.desk import Desk
from sandbox.quantconnect.endpoints import Context, Pace
from sandbox.quantconnect.signature import Login
from sandbox.settings import Settings
from signalbox.contracts.errors import SignalboxError, TransientError
from signalbox.contracts.payloads import Bar
from signalbox.runtime import logs
from signalbox.runtime.bus import Bus, Credentials, server_url

log = logging.getLogger(__name__)

NAME = "sandbox"
_RETRY_S = 0.5
_CLOSE_S = 5.0
_AGAIN_S = 0.5


def create_app() -> Starlette:
    """The sandbox on the market of this machine's Signalbox."""
    settings = Settings()
    desk = Desk()
    trading = Trading()
    follower = _Follower(settings, desk, trading)
    pace = Pace(
        snapshot_s=settings.sandbox_snapshot_delay_s,
        compile_s=settings.sandbox_compile_s,
        backtest_s=settings.sandbox_backtest_s,
        launch_s=settings.sandbox_launch_s,
        flush_s=settings.sandbox_webhook_s,
        webhooks_per_hour=settings.sandbox_webhooks_per_hour,
    )
    context = Context(desk, time.time, pace, follower)
    context.runner.shows_running = settings.sandbox_shows_running

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        logs.configure(NAME, settings.log_level)
        running = asyncio.create_task(follower.run())
        try:
            yield
        finally:
            await end(running)
            await context.close()
            await follower.close()

    login = Login(settings.sandbox_user, settings.sandbox_token.get_secret_value())
    models = Models(
        settings.sandbox_llm_key.get_secret_value(),
        settings.sandbox_openai_models,
        settings.sandbox_claude_models,
    )
    return assemble(
        context,
        login,
        models=models,
        trading=trading,
        data=Data(follower, trading.venue),
        ready=lambda: follower.problem,
        lifespan=lifespan,
    )


def assemble(
    context: Context,
    login: Login,
    *,
    models: Models | None = None,
    trading: Trading | None = None,
    data: Data | None = None,
    faults: Faults | None = None,
    ready: Callable[[], str | None] = lambda: None,
    lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]] | None = None,
) -> Starlette:
    """The routes over one desk, wherever its bars come from."""
    faults = faults or Faults()

    async def livez(_request: Request) -> Response:
        return JSONResponse({"alive": True})

    async def readyz(_request: Request) -> Response:
        problem = ready()
        return JSONResponse({"market": problem}, status_code=503 if problem else 200)

    health = [Route("/livez", livez), Route("/readyz", readyz)]
    routes: list[BaseRoute] = [*health, *faults.routes(), *Api(context, login, faults).routes()]
    routes += (models or Models()).routes(faults)
    routes += (trading or Trading()).routes(faults)
    routes += (data or Data()).routes(faults)
    return Starlette(routes=routes, lifespan=lifespan)


async def end(task: asyncio.Task[None]) -> None:
    """Cancel until it takes effect: a library may swallow a cancellation that meets an answer."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_AGAIN_S)


class _Follower:
    """Connects as soon as provisioning has written the credentials, then follows the market."""

    def __init__(self, settings: Settings, desk: Desk, trading: Trading) -> None:
        self._settings = settings
        self._trading = trading
        self._desk = desk
        self._bus: Bus | None = None
        self._market: Market | None = None

    @property
    def problem(self) -> str | None:
        """Why the market cannot be followed yet."""
        return self._market.problem if self._market else "waiting for credentials"

    async def bars(
        self, symbol: str, interval: str, start: datetime | None, end: datetime | None
    ) -> list[Bar]:
        """Closed bars, for backtests.

        Raises:
            NotFound: there is no such series.
            TransientError: the market cannot be read.
        """
        if self._market is None:
            raise TransientError(f"no market yet: {self.problem}")
        return await self._market.bars(symbol, interval, start, end)

    async def run(self) -> None:
        """Follow the market until cancelled."""
        while self._bus is None:
            try:
                credentials = Credentials.read(self._settings.home, NAME)
                url = server_url(self._settings.home, self._settings.nats_url)
                self._bus = Bus(NAME, url, credentials)
            except (OSError, ValueError, KeyError):
                await asyncio.sleep(_RETRY_S)
        self._market = Market(self._bus, self._desk, self._hear_quotes)
        await self._market.run()

    async def _hear_quotes(self) -> None:
        if self._bus is not None:
            await follow(self._bus, self._trading.venue)

    async def close(self) -> None:
        """Leave the bus."""
        if self._bus is not None:
            with suppress(SignalboxError, OSError, TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await self._bus.close()
