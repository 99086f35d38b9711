"""Positions, lots and cash: the sums of the fills they were made of, to the last digit."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Context, Decimal, Inexact
from uuid import UUID

from chaos.evidence import Book, Evidence, Place
from signalbox.contracts.events import OrderChanged

EXACT = Context(prec=200, traps=[Inexact])
_ZERO = Decimal(0)


def moved(event: OrderChanged) -> tuple[Place, Decimal, Decimal]:
    """Where a fill was, what it did to the position and what to the cash."""
    order, fill = event.data, event.data.fill
    if fill is None or order.side is None:
        raise ValueError(f"order event {event.id} carries no fill")
    quantity = fill.quantity * order.side.sign
    cash = EXACT.subtract(-EXACT.multiply(quantity, fill.price), fill.fee)
    return (order.bot, order.account, order.symbol), quantity, cash


def positions_are_the_sum_of_fills(seen: Evidence) -> Iterator[str]:
    """In the stream's last word and in REST alike."""
    sums: defaultdict[Place, Decimal] = defaultdict(lambda: _ZERO)
    for event in seen.fills():
        place, quantity, _ = moved(event)
        sums[place] = EXACT.add(sums[place], quantity)
    for place in sorted({*sums, *seen.positions, *seen.answers.positions}):
        last = seen.positions.get(place)
        told = seen.answers.positions.get(place, _ZERO)
        held = last.data.quantity if last else _ZERO
        if not sums[place] == held == told:
            yield f"{place}: fills {sums[place]}, position {held}, REST {told}"


def lots_are_the_sum_of_slices(seen: Evidence) -> Iterator[str]:
    """Lots together are the position; each is what fills opened less what they closed."""
    left: defaultdict[Place, Counter[UUID]] = defaultdict(Counter)
    signed: dict[UUID, int] = {}
    for event in seen.fills():
        order, fill = event.data, event.data.fill
        for piece in fill.slices if fill else ():
            opened = piece.effect == "opened"
            if opened and order.side is not None:
                signed[piece.lot_id] = order.side.sign
            amount = piece.quantity if opened else -piece.quantity
            left[order.bot, order.account, order.symbol][piece.lot_id] += amount  # type: ignore[assignment]  # a counter of decimals
    for place in sorted({*left, *seen.positions}):
        sliced = {k: v * signed.get(k, 0) for k, v in left[place].items() if v}
        last = seen.positions.get(place)
        kept = {lot.lot_id: lot.quantity for lot in last.data.lots} if last else {}
        told = seen.answers.lots.get(place, _ZERO)
        held = last.data.quantity if last else _ZERO
        if sliced != kept or not sum(kept.values(), _ZERO) == held == told:
            yield f"{place}: lots {kept}, slices {sliced}, position {held}, REST {told}"


def cash_is_what_fills_left(seen: Evidence) -> Iterator[str]:
    """Starting cash and every fill's effect, to the last digit."""
    sums: defaultdict[Book, Decimal] = defaultdict(lambda: _ZERO)
    for event in seen.fills():
        (bot, account, _), _, effect = moved(event)
        sums[bot, account] = EXACT.add(sums[bot, account], effect)
    for book in sorted({*sums, *seen.equity}):
        started = seen.answers.started_with.get(book[1])
        expected = None if started is None else EXACT.add(started, sums[book])
        last = seen.equity.get(book)
        kept = last.data.cash if last else None
        told = seen.answers.cash.get(book)
        if not expected == kept == told:
            yield f"{book}: expected {expected}, book {kept}, REST {told}"
