"""What asking language models costs."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import JsonValue

from gateway.adapters import config_store
from gateway.adapters.views import llm as views
from gateway.adapters.views.paging import ALWAYS, Span
from gateway.domain import llm_costs
from gateway.domain.cursor import Cursor
from gateway.domain.llm import OWNER
from gateway.domain.llm_bodies import SettleBody
from gateway.domain.llm_usage import EARNING, Period
from gateway.domain.llm_usage import Breakdown as By
from gateway.domain.llm_usage_views import Breakdown, CostView, SettledView
from gateway.domain.llm_views import UnresolvedView
from gateway.domain.views import Listing
from gateway.routes.access import Admin, Viewer
from gateway.routes.ai_trading import present_budget
from gateway.routes.context import GetContext, GetKey
from gateway.routes.query import GetPage, GetSpan, Id, Word
from signalbox.contracts.ids import plain
from signalbox.contracts.values import Target

_TARGET = "`real` leaves out what the sandbox pretends to cost."
router = APIRouter(prefix="/api/ai-trading", tags=["ai-trading"])


@router.get("/costs", operation_id="list_llm_costs")
async def list_costs(
    context: GetContext,
    _who: Viewer,
    page: GetPage,
    span: GetSpan,
    *,
    period: Annotated[Period, Query()] = "day",
    config: Word = None,
    target: Annotated[Target | None, Query(description=_TARGET)] = None,
) -> Listing[CostView]:
    """What was spent in each day or month of wall time (UTC), newest first, with the budget of the
    present one. Days count when they begin within the span.
    """
    setup = await context.read(config_store.load)
    days = await context.read(lambda sql: views.days(sql, span, config_id=config, target=target))
    keys = llm_costs.periods_of(days, period)
    if page.after is not None:
        keys = [key for key in keys if key < page.after.key]
    shown = keys[: page.limit]
    if not shown:
        return Listing(items=())
    start, end = llm_costs.bounds(shown)
    within = Span(max(start, span.start or start), min(end, span.end or end))
    rows = await context.read(lambda sql: views.usage(sql, within, config_id=config, target=target))
    calls = await context.read(
        lambda sql: views.calls(sql, within, config_id=config, target=target)
    )
    lines = await present_budget(context, setup, config)
    present = next((line for line in lines if line.period == period), None)
    return Listing(
        items=llm_costs.costs(shown, period, rows, calls, present=present),
        next_cursor=Cursor(0, shown[-1]).encode() if len(keys) > len(shown) else None,
    )


@router.get("/costs/breakdown", operation_id="read_llm_cost_breakdown")
async def read_breakdown(
    context: GetContext,
    _who: Viewer,
    span: GetSpan,
    *,
    by: Annotated[By, Query()] = "model",
    config: Word = None,
    target: Annotated[Target | None, Query(description=_TARGET)] = None,
    bot: Annotated[
        str | None, Query(max_length=64, description="Profit of this bot alone, not of all.")
    ] = None,
) -> Breakdown:
    """Who used what, dearest first. By config or symbol and over the whole time also what the fills
    earned, and what is left of it after the cost; fills are booked by market time, costs by wall
    time, so a span has costs alone.
    """
    setup = await context.read(config_store.load)
    rows = await context.read(lambda sql: views.usage(sql, span, config_id=config, target=target))
    whole = by in EARNING and span == ALWAYS and config is None and target is None
    earned = await context.read(lambda sql: views.earned(sql, bot)) if whole else None
    items, total = llm_costs.breakdown(
        rows,
        by,
        names={model.id: model.name for model in setup.models},
        earned=earned,
    )
    return Breakdown(items=items, total=total)


@router.get("/attempts", operation_id="list_unresolved_llm_attempts")
async def list_attempts(context: GetContext, who: Viewer, page: GetPage) -> Listing[UnresolvedView]:
    """Calls that broke off, so that nobody knows what they cost, newest first. Each counts with its
    worst case until it is settled.
    """
    wanted: dict[str, JsonValue] = {"limit": page.limit}
    if page.after is not None:
        wanted["after"] = [page.after.at_us, page.after.key]
    answer = await context.ask(OWNER, "unresolved", wanted, by=who.person)
    found = answer.get("attempts")
    items = tuple(map(UnresolvedView.of, found if isinstance(found, list) else ()))
    match answer.get("next"):
        case [int(at_us), str(key)]:
            return Listing(items=items, next_cursor=Cursor(at_us, key).encode())
    return Listing(items=items)


@router.post("/attempts/{attempt_id}/settle", operation_id="settle_llm_attempt")
async def settle_attempt(
    attempt_id: Id, body: SettleBody, context: GetContext, who: Admin, key: GetKey
) -> SettledView:
    """Say what a call has cost whose answer never came, as the provider's page shows it. Until then
    the worst case stays reserved.
    """
    unique = f"{attempt_id}|{key}" if key else None
    wanted = {"attempt_id": attempt_id, "cost_usd": plain(body.cost_usd)}
    await context.ask(OWNER, "settle", {**wanted}, by=who.person, key=unique)
    return SettledView(attempt_id=attempt_id, cost_usd=body.cost_usd)
