"""From messages to acknowledgements: what a failure means for the message that caused it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from nats.aio.msg import Msg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from signalbox.contracts.errors import (
    InvariantBroken,
    OutOfOrder,
    PermanentError,
    RateLimited,
    TransientError,
)
from signalbox.contracts.events import Event
from signalbox.runtime import ledger, metrics, wire
from signalbox.runtime.fence import FenceLost
from signalbox.runtime.handlers import Handlers
from signalbox.runtime.incoming import Incoming, notes_of, parse

if TYPE_CHECKING:
    from signalbox.runtime.service import Service

log = logging.getLogger(__name__)

DELAYS_S = (1, 2, 5, 15, 30, 60)
MOST_ATTEMPTS = 10
_DATABASE_DELAY_S = 2
_CONFIG_WAIT_S = 5.0
_FIRST_REWIND_S = 0.2
_LAST_REWIND_S = 15.0
_CALM_S = 60.0
_KEEP_ALIVE_S = 5.0  # a few times in the server's 30 s, and what waited in the queue counts too


class Delivery:
    """One consumer's way through: batch first, one by one when something fails."""

    def __init__(self, service: "Service[Any]", handlers: Handlers[Any]) -> None:
        self._service = service
        self._handlers = handlers
        self._acks: set[asyncio.Task[None]] = set()
        self.rewind: Callable[[], Coroutine[Any, Any, None]] | None = (
            None  # of the pump, when pinned
        )
        self._behind = False  # something waits for a message that has not come
        self._rewinding: asyncio.Task[None] | None = None
        self._rewind_s = _FIRST_REWIND_S
        self._rewound_at = 0.0

    async def receive(self, messages: list[Msg]) -> None:
        """Handle whatever has arrived. Never raises: every message is acknowledged, delayed or set
        aside.
        """
        todo: list[Incoming] = []
        passed: list[Msg] = []
        for message in messages:
            if not self._handlers.concerns(message.data):
                passed.append(message)
                continue
            item = parse(message)
            if item.event is None:
                await self._set_aside(item, item.problem)
            elif type(item.event) in self._handlers.by_type:
                todo.append(item)
            else:
                passed.append(message)
        if passed:
            self._acknowledge(passed)
        if not todo:
            return
        await self._room_for(todo)
        await self._service.config.wait_for(
            max(i.event.configversion for i in todo if i.event), _CONFIG_WAIT_S
        )
        await self._run_halving(todo)
        if self._behind:
            self._behind = False
            self._rewind_later()

    async def _run_halving(self, items: Sequence[Incoming]) -> None:
        """A batch that fails is halved, in order, until what fails stands alone."""
        if len(items) == 1:
            await self._run_alone(items[0])
            return
        try:
            await self._run(items)
        except FenceLost as error:
            self._service.step_down(str(error))
        except Exception as error:  # noqa: BLE001 - what failed is found out by halving
            log.info("a batch of %d failed and is halved: %r", len(items), error)
            middle = len(items) // 2
            await self._run_halving(items[:middle])
            await self._run_halving(items[middle:])

    async def _run_alone(self, item: Incoming) -> None:
        try:
            await self._run([item])
        except FenceLost as error:
            self._service.step_down(str(error))
        except OutOfOrder as error:
            log.info("%s waits for what it follows: %s", item.id, error)
            self._behind = True
        except PermanentError as error:
            await self._set_aside(item, str(error))
        except InvariantBroken as error:
            metrics.INVARIANTS.labels(self._handlers.durable).inc()
            await self._set_aside(item, f"our own books contradict themselves: {error}")
        except RateLimited as error:
            await self._again(item, error.retry_after_s)
        except (OperationalError, InterfaceError) as error:  # the database, not the message
            metrics.DB_ERRORS.labels(self._service.name).inc()
            log.warning("the database failed: %r", error)
            await self._again(item, _DATABASE_DELAY_S)
        except Exception as error:  # noqa: BLE001 - an unknown failure is tried again, bounded
            await self._retry_later(item, error)

    async def _run(self, items: Sequence[Incoming]) -> None:
        service = self._service
        events = [i.event for i in items if i.event is not None]
        self._check_config(events)
        if service.db is None:
            made: list[Any] = []
            for event in events:
                made.extend(
                    self._handlers.by_type[type(event)](event, None, service.moment()) or ()
                )
            await service.publish(made)
            self._acknowledge([i.message for i in items])
            return
        metadata = service.metadata

        def work(sql: Any, moment: Any) -> Any:
            return ledger.handle(sql, metadata, self._handlers, events, moment)

        batch, messages, state = await service.write(work)
        service.relay.submit(batch, messages, lambda: self._acknowledge([i.message for i in items]))
        if self._handlers.after and state is not None:
            self._handlers.after(state)

    def _rewind_later(self) -> None:
        """Read again from the first unacknowledged one, ever less often if that does not help."""
        if self._rewinding is not None:
            return
        loop = asyncio.get_running_loop()
        if loop.time() - self._rewound_at > _CALM_S:
            self._rewind_s = _FIRST_REWIND_S
        self._rewinding = loop.create_task(self._rewind_after(self._rewind_s))
        self._rewind_s = min(self._rewind_s * 2, _LAST_REWIND_S)

    async def _rewind_after(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        self._rewinding = None
        self._rewound_at = asyncio.get_running_loop().time()
        if self.rewind is not None:
            await self._quietly(self.rewind())

    def _check_config(self, events: Sequence[Event]) -> None:
        have = self._service.config.version
        wanted = max(e.configversion for e in events)
        if wanted > have:
            raise TransientError(f"configuration {wanted} has not arrived, {have} is in force")

    async def _retry_later(self, item: Incoming, error: Exception) -> None:
        if not isinstance(error, TransientError):
            log.error("handling %s failed", item.id, exc_info=error)
        attempts = await self._count(item)
        if attempts >= MOST_ATTEMPTS:
            await self._set_aside(item, f"failed {attempts} times, at last: {error}", attempts)
            return
        await self._again(item, DELAYS_S[min(attempts, len(DELAYS_S)) - 1])

    async def _count(self, item: Incoming) -> int:
        service = self._service
        if service.db is None:
            return int(item.message.metadata.num_delivered)
        metadata, consumer = service.metadata, self._handlers.durable
        try:
            return await service.db.write(
                lambda sql: ledger.count_attempt(sql, metadata, consumer, item.id)
            )
        except DBAPIError:
            return 1  # it is the database that fails, not the message

    async def _again(self, item: Incoming, delay_s: float) -> None:
        metrics.HANDLED.labels(self._service.name, "retried").inc()
        await self._quietly(item.message.nak(delay=delay_s))

    async def _set_aside(self, item: Incoming, reason: str, attempts: int = 1) -> None:
        """Write the dead letter and the tombstone, then end the message's delivery."""
        service = self._service
        metrics.DEAD_LETTERS.labels(service.name).inc()
        moment = service.moment()
        notes = notes_of(item, self._handlers.stream, reason, attempts, moment)
        handlers = self._handlers

        def work(sql: Any, now: Any) -> Any:
            return ledger.bury(
                sql,
                service.metadata,
                handlers,
                now,
                message_id=item.id,
                event=item.event,
                reason=reason,
                notes=notes,
            )

        try:
            if service.db is None:
                await service.publish(notes)
                await self._quietly(item.message.term())
                return
            batch, messages, state = await service.write(work)
        except FenceLost as error:
            service.step_down(str(error))
            return
        except Exception as error:
            log.error("the dead letter of %s could not be written", item.id, exc_info=error)
            await self._again(item, DELAYS_S[-1])
            return
        service.relay.submit(batch, messages, lambda: self._spawn(item.message.term()))
        if handlers.after and state is not None:
            handlers.after(state)

    def _acknowledge(self, messages: Sequence[Msg]) -> None:
        metrics.HANDLED.labels(self._service.name, "done").inc(len(messages))
        self._spawn(self._ack_all(messages))

    async def _ack_all(self, messages: Sequence[Msg]) -> None:
        await wire.write(self._service.bus.nc, map(wire.acknowledging, messages))

    async def _room_for(self, items: Sequence[Incoming]) -> None:
        relay = self._service.relay
        while relay.full:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_KEEP_ALIVE_S):
                    await relay.room()
                    return
            for item in items:
                await self._quietly(item.message.in_progress())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._quietly(work))
        self._acks.add(task)
        task.add_done_callback(self._acks.discard)

    @staticmethod
    async def _quietly(work: Coroutine[Any, Any, None]) -> None:
        """An acknowledgement is a hint: the inbox absorbs what comes again."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - see above
            log.debug("an acknowledgement was lost: %r", error)
