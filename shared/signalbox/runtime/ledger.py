"""The one transaction that turns messages into state and events. Synchronous, so that tests run the
very same code.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, MetaData, delete, select

from signalbox.contracts.events import Event
from signalbox.runtime.columns import insert_many, insert_new, rows_in, upsert
from signalbox.runtime.handlers import Handlers
from signalbox.runtime.moment import Moment, Outgoing
from signalbox.runtime.outbox import BATCHES, Batches, insert_rows, outgoing

S = TypeVar("S")


def claim(
    sql: Connection, metadata: MetaData, consumer: str, ids: Sequence[str], batch: int
) -> set[str]:
    """Mark messages as handled in this transaction; returns those that were not before."""
    query = "SELECT id FROM inbox WHERE consumer = ? AND id"
    known = {found for (found,) in rows_in(sql, query, ids, consumer)}
    fresh = [i for i in dict.fromkeys(ids) if i not in known]
    insert_many(sql, metadata.tables["inbox"], [(consumer, i, batch) for i in fresh])
    return set(fresh)


def handle(
    sql: Connection,
    metadata: MetaData,
    handlers: Handlers[S],
    events: Sequence[Event],
    moment: Moment[Any],
) -> tuple[int, list[Outgoing], S | None]:
    """Claim, load, decide, save, store: all of a batch, in the caller's transaction.

    Returns the batch's number, the messages to publish and the state; events that were handled
    before add nothing.
    """
    batch = BATCHES.next()
    fresh = claim(sql, metadata, handlers.durable, [str(e.id) for e in events], batch)
    todo: list[Event] = []
    for event in events:
        if str(event.id) in fresh:
            fresh.discard(str(event.id))
            todo.append(event)
    if not todo:
        return batch, [], None
    state = handlers.load(sql, todo, moment) if handlers.load else None
    messages: list[Outgoing] = []
    for event in todo:  # each event is encoded as it is made: what was just touched is read fast
        made = handlers.by_type[type(event)](event, state, moment) or ()  # type: ignore[arg-type]  # S is None without load
        messages.extend(outgoing(made))
    if handlers.save and state is not None:
        handlers.save(sql, state, moment)
    insert_rows(sql, metadata, batch, messages)
    return batch, messages, state


def bury(
    sql: Connection,
    metadata: MetaData,
    handlers: Handlers[S],
    moment: Moment[Any],
    *,
    message_id: str,
    event: Event | None,
    reason: str,
    notes: Iterable[Event],
) -> tuple[int, list[Outgoing], S | None]:
    """Set a message aside: a tombstone so that it never comes back, its dead letter, and what the
    service adds.
    """
    batch = BATCHES.next()
    if not claim(sql, metadata, handlers.durable, [message_id], batch):
        return batch, [], None
    made: list[Event | Outgoing] = list(notes)
    state: S | None = None
    if handlers.dead:
        state = handlers.load(sql, [event] if event else [], moment) if handlers.load else None
        made.extend(handlers.dead(event, state, moment, reason) or ())  # type: ignore[arg-type]  # as above
        if handlers.save and state is not None:
            handlers.save(sql, state, moment)
    messages = outgoing(made)
    insert_rows(sql, metadata, batch, messages)
    return batch, messages, state


def count_attempt(sql: Connection, metadata: MetaData, consumer: str, message_id: str) -> int:
    """One more failure of a message; returns how many there were."""
    attempts = metadata.tables["attempts"]
    where = (attempts.c.consumer == consumer, attempts.c.id == message_id)
    count = (sql.scalar(select(attempts.c.count).where(*where)) or 0) + 1
    row = {"consumer": consumer, "id": message_id, "count": count}
    sql.execute(upsert(attempts, ["consumer", "id"]), [row])
    return count


def remember_answer(sql: Connection, metadata: MetaData, request_id: str, body: str) -> None:
    """Keep what a command answered."""
    row = {"request_id": request_id, "body": body, "batch": BATCHES.next()}
    sql.execute(insert_new(metadata.tables["answers"]), [row])


def prune(sql: Connection, metadata: MetaData, before_us: int, most: int = 5000) -> int:
    """Forget handled ids, sent events and answers from before a time (wall microseconds); returns
    how many.

    At most `most` rows of each table at once, so that nobody waits long.
    """
    limit = Batches.at(before_us)
    gone = 0
    for name in ("inbox", "outbox", "answers"):
        table = metadata.tables[name]
        old = select(table.c.batch).where(table.c.batch < limit)
        if name == "outbox":
            old = old.where(table.c.sent.is_(True))
        numbers = list(sql.scalars(old.order_by(table.c.batch).limit(most)))
        if numbers:
            condition = table.c.batch <= numbers[-1]
            if name == "outbox":
                condition &= table.c.sent.is_(True)
            gone += sql.execute(delete(table).where(condition)).rowcount
    return gone
