"""Intents and orders: one for each accepted verdict, never two at a broker."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from chaos.evidence import Evidence
from chaos.rules.verdicts import NOBODY
from signalbox.contracts.events import OrderChanged
from signalbox.contracts.values import OrderState, Outcome

_ZERO = Decimal(0)
_FIRST = {OrderState.PLANNED, OrderState.DENIED}
_RANK = {
    OrderState.PLANNED: 0,
    OrderState.SUBMITTING: 1,
    OrderState.UNKNOWN: 1,
    OrderState.ACCEPTED: 2,
    OrderState.PARTIALLY_FILLED: 3,
    OrderState.CANCEL_PENDING: 4,
}
_LAST = 9


def one_intent_for_each_accepted_verdict(seen: Evidence) -> Iterator[str]:
    """Accepted: planned or denied, once. Anything else: no order at all."""
    accepted = {
        event.data.verdict_id: event
        for event in seen.verdicts
        if event.data.outcome is Outcome.ACCEPTED and event.data.bot != NOBODY
    }
    begun: defaultdict[UUID, set[str]] = defaultdict(set)
    for event in seen.orders:
        verdict_id = event.data.verdict_id
        if verdict_id is None:
            continue
        if verdict_id not in accepted:
            yield f"order {event.data.order_id} follows verdict {verdict_id}, not an accepted one"
        if event.data.state in _FIRST and not event.data.leg:  # later legs are of the same intent
            begun[verdict_id].add(event.data.order_id)  # planned, and perhaps denied later
    for verdict_id in accepted:
        if len(begun[verdict_id]) != 1:
            yield f"accepted verdict {verdict_id} has {len(begun[verdict_id])} intents"


def one_broker_order_for_each_intent(seen: Evidence) -> Iterator[str]:
    """No intent, leg and attempt reaches a broker under two ids, no order twice."""
    sent: defaultdict[tuple[UUID, int, int], set[str]] = defaultdict(set)
    taken: Counter[str] = Counter()
    for event in seen.orders:
        order = event.data
        if order.state not in _FIRST:
            sent[order.intent_id, order.leg, order.attempt].add(order.order_id)
        if order.state is OrderState.ACCEPTED:
            taken[order.order_id] += 1
    for intent, orders in sent.items():
        if len(orders) > 1:
            yield f"intent {intent[0]} has {len(orders)} broker orders"
    for order_id, count in taken.items():
        if count > 1:
            yield f"order {order_id} was accepted {count} times"


def no_signal_is_traded_twice(seen: Evidence) -> Iterator[str]:
    """One signal leads to at most one intent of one bot, and that to one broker order for a leg."""
    sent: defaultdict[tuple[UUID, str], set[tuple[UUID, int, str]]] = defaultdict(set)
    for event in seen.orders:
        order = event.data
        if order.signal_id is not None and order.state not in _FIRST:
            sent[order.signal_id, order.bot].add((order.intent_id, order.leg, order.order_id))
    for (signal_id, bot), orders in sent.items():
        legs = {leg for _, leg, _ in orders}
        if len({intent for intent, _, _ in orders}) > 1 or len(legs) < len(orders):
            yield f"signal {signal_id} has {len(orders)} orders of {bot}"


def orders_move_forward(seen: Evidence) -> Iterator[str]:
    """States follow each other; nothing but a late fill comes after a final one."""
    by_order: defaultdict[str, list[OrderChanged]] = defaultdict(list)
    for event in seen.orders:
        by_order[event.data.order_id].append(event)
    for order_id, events in by_order.items():
        states = [event.data.state for event in events]
        ranks = [_RANK.get(state, _LAST) for state in states]
        if states[0] not in _FIRST or ranks != sorted(ranks):
            yield f"order {order_id} went {' '.join(states)}"
        filled = [event.data.filled for event in events]
        most = events[-1].data.quantity
        if filled != sorted(filled) or (most is not None and filled[-1] > most):
            yield f"order {order_id} was filled {filled} of {most}"


def fills_add_up(seen: Evidence) -> Iterator[str]:
    """What an order says is filled is the sum of its fills."""
    sums: defaultdict[str, Decimal] = defaultdict(lambda: _ZERO)
    for event in seen.orders:
        order = event.data
        if order.fill is not None:
            sums[order.order_id] = sums[order.order_id] + order.fill.quantity
        if order.filled != sums[order.order_id]:
            yield f"order {order.order_id} says {order.filled}, its fills {sums[order.order_id]}"
