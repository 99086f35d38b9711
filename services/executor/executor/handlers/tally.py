"""Counts what was meant to leave for one account's broker, and what leaves: by two ways that meet
nowhere else. The first is what transactions have committed, the second what is about to be sent.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal

from executor.domain.money import ZERO, multiply
from executor.domain.orders import Ticket
from executor.domain.outflow import flow_of, surplus
from executor.domain.scene import Denial
from signalbox.runtime import metrics

_MINUTE_S = 60.0
_SLACK_S = 5.0  # an order may leave so long after its commit
_ONE = Decimal(1)

_Entry = tuple[float, Decimal]  # when, and what it is worth


class Tally:
    """Of one account, in memory: after a restart both sides begin with nothing."""

    def __init__(self, account: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._account = account
        self._clock = clock
        self._intended: deque[_Entry] = deque()
        self._left: deque[_Entry] = deque()
        self._posts: dict[str, int] = {}  # by order: how often sending it was meant

    def begin(self, tickets: Iterable[Ticket]) -> None:
        """Open orders as this process finds them: what was to be sent before is no intent now."""
        self._posts = {ticket.order.order_id: ticket.submission.posts for ticket in tickets}

    def intend(self, ticket: Ticket) -> None:
        """A committed order; it is counted whenever it is to be sent once more."""
        name, posts = ticket.order.order_id, ticket.submission.posts
        if not ticket.open:  # a late fill changes it once more
            self._posts.pop(name, None)
            return
        if posts > self._posts.get(name, 0):
            self._posts[name] = posts
            self._intended.append((self._clock(), _notional(ticket)))
            metrics.BROKER_ORDERS.labels(self._account, "intended").inc()

    def leave(self, ticket: Ticket) -> Denial | None:
        """Count an order that is about to leave, or say why it must not."""
        now = self._clock()
        _forget(self._intended, now - _MINUTE_S - _SLACK_S)
        _forget(self._left, now - _MINUTE_S)
        leaving = (now, _notional(ticket))
        why = surplus(
            flow_of(notional for _, notional in (*self._left, leaving)),
            flow_of(notional for _, notional in self._intended),
        )
        if why is None:
            self._left.append(leaving)
        what = "held_back" if why else "left"
        metrics.BROKER_ORDERS.labels(self._account, what).inc()
        return why


def _notional(ticket: Ticket) -> Decimal:
    """At a price that stays the same for an order; in units where it has none."""
    price = ticket.arrival or ticket.signal_price or _ONE
    return multiply(ticket.order.quantity or ZERO, price)


def _forget(entries: deque[_Entry], before: float) -> None:
    while entries and entries[0][0] < before:
        entries.popleft()
