"""From messages to acknowledgements: what a failure means for the message that caused it."""

import asyncio
import hashlib
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nats.aio.msg import Msg
from sqlalchemy.exc import DBAPIError

from signalbox.contracts.errors import InvariantBroken, PermanentError, RateLimited, TransientError
from signalbox.contracts.events import AlertRaised, Event, MessageDeadLettered, decode
from signalbox.contracts.ids import derive
from signalbox.contracts.payloads import Alert, DeadLetter
from signalbox.contracts.values import Severity
from signalbox.runtime import ledger, metrics
from signalbox.runtime.fence import FenceLost
from signalbox.runtime.handlers import Handlers
from signalbox.runtime.logs import redact

if TYPE_CHECKING:
    from signalbox.runtime.service import Service

log = logging.getLogger(__name__)

DELAYS_S = (1, 2, 5, 15, 30, 60)
MOST_ATTEMPTS = 10
_DATABASE_DELAY_S = 2
_CONFIG_WAIT_S = 5.0
_ORIGINAL_BYTES = 200_000
_KEEPALIVE_S = 10.0


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it came, and the event in it when there is one."""

    message: Msg
    id: str
    event: Event | None
    problem: str = ""


def parse(message: Msg) -> Incoming:
    """Read a message; what does not fit its contract gets an id from its own content."""
    try:
        event = decode(message.data)
    except PermanentError as error:
        digest = hashlib.sha256(message.data).hexdigest()
        given = (message.headers or {}).get("Nats-Msg-Id", "")
        return Incoming(
            message, str(derive("raw", message.subject, given, digest)), None, str(error)
        )
    if event.subject != message.subject:
        problem = f"the event says subject {event.subject}, it came on {message.subject}"
        digest = hashlib.sha256(message.data).hexdigest()
        return Incoming(message, str(derive("raw", message.subject, digest)), None, problem)
    return Incoming(message, str(event.id), event)


class Delivery:
    """One consumer's way through: batch first, one by one when something fails."""

    def __init__(self, service: "Service[Any]", handlers: Handlers[Any]) -> None:
        self._service = service
        self._handlers = handlers
        self._acks: set[asyncio.Task[None]] = set()

    async def receive(self, messages: list[Msg]) -> None:
        """Handle whatever has arrived. Never raises: every message is acknowledged, delayed or set
        aside.
        """
        todo: list[Incoming] = []
        for item in map(parse, messages):
            if item.event is None:
                await self._set_aside(item, item.problem)
            elif type(item.event) in self._handlers.by_type:
                todo.append(item)
            else:
                self._acknowledge([item])
        if not todo:
            return
        while self._service.relay.full:
            await self._keep_alive(todo)
            await asyncio.sleep(0.05)
        await self._service.config.wait_for(
            max(i.event.configversion for i in todo if i.event), _CONFIG_WAIT_S
        )
        if len(todo) > 1:
            try:
                await self._run(todo)
                return
            except FenceLost as error:
                self._service.step_down(str(error))
                return
            except Exception as error:  # noqa: BLE001 - each message of it is judged alone
                log.warning("a batch of %d failed, one by one now: %r", len(todo), error)
        for item in todo:
            await self._run_alone(item)

    async def _run_alone(self, item: Incoming) -> None:
        try:
            await self._run([item])
        except FenceLost as error:
            self._service.step_down(str(error))
        except PermanentError as error:
            await self._set_aside(item, str(error))
        except InvariantBroken as error:
            metrics.INVARIANTS.labels(self._handlers.durable).inc()
            await self._set_aside(item, f"our own books contradict themselves: {error}")
        except RateLimited as error:
            await self._again(item, error.retry_after_s)
        except DBAPIError as error:
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
            self._acknowledge(items)
            return
        metadata = service.metadata

        def work(sql: Any, moment: Any) -> Any:
            return ledger.handle(sql, metadata, self._handlers, events, moment)

        batch, messages, state = await service.write(work)
        service.relay.submit(batch, messages, lambda: self._acknowledge(items))
        if self._handlers.after and state is not None:
            self._handlers.after(state)

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
        letter = DeadLetter(
            service=service.name,
            stream=self._handlers.stream,
            stream_sequence=item.message.metadata.sequence.stream,
            original_subject=item.message.subject,
            message_id=item.id,
            attempts=attempts,
            reason=redact(reason)[:2000],
            original=item.message.data[:_ORIGINAL_BYTES].decode("utf-8", "backslashreplace"),
            at=moment.wall,
        )
        alert = Alert(
            severity=Severity.CRITICAL,
            code="dead_letter",
            about=f"message:{item.id}",
            message=f"{service.name} set a message aside: {letter.reason}"[:1900]
            + ". Read it under dead letters; its sender may have to send again.",
            service=service.name,
            at=moment.wall,
            occurrence=item.id,
        )
        notes = [
            moment.event(MessageDeadLettered, letter, cause=item.event),
            moment.event(AlertRaised, alert, cause=item.event),
        ]
        if service.db is None:
            await service.publish(notes)
            await self._quietly(item.message.term())
            return
        metadata, handlers = service.metadata, self._handlers

        def work(sql: Any, now: Any) -> Any:
            return ledger.bury(
                sql,
                metadata,
                handlers,
                now,
                message_id=item.id,
                event=item.event,
                reason=reason,
                notes=notes,
            )

        try:
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

    def _acknowledge(self, items: Sequence[Incoming]) -> None:
        metrics.HANDLED.labels(self._service.name, "done").inc(len(items))
        self._spawn(self._ack_all([i.message for i in items]))

    async def _ack_all(self, messages: Sequence[Msg]) -> None:
        for message in messages:
            await self._service.bus.nc.publish(message.reply, b"+ACK")

    async def _keep_alive(self, items: Sequence[Incoming]) -> None:
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
