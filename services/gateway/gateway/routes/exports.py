"""Trades and orders as files, for spreadsheets and books."""

from collections.abc import AsyncIterator, Callable, Sequence

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection

from gateway.adapters.views import orders
from gateway.adapters.views.orders import OrderFilter
from gateway.domain.csv_rows import ORDER, TRADE, heading, lines
from gateway.domain.cursor import Cursor, Page
from gateway.domain.views import Listing, OrderView, TradeView
from gateway.routes.access import Viewer
from gateway.routes.context import Context, GetContext
from gateway.routes.orders import OrdersWanted, TradesWanted

router = APIRouter(prefix="/api", tags=["orders"])
_ROWS = 500  # read at a time
_CSV = "text/csv; charset=utf-8"
_ANSWER: dict[int | str, dict[str, object]] = {
    200: {"description": "One line for each, newest first.", "content": {"text/csv": {}}}
}
Part = Listing[OrderView] | Listing[TradeView]
Look = Callable[[Connection, OrderFilter, Page], Part]


@router.get("/trades.csv", operation_id="export_trades", responses=_ANSWER)
async def export_trades(
    context: GetContext, _who: Viewer, wanted: TradesWanted
) -> StreamingResponse:
    """The list of trades as comma-separated values, whole."""
    return await _file(context, "trades", TRADE, orders.list_trades, wanted)


@router.get("/orders.csv", operation_id="export_orders", responses=_ANSWER)
async def export_orders(
    context: GetContext, _who: Viewer, wanted: OrdersWanted
) -> StreamingResponse:
    """The list of orders as comma-separated values, whole."""
    return await _file(context, "orders", ORDER, orders.list_orders, wanted)


async def _file(
    context: Context, name: str, columns: Sequence[str], look: Look, wanted: OrderFilter
) -> StreamingResponse:
    """A file that is written as it is read; what fails at once is still answered as an error."""
    first = await context.read(lambda sql: look(sql, wanted, Page(_ROWS)))

    async def parts() -> AsyncIterator[str]:
        part = first
        yield heading(columns) + lines(columns, part.items)
        while part.next_cursor is not None:
            page = Page(_ROWS, Cursor.decode(part.next_cursor))
            part = await context.read(lambda sql, page=page: look(sql, wanted, page))  # type: ignore[misc]  # a default keeps the page
            yield lines(columns, part.items)

    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingResponse(parts(), media_type=_CSV, headers=headers)
