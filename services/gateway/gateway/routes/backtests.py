"""QuantConnect's backtests: starting them, following them, and what came out."""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status
from pydantic import JsonValue

from gateway.adapters.views import backtests
from gateway.domain import quantconnect
from gateway.domain.backtest_views import (
    BacktestDetail,
    BacktestEnded,
    BacktestInsightView,
    BacktestOrderView,
    BacktestSeries,
    BacktestTradeView,
    BacktestView,
)
from gateway.domain.cursor import Cursor, Page
from gateway.domain.quantconnect_bodies import BacktestBody
from gateway.domain.roles import Person
from gateway.domain.views import Listing
from gateway.routes.access import Trader, Viewer
from gateway.routes.algorithms import OfConfig, account_of
from gateway.routes.context import Context, GetContext, GetKey
from gateway.routes.following import OWNER, until_told
from gateway.routes.query import GetPage, GetSpan, Id, Word
from signalbox.contracts.errors import Malformed, NotFound, TransientError
from signalbox.runtime.clock import wall_now

router = APIRouter(prefix="/api/quantconnect/backtest", tags=["quantconnect"])

_READ_S = 20.0
_MOST_ROWS = 100  # of one page of trades, orders or insights
_ROWS = "rows"


@router.get("", operation_id="list_quantconnect_backtests")
async def list_backtests(
    context: GetContext,
    _who: Viewer,
    page: GetPage,
    span: GetSpan,
    *,
    config: OfConfig = None,
    algorithm: Word = None,
    progress: Annotated[
        str | None, Query(alias="status", max_length=16, description="Such as `completed`.")
    ] = None,
) -> Listing[BacktestView]:
    """Backtests by the time they were asked for."""
    return await context.read(
        lambda sql: backtests.list_backtests(
            sql, page, config=config, project=algorithm, status=progress, span=span
        )
    )


@router.post("", operation_id="start_quantconnect_backtest", status_code=status.HTTP_202_ACCEPTED)
async def start_backtest(
    body: BacktestBody, context: GetContext, who: Trader, key: GetKey, response: Response
) -> BacktestView:
    """Compile a project and run it over the past; follow it at its address. When its result has
    other dates than asked, the algorithm reads neither `signalbox_start` nor `signalbox_end`.
    """
    account = await account_of(context, who.person, str(body.algorithm_id), body.config)
    told = await context.ask(
        OWNER, "backtest", body.command(account), by=who.person, key=key, timeout_s=_READ_S
    )
    backtest_id = str(told["backtest_id"])
    response.headers["Location"] = f"/api/quantconnect/backtest/{backtest_id}"
    found = await until_told(
        lambda: context.read(lambda sql: backtests.one_backtest(sql, backtest_id))
    )
    known = {**body.command(account), "requested_by": who.person.username}
    return found or quantconnect.backtest(backtest_id, known, wall_now(), wall_now())


@router.get("/{backtest_id}", operation_id="read_quantconnect_backtest")
async def read_backtest(backtest_id: Id, context: GetContext, who: Viewer) -> BacktestDetail:
    """One backtest: how far it is, its statistics, and what went wrong if anything did."""
    found = await _find(context, backtest_id)
    try:
        told = await _ask(context, "backtest_detail", {"backtest_id": backtest_id}, who.person)
    except (TransientError, NotFound) as error:
        return quantconnect.backtest_detail(found, {}, str(error))
    return quantconnect.backtest_detail(found, told, None)


@router.get("/{backtest_id}/series", operation_id="read_quantconnect_backtest_series")
async def read_series(backtest_id: Id, context: GetContext, who: Viewer) -> BacktestSeries:
    """Equity, benchmark and drawdown over time, thinned to at most 1,000 points each."""
    await _find(context, backtest_id)
    told = await _ask(context, "backtest_series", {"backtest_id": backtest_id}, who.person)
    return BacktestSeries.of(told)


@router.get("/{backtest_id}/trades", operation_id="list_quantconnect_backtest_trades")
async def list_trades(
    backtest_id: Id, context: GetContext, who: Viewer, page: GetPage
) -> Listing[BacktestTradeView]:
    """What it opened and closed, oldest first, at most 100 at a time."""
    rows, following = await _rows(context, backtest_id, "trades", page=page, person=who.person)
    items = tuple(BacktestTradeView.model_validate(row) for row in rows)
    return Listing(items=items, next_cursor=following)


@router.get("/{backtest_id}/orders", operation_id="list_quantconnect_backtest_orders")
async def list_orders(
    backtest_id: Id, context: GetContext, who: Viewer, page: GetPage
) -> Listing[BacktestOrderView]:
    """Its orders, oldest first, at most 100 at a time. They are history and never trade."""
    rows, following = await _rows(context, backtest_id, "orders", page=page, person=who.person)
    items = tuple(BacktestOrderView.model_validate(row) for row in rows)
    return Listing(items=items, next_cursor=following)


@router.get("/{backtest_id}/insights", operation_id="list_quantconnect_backtest_insights")
async def list_insights(
    backtest_id: Id, context: GetContext, who: Viewer, page: GetPage
) -> Listing[BacktestInsightView]:
    """Its insights, oldest first, at most 100 at a time. They are history and never signals."""
    rows, following = await _rows(context, backtest_id, "insights", page=page, person=who.person)
    items = tuple(BacktestInsightView.model_validate(row) for row in rows)
    return Listing(items=items, next_cursor=following)


@router.delete("/{backtest_id}", operation_id="end_quantconnect_backtest")
async def end_backtest(
    backtest_id: Id, context: GetContext, who: Trader, key: GetKey
) -> BacktestEnded:
    """Have a backtest that runs end; delete one that has ended, at QuantConnect too."""
    await _find(context, backtest_id)
    unique = f"{backtest_id}|{key}" if key else None
    told = await context.ask(
        OWNER,
        "cancel_backtest",
        {"backtest_id": backtest_id},
        by=who.person,
        key=unique,
        timeout_s=_READ_S,
    )
    return BacktestEnded.model_validate({**told, "id": backtest_id})


async def _find(context: Context, backtest_id: str) -> BacktestView:
    found = await context.read(lambda sql: backtests.one_backtest(sql, backtest_id))
    if found is None:
        raise NotFound(f"there is no backtest {backtest_id}")
    return found


async def _ask(
    context: Context, verb: str, body: dict[str, JsonValue], person: Person
) -> dict[str, JsonValue]:
    return await context.ask(OWNER, verb, body, by=person, timeout_s=_READ_S)


async def _rows(
    context: Context, backtest_id: str, what: str, *, page: Page, person: Person
) -> tuple[list[JsonValue], str | None]:
    """One page of what never changes any more, and where it goes on."""
    await _find(context, backtest_id)
    if page.after is not None and (page.after.key != _ROWS or page.after.at_us < 0):
        raise Malformed("cursor is not one that this list gave")
    offset = page.after.at_us if page.after else 0
    body: dict[str, JsonValue] = {
        "backtest_id": backtest_id,
        "offset": offset,
        "limit": min(page.limit, _MOST_ROWS),
    }
    told = await _ask(context, f"backtest_{what}", body, person)
    rows = told.get(what)
    found = rows if isinstance(rows, list) else []
    length = told.get("length")
    seen = offset + len(found)
    more = found and isinstance(length, int) and seen < length
    return found, Cursor(seen, _ROWS).encode() if more else None
