"""Events to publish: written in the transaction that made them, sent in order right after it."""

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from nats.errors import Error as NatsError
from sqlalchemy import (
    Connection,
    MetaData,
    Table,
    Update,
    bindparam,
    select,
    true,
    update,
)

from signalbox.contracts.errors import Malformed, SignalboxError
from signalbox.contracts.events import Event
from signalbox.contracts.subjects import MAX_MESSAGE_BYTES
from signalbox.runtime import metrics
from signalbox.runtime.bus import Bus, Receipt
from signalbox.runtime.columns import insert_many, run_many
from signalbox.runtime.moment import Outgoing

log = logging.getLogger(__name__)

_PROCESS = int.from_bytes(os.urandom(2), "big") & 0xFFF
_MOST_WAITING = 6_000  # messages: the server answers in bursts, and must not run dry meanwhile
_RETRY_S = (0.05, 0.1, 0.2, 0.5, 1.0)


class Batches:
    """Numbers for transactions: growing within a process, unique across processes."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        """Wall microseconds, at least one more than the last, and the process's own number."""
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return self.at(self._last) | _PROCESS

    @staticmethod
    def at(microseconds: int) -> int:
        """The lowest number of a given time."""
        return microseconds << 12


BATCHES = Batches()


def message_of(event: Event) -> Outgoing:
    """The message that carries an event. The trace follows the chain: one trace per first cause.

    Raises:
        Malformed: it is larger than a stream takes.
    """
    body = event.encode()
    if len(body) > MAX_MESSAGE_BYTES:
        kind = type(event).__name__
        raise Malformed(f"{kind} has {len(body)} bytes, {MAX_MESSAGE_BYTES} is the most")
    own = event.id.hex
    name = f"{own[:8]}-{own[8:12]}-{own[12:16]}-{own[16:20]}-{own[20:]}"  # as str writes it, faster
    trace = f"00-{event.correlationid.hex}-{own[:16]}-01"
    return Outgoing(name, event.subject, body, trace)


def outgoing(events: Iterable[Event | Outgoing]) -> list[Outgoing]:
    """Every event as the message that travels."""
    return [e if isinstance(e, Outgoing) else message_of(e) for e in events]


def insert_rows(
    sql: Connection, metadata: MetaData, batch: int, messages: Sequence[Outgoing]
) -> None:
    """Write a transaction's messages."""
    rows = [(batch, n, m.id, m.subject, m.body, m.trace, False) for n, m in enumerate(messages)]
    insert_many(sql, metadata.tables["outbox"], rows)


def unsent(
    sql: Connection, metadata: MetaData, before_us: int | None = None
) -> list[tuple[int, list[Outgoing]]]:
    """What was committed (before a time) and not confirmed, by batch, oldest first."""
    outbox = metadata.tables["outbox"]
    query = select(outbox).where(outbox.c.sent.is_(False)).order_by(outbox.c.batch, outbox.c.n)
    if before_us is not None:
        query = query.where(outbox.c.batch < Batches.at(before_us))
    found: dict[int, list[Outgoing]] = {}
    for row in sql.execute(query):
        found.setdefault(row.batch, []).append(Outgoing(row.id, row.subject, row.body, row.trace))
    return list(found.items())


def mark_sent(sql: Connection, metadata: MetaData, batches: Sequence[int]) -> None:
    """Remember that the streams hold these batches."""
    run_many(sql, _sent(metadata.tables["outbox"]), [{"b": batch} for batch in batches])


@lru_cache(maxsize=16)
def _sent(outbox: Table) -> Update:
    return update(outbox).where(outbox.c.batch == bindparam("b")).values(sent=true())


@dataclass(slots=True)
class _Waiting:
    batch: int
    messages: Sequence[Outgoing]
    then: Callable[[], None] | None
    done: asyncio.Future[None]
    receipt: Receipt | None = None  # once it has been sent


class Relay:
    """Publishes batches in the order they were committed, several at a time, until the streams
    confirm them.

    A failure sends everything that waits once more, in order and under the same ids, so the streams
    drop what they already hold and nothing overtakes.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._waiting: deque[_Waiting] = deque()
        self._new = asyncio.Event()
        self._flying = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._sent = 0  # how many of the waiting batches have been sent
        self._failures = 0  # since the last success
        self._count = 0
        self.finished: list[int] = []  # confirmed batches that the database does not know of yet

    @property
    def pending(self) -> int:
        """Messages that no stream has confirmed."""
        return self._count

    @property
    def full(self) -> bool:
        """Whether new work should wait."""
        return self._count >= _MOST_WAITING

    async def room(self) -> None:
        """Wait until new work may come."""
        await self._room.wait()

    def holds(self, batch: int) -> bool:
        """Whether a batch is on its way, or confirmed and soon recorded."""
        return batch in self.finished or any(item.batch == batch for item in self._waiting)

    def submit(
        self, batch: int, messages: Sequence[Outgoing], then: Callable[[], None] | None = None
    ) -> asyncio.Future[None]:
        """Queue a committed batch; `then` runs and the future ends when all of it is confirmed."""
        item = _Waiting(batch, messages, then, asyncio.get_running_loop().create_future())
        self._waiting.append(item)
        self._count += len(messages)
        if self.full:
            self._room.clear()
        self._new.set()
        return item.done

    async def run(self) -> None:
        """Send for ever."""
        while True:
            self._sent = 0
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._send())
                    tasks.create_task(self._confirm())
            except* (SignalboxError, NatsError, OSError) as group:
                self._failures += 1
                log.warning("publishing failed, again soon: %s", group.exceptions[0])
            metrics.OUTBOX_RETRIES.labels(self._bus.service).inc()
            for item in self._waiting:
                if item.receipt is not None:
                    self._bus.forget(item.receipt)
                    item.receipt = None
            await asyncio.sleep(_RETRY_S[min(self._failures, len(_RETRY_S)) - 1])

    async def _send(self) -> None:
        while True:
            while self._sent < len(self._waiting):
                item = self._waiting[self._sent]
                self._sent += 1
                item.receipt = await self._bus.send(*item.messages, counted=True)
                self._flying.set()
            self._new.clear()
            await self._new.wait()

    async def _confirm(self) -> None:
        while True:
            while not self._waiting or (receipt := self._waiting[0].receipt) is None:
                self._flying.clear()
                await self._flying.wait()
            await self._bus.confirmed(receipt)
            self._finish(self._waiting[0])
            self._sent -= 1

    def _finish(self, item: _Waiting) -> None:
        self._waiting.popleft()
        self._failures = 0
        self._count -= len(item.messages)
        if not self.full:
            self._room.set()
        if item.messages:
            self.finished.append(item.batch)
        if item.then is not None:
            item.then()
        if not item.done.done():
            item.done.set_result(None)

    async def drain(self, timeout_s: float) -> None:
        """Wait until everything is confirmed, or the time is up."""
        async with asyncio.timeout(timeout_s):
            while self._waiting:
                await asyncio.wait({self._waiting[-1].done})
