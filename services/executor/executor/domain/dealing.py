"""The paper broker at work: what an order of the desk gets from a quote."""

from executor.domain.desk import Desk
from executor.domain.funds import unpaid
from executor.domain.orders import Execution, Ticket
from executor.domain.paper import execute
from executor.domain.scene import Denial, reserved_by
from signalbox.contracts.limits import Sizing
from signalbox.contracts.payloads import Quote

_DEFAULT_SIZING = Sizing()


def dealt(desk: Desk, ticket: Ticket, quote: Quote) -> Execution | Denial | None:
    """The fill that an order gets, or why its book cannot pay for it; None where it waits on."""
    order = ticket.order
    bot, account = desk.bots.get(order.bot), desk.accounts.get(order.account)
    if account is None or order.side is None or not ticket.remaining:
        return None
    step = (bot.sizing if bot else _DEFAULT_SIZING).step(order.symbol)
    limit = order.limit_price
    execution = execute(order.side, ticket.remaining, quote, account.paper, step, limit=limit)
    if execution is None or not ticket.entry:
        return execution
    others = [t for t in desk.open_orders(order.bot) if t.order.order_id != order.order_id]
    book = desk.book(order.bot, order.account)
    return unpaid(ticket, execution, book, reserved_by(others, order.symbol)) or execution
