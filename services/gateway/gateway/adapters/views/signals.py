"""Signals and verdicts."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from gateway.adapters.primary_tables import events
from gateway.adapters.read_tables import outcomes, quantconnect_signals, rounds, signals, verdicts
from gateway.adapters.views import bodies
from gateway.adapters.views.paging import ALWAYS, Span, cut, equal
from gateway.domain.book_views import QuantConnectSignalView
from gateway.domain.cursor import Page
from gateway.domain.views import Listing, OutcomeView, SignalView, VerdictView


@dataclass(frozen=True, slots=True)
class SignalFilter:
    """Which signals or verdicts are wanted; none takes all."""

    symbol: str | None = None
    source_type: str | None = None
    source_id: str | None = None
    action: str | None = None
    bot: str | None = None
    outcome: str | None = None
    reason: str | None = None
    signal_id: str | None = None
    current: bool | None = None
    span: Span = ALWAYS


@dataclass(frozen=True, slots=True)
class QuantConnectFilter:
    """Which of QuantConnect's signals are wanted; none takes all."""

    config_id: str | None = None
    symbol: str | None = None
    action: str | None = None
    processed: bool | None = None
    span: Span = ALWAYS


def list_signals(sql: Connection, wanted: SignalFilter, page: Page) -> Listing[SignalView]:
    """Signals by the source's time."""
    query = select(signals.c.id, events.c.body).join(events, events.c.id == signals.c.id)
    query = query.where(
        *equal(
            [
                (signals.c.symbol, wanted.symbol),
                (signals.c.source_type, wanted.source_type),
                (signals.c.source_id, wanted.source_id),
                (signals.c.action, wanted.action),
            ]
        ),
        *wanted.span.within(signals.c.at),
    )
    rows, following = cut(sql, query, signals.c.at, signals.c.id, page)
    until = bodies.withdrawn_until(sql, [row.id for row in rows])
    items = tuple(bodies.signal_view(row.body, until.get(row.id)) for row in rows)
    return Listing(items=items, next_cursor=following)


def one_signal(sql: Connection, signal_id: str) -> SignalView | None:
    """One signal."""
    query = select(events.c.body).join(signals, signals.c.id == events.c.id)
    body = sql.scalar(query.where(signals.c.id == signal_id))
    if body is None:
        return None
    return bodies.signal_view(body, bodies.withdrawn_until(sql, [signal_id]).get(signal_id))


def _verdicts(
    sql: Connection, where: Iterable[ColumnElement[bool]], page: Page
) -> Listing[VerdictView]:
    is_current = (rounds.c.verdict_id == verdicts.c.id).label("current")
    query = (
        select(verdicts.c.id, events.c.body, is_current)
        .join(events, events.c.id == verdicts.c.id)
        .join(
            rounds,
            (rounds.c.signal_id == verdicts.c.signal_id) & (rounds.c.bot == verdicts.c.bot),
        )
        .where(*where)
    )
    rows, following = cut(sql, query, verdicts.c.at, verdicts.c.id, page)
    items = tuple(bodies.verdict_view(row.body, current=bool(row.current)) for row in rows)
    return Listing(items=items, next_cursor=following)


def list_verdicts(sql: Connection, wanted: SignalFilter, page: Page) -> Listing[VerdictView]:
    """Verdicts by the time at which they were reached."""
    where = equal(
        [
            (verdicts.c.symbol, wanted.symbol),
            (verdicts.c.bot, wanted.bot),
            (verdicts.c.source_type, wanted.source_type),
            (verdicts.c.source_id, wanted.source_id),
            (verdicts.c.outcome, wanted.outcome),
            (verdicts.c.reason, wanted.reason),
            (verdicts.c.signal_id, wanted.signal_id),
        ]
    )
    if wanted.current is not None:
        same = rounds.c.verdict_id == verdicts.c.id
        where.append(same if wanted.current else ~same)
    return _verdicts(sql, [*where, *wanted.span.within(verdicts.c.at)], page)


def list_pending(sql: Connection, page: Page) -> Listing[VerdictView]:
    """Verdicts that wait for a person, those that lapse soonest first."""
    query = select(events.c.body).join(rounds, rounds.c.verdict_id == events.c.id)
    query = query.where(rounds.c.waits_until.is_not(None))
    rows, following = cut(sql, query, rounds.c.waits_until, rounds.c.verdict_id, page, rising=True)
    items = tuple(bodies.verdict_view(row.body, current=True) for row in rows)
    return Listing(items=items, next_cursor=following)


def one_verdict(sql: Connection, verdict_id: str) -> VerdictView | None:
    """One verdict."""
    found = _verdicts(sql, [verdicts.c.id == verdict_id], Page(limit=1)).items
    return found[0] if found else None


def verdicts_of(sql: Connection, signal_id: str) -> tuple[VerdictView, ...]:
    """What every bot made of a signal, oldest first."""
    found = _verdicts(sql, [verdicts.c.signal_id == signal_id], Page(limit=1000)).items
    return tuple(sorted(found, key=lambda v: (v.evaluated_at, v.round, v.bot)))


def outcomes_of(sql: Connection, signal_id: str) -> tuple[OutcomeView, ...]:
    """What a signal would have earned."""
    query = select(outcomes).where(outcomes.c.signal_id == signal_id).order_by(outcomes.c.horizon_s)
    return tuple(OutcomeView.model_validate(row._asdict()) for row in sql.execute(query))


def list_quantconnect(
    sql: Connection, wanted: QuantConnectFilter, page: Page
) -> Listing[QuantConnectSignalView]:
    """QuantConnect's signals by their own time."""
    table = quantconnect_signals
    query = select(*table.c).where(
        *equal(
            [
                (table.c.config_id, wanted.config_id),
                (table.c.symbol, wanted.symbol),
                (table.c.signal, wanted.action),
                (table.c.processed, wanted.processed),
            ]
        ),
        *wanted.span.within(table.c.timestamp),
    )
    rows, following = cut(sql, query, table.c.timestamp, table.c.id, page)
    items = tuple(QuantConnectSignalView.model_validate(row._asdict()) for row in rows)
    return Listing(items=items, next_cursor=following)


def one_quantconnect(sql: Connection, signal_id: str) -> QuantConnectSignalView | None:
    """One of QuantConnect's signals."""
    query = select(quantconnect_signals).where(quantconnect_signals.c.id == signal_id)
    row = sql.execute(query).one_or_none()
    return QuantConnectSignalView.model_validate(row._asdict()) if row else None
