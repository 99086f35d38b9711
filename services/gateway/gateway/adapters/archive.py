"""The archive: every event of every stream but MARKET, in the order in which it came in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from gateway.adapters.primary_tables import events
from signalbox.contracts.events import AnyEvent, Event, decode

_CHUNK = 900


@dataclass(frozen=True, slots=True)
class Archived:
    """One event as it lies in the archive."""

    seq: int
    kind: str  # SignalRaised, without the prefix and the version
    bot: str | None
    symbol: str | None
    body: str  # the CloudEvent, as JSON


def kind_of(type_: str) -> str:
    """`SignalRaised` of `signalbox.SignalRaised.v1`."""
    return type_.split(".")[1]


def bot_of(event: Event) -> str | None:
    """The bot it is about, if it is about one."""
    bot: str | None = getattr(event.data, "bot", None)
    return bot


def symbol_of(event: Event) -> str | None:
    """The symbol it is about, if it is about one."""
    signal = getattr(event.data, "signal", None)
    symbol: str | None = getattr(signal or event.data, "symbol", None)
    return symbol


def known(sql: Connection, found: Sequence[Event]) -> set[str]:
    """Which of these events are archived already."""
    ids = [str(event.id) for event in found]
    have: set[str] = set()
    for start in range(0, len(ids), _CHUNK):
        query = select(events.c.id).where(events.c.id.in_(ids[start : start + _CHUNK]))
        have.update(sql.scalars(query))
    return have


def last_seq(sql: Connection) -> int:
    """The newest event's number; 0 while there is none."""
    return sql.scalar(select(func.max(events.c.seq))) or 0


def store(sql: Connection, found: Sequence[Event], after: int) -> list[Archived]:
    """Archive events under the numbers that follow `after`."""
    archived = [
        Archived(seq, kind_of(e.type), bot_of(e), symbol_of(e), body=e.encode().decode())
        for seq, e in enumerate(found, after + 1)
    ]
    rows = [
        {
            "seq": kept.seq,
            "id": str(event.id),
            "stream": event.STREAM,
            "type": event.type,
            "subject": event.subject,
            "source": event.source,
            "correlation_id": str(event.correlationid),
            "bot": kept.bot,
            "symbol": kept.symbol,
            "at": event.time,
            "body": kept.body,
        }
        for event, kept in zip(found, archived, strict=True)
    ]
    if rows:
        sql.execute(events.insert(), rows)
    return archived


def page(
    sql: Connection, after: int, limit: int, kinds: Sequence[str] | None = None
) -> list[Archived]:
    """The events that follow `after`, oldest first."""
    columns = (events.c.seq, events.c.type, events.c.bot, events.c.symbol, events.c.body)
    query = select(*columns).where(events.c.seq > after).order_by(events.c.seq).limit(limit)
    if kinds is not None:
        query = query.where(events.c.type.in_(kinds))
    return [Archived(r.seq, kind_of(r.type), r.bot, r.symbol, r.body) for r in sql.execute(query)]


def replay(sql: Connection, size: int) -> Iterator[tuple[int, list[AnyEvent]]]:
    """Every archived event in order, by pages: the page's last number, and its events."""
    last = 0
    while rows := page(sql, last, size):
        last = rows[-1].seq
        yield last, [decode(row.body.encode()) for row in rows]
