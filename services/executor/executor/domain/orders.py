"""An order's life: which state may follow which, and what a fill does to it."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

from executor.domain.money import ZERO, add, divide, multiply, subtract
from signalbox.contracts import ids
from signalbox.contracts.errors import InvariantBroken
from signalbox.contracts.limits import Exits
from signalbox.contracts.payloads import Fill, LotSlice, Order, QuoteUsed
from signalbox.contracts.values import OrderKind, OrderState

_S = OrderState
_NO_EXITS = Exits()
_OPEN_ENDS = frozenset({_S.CANCELED, _S.EXPIRED, _S.REPLACED})

MOST_ATTEMPTS = 10  # orders for one trigger of one lot

# What may follow what. Fills move the state by themselves, see `filled`; nothing follows the end.
NEXT: MappingProxyType[OrderState, frozenset[OrderState]] = MappingProxyType(
    {
        _S.PLANNED: frozenset({_S.DENIED, _S.SUBMITTING, _S.ACCEPTED, _S.CANCELED, _S.EXPIRED}),
        _S.SUBMITTING: _OPEN_ENDS | {_S.UNKNOWN, _S.ACCEPTED, _S.REJECTED, _S.CANCEL_PENDING},
        _S.UNKNOWN: _OPEN_ENDS | {_S.ACCEPTED, _S.REJECTED, _S.ABANDONED, _S.CANCEL_PENDING},
        _S.ACCEPTED: _OPEN_ENDS | {_S.REJECTED, _S.CANCEL_PENDING},
        _S.PARTIALLY_FILLED: _OPEN_ENDS | {_S.REJECTED, _S.CANCEL_PENDING},
        _S.CANCEL_PENDING: _OPEN_ENDS | {_S.REJECTED},
    }
)
_FILLABLE = frozenset(NEXT) - {_S.PLANNED}
_LATE = frozenset({_S.CANCELED, _S.EXPIRED, _S.REPLACED, _S.REJECTED, _S.ABANDONED})


@dataclass(frozen=True, slots=True)
class Guard:
    """How the lots of an order will be protected: by prices that its signal names, else by the
    bot's fractions.
    """

    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    exits: Exits = _NO_EXITS


@dataclass(frozen=True, slots=True)
class Follow:
    """An exit that is the first half of a flip: the entry on the same side that comes after it."""

    until: datetime  # market time; the signal stands so long
    guard: Guard | None = None  # what protects the lots that the entry opens


@dataclass(frozen=True, slots=True)
class Recall:
    """Why an order that may be at a broker is to end, and in which state."""

    state: OrderState
    code: str
    message: str
    numbers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Submission:
    """An order's way to a broker over the network, as far as it has come."""

    posts: int = 0  # how often sending it has begun, always under the same id
    limited: int = 0  # of these, how often the broker has taken nothing: too many requests
    since: datetime | None = None  # wall time, when it first began
    request_id: str = ""  # the broker's name for the last call about it
    recall: Recall | None = None


_NOT_SENT = Submission()


@dataclass(frozen=True, slots=True)
class Ticket:
    """An order, and what the executor must remember to carry it out."""

    order: Order
    correlation_id: UUID  # of the chain of events that it belongs to
    config_version: int  # under which it was planned
    planned_at: datetime  # market time
    expires_at: datetime | None = None  # market time; None, as of every exit, waits for ever
    targets: tuple[UUID, ...] = ()  # the lots that an exit closes, in this order
    arrival: Decimal | None = None  # mid when it was planned
    signal_price: Decimal | None = None  # what the source saw
    notional: Decimal = ZERO  # sum of fill price times quantity
    quoted_at: datetime | None = None  # of the last quote that it was filled on
    guard: Guard | None = None  # what protects the lots that an entry opens
    submission: Submission = _NOT_SENT
    follow: Follow | None = None  # what comes after this exit, once it is filled

    @property
    def open(self) -> bool:
        """Whether it may still be filled in the normal course."""
        return not self.order.state.final

    @property
    def entry(self) -> bool:
        """Whether it opens a position, rather than reducing one."""
        return self.order.purpose == "entry"

    @property
    def remaining(self) -> Decimal | None:
        """What is not filled; None while no quote has given it a size."""
        return (
            None
            if self.order.quantity is None
            else subtract(self.order.quantity, self.order.filled)
        )

    @property
    def simulated(self) -> bool:
        """Whether the paper broker carries it out, on our own quotes."""
        return self.order.broker == "paper"

    @property
    def sent(self) -> bool:
        """Whether it may be at a broker over the network."""
        return not self.simulated and self.order.state is not _S.PLANNED

    @property
    def stop(self) -> bool:
        """Whether it waits at its broker for a price, to close a lot there."""
        return self.order.kind is OrderKind.STOP

    @property
    def resting(self) -> bool:
        """Whether it is such a stop, is known to be there, and nobody wants its end."""
        there = self.stop and self.order.state is _S.ACCEPTED
        return there and self.submission.recall is None

    def having(
        self, order: Order, *, notional: Decimal | None = None, quoted_at: datetime | None = None
    ) -> "Ticket":
        """The ticket with its order changed, and with what a fill adds."""
        return Ticket(
            order,
            self.correlation_id,
            self.config_version,
            self.planned_at,
            self.expires_at,
            self.targets,
            self.arrival,
            self.signal_price,
            self.notional if notional is None else notional,
            quoted_at or self.quoted_at,
            self.guard,
            self.submission,
            self.follow,
        )


@dataclass(frozen=True, slots=True)
class Execution:
    """What a broker reports: a part of an order was executed."""

    quantity: Decimal
    price: Decimal
    fee: Decimal = ZERO
    quote: QuoteUsed | None = None
    withheld: Decimal = ZERO  # units that the broker kept as its fee; they are in `fee` as money

    @property
    def gross(self) -> Decimal:
        """What counts as executed of the order."""
        return add(self.quantity, self.withheld) if self.withheld else self.quantity


def advance(
    ticket: Ticket,
    state: OrderState,
    at: datetime,
    *,
    reason: str = "",
    message: str = "",
    numbers: dict[str, str] | None = None,
) -> Ticket:
    """The ticket in its next state; nothing follows an exit that ends without its last fill.

    Raises:
        InvariantBroken: `state` may not follow the present one.
    """
    order = ticket.order
    if state not in NEXT.get(order.state, ()):
        raise InvariantBroken(f"order {order.order_id} is {order.state} and cannot become {state}")
    changed = {
        "state": state,
        "at": at,
        "fill": None,
        "reason": reason,
        "message": message,
        "numbers": numbers or {},
    }
    ticket = ticket.having(order.model_copy(update=changed))
    return replace(ticket, follow=None) if ticket.follow and state.final else ticket


def sized(ticket: Ticket, quantity: Decimal) -> Ticket:
    """The ticket with the size that it is carried out with, what is filled already included."""
    return ticket.having(ticket.order.model_copy(update={"quantity": quantity}))


def fill_id(ticket: Ticket, quantity: Decimal) -> str:
    """Broker, order and cumulative quantity: the same fill reported twice has the same id."""
    order = ticket.order
    return f"{order.broker}|{order.broker_order_id}|{ids.plain(add(order.filled, quantity))}"


def filled(
    ticket: Ticket, execution: Execution, slices: tuple[LotSlice, ...], at: datetime
) -> Ticket:
    """The ticket after one fill; a late one counts, and completes a canceled order or leaves its
    state.

    Raises:
        InvariantBroken: more is filled than was ordered, or the order never went to a broker.
    """
    order = ticket.order
    state, total = order.state, add(order.filled, execution.gross)
    if order.quantity is None or total > order.quantity:
        raise InvariantBroken(f"order {order.order_id} of {order.quantity} is filled with {total}")
    if state not in _FILLABLE and state not in _LATE:
        raise InvariantBroken(f"order {order.order_id} is {state} and cannot be filled")
    if total == order.quantity:
        state = _S.FILLED
    elif state in {_S.SUBMITTING, _S.UNKNOWN, _S.ACCEPTED}:
        state = _S.PARTIALLY_FILLED
    notional = add(ticket.notional, multiply(execution.price, execution.gross))
    quote = execution.quote
    fill = Fill(
        fill_id=fill_id(ticket, execution.gross),
        quantity=execution.quantity,
        price=execution.price,
        fee=execution.fee,
        quote=quote,
        slippage_bps=_slippage_bps(ticket, execution.price),
        slices=slices,
    )
    changed = {
        "state": state,
        "filled": total,
        "average_price": divide(notional, total),
        "at": at,
        "fill": fill,
    }
    return ticket.having(
        order.model_copy(update=changed),
        notional=notional,
        quoted_at=quote.at if quote else None,
    )


def refused(ticket: Ticket) -> bool:
    """Whether the broker has ended the order for good, of its own accord: it is not at the market
    any more, and nobody here wanted that. What was given up in doubt may still be there.
    """
    order = ticket.order
    if ticket.simulated:
        return False
    ended = order.state in {_S.CANCELED, _S.EXPIRED} and order.reason.startswith("broker_")
    return order.state is _S.REJECTED or ended


def late(ticket: Ticket) -> bool:
    """Whether a fill that comes now comes after the end."""
    return ticket.order.state in _LATE


def _slippage_bps(ticket: Ticket, price: Decimal) -> Decimal | None:
    if ticket.arrival is None or ticket.order.side is None:
        return None
    worse = multiply(subtract(price, ticket.arrival), Decimal(10_000 * ticket.order.side.sign))
    return divide(worse, ticket.arrival).quantize(Decimal("0.0001"))
