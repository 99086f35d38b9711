"""The account at a broker: its own books say what ours do, to the last digit."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal

from chaos.evidence import Evidence
from chaos.rules.books import EXACT, moved
from signalbox.contracts.events import AlertRaised
from signalbox.contracts.values import OrderState

_ZERO = Decimal(0)
_SURPRISES = {  # what is found at the broker and was not known, or known otherwise
    "external_order",
    "fill_taken_back",
    "late_fill",
    "late_order",
    "order_abandoned",
    "order_contradicts",
    "order_surplus",
    "position_mismatch",
}


def the_broker_has_each_order_once(seen: Evidence) -> Iterator[str]:
    """Every order that the broker was told to have taken is there, once; and no other is."""
    books = seen.broker
    if books is None:
        return
    ours = {
        event.data.order_id
        for event in seen.orders
        if event.data.account == books.account and event.data.broker_order_id
    }
    there = Counter(books.names)
    for name in sorted({*ours, *there}):
        if there[name] != (name in ours):
            yield f"order {name}: {there[name]} at the broker, {int(name in ours)} here"


def the_broker_holds_what_fills_left(seen: Evidence) -> Iterator[str]:
    """Positions and cash are those of our fills."""
    books = seen.broker
    if books is None:
        return
    sums: defaultdict[str, Decimal] = defaultdict(lambda: _ZERO)
    cash = books.started_with
    for event in seen.fills():
        (_, account, symbol), quantity, effect = moved(event)
        if account == books.account:
            sums[symbol] = EXACT.add(sums[symbol], quantity)
            cash = EXACT.add(cash, effect)
    for symbol in sorted({*sums, *books.positions}):
        held = books.positions.get(symbol, _ZERO)
        if sums[symbol] != held:
            yield f"{symbol}: fills {sums[symbol]}, the broker holds {held}"
    if cash != books.cash:
        yield f"cash: fills leave {cash}, the broker has {books.cash}"


def the_broker_surprises_nobody(seen: Evidence) -> Iterator[str]:
    """Nothing came to light that nobody had known: every doubt was settled by asking. That an order
    never arrived and nobody wanted it any more when that was proven is no surprise.
    """
    there = seen.broker.names if seen.broker else ()
    unwanted = {
        f"order:{event.data.order_id}"
        for event in seen.orders
        if event.data.state is OrderState.ABANDONED
        and "limit" not in event.data.numbers  # of tries, which is used up
        and event.data.order_id not in there
    }
    for event in seen.events(AlertRaised):
        code, about = event.data.code, event.data.about
        if code in _SURPRISES and not (code == "order_abandoned" and about in unwanted):
            yield f"{code} about {about}: {event.data.message}"
