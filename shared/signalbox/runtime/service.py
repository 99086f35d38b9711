"""A service: who is joined to whom, how it starts in any order, and how it stops."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Generic, TypeVar

from pydantic import JsonValue
from sqlalchemy import Connection, MetaData
from starlette.applications import Starlette
from starlette.routing import Route

from signalbox.contracts.events import AlertRaised, Event
from signalbox.contracts.notices import Alert
from signalbox.contracts.values import Severity
from signalbox.runtime import asking, logs, metrics
from signalbox.runtime.bus import Bus, Credentials, server_url
from signalbox.runtime.clock import MarketClock, wall_now
from signalbox.runtime.config import ConfigWatch
from signalbox.runtime.db import Database
from signalbox.runtime.delivery import Delivery
from signalbox.runtime.fence import Fence, FenceLost
from signalbox.runtime.handlers import Handlers
from signalbox.runtime.health import health_routes
from signalbox.runtime.lifecycle import Lifecycle
from signalbox.runtime.moment import Moment, Outgoing
from signalbox.runtime.outbox import BATCHES, Relay, insert_rows, outgoing
from signalbox.runtime.secrets import Box, NoBox, SecretBox
from signalbox.runtime.settings import ServiceSettings

log = logging.getLogger(__name__)

D = TypeVar("D")
T = TypeVar("T")
Hook = Callable[[], Awaitable[None]]
Work = Callable[[Connection, Moment[Any]], Iterable[Event | Outgoing]]


class Service(Generic[D]):
    """One running service. Everything is registered before `app()`; nothing happens before the
    lifespan starts.
    """

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        *,
        config: type[D],
        metadata: MetaData | None = None,
        fenced: bool = False,
        needs_clock: bool = True,
    ) -> None:
        self.name = name
        self.settings = settings
        self.fenced = fenced
        self.needs_clock = needs_clock
        self.config: ConfigWatch[D] = ConfigWatch(name, config)
        self.clock = MarketClock()
        self.box: Box = NoBox()
        self.db: Database | None = None
        self.fence: Fence | None = None
        self.handlers: list[Handlers[Any]] = []
        self.listeners: list[tuple[str, Callable[[Event], Awaitable[None]]]] = []
        self.hooks: list[Hook] = []
        self.endings: list[Hook] = []
        self.loops: list[Hook] = []
        self.answering = asking.Answering(self)
        self._metadata = metadata
        self._checks: dict[str, Callable[[], str | None]] = {}
        self._lifecycle = Lifecycle(self)
        self._committing: set[asyncio.Future[list[Event]]] = set()
        self.bus: Bus
        self.relay: Relay

    def consume(self, handlers: Handlers[Any]) -> None:
        """Read a durable consumer with these handlers."""
        self.handlers.append(handlers)

    def listen(self, subject: str, receive: Callable[[Any], Awaitable[None]]) -> None:
        """Hear events as they are published, at most once: for quotes and the like."""
        self.listeners.append((subject, receive))

    def command(self, verb: str, answerer: asking.Answerer, *, reads: bool = False) -> None:
        """Answer a command; where it only `reads`, the answer is not kept for a repeat."""
        self.answering.add(verb, answerer, reads=reads)

    def task(self, loop: Hook) -> None:
        """Run for as long as the service is active; restarted with a delay when it fails."""
        self.loops.append(loop)

    def on_start(self, hook: Hook) -> None:
        """Run once when the service becomes active, before it reads anything."""
        self.hooks.append(hook)

    def on_stop(self, hook: Hook) -> None:
        """Wait for this before leaving, 15 s at most; nothing is read any more, and all else still
        runs.
        """
        self.endings.append(hook)

    def check(self, name: str, problem: Callable[[], str | None]) -> None:
        """Readiness: None when all is well, else why not."""
        self._checks[name] = problem

    @property
    def metadata(self) -> MetaData:
        """The tables of this service."""
        if self._metadata is None:
            raise TypeError(f"{self.name} has no database")
        return self._metadata

    @property
    def stores(self) -> bool:
        """Whether it has a database."""
        return self._metadata is not None

    def moment(self) -> Moment[D]:
        """This instant."""
        wall = wall_now()
        reading = self.clock.reading
        return Moment(
            service=self.name,
            now=self.clock.now(wall),
            wall=wall,
            config=self.config.document,
            version=self.config.version,
            epoch=reading.epoch if reading else 0,
            speed=reading.speed if reading else 1.0,
            replay=reading.replay if reading else False,
            frozen=self.clock.frozen(wall),
            fence=self.fence.number if self.fence else 0,
        )

    async def write(self, work: Callable[[Connection, Moment[D]], T]) -> T:
        """One transaction in the writer thread, behind the fence."""
        if self.db is None:
            raise TypeError(f"{self.name} has no database")
        moment = self.moment()

        def run(sql: Connection) -> T:
            if self.fence:
                self.fence.check(sql)
            return work(sql, moment)

        with metrics.BATCH_SECONDS.labels(self.name, "write").time():
            return await self.db.write(run)

    async def transact(self, work: Work) -> list[Event]:
        """State change and events of what no message triggers; published right after the commit.

        Raises:
            FenceLost: another process has taken over; this one stops.
        """
        metadata = self.metadata

        def run(sql: Connection, moment: Moment[D]) -> tuple[int, list[Outgoing], list[Event]]:
            made = list(work(sql, moment))
            batch, messages = BATCHES.next(), outgoing(made)
            insert_rows(sql, metadata, batch, messages)
            return batch, messages, [e for e in made if isinstance(e, Event)]

        async def commit() -> list[Event]:
            try:
                batch, messages, events = await self.write(run)
            except FenceLost as error:
                self.step_down(str(error))
                raise
            self.relay.submit(batch, messages)
            return events

        # The writer thread commits whatever happens to the caller, so publishing must follow.
        committing = asyncio.ensure_future(commit())
        self._committing.add(committing)
        committing.add_done_callback(self._committing.discard)
        return await asyncio.shield(committing)

    async def publish(self, events: Iterable[Event | Outgoing]) -> None:
        """Publish without a database and wait until the streams have stored everything.

        Raises:
            TransientError: a stream did not take it; the caller repeats, the ids make that
                harmless.
        """
        await self.bus.confirmed(await self.bus.send(*outgoing(events)))

    async def ask(
        self, other: str, verb: str, body: dict[str, JsonValue] | None = None, **options: Any
    ) -> dict[str, Any]:
        """Ask another service: see `asking.ask`; options are by, request_id and timeout_s."""
        return await asking.ask(self, other, verb, body, **options)

    async def alert(
        self,
        severity: Severity,
        code: str,
        about: str,
        message: str,
        *,
        occurrence: str,
        active: bool = True,
    ) -> None:
        """Tell people; the same occurrence tells once."""
        moment = self.moment()
        data = Alert(
            severity=severity,
            code=code,
            about=about,
            message=message,
            service=self.name,
            active=active,
            at=moment.wall,
            occurrence=occurrence,
        )
        event = moment.event(AlertRaised, data)
        if self.db is None:
            await self.publish([event])
        else:
            await self.transact(lambda _sql, _moment: [event])

    async def bucket_get(self, bucket: str, key: str) -> bytes | None:
        """The value of a key, or None."""
        return await self.bus.bucket_get(bucket, key)

    async def bucket_put(self, bucket: str, key: str, value: bytes) -> None:
        """Store the value of a key."""
        await self.bus.bucket_put(bucket, key, value)

    def step_down(self, why: str) -> None:
        """Stop this process: somebody else holds the fence."""
        log.critical("stopping, another process has taken over: %s", why)
        self._lifecycle.problem = "another process has taken over"
        os.kill(os.getpid(), signal.SIGTERM)

    def open_bus(self) -> None:
        """Read the credentials and prepare the connection."""
        home = self.settings.home
        credentials = Credentials.read(home, self.name)
        if credentials.private_key:
            self.box = SecretBox(credentials.private_key)
        self.bus = Bus(self.name, server_url(home, self.settings.nats_url), credentials)
        self.relay = Relay(self.bus)

    def open_database(self) -> None:
        """Open the database, when the service has one."""
        if self._metadata is None:
            return
        url = self.settings.database_url
        self.db = Database.open(
            self.name, home=self.settings.home, url=url.get_secret_value() if url else None
        )
        if self.fenced:
            self.fence = Fence(self._metadata, exclusive=self.db.exclusive)

    def deliveries(self) -> list[Delivery]:
        """One way through for each consumer."""
        return [Delivery(self, handlers) for handlers in self.handlers]

    async def checks(self) -> Mapping[str, str | None]:
        """Every readiness check: None or the problem."""
        found: dict[str, str | None] = dict(await self._lifecycle.checks())
        found.update({name: problem() for name, problem in self._checks.items()})
        return found

    def routes(self) -> list[Route]:
        """The health routes, for an application of one's own."""
        return health_routes(self)

    @asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncIterator[None]:
        """Start in the background, so that health answers at once; stop in order."""
        logs.configure(self.name, self.settings.log_level)
        running = asyncio.create_task(self._lifecycle.run())
        running.add_done_callback(self._on_run_ended)
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            await self._lifecycle.stop()

    @staticmethod
    def _on_run_ended(running: asyncio.Task[None]) -> None:
        """A start that fails in a way nobody foresaw ends the process, in the open."""
        if not running.cancelled() and running.exception() is not None:
            log.critical("the service could not start", exc_info=running.exception())
            os.kill(os.getpid(), signal.SIGTERM)

    def app(self) -> Starlette:
        """The application that uvicorn serves."""
        return Starlette(routes=self.routes(), lifespan=self.lifespan)
