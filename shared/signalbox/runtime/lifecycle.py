"""Starting in any order, standing by, and stopping without losing anything."""

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError
from sqlalchemy.exc import SQLAlchemyError

from signalbox.contracts.errors import InvariantBroken, SignalboxError
from signalbox.contracts.events import decode
from signalbox.runtime import metrics, pump
from signalbox.runtime.clock import wall_now
from signalbox.runtime.fence import FenceLost
from signalbox.runtime.handlers import Handlers
from signalbox.runtime.migrate import check_schema
from signalbox.runtime.outbox import mark_sent, unsent
from signalbox.runtime.topology import CLOCK_BUCKET, CONSUMERS
from signalbox.runtime.upkeep import RENEW_S, Upkeep

if TYPE_CHECKING:
    from signalbox.runtime.service import Service

log = logging.getLogger(__name__)

_RETRY_S = 0.5
_TASK_RETRY_S = 2.0
_FINISH_S = 15.0
_DRAIN_S = 10.0
_CANCEL_S = 1.0
_OUTSIDE = (NatsError, JetStreamError, OSError, SQLAlchemyError, SignalboxError, TimeoutError)


class Lifecycle:
    """How one service comes up and goes down."""

    def __init__(self, service: "Service[Any]") -> None:
        self._service = service
        self._tasks: list[asyncio.Task[None]] = []
        self._active = False
        self._upkeep = Upkeep(service)
        self.problem: str | None = "starting"

    async def run(self) -> None:
        """Come up step by step; every step is repeated until it works, and says why it does not."""
        service = self._service
        metrics.BUILD.labels(_version(), service.name).set(1)
        await self._until("credentials and database", self._open)
        await self._until("the bus", service.bus.connect)
        await self._until("configuration", self._watch)
        self.problem = "waiting for the first configuration"
        await service.config.wait_for(1, None)
        if service.needs_clock:
            self.problem = "waiting for the market clock"
            while service.clock.reading is None:  # noqa: ASYNC110 - told by a callback that others share
                await asyncio.sleep(0.05)
        if service.fence:
            self.problem = "standing by: another process is active"
            await self._until("the fence", self._take_fence)
        await self._until("start", self._activate)
        self.problem = None
        self._active = True
        metrics.ACTIVE.labels(service.name).set(1)
        _calm_collector()
        log.info("%s is active", service.name)

    async def _until(self, what: str, step: Callable[[], Awaitable[None]]) -> None:
        said = ""
        while True:
            try:
                await step()
                return
            except _OUTSIDE as error:
                self.problem = f"{what}: {error}"
                if self.problem != said:
                    log.warning("not ready, trying again: %s", self.problem)
                    said = self.problem
                await asyncio.sleep(_RETRY_S)

    async def _open(self) -> None:
        service = self._service
        service.open_bus()
        if service.stores and service.db is None:
            service.open_database()
        if service.db is not None:
            await service.db.read(lambda sql: check_schema(sql, service.name))

    async def _watch(self) -> None:
        service = self._service
        await service.config.start(service.bus)
        await service.bus.nc.subscribe(f"$KV.{CLOCK_BUCKET}.clock", cb=self._on_clock)
        raw = await service.bus.bucket_get(CLOCK_BUCKET, "clock")
        if raw:
            service.clock.take(raw)

    async def _on_clock(self, message: Msg) -> None:
        self._service.clock.take(message.data)
        frozen = self._service.clock.frozen(wall_now())
        metrics.CLOCK_FROZEN.labels(self._service.name).set(frozen)

    async def _take_fence(self) -> None:
        service = self._service
        if service.fence is None or service.db is None:
            return
        while not await service.db.write(service.fence.take):  # noqa: ASYNC110 - a row, not a flag
            await asyncio.sleep(RENEW_S)
        log.info("%s holds the fence, number %d", service.name, service.fence.number)
        self._spawn(self._upkeep.renew)

    async def _activate(self) -> None:
        """Leftovers first, then the service's own start, then commands, listeners and consumers."""
        service = self._service
        self._spawn(service.relay.run)
        if service.db is not None:
            metadata = service.metadata
            for batch, messages in await service.db.read(lambda sql: unsent(sql, metadata)):
                service.relay.submit(batch, messages)
            self._spawn(self._upkeep.flush)
            self._spawn(self._upkeep.sweep)
            self._spawn(self._upkeep.prune)
        for hook in service.hooks:
            await self._until("start", hook)
        for subject, receive in service.listeners:
            await service.bus.nc.subscribe(subject, cb=_heard(receive))
        await service.answering.start()
        for delivery, handlers in zip(service.deliveries(), service.handlers, strict=True):
            await self._rewind(handlers)
            subscriber = pump.consume(
                service.bus.broker,
                delivery.receive,
                stream=handlers.stream,
                durable=handlers.durable,
                pinned=_pinned(handlers),
            )
            if _pinned(handlers):
                delivery.rewind = subscriber.rewind
                service.bus.reconnected.append(subscriber.rewind)
        await service.bus.broker.start()
        self._spawn(self._upkeep.reread)
        if service.handlers:
            self._spawn(self._upkeep.measure)
        for loop in service.loops:
            self._spawn(loop)

    async def _rewind(self, handlers: Handlers[Any]) -> None:
        """Deliver again from the first unacknowledged message, in order; the inbox absorbs the
        repeats.
        """
        if not _pinned(handlers):
            return
        bus = self._service.bus
        body = f'{{"group":"{handlers.durable}"}}'.encode()
        subject = f"$JS.API.CONSUMER.UNPIN.{handlers.stream}.{handlers.durable}"
        await bus.nc.request(subject, body, timeout=5)
        await bus.js.reset_consumer(handlers.stream, handlers.durable)

    def _spawn(self, loop: Callable[[], Awaitable[None]]) -> None:
        self._tasks.append(asyncio.create_task(self._keep_running(loop)))

    async def _keep_running(self, loop: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await loop()
                return
            except FenceLost as error:
                self._service.step_down(str(error))
                return
            except Exception as error:
                metrics.TASK_FAILURES.labels(self._service.name).inc()
                log.error("a task failed and starts again", exc_info=error)
                await asyncio.sleep(_TASK_RETRY_S)

    async def checks(self) -> Mapping[str, str | None]:
        """What every service needs."""
        service = self._service
        found: dict[str, str | None] = {"lifecycle": self.problem}
        if not self._active:
            return found
        found["bus"] = None if service.bus.connected else "the connection is lost"
        if service.needs_clock:
            frozen = service.clock.frozen(wall_now())
            found["clock"] = "the market clock is not renewed" if frozen else None
        found["outbox"] = "full: the streams do not take messages" if service.relay.full else None
        if service.db is not None:
            try:
                async with asyncio.timeout(1):
                    await service.db.ping()
                found["database"] = None
            except (TimeoutError, SQLAlchemyError) as error:
                found["database"] = f"{type(error).__name__}"
        return found

    async def stop(self) -> None:
        """Read no more, finish what is begun, publish what is committed, then leave."""
        service = self._service
        if not hasattr(service, "bus"):
            return
        was_active, self._active, self.problem = self._active, False, "stopping"
        if was_active:
            with suppress(*_OUTSIDE):
                for subscriber in service.bus.broker.subscribers:
                    await subscriber.stop()
            await self._finish()
            with suppress(*_OUTSIDE):
                await service.relay.drain(_DRAIN_S)
            await self._let_go()
        left = {task for task in self._tasks if not task.done()}
        while left:  # a library that is waiting may swallow a cancellation
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=_CANCEL_S)
        if service.db is not None:
            service.db.close()
        with suppress(*_OUTSIDE):
            await service.bus.close()
        log.info("%s has stopped", service.name)

    async def _finish(self) -> None:
        """Wait a while for what a stop would break off."""
        with suppress(*_OUTSIDE):
            async with asyncio.timeout(_FINISH_S):
                for hook in self._service.endings:
                    await hook()

    async def _let_go(self) -> None:
        service = self._service
        if service.db is None:
            return
        finished, metadata = service.relay.finished, service.metadata
        with suppress(*_OUTSIDE):
            await service.db.write(lambda sql: mark_sent(sql, metadata, finished))
            if service.fence:
                await service.db.write(service.fence.release)


def _calm_collector() -> None:
    """Look for cycles rarely: a batch makes none, and looking took a third of its time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _version() -> str:
    try:
        return version("signalbox")
    except PackageNotFoundError:  # run from a source tree
        return "unknown"


def _pinned(handlers: Handlers[Any]) -> bool:
    for consumer in CONSUMERS:
        if (consumer.stream, consumer.durable) == (handlers.stream, handlers.durable):
            return consumer.pinned
    raise InvariantBroken(f"no consumer {handlers.durable} on {handlers.stream} in the topology")


def _heard(receive: Callable[[Any], Awaitable[None]]) -> Callable[[Msg], Awaitable[None]]:
    async def hear(message: Msg) -> None:
        try:
            await receive(decode(message.data))
        except Exception as error:  # noqa: BLE001 - at most once: the next one counts
            log.warning("%s was not taken: %r", message.subject, error)

    return hear
