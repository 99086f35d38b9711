"""Orders and fills."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from gateway.adapters.views import orders
from gateway.adapters.views.orders import OrderFilter
from gateway.domain.views import Listing, OrderDetail, OrderView, TradeView, View
from gateway.routes.access import Trader, Viewer
from gateway.routes.context import GetContext, GetKey
from gateway.routes.query import GetPage, GetSpan, Id, Word
from signalbox.contracts.errors import NotFound
from signalbox.contracts.values import OrderState, Side, SourceType

router = APIRouter(prefix="/api", tags=["orders"])


class Placed(View):
    """The orders that a command led to; none when there was nothing to do."""

    orders: tuple[str, ...] = Field((), description="Ids of orders.")
    message: str = Field("", description="What follows from it, where that is not plain.")


def get_order_filter(
    span: GetSpan,
    *,
    symbol: Word = None,
    bot: Word = None,
    source_type: Annotated[SourceType | None, Query()] = None,
    source_id: Word = None,
    state: Annotated[OrderState | None, Query()] = None,
    final: Annotated[bool | None, Query(description="false lists working orders.")] = None,
    side: Annotated[Side | None, Query()] = None,
    signal: Word = None,
) -> OrderFilter:
    """Which orders are wanted."""
    return OrderFilter(
        symbol=symbol,
        bot=bot,
        source_type=source_type,
        source_id=source_id,
        state=state,
        final=final,
        side=side,
        signal_id=signal,
        span=span,
    )


def get_trade_filter(
    span: GetSpan,
    *,
    symbol: Word = None,
    bot: Word = None,
    source_type: Annotated[SourceType | None, Query()] = None,
    source_id: Word = None,
    side: Annotated[Side | None, Query()] = None,
    signal: Word = None,
    order: Word = None,
) -> OrderFilter:
    """Which fills are wanted."""
    return OrderFilter(
        symbol=symbol,
        bot=bot,
        source_type=source_type,
        source_id=source_id,
        side=side,
        signal_id=signal,
        order_id=order,
        span=span,
    )


OrdersWanted = Annotated[OrderFilter, Depends(get_order_filter)]
TradesWanted = Annotated[OrderFilter, Depends(get_trade_filter)]


@router.get("/orders", operation_id="list_orders")
async def list_orders(
    context: GetContext, _who: Viewer, page: GetPage, wanted: OrdersWanted
) -> Listing[OrderView]:
    """Orders by the time of their first state, denied ones too."""
    return await context.read(lambda sql: orders.list_orders(sql, wanted, page))


@router.get("/orders/{order_id}", operation_id="read_order")
async def read_order(order_id: Id, context: GetContext, _who: Viewer) -> OrderDetail:
    """One order, every state it went through, and its fills."""
    order = await context.read(lambda sql: orders.one_order(sql, order_id))
    if order is None:
        raise NotFound(f"there is no order {order_id}")
    return order


@router.post("/orders/{order_id}/cancel", operation_id="cancel_order")
async def cancel_order(order_id: Id, context: GetContext, who: Trader, key: GetKey) -> Placed:
    """Cancel a working order; a fill under way still counts. Works under the kill switch."""
    unique = f"{order_id}|{key}" if key else None
    body = {"order_id": order_id}
    return Placed.model_validate(
        await context.ask("executor", "cancel", {**body}, by=who.person, key=unique)
    )


@router.get("/trades", operation_id="list_trades")
async def list_trades(
    context: GetContext, _who: Viewer, page: GetPage, wanted: TradesWanted
) -> Listing[TradeView]:
    """What was executed, and whose lots it opened and closed."""
    return await context.read(lambda sql: orders.list_trades(sql, wanted, page))
