"""Verdicts, and what a person says to those that wait."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from gateway.adapters.views import signals
from gateway.adapters.views.signals import SignalFilter
from gateway.domain.roles import Person
from gateway.domain.views import Listing, VerdictView, View
from gateway.domain.words import explain
from gateway.routes.access import Trader, Viewer
from gateway.routes.context import Context, GetContext, GetKey
from gateway.routes.query import GetPage, GetSpan, Id, Word
from signalbox.contracts.errors import NotFound
from signalbox.contracts.values import Outcome, Reason, SourceType

router = APIRouter(prefix="/api", tags=["verdicts"])


class Judged(View):
    """What became of a verdict that waited."""

    verdict_id: str
    outcome: str
    reason: str
    explanation: str = ""


class ReasonView(View):
    """Why a verdict may be what it is."""

    code: str
    words: str


def get_verdict_filter(
    span: GetSpan,
    *,
    symbol: Word = None,
    bot: Word = None,
    source_type: Annotated[SourceType | None, Query()] = None,
    source_id: Word = None,
    outcome: Annotated[Outcome | None, Query()] = None,
    reason: Annotated[Reason | None, Query()] = None,
    signal: Word = None,
    current: Annotated[
        bool | None, Query(description="Only those that no later round replaced, or only others.")
    ] = None,
) -> SignalFilter:
    """Which verdicts are wanted."""
    return SignalFilter(
        symbol=symbol,
        bot=bot,
        source_type=source_type,
        source_id=source_id,
        outcome=outcome,
        reason=reason,
        signal_id=signal,
        current=current,
        span=span,
    )


VerdictsWanted = Annotated[SignalFilter, Depends(get_verdict_filter)]


@router.get("/verdicts", operation_id="list_verdicts")
async def list_verdicts(
    context: GetContext, _who: Viewer, page: GetPage, wanted: VerdictsWanted
) -> Listing[VerdictView]:
    """What the bots made of signals, newest first."""
    return await context.read(lambda sql: signals.list_verdicts(sql, wanted, page))


@router.get("/verdicts/pending", operation_id="list_pending_verdicts")
async def list_pending_verdicts(
    context: GetContext, _who: Viewer, page: GetPage
) -> Listing[VerdictView]:
    """What waits for a person, the most urgent first: by `valid_until`, when it lapses."""
    return await context.read(lambda sql: signals.list_pending(sql, page))


@router.get("/verdicts/{verdict_id}", operation_id="read_verdict")
async def read_verdict(verdict_id: Id, context: GetContext, _who: Viewer) -> VerdictView:
    """One verdict, as it was reached; it never changes afterwards."""
    return await find_verdict(context, verdict_id)


@router.post("/verdicts/{verdict_id}/approve", operation_id="approve_verdict")
async def approve_verdict(verdict_id: Id, context: GetContext, who: Trader, key: GetKey) -> Judged:
    """Release a signal that waits; the arbitration runs again. 409 when it waits no more."""
    return await judge(context, "approve", verdict_id, who.person, key)


@router.post("/verdicts/{verdict_id}/decline", operation_id="decline_verdict")
async def decline_verdict(verdict_id: Id, context: GetContext, who: Trader, key: GetKey) -> Judged:
    """Refuse a signal that waits. 409 when it waits no more."""
    return await judge(context, "decline", verdict_id, who.person, key)


@router.get("/reasons", operation_id="list_reasons")
async def list_reasons(_who: Viewer) -> Listing[ReasonView]:
    """Every reason that a verdict may name, in words."""
    return Listing(items=tuple(ReasonView(code=r.value, words=explain(r)) for r in Reason))


async def find_verdict(context: Context, verdict_id: str) -> VerdictView:
    """The verdict of this id.

    Raises:
        NotFound: there is none.
    """
    verdict = await context.read(lambda sql: signals.one_verdict(sql, verdict_id))
    if verdict is None:
        raise NotFound(f"there is no verdict {verdict_id}")
    return verdict


async def judge(
    context: Context, verb: str, verdict_id: str, person: Person, key: str | None
) -> Judged:
    """Tell the router what a person decided."""
    await find_verdict(context, verdict_id)
    body = {"verdict_id": verdict_id, "user": person.username}
    unique = f"{verdict_id}|{key}" if key else None
    answer = await context.ask("decision-router", verb, {**body}, by=person, key=unique)
    told = Judged.model_validate(answer)
    return told.model_copy(update={"explanation": explain(told.reason)})
