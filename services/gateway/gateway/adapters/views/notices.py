"""Alerts, messages set aside, and states."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from gateway.adapters.primary_tables import events
from gateway.adapters.read_tables import alarms, alerts, dead_letters, states
from gateway.adapters.views import bodies
from gateway.adapters.views.paging import ALWAYS, Span, cut, equal
from gateway.domain.book_views import AlertView, DeadLetterView, StateView
from gateway.domain.cursor import Page
from gateway.domain.views import Listing
from signalbox.contracts.notices import DEAD_LETTER, about_letter
from signalbox.contracts.values import Severity


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts are wanted; none takes all."""

    active: bool | None = None
    severity: str | None = None
    codes: tuple[str, ...] = ()
    span: Span = ALWAYS


def list_alerts(sql: Connection, wanted: AlertFilter, page: Page) -> Listing[AlertView]:
    """Alerts by time; active ones are those whose latest word says so."""
    query = select(alerts.c.id, events.c.body).join(events, events.c.id == alerts.c.id)
    query = query.where(
        *equal([(alerts.c.severity, wanted.severity)]), *wanted.span.within(alerts.c.at)
    )
    if wanted.codes:
        query = query.where(alerts.c.code.in_(wanted.codes))
    if wanted.active is not None:
        now = select(alarms.c.id).where(alarms.c.active.is_(True))
        query = query.where(alerts.c.id.in_(now) if wanted.active else alerts.c.id.not_in(now))
    rows, following = cut(sql, query, alerts.c.at, alerts.c.id, page)
    items = tuple(AlertView.model_validate({**bodies.data_of(r.body), "id": r.id}) for r in rows)
    return Listing(items=items, next_cursor=following)


def count_alerts(sql: Connection, since: datetime) -> dict[tuple[str, str, str], int]:
    """How many warnings and worse were raised from an instant on, by service, code and severity.
    Those that tell of an end are mere information.
    """
    what = (alerts.c.service, alerts.c.code, alerts.c.severity)
    query = select(*what, func.count()).where(
        alerts.c.at >= since, alerts.c.severity != Severity.INFO.value
    )
    rows = sql.execute(query.group_by(*what))
    return {(service, code, severity): count for service, code, severity, count in rows}


def list_dead_letters(
    sql: Connection, page: Page, *, service: str | None
) -> Listing[DeadLetterView]:
    """Messages that were set aside, by time."""
    query = _letters().where(*equal([(dead_letters.c.service, service)]))
    rows, following = cut(sql, query, dead_letters.c.at, dead_letters.c.id, page)
    return Listing(items=_letters_of(sql, rows), next_cursor=following)


def one_dead_letter(sql: Connection, letter_id: str) -> DeadLetterView | None:
    """A message that was set aside."""
    rows = sql.execute(_letters().where(dead_letters.c.id == letter_id)).all()
    return next(iter(_letters_of(sql, rows)), None)


def _letters() -> Select[Any]:
    query = select(dead_letters.c.id, events.c.body)
    return query.join(events, events.c.id == dead_letters.c.id)


def _letters_of(sql: Connection, rows: Sequence[Row[Any]]) -> tuple[DeadLetterView, ...]:
    found = [(row.id, bodies.data_of(row.body)) for row in rows]
    standing = who_set_aside(sql, {body["message_id"] for _, body in found})
    return tuple(
        DeadLetterView(**body, id=letter_id, active=body["service"] in standing[body["message_id"]])
        for letter_id, body in found
    )


def who_set_aside(sql: Connection, message_ids: Collection[str]) -> dict[str, list[str]]:
    """The services whose alert of a message stands, by message."""
    messages = {about_letter(message_id): message_id for message_id in message_ids}
    query = select(alarms.c.service, alarms.c.about).where(
        alarms.c.code == DEAD_LETTER, alarms.c.about.in_(messages), alarms.c.active.is_(True)
    )
    found: dict[str, list[str]] = {message_id: [] for message_id in message_ids}
    for row in sql.execute(query.order_by(alarms.c.service)):
        found[messages[row.about]].append(row.service)
    return found


def list_states(sql: Connection, service: str, kind: str) -> tuple[StateView, ...]:
    """What a service last said about each thing of a kind."""
    query = select(states).where(states.c.service == service, states.c.kind == kind)
    rows = sql.execute(query.order_by(states.c.id))
    return tuple(StateView.model_validate(row._asdict()) for row in rows)


def one_state(sql: Connection, service: str, kind: str, key: str) -> StateView | None:
    """What a service last said about one thing."""
    where = (states.c.service == service, states.c.kind == kind, states.c.id == key)
    row = sql.execute(select(states).where(*where)).one_or_none()
    return StateView.model_validate(row._asdict()) if row else None
