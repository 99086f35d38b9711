"""Equity over time, performance, and sources against each other."""

from typing import Annotated

from fastapi import APIRouter, Query

from gateway.adapters.views import equity, ledger, today
from gateway.adapters.views.ledger import LedgerFilter
from gateway.domain.book_views import ComparisonView, EquityView, PerformanceView, SummaryView
from gateway.domain.comparison import compare
from gateway.domain.performance import Grouping
from gateway.domain.reports import report
from gateway.domain.views import Listing
from gateway.routes.access import Viewer
from gateway.routes.context import GetContext
from gateway.routes.query import GetPage, GetSpan, Word
from signalbox.contracts.errors import Malformed

router = APIRouter(prefix="/api", tags=["books"])


@router.get("/equity", operation_id="list_equity")
async def list_equity(
    context: GetContext,
    _who: Viewer,
    page: GetPage,
    span: GetSpan,
    *,
    bot: Word = None,
    account: Annotated[
        str | None,
        Query(max_length=64, description="Without it the account that a bot has now."),
    ] = None,
    step_s: Annotated[
        int | None,
        Query(ge=1, le=86_400 * 31, description="Only the last point of each span of seconds."),
    ] = None,
    points: Annotated[
        int | None,
        Query(
            ge=10,
            le=1000,
            description=(
                "A bot's whole curve in at most so many points, its extremes among them, each with"
                " its drawdown; instead of pages."
            ),
        ),
    ] = None,
) -> Listing[EquityView]:
    """What bots were worth, newest first, on one account each."""
    if points is None:
        return await context.read(
            lambda sql: equity.list_equity(
                sql, page, bot=bot, account=account, span=span, step_s=step_s
            )
        )
    if bot is None:
        raise Malformed("points asks for one curve: name its bot with ?bot=")
    return await context.read(
        lambda sql: equity.equity_series(sql, points, bot=bot, account=account, span=span)
    )


@router.get("/equity/today", operation_id="read_summary")
async def read_summary(context: GetContext, _who: Viewer) -> SummaryView:
    """How all bots are doing on the present market day, one by one and in sum."""
    now = context.service.moment().now
    return await context.read(lambda sql: today.read_summary(sql, now))


@router.get("/performance", operation_id="list_performance")
async def list_performance(
    context: GetContext,
    _who: Viewer,
    span: GetSpan,
    *,
    by: Annotated[Grouping, Query()] = "source",
    bot: Word = None,
    symbol: Word = None,
) -> Listing[PerformanceView]:
    """What each source, bot or symbol has earned, and at what risk, in whole market days. A figure
    that is not defined, or that too few samples back, is null; `missing` says why.
    """
    wanted, marks = LedgerFilter(bot, symbol, span), context.hub.marks
    return Listing(
        items=await context.read(lambda sql: report(ledger.ledger(sql, wanted, marks), by))
    )


@router.get("/performance/comparison", operation_id="compare_performance")
async def compare_performance(context: GetContext, _who: Viewer) -> ComparisonView:
    """AI against classic against QuantConnect since the beginning: profit after fees and after what
    the models cost, with how many trades stand behind it.
    """
    return await context.read(
        lambda sql: compare(ledger.everything_earned(sql), llm_cost=ledger.llm_cost(sql))
    )
