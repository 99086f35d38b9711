"""Alerts, and messages that were set aside."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection

from gateway.adapters.views import notices
from gateway.adapters.views.notices import AlertFilter
from gateway.domain import letters
from gateway.domain.book_views import AlertView, DeadLetterView
from gateway.domain.views import Listing
from gateway.routes.access import Trader, Viewer
from gateway.routes.context import GetContext
from gateway.routes.query import GetPage, GetSpan, Id, Word
from signalbox.contracts.config import GatewayConfig
from signalbox.contracts.errors import NotFound
from signalbox.contracts.events import AlertRaised, Event
from signalbox.contracts.values import Severity, Slug
from signalbox.runtime.moment import Moment

router = APIRouter(prefix="/api", tags=["alerts"])


def get_alert_filter(
    span: GetSpan,
    *,
    active: Annotated[bool | None, Query(description="true lists what is wrong now.")] = None,
    severity: Annotated[Severity | None, Query()] = None,
    code: Annotated[
        list[Slug] | None,
        Query(max_length=20, description="What happened; given again, any of these."),
    ] = None,
) -> AlertFilter:
    """Which alerts are wanted."""
    return AlertFilter(active=active, severity=severity, codes=tuple(code or ()), span=span)


AlertsWanted = Annotated[AlertFilter, Depends(get_alert_filter)]


@router.get("/alerts", operation_id="list_alerts")
async def list_alerts(
    context: GetContext, _who: Viewer, page: GetPage, wanted: AlertsWanted
) -> Listing[AlertView]:
    """What a person should know, newest first."""
    return await context.read(lambda sql: notices.list_alerts(sql, wanted, page))


@router.get("/dead-letters", operation_id="list_dead_letters")
async def list_dead_letters(
    context: GetContext, _who: Viewer, page: GetPage, service: Word = None
) -> Listing[DeadLetterView]:
    """Messages that no retry could help, with the reason and the original."""
    return await context.read(lambda sql: notices.list_dead_letters(sql, page, service=service))


@router.post("/dead-letters/{letter_id}/settle", operation_id="settle_dead_letter")
async def settle_dead_letter(letter_id: Id, context: GetContext, who: Trader) -> DeadLetterView:
    """Say that somebody has seen to the message. This ends the alerts of all services that have set
    it aside; the message itself never acts.
    """
    letter = await context.read(lambda sql: notices.one_dead_letter(sql, letter_id))
    if letter is None:
        raise NotFound(f"there is no message {letter_id} that was set aside")
    name, by = letter.message_id, who.person.username

    def settle(sql: Connection, moment: Moment[GatewayConfig]) -> list[Event]:
        standing = notices.who_set_aside(sql, {name})[name]
        told = [letters.seen_to(name, service, by=by, at=moment.wall) for service in standing]
        return [moment.event(AlertRaised, alert) for alert in told]

    await context.service.transact(settle)
    return letter.model_copy(update={"active": False})
