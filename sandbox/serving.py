"""The sandbox on a free port of this process, for tests that need real HTTP on the other side."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn

from sandbox.alpaca.api import Trading
from sandbox.alpaca.data import Data
from sandbox.app import assemble
from sandbox.faults import Fault, Faults, Kind
from sandbox.history import History, example_days
from sandbox.quantconnect.desk import Desk
from sandbox.quantconnect.endpoints import Context, Pace
from sandbox.quantconnect.signature import Login

LOGIN = Login("123", "abc")
_START_S = 10.0
_LOOK_S = 0.01


@dataclass(slots=True)
class Served:
    """A sandbox that can be stopped and started again on its port."""

    desk: Desk = field(default_factory=Desk)
    faults: Faults = field(default_factory=Faults)
    trading: Trading = field(default_factory=Trading)
    wall: Callable[[], float] = time.time
    pace: Pace = field(default_factory=Pace)
    history: History = field(default_factory=example_days)
    port: int = 0
    context: Context = field(init=False)
    data: Data = field(init=False)
    _server: uvicorn.Server | None = None
    _task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.context = Context(self.desk, self.wall, self.pace, self.history)
        self.data = Data(self.history, self.trading.venue)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen; the first time on any free port."""
        app = assemble(
            self.context, LOGIN, trading=self.trading, data=self.data, faults=self.faults
        )
        options = uvicorn.Config(
            app, port=self.port, log_level="critical", lifespan="off", date_header=False
        )
        self._server = uvicorn.Server(options)
        self._task = asyncio.create_task(self._server.serve())
        async with asyncio.timeout(_START_S):
            while not self._server.started:  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(_LOOK_S)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task

    def switch(
        self, kind: Kind, *, path: str = "", count: int | None = None, seconds: float = 0.05
    ) -> None:
        """Switch a fault on."""
        self.faults.active.append(Fault(kind=kind, path=path, count=count, seconds=seconds))

    def clear(self) -> None:
        """Switch every fault off."""
        self.faults.active.clear()


@asynccontextmanager
async def serving(
    desk: Desk | None = None, *, pace: Pace | None = None, history: History | None = None
) -> AsyncIterator[Served]:
    """A sandbox for the time of the block; its backtests see a year of made-up days."""
    served = Served(desk or Desk(), pace=pace or Pace(), history=history or example_days())
    await served.start()
    try:
        yield served
    finally:
        await served.context.close()
        await served.stop()
