"""Positions, equity and performance."""

from typing import Annotated

from fastapi import APIRouter, Query

from gateway.adapters.views import books
from gateway.domain.book_views import EquityView, PerformanceView, PositionView
from gateway.domain.performance import Grouping
from gateway.domain.views import Listing
from gateway.routes.access import Trader, Viewer
from gateway.routes.context import GetContext, GetKey
from gateway.routes.orders import Placed
from gateway.routes.query import GetPage, GetSpan, Id, Word

router = APIRouter(prefix="/api", tags=["books"])


@router.get("/positions", operation_id="list_positions")
async def list_positions(
    context: GetContext, _who: Viewer, bot: Word = None, symbol: Word = None
) -> Listing[PositionView]:
    """What every bot holds now, lot by lot."""
    marks = context.hub.marks
    found = await context.read(lambda sql: books.list_positions(sql, marks, bot=bot, symbol=symbol))
    return Listing(items=found)


@router.post("/positions/{bot}/{symbol:path}/close", operation_id="close_position")
async def close_position(
    bot: Id, symbol: Id, context: GetContext, who: Trader, key: GetKey
) -> Placed:
    """Sell or buy back all that a bot holds of a symbol. Works under the kill switch."""
    unique = f"{bot}|{symbol}|{key}" if key else None
    body = {"bot": bot, "symbol": symbol}
    return Placed.model_validate(
        await context.ask("executor", "close", {**body}, by=who.person, key=unique)
    )


@router.get("/equity", operation_id="list_equity")
async def list_equity(
    context: GetContext,
    _who: Viewer,
    page: GetPage,
    span: GetSpan,
    *,
    bot: Word = None,
    step_s: Annotated[
        int | None,
        Query(ge=1, le=86_400 * 31, description="Only the last point of each span of seconds."),
    ] = None,
) -> Listing[EquityView]:
    """What bots were worth, newest first."""
    return await context.read(
        lambda sql: books.list_equity(sql, page, bot=bot, span=span, step_s=step_s)
    )


@router.get("/equity/now", operation_id="list_equity_now")
async def list_equity_now(context: GetContext, _who: Viewer) -> Listing[EquityView]:
    """What every bot is worth now, on the account that it has now."""
    return Listing(items=await context.read(books.list_books))


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
    """What each source, bot or symbol has earned, in whole market days."""
    return Listing(
        items=await context.read(
            lambda sql: books.performance(sql, by, bot=bot, symbol=symbol, span=span)
        )
    )
