"""What people are told of exits that their broker does not carry out, and when that is over."""

from collections.abc import Iterator
from functools import partial

from sqlalchemy import Connection

from executor.adapters import brokered, store
from executor.domain.alarms import Alarm
from executor.domain.book import FLAT
from executor.domain.desk import Desk
from executor.domain.guards import exit_name
from executor.domain.money import ZERO
from executor.domain.orders import MOST_ATTEMPTS, Ticket
from executor.domain.scene import Denial
from executor.domain.submission import is_dust
from executor.handlers.alarms import ABANDONED, GIVEN_UP, OF_EXITS, REJECTED, account_of
from executor.handlers.booking import ExecutorMoment, alert
from executor.handlers.brokerage import Brokerage
from signalbox.contracts.events import Event
from signalbox.contracts.ids import plain
from signalbox.contracts.values import OrderState, Severity


def exit_ended(
    desk: Desk, ticket: Ticket, state: OrderState, why: Denial, moment: ExecutorMoment
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
    if order.purpose != "protective":
        words += " What it has not closed stays open. Close it by hand."
        yield _raised(desk, ticket, REJECTED, words, moment)
    elif order.leg:  # the rest of a stop; a sale of its own follows when the price is there
        words += " What it has not closed stays open. It is watched."
        about = f"order:{order.order_id}"
        yield alert(moment, REJECTED, about, words, order.order_id, active=False)
    elif order.attempt + 1 >= MOST_ATTEMPTS:
        yield _given_up(desk, ticket, f"{words} It was the last of {MOST_ATTEMPTS}.", moment)
    else:
        words += " What it has not closed stays open. It is tried again in a minute."
        yield _raised(desk, ticket, REJECTED, words, moment)


def exit_denied(desk: Desk, ticket: Ticket, why: Denial, moment: ExecutorMoment) -> Event:
    """A stop cannot be sent as it is. That of dust is no trouble that somebody could end."""
    order = ticket.order
    held = desk.book(order.bot, order.account).holdings.get(order.symbol, FLAT).quantity
    if is_dust(why, held):
        words = (
            f"{order.bot} holds {plain(held)} of {order.symbol} in account {order.account}, less"
            f" than the broker takes ({why.message}). It is not sold and stays in the book; nothing"
            " needs to be done. It goes along when the bot closes more of the symbol at once. To be"
            " rid of it, sell it at the broker by hand, if that lets you, and correct the book"
            f" (POST /api/positions/{order.bot}/{order.symbol}/correct)."
        )
        told = ("dust", f"key:{order.bot}/{order.symbol}", words, order.order_id)
        return alert(moment, *told, severity=Severity.INFO, active=False)
    words = f"the protective order of {order.bot} on {order.symbol} cannot be sent"
    return _given_up(desk, ticket, f"{words}: {why.message}.", moment)


def exit_abandoned(desk: Desk, ticket: Ticket, words: str, moment: ExecutorMoment) -> Event:
    """An exit that may or may not have arrived is not sent again: what stays open needs
    somebody.
    """
    return _raised(desk, ticket, ABANDONED, words, moment)


class ExitAlerts:
    """Of one account: ends what was told of an exit when nothing is left of its lots, or when a
    later order closes them.
    """

    def __init__(self, brokerage: Brokerage) -> None:
        self._at = brokerage
        self._looked: int | None = None  # how many changes of orders there had been

    async def end(self) -> None:
        """One look, where something has changed since the last one."""
        at = self._at
        changes = at.work.memory.changes[at.account]
        if changes == self._looked:
            return
        raised = [alarm for alarm in at.work.alarms.raised() if alarm.code in OF_EXITS]
        given_up = {alarm.about for alarm in raised if alarm.code == GIVEN_UP}
        for alarm in raised:
            if account_of(alarm) != at.account:
                continue
            words = await at.read(partial(_over, alarm=alarm))
            if not words and alarm.code == REJECTED and alarm.about in given_up:
                words = "it is given up, which is told by itself"
            if words:
                await at.work.alarms.end(alarm, words)
        self._looked = changes


def _over(sql: Connection, alarm: Alarm) -> str:
    """Why an alarm of an exit is over; empty while it stands."""
    ticket = store.find_order(sql, alarm.order_id)
    left = brokered.open_lots(sql, ticket.targets) if ticket else set()
    if ticket is None or not left:
        return f"what order {alarm.order_id} was to close is closed"
    order = ticket.order
    if left <= brokered.closed_later(sql, ticket):
        return f"the broker has taken a later order for what {order.order_id} was to close"
    held = brokered.held(sql, order.account).get(order.symbol, ZERO)
    denied = brokered.denied_last(sql, ticket)
    if denied and is_dust(denied, held):
        return f"what is left of {order.symbol} is less than the broker takes"
    return ""


def _given_up(desk: Desk, ticket: Ticket, words: str, moment: ExecutorMoment) -> Event:
    """A stop that will never be sent again."""
    words += (
        " What it has not closed stays open and no other order follows. Close it by hand, or at the"
        " broker and then correct the book."
    )
    return _raised(desk, ticket, GIVEN_UP, words, moment)


def _raised(desk: Desk, ticket: Ticket, code: str, words: str, moment: ExecutorMoment) -> Event:
    order, about = ticket.order, _about(ticket)
    desk.alarms.append(Alarm(code, about, order.order_id, order.account))
    return alert(moment, code, about, words, order.order_id)


def _about(ticket: Ticket) -> str:
    """The first of an exit's tries, so that a later one takes the alarm over."""
    order = ticket.order
    if order.purpose != "protective" or order.trigger is None or order.leg or not ticket.targets:
        return f"order:{order.order_id}"
    first = exit_name(ticket.targets[0], order.trigger, order.bot, order.account, 0)
    return f"order:{first}"
