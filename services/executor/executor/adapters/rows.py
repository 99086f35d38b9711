"""From values to rows and back."""

from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Row

from executor.adapters import tables
from executor.domain.orders import Follow, Guard, Submission, Ticket
from signalbox.contracts.ids import plain
from signalbox.contracts.payloads import Lot, LotSlice, Order, Protection
from signalbox.contracts.values import SourceType

_TICKET = frozenset(
    {
        "correlation_id",
        "config_version",
        "planned_at",
        "expires_at",
        "targets",
        "arrival",
        "signal_price",
        "notional",
        "quoted_at",
        "guard",
        "submission",
        "follow",
    }
)
_ORDER = tuple(c.name for c in tables.orders.columns if c.name not in _TICKET and c.name != "open")
_GUARD: TypeAdapter[Guard] = TypeAdapter(Guard)
_SUBMISSION: TypeAdapter[Submission] = TypeAdapter(Submission)
_FOLLOW: TypeAdapter[Follow] = TypeAdapter(Follow)
_NOT_SENT = Submission()
_IDS = ("intent_id", "verdict_id", "signal_id")
_PLAIN = tuple(name for name in _ORDER if name not in _IDS)


def ticket_of(row: Row[Any]) -> Ticket:
    """The order in a row, with what the executor remembers of it."""
    stored = row._mapping
    order = Order.model_validate({name: stored[name] for name in _ORDER})
    return Ticket(
        order=order,
        correlation_id=UUID(row.correlation_id),
        config_version=row.config_version,
        planned_at=row.planned_at,
        expires_at=row.expires_at,
        targets=tuple(UUID(lot_id) for lot_id in row.targets),
        arrival=row.arrival,
        signal_price=row.signal_price,
        notional=row.notional,
        quoted_at=row.quoted_at,
        guard=_GUARD.validate_python(row.guard) if row.guard else None,
        submission=_SUBMISSION.validate_python(row.submission) if row.submission else _NOT_SENT,
        follow=_FOLLOW.validate_python(row.follow) if row.follow else None,
    )


def row_of(ticket: Ticket) -> dict[str, Any]:
    """The row of an order."""
    order = ticket.order
    row: dict[str, Any] = {name: getattr(order, name) for name in _PLAIN}
    row["intent_id"] = str(order.intent_id)
    row["verdict_id"] = str(order.verdict_id) if order.verdict_id else None
    row["signal_id"] = str(order.signal_id) if order.signal_id else None
    row["correlation_id"] = str(ticket.correlation_id)
    row["config_version"] = ticket.config_version
    row["planned_at"] = ticket.planned_at
    row["expires_at"] = ticket.expires_at
    row["targets"] = [str(lot_id) for lot_id in ticket.targets]
    row["arrival"] = ticket.arrival
    row["signal_price"] = ticket.signal_price
    row["notional"] = ticket.notional
    row["quoted_at"] = ticket.quoted_at
    row["guard"] = _GUARD.dump_python(ticket.guard, mode="json") if ticket.guard else None
    sent = ticket.submission
    row["submission"] = _SUBMISSION.dump_python(sent, mode="json") if sent.posts else None
    row["follow"] = _FOLLOW.dump_python(ticket.follow, mode="json") if ticket.follow else None
    row["open"] = ticket.open
    return row


def lot_of(row: Row[Any]) -> Lot:
    """The lot in a row."""
    return Lot(
        lot_id=UUID(row.lot_id),
        source_type=SourceType(row.source_type),
        source_id=row.source_id,
        confidence=row.confidence,
        quantity=row.quantity,
        entry_price=row.entry_price,
        opened_at=row.opened_at,
        order_id=row.order_id,
        protection=Protection.model_validate(row.protection) if row.protection else None,
    )


def lot_row(lot: Lot, bot: str, account: str, symbol: str) -> dict[str, Any]:
    """The row of a lot."""
    return {
        "lot_id": str(lot.lot_id),
        "bot": bot,
        "account": account,
        "symbol": symbol,
        "source_type": lot.source_type,
        "source_id": lot.source_id,
        "confidence": lot.confidence,
        "quantity": lot.quantity,
        "entry_price": lot.entry_price,
        "opened_at": lot.opened_at,
        "order_id": lot.order_id,
        "protection": lot.protection and lot.protection.model_dump(mode="json"),
    }


def fill_row(order: Order) -> dict[str, Any]:
    """The row of an order's newest fill."""
    fill = order.fill
    quote = fill.quote if fill else None
    return {
        "fill_id": fill and fill.fill_id,
        "order_id": order.order_id,
        "bot": order.bot,
        "account": order.account,
        "symbol": order.symbol,
        "side": order.side,
        "quantity": fill and fill.quantity,
        "price": fill and fill.price,
        "fee": fill and fill.fee,
        "bid": quote and quote.bid,
        "ask": quote and quote.ask,
        "quoted_at": quote and quote.at,
        "slippage_bps": fill and fill.slippage_bps,
        "slices": [slice_of(s) for s in fill.slices] if fill else [],
        "at": order.at,
    }


def slice_of(part: LotSlice) -> dict[str, str]:
    """A slice as it is stored with its fill."""
    return {
        "lot_id": str(part.lot_id),
        "source_type": part.source_type.value,
        "source_id": part.source_id,
        "effect": part.effect,
        "quantity": plain(part.quantity),
        "entry_price": plain(part.entry_price),
        "realised_pnl": plain(part.realised_pnl),
    }
