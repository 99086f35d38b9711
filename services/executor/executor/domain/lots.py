"""Who owns what: every fill opens or closes lots, and each lot belongs to one source."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Literal

from executor.domain.book import FLAT, Book, Holding, with_holding
from executor.domain.guards import protection
from executor.domain.money import ZERO, add, divide, halfway, multiply, subtract
from executor.domain.orders import Execution, Ticket, fill_id
from signalbox.contracts import ids
from signalbox.contracts.errors import InvariantBroken
from signalbox.contracts.payloads import Lot, LotSlice, Order
from signalbox.contracts.values import Side

_FEE_PART = Decimal("0.000000001")
_TICK = timedelta(microseconds=1)


def owned_by(lot: Lot, order: Order) -> bool:
    """Whether the source that speaks through `order` owns the lot."""
    return lot.source_id == order.source_id and lot.source_type is order.source_type


def apply_fill(
    book: Book, ticket: Ticket, execution: Execution, at: datetime
) -> tuple[Book, tuple[LotSlice, ...]]:
    """The book after a fill, and what it did to each lot.

    An exit closes the lots it was made for, in their order; then, as any order, lots of its own
    source on the other side, oldest first. What is left opens a lot. Cash and profit are exact:
    the shares of the fee add up to the fee.
    """
    order = ticket.order
    if order.side is None:
        raise InvariantBroken(f"order {order.order_id} is filled without a side")
    sign = order.side.sign
    holding = book.holdings.get(order.symbol, FLAT)
    taken, left = _take(_closing(holding.lots, ticket, sign), execution.quantity)
    began = _after(holding.lots, at)
    opened = _opened(ticket, order.side, execution, left, at=began) if left else None
    slices = _slices(taken, opened, execution)
    lots = _remaining(holding.lots, taken)
    mark = halfway(execution.quote) if execution.quote else execution.price
    changed = Holding(
        quantity=add(holding.quantity, multiply(execution.quantity, Decimal(sign))),
        cost=add(holding.cost, _cost_change(taken, opened)),
        realised=reduce(add, (s.realised_pnl for s in slices), holding.realised),
        price=mark,
        lots=(*lots, opened) if opened else lots,
    )
    traded = multiply(execution.quantity, execution.price)
    cash = subtract(multiply(traded, Decimal(-sign)), execution.fee)
    return with_holding(book, order.symbol, changed, cash=cash, fee=execution.fee), slices


def _closing(lots: Sequence[Lot], ticket: Ticket, sign: int) -> list[Lot]:
    """The lots that a fill of this side closes, in the order in which it does."""
    other_side = [lot for lot in lots if (lot.quantity > 0) == (sign < 0)]
    if not ticket.targets:
        return [lot for lot in other_side if owned_by(lot, ticket.order)]
    by_id = {lot.lot_id: lot for lot in other_side}
    wanted = [by_id.pop(lot_id) for lot_id in ticket.targets if lot_id in by_id]
    own = [lot for lot in by_id.values() if owned_by(lot, ticket.order)]
    return wanted + own


def _take(lots: Sequence[Lot], quantity: Decimal) -> tuple[list[tuple[Lot, Decimal]], Decimal]:
    """Parts of `lots` that make up `quantity`, and what they do not cover."""
    taken: list[tuple[Lot, Decimal]] = []
    left = quantity
    for lot in lots:
        if not left:
            break
        part = min(left, lot.quantity.copy_abs())
        taken.append((lot, part))
        left = subtract(left, part)
    return taken, left


def _after(lots: Sequence[Lot], at: datetime) -> datetime:
    """`at`, or just after the newest lot: the order of opening must survive a reload."""
    return max(at, lots[-1].opened_at + _TICK) if lots else at


def _opened(
    ticket: Ticket, side: Side, execution: Execution, left: Decimal, *, at: datetime
) -> Lot:
    order = ticket.order
    return Lot(
        lot_id=ids.lot_id(fill_id(ticket, execution.gross)),
        source_type=order.source_type,
        source_id=order.source_id,
        confidence=order.confidence,
        quantity=multiply(left, Decimal(side.sign)),
        entry_price=execution.price,
        opened_at=at,
        order_id=order.order_id,
        protection=protection(ticket.guard, side, execution.price, at),
    )


def _remaining(lots: Sequence[Lot], taken: Sequence[tuple[Lot, Decimal]]) -> tuple[Lot, ...]:
    """The lots after the taken parts are gone, in their order."""
    if not taken:
        return tuple(lots)
    gone = {lot.lot_id: part for lot, part in taken}
    kept = []
    for lot in lots:
        part = gone.get(lot.lot_id)
        if part is None:
            kept.append(lot)
        elif part != lot.quantity.copy_abs():
            quantity = subtract(lot.quantity, part.copy_sign(lot.quantity))
            kept.append(lot.model_copy(update={"quantity": quantity}))
    return tuple(kept)


def _slices(
    taken: Sequence[tuple[Lot, Decimal]], opened: Lot | None, execution: Execution
) -> tuple[LotSlice, ...]:
    parts = [part for _, part in taken]
    if opened:
        parts.append(opened.quantity.copy_abs())
    fees = _shares(execution, parts)
    slices = []
    for (lot, part), fee in zip(taken, fees, strict=False):  # one fee more when a lot is opened
        gain = multiply(subtract(execution.price, lot.entry_price), part.copy_sign(lot.quantity))
        slices.append(_slice(lot, "closed", part, pnl=subtract(gain, fee)))
    if opened:
        slices.append(_slice(opened, "opened", parts[-1], pnl=subtract(ZERO, fees[-1])))
    return tuple(slices)


def _shares(execution: Execution, parts: Sequence[Decimal]) -> list[Decimal]:
    """The fee, divided in proportion to `parts`; the last takes what rounding leaves."""
    fee = execution.fee
    if len(parts) == 1 or not fee:
        return [fee] * len(parts)
    per_unit = divide(fee, execution.quantity)
    shares = [multiply(per_unit, part).quantize(_FEE_PART) for part in parts[:-1]]
    left = fee
    for share in shares:
        left = subtract(left, share)
    return [*shares, left]


def _slice(
    lot: Lot, effect: Literal["opened", "closed"], quantity: Decimal, *, pnl: Decimal
) -> LotSlice:
    return LotSlice(
        lot_id=lot.lot_id,
        source_type=lot.source_type,
        source_id=lot.source_id,
        effect=effect,
        quantity=quantity,
        entry_price=lot.entry_price,
        realised_pnl=pnl,
    )


def _cost_change(taken: Sequence[tuple[Lot, Decimal]], opened: Lot | None) -> Decimal:
    change = multiply(opened.quantity, opened.entry_price) if opened else ZERO
    for lot, part in taken:
        change = subtract(change, multiply(part.copy_sign(lot.quantity), lot.entry_price))
    return change
