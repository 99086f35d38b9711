"""What a book can pay for: its cash, less what open orders reserve and the margin of what is short.

The proceeds of a short sale are not ours to spend: 150 % of the value of what is short must be
there when anything is opened, and 130 % of it in cash and long positions afterwards.
"""

from decimal import ROUND_FLOOR, Decimal

from executor.domain.book import Book
from executor.domain.fees import fee_of, is_pair
from executor.domain.money import ZERO, add, divide, multiply, subtract
from executor.domain.orders import Execution, Ticket
from executor.domain.paper import NAME as PAPER
from executor.domain.scene import INITIAL_MARGIN, Denial, Reserved, needed
from signalbox.contracts.accounts import AccountConfig
from signalbox.contracts.ids import plain

_MAINTENANCE = Decimal("1.3")  # of the value of what is short
_ONE = Decimal(1)


def free_cash(book: Book, reserved: Reserved) -> Decimal:
    """What an entry may use; negative where the margin is short already."""
    margin = multiply(book.short_value, INITIAL_MARGIN)
    return subtract(subtract(book.cash, reserved.cash), margin)


def charges(
    symbol: str, quantity: Decimal, price: Decimal, account: AccountConfig | None
) -> Decimal:
    """What a fill costs in cash besides its price; pairs pay in what they bring."""
    if account is None or account.broker != PAPER or is_pair(symbol):
        return ZERO
    return fee_of(quantity, price, account.paper)


def short_of(need: Decimal, free: Decimal) -> Denial | None:
    """Why an entry that needs so much is not made."""
    if need <= free:
        return None
    numbers = {"limit": plain(free), "observed": plain(need)}
    words = f"the order needs {plain(need)} of cash with its reserve, {plain(free)} is free"
    return Denial("buying_power", words, numbers)


def unpaid(ticket: Ticket, execution: Execution, book: Book, others: Reserved) -> Denial | None:
    """Why a fill of an entry is not made: at its own price and fee the book cannot pay for it.
    `others` is what other open orders reserve.
    """
    if ticket.order.side is None:
        return None
    need = needed(ticket.order.side, multiply(execution.gross, execution.price), limited=True)
    if not execution.withheld:
        need = add(need, execution.fee)
    return short_of(need, free_cash(book, others))


def under_margin(book: Book) -> str:
    """How far a book is below the margin that what is short must keep; empty when it is not."""
    short = book.short_value
    there = add(book.equity, short)  # cash and what is long
    if not short or there >= multiply(short, _MAINTENANCE):
        return ""
    share = multiply(divide(there, short), Decimal(100)).quantize(_ONE, ROUND_FLOOR)
    return (
        f"cash and long positions are worth {plain(there)}, {share} % of the {plain(short)} that is"
        f" short; below {plain(multiply(_MAINTENANCE, Decimal(100)))} % a broker would close it"
    )
