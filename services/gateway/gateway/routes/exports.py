"""Lists as files, for spreadsheets and books."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection

from gateway.adapters.views import books, llm, notices, orders, signals
from gateway.domain.book_views import PositionView
from gateway.domain.csv_rows import (
    ALERT,
    DECISION,
    LOT,
    ORDER,
    POSITION,
    QUANTCONNECT_SIGNAL,
    SIGNAL,
    TRADE,
    VERDICT,
    heading,
    lines,
)
from gateway.domain.cursor import Cursor, Page
from gateway.domain.views import Listing, LotView, View
from gateway.routes.access import Viewer
from gateway.routes.ai_trading_decisions import DecisionsWanted, targets_of
from gateway.routes.context import Context, GetContext
from gateway.routes.notices import AlertsWanted
from gateway.routes.orders import OrdersWanted, TradesWanted
from gateway.routes.quantconnect_signals import QuantConnectWanted
from gateway.routes.query import Word
from gateway.routes.signals import SignalsWanted
from gateway.routes.verdicts import VerdictsWanted

router = APIRouter(prefix="/api")
_ROWS = 500  # read at a time
_CSV = "text/csv; charset=utf-8"


def _answer(order: str) -> dict[int | str, dict[str, object]]:
    return {200: {"description": f"One line for each, {order}.", "content": {"text/csv": {}}}}


_ANSWER = _answer("newest first")
_BY_BOT = _answer("by bot and symbol")
_BY_BOT_AND_AGE = _answer("by bot and symbol, then oldest first")
V = TypeVar("V", bound=View)


@router.get("/signals.csv", operation_id="export_signals", responses=_ANSWER, tags=["signals"])
async def export_signals(
    context: GetContext, _who: Viewer, wanted: SignalsWanted
) -> StreamingResponse:
    """The list of signals as comma-separated values, whole."""
    return await _file(
        context, "signals", SIGNAL, lambda sql, page: signals.list_signals(sql, wanted, page)
    )


@router.get(
    "/quantconnect/signals.csv",
    operation_id="export_quantconnect_signals",
    responses=_ANSWER,
    tags=["quantconnect"],
)
async def export_quantconnect_signals(
    context: GetContext, _who: Viewer, wanted: QuantConnectWanted
) -> StreamingResponse:
    """The list of QuantConnect's signals as comma-separated values, whole."""
    return await _file(
        context,
        "quantconnect-signals",
        QUANTCONNECT_SIGNAL,
        lambda sql, page: signals.list_quantconnect(sql, wanted, page),
    )


@router.get(
    "/ai-trading/decisions.csv",
    operation_id="export_llm_decisions",
    responses=_ANSWER,
    tags=["ai-trading"],
)
async def export_llm_decisions(
    context: GetContext, _who: Viewer, wanted: DecisionsWanted
) -> StreamingResponse:
    """The list of language models' answers as comma-separated values, whole."""
    targets = await targets_of(context)
    return await _file(
        context,
        "decisions",
        DECISION,
        lambda sql, page: llm.list_decisions(sql, wanted, page, targets),
    )


@router.get("/verdicts.csv", operation_id="export_verdicts", responses=_ANSWER, tags=["verdicts"])
async def export_verdicts(
    context: GetContext, _who: Viewer, wanted: VerdictsWanted
) -> StreamingResponse:
    """The list of verdicts as comma-separated values, whole."""
    return await _file(
        context, "verdicts", VERDICT, lambda sql, page: signals.list_verdicts(sql, wanted, page)
    )


@router.get("/trades.csv", operation_id="export_trades", responses=_ANSWER, tags=["orders"])
async def export_trades(
    context: GetContext, _who: Viewer, wanted: TradesWanted
) -> StreamingResponse:
    """The list of trades as comma-separated values, whole."""
    return await _file(
        context, "trades", TRADE, lambda sql, page: orders.list_trades(sql, wanted, page)
    )


@router.get("/orders.csv", operation_id="export_orders", responses=_ANSWER, tags=["orders"])
async def export_orders(
    context: GetContext, _who: Viewer, wanted: OrdersWanted
) -> StreamingResponse:
    """The list of orders as comma-separated values, whole."""
    return await _file(
        context, "orders", ORDER, lambda sql, page: orders.list_orders(sql, wanted, page)
    )


@router.get("/positions.csv", operation_id="export_positions", responses=_BY_BOT, tags=["books"])
async def export_positions(
    context: GetContext, _who: Viewer, bot: Word = None, symbol: Word = None
) -> StreamingResponse:
    """What every bot holds now as comma-separated values."""
    marks = context.hub.marks

    def look(sql: Connection, _page: Page) -> Listing[PositionView]:
        held = books.list_positions(sql, marks, bot=bot, symbol=symbol, with_lots=False)
        return Listing(items=held)

    return await _file(context, "positions", POSITION, look)


@router.get("/lots.csv", operation_id="export_lots", responses=_BY_BOT_AND_AGE, tags=["books"])
async def export_lots(
    context: GetContext, _who: Viewer, bot: Word = None, symbol: Word = None
) -> StreamingResponse:
    """The open lots of every position as comma-separated values."""

    def look(sql: Connection, _page: Page) -> Listing[LotView]:
        return Listing(items=books.list_lots(sql, bot=bot, symbol=symbol))

    return await _file(context, "lots", LOT, look)


@router.get("/alerts.csv", operation_id="export_alerts", responses=_ANSWER, tags=["alerts"])
async def export_alerts(
    context: GetContext, _who: Viewer, wanted: AlertsWanted
) -> StreamingResponse:
    """The list of alerts as comma-separated values, whole."""
    return await _file(
        context, "alerts", ALERT, lambda sql, page: notices.list_alerts(sql, wanted, page)
    )


async def _file(
    context: Context,
    name: str,
    columns: Sequence[str],
    look: Callable[[Connection, Page], Listing[V]],
) -> StreamingResponse:
    """A file that is written as it is read; what fails at once is still answered as an error."""
    first = await context.read(lambda sql: look(sql, Page(_ROWS)))

    async def parts() -> AsyncIterator[str]:
        part = first
        yield heading(columns) + lines(columns, part.items)
        while part.next_cursor is not None:
            page = Page(_ROWS, Cursor.decode(part.next_cursor))
            part = await context.read(lambda sql, page=page: look(sql, page))  # type: ignore[misc]  # a default keeps the page
            yield lines(columns, part.items)

    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingResponse(parts(), media_type=_CSV, headers=headers)
