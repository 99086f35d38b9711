"""What people are told of exits that their broker does not carry out."""

from collections.abc import Iterator

from executor.domain.orders import MOST_ATTEMPTS, Ticket
from executor.domain.scene import Denial
from executor.handlers.booking import ExecutorMoment, alert
from signalbox.contracts.events import Event
from signalbox.contracts.payloads import Order
from signalbox.contracts.values import OrderState, Severity


def exit_ended(
    ticket: Ticket, state: OrderState, why: Denial, moment: ExecutorMoment
) -> Iterator[Event]:
    """The broker has ended an exit. Of a stop that rests nothing is told: its lot is watched here,
    and another one is placed.
    """
    if ticket.stop:
        return
    order = ticket.order
    words = (
        f"the broker has ended the {order.purpose} order {order.order_id} of {order.bot} on"
        f" {order.symbol} ({state}): {why.message}."
    )
    again, rest = order.purpose == "protective", order.leg > 0
    if again and not rest and order.attempt + 1 >= MOST_ATTEMPTS:
        yield given_up(order, f"{words} It was the last of {MOST_ATTEMPTS}.", moment)
        return
    words += " What it has not closed stays open. "
    if again:
        words += "It is watched." if rest else "It is tried again in a minute."
    else:
        words += "Close it by hand."
    told = (_about(order), words, order.order_id)
    yield alert(moment, "exit_rejected", *told, active=not rest)  # nobody would end it


def given_up(order: Order, words: str, moment: ExecutorMoment) -> Event:
    """A stop that will never be sent again; nothing takes that back."""
    words += (
        " What it has not closed stays open and no other order follows. Close it by hand, or at the"
        " broker and then correct the book."
    )
    return alert(moment, "exit_given_up", _about(order), words, order.order_id)


def gone_through(ticket: Ticket, moment: ExecutorMoment) -> Iterator[Event]:
    """A later try has done what the broker had refused."""
    order = ticket.order
    if ticket.stop or order.leg:
        return
    words = f"try {order.attempt + 1} of the protective order on {order.symbol} was filled"
    told = (_about(order), words, order.order_id)
    yield alert(moment, "exit_rejected", *told, severity=Severity.INFO, active=False)


def _about(order: Order) -> str:
    return f"key:{order.bot}/{order.symbol}"
