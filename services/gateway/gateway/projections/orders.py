"""Orders, their steps, their fills, and what the fills earned."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from gateway.domain.changes import Add, Change, New, Put, Row
from gateway.domain.performance import tally
from signalbox.contracts.events import OrderChanged
from signalbox.contracts.payloads import Fill, Order
from signalbox.contracts.values import SourceType


def changed(event: OrderChanged) -> Iterator[Change]:
    """The order's newest state, one step, and for a fill its trade, slices and earnings."""
    order = event.data
    yield Put("orders", ("id",), order_row(order, str(event.id)), keep=("at",))
    yield New(
        "order_steps",
        {
            "event_id": str(event.id),
            "order_id": order.order_id,
            "state": order.state.value,
            "filled": order.filled,
            "at": order.at,
        },
    )
    if order.fill is not None and order.side is not None:
        yield from filled(order, order.fill)


def order_row(order: Order, event_id: str) -> Row:
    """An order as lists need it."""
    return {
        "id": order.order_id,
        "event_id": event_id,
        "bot": order.bot,
        "account": order.account,
        "symbol": order.symbol,
        "side": order.side.value if order.side else None,
        "state": order.state.value,
        "final": order.state.final,
        "reason": order.reason,
        "source_type": order.source_type.value,
        "source_id": order.source_id,
        "signal_id": str(order.signal_id) if order.signal_id else None,
        "verdict_id": str(order.verdict_id) if order.verdict_id else None,
        "at": order.at,
    }


def filled(order: Order, fill: Fill) -> Iterator[Change]:
    """One trade, its slices, and sums by owner and market day."""
    yield New("trades", trade_row(order, fill))
    for part in fill.slices:
        yield New(
            "slices",
            {
                "lot_id": str(part.lot_id),
                "fill_id": fill.fill_id,
                "effect": part.effect,
                "source_type": part.source_type.value,
                "source_id": part.source_id,
                "quantity": part.quantity,
                "entry_price": part.entry_price,
                "realised_pnl": part.realised_pnl,
                "at": order.at,
            },
        )
    day = day_of(order.at)
    for owner, sums in tally(order).items():
        yield Add("earnings", {"day": day, **asdict(owner)}, asdict(sums))


def trade_row(order: Order, fill: Fill) -> Row:
    """A fill as lists need it."""
    by_model = order.source_type is SourceType.LLM
    return {
        "id": fill.fill_id,
        "order_id": order.order_id,
        "bot": order.bot,
        "account": order.account,
        "mode": order.mode,
        "symbol": order.symbol,
        "side": order.side.value if order.side else "",
        "purpose": order.purpose,
        "quantity": fill.quantity,
        "price": fill.price,
        "fee": fill.fee,
        "realised_pnl": sum((part.realised_pnl for part in fill.slices), Decimal(0)),
        "slippage_bps": fill.slippage_bps,
        "source_type": order.source_type.value,
        "source_id": order.source_id,
        "confidence": order.confidence,
        "ai_confidence": order.confidence if by_model else None,
        "signal_id": str(order.signal_id) if order.signal_id else None,
        "verdict_id": str(order.verdict_id) if order.verdict_id else None,
        "at": order.at,
    }


def day_of(at: datetime) -> datetime:
    """Midnight of the market day, UTC."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)
