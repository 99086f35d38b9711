"""Alerts, and messages that were set aside."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from gateway.adapters.views import notices
from gateway.adapters.views.notices import AlertFilter
from gateway.domain import letters
from gateway.domain.book_views import AlertView, DeadLetterView
from gateway.domain.views import Listing
from gateway.routes.access import Trader, Viewer
from gateway.routes.context import GetContext
from gateway.routes.query import GetPage, GetSpan, Id, Word
from signalbox.contracts.errors import NotFound
from signalbox.contracts.events import AlertRaised
from signalbox.contracts.values import Severity, Slug

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
    """Say that somebody has seen to it, which ends its alert. The message itself never acts."""
    letter = await context.read(lambda sql: notices.one_dead_letter(sql, letter_id))
    if letter is None:
        raise NotFound(f"there is no message {letter_id} that was set aside")
    if letter.active:
        await context.service.transact(
            lambda _sql, moment: [
                moment.event(
                    AlertRaised, letters.seen_to(letter, by=who.person.username, at=moment.wall)
                )
            ]
        )
    return letter.model_copy(update={"active": False})
