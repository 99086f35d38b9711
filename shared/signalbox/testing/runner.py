"""Runs handlers through the runtime's own transaction, without a server."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import MetaData, select

from signalbox.contracts.events import AnyEvent, Event, decode
from signalbox.runtime import ledger
from signalbox.runtime.db import Database
from signalbox.runtime.handlers import Handlers
from signalbox.runtime.moment import Moment


def run(
    handlers: Handlers[Any],
    db: Database,
    metadata: MetaData,
    events: Sequence[Event],
    moment: Moment[Any],
) -> list[AnyEvent]:
    """Handle a batch and return the events it made, as another service would read them."""
    with db.begin() as sql:
        _, messages, state = ledger.handle(sql, metadata, handlers, events, moment)
    if handlers.after and state is not None:
        handlers.after(state)
    return [decode(m.body) for m in messages if not m.subject.startswith("$KV")]


def bury(
    handlers: Handlers[Any],
    db: Database,
    metadata: MetaData,
    event: Event,
    moment: Moment[Any],
    *,
    reason: str = "test",
) -> list[AnyEvent]:
    """Dead-letter an event and return what the service adds to the dead letter."""
    with db.begin() as sql:
        _, messages, state = ledger.bury(
            sql,
            metadata,
            handlers,
            moment,
            message_id=str(event.id),
            event=event,
            reason=reason,
            notes=[],
        )
    if handlers.after and state is not None:
        handlers.after(state)
    return [decode(m.body) for m in messages]


def stored(db: Database, metadata: MetaData) -> list[AnyEvent]:
    """Every event in the outbox, oldest first."""
    outbox = metadata.tables["outbox"]
    with db.begin() as sql:
        rows = sql.execute(select(outbox).order_by(outbox.c.batch, outbox.c.n)).all()
    return [decode(row.body) for row in rows if not row.subject.startswith("$KV")]
