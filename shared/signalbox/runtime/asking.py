"""Commands: request and reply with a deadline, typed errors, and one effect per request id."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeout
from pydantic import JsonValue, ValidationError
from sqlalchemy import select

from signalbox.contracts.commands import Command, Problem, Reply
from signalbox.contracts.errors import (
    Conflict,
    Malformed,
    SignalboxError,
    TransientError,
    error_named,
)
from signalbox.contracts.misfits import in_words
from signalbox.contracts.subjects import PREFIX, command_subject, untoken
from signalbox.runtime import ledger, metrics
from signalbox.runtime.clock import wall_now

if TYPE_CHECKING:
    from signalbox.runtime.service import Service

log = logging.getLogger(__name__)

Answerer = Callable[[Command], Awaitable[dict[str, Any]]]
_MOST_AT_ONCE = 32


class _Answer(Reply):
    """An answer as it is stored, and what it is the answer to."""

    asked: str = ""  # digest of the command's body


def _digest(command: Command) -> str:
    """Tells two bodies apart, and says nothing of what is in them."""
    return hashlib.sha256(json.dumps(command.body, sort_keys=True).encode()).hexdigest()


class Answering:
    """Answers the commands of one service."""

    def __init__(self, service: "Service[Any]") -> None:
        self._service = service
        self._answerers: dict[str, Answerer] = {}
        self._reading: set[str] = set()
        self._slots = asyncio.Semaphore(_MOST_AT_ONCE)
        self._running: dict[str, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, verb: str, answerer: Answerer, *, reads: bool) -> None:
        """Say what answers a verb; one that only `reads` may do so again when it is repeated."""
        self._answerers[verb] = answerer
        if reads:
            self._reading.add(verb)

    async def start(self) -> None:
        """Listen; replicas of a service share the requests. The server knows of it on return."""
        name, connection = self._service.name, self._service.bus.nc
        if self._answerers:
            await connection.subscribe(f"{PREFIX}.cmd.{name}.*", queue=name, cb=self._on_message)
            await connection.flush()

    async def _on_message(self, message: Msg) -> None:
        task = asyncio.get_running_loop().create_task(self._respond(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _respond(self, message: Msg) -> None:
        verb = untoken(message.subject.rpartition(".")[2])
        async with self._slots:
            reply = await self._reply(verb, message.data)
        outcome = reply.problem.kind if reply.problem else "done"
        known = verb if verb in self._answerers else "unknown"
        metrics.COMMANDS.labels(self._service.name, known, outcome).inc()
        try:
            await message.respond(reply.model_dump_json().encode())
        except Exception as error:  # noqa: BLE001 - nobody waits for this task
            log.warning("the answer to %s could not be sent: %r", verb, error)

    async def _reply(self, verb: str, raw: bytes) -> Reply:
        try:
            command = Command.model_validate_json(raw)
            answerer = self._answerers.get(verb)
            if answerer is None:
                raise Malformed(f"{self._service.name} knows no command {verb!r}")
            if command.deadline <= wall_now():
                raise TransientError("the deadline had passed when the command came")
            lock = self._running.setdefault(command.request_id, asyncio.Lock())
            try:
                async with lock:
                    return await self._answer(verb, answerer, command)
            finally:
                if not lock.locked():
                    self._running.pop(command.request_id, None)
        except ValidationError as error:
            return Reply(problem=Problem(kind="Malformed", message=in_words(error)))
        except SignalboxError as error:
            return Reply(problem=Problem(kind=type(error).__name__, message=str(error)))
        except Exception as error:
            log.error("command %s failed", verb, exc_info=error)
            message = f"{self._service.name} failed at {verb}; its log says why"
            return Reply(problem=Problem(kind="SignalboxError", message=message))

    async def _answer(self, verb: str, answerer: Answerer, command: Command) -> Reply:
        """Once for each request, unless it only reads; a service without a database keeps none."""
        db = self._service.db
        if db is None or verb in self._reading:
            return Reply(body=await answerer(command))
        metadata = self._service.metadata
        answers = metadata.tables["answers"]
        stored = await db.read(
            lambda sql: sql.scalar(
                select(answers.c.body).where(answers.c.request_id == command.request_id)
            )
        )
        asked = _digest(command)
        if stored is not None:
            answer = _Answer.model_validate_json(stored)
            if answer.asked not in {"", asked}:
                raise Conflict(
                    "this Idempotency-Key came with another body before; make a new key for each"
                    " request, and repeat one only with its own body"
                )
            return Reply(body=answer.body)
        reply = Reply(body=await answerer(command))
        body = _Answer(body=reply.body, asked=asked).model_dump_json()
        await db.write(lambda sql: ledger.remember_answer(sql, metadata, command.request_id, body))
        return reply


async def ask(
    service: "Service[Any]",
    other: str,
    verb: str,
    body: dict[str, JsonValue] | None = None,
    *,
    by: str,
    request_id: str | None = None,
    timeout_s: float = 5.0,
) -> dict[str, Any]:
    """Ask another service, and wait for its answer.

    Raises:
        TransientError: it does not run, or does not answer in time; the command may have had its
            effect, so repeat it under the same request id.
        SignalboxError: what it answered, as the class it raised there.
    """
    command = Command(
        request_id=request_id or str(uuid4()),
        by=by,
        deadline=wall_now() + timedelta(seconds=timeout_s),
        body=body or {},
    )
    subject = command_subject(other, verb)
    try:
        message = await service.bus.nc.request(
            subject, command.model_dump_json().encode(), timeout=timeout_s
        )
    except NoRespondersError:
        raise TransientError(f"{other} is not running or still starting; try again") from None
    except NatsTimeout:
        raise TransientError(f"{other} did not answer {verb} within {timeout_s:g} s") from None
    reply = Reply.model_validate_json(message.data)
    if reply.problem:
        raise error_named(reply.problem.kind, reply.problem.message)
    return dict(reply.body or {})
