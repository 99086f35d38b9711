"""A book made right by a person: somebody has traded in an account at its broker, and says what it
holds now. No order is sent for it.
"""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from executor.domain.book import FLAT, Book
from executor.domain.desk import Desk
from executor.domain.money import ZERO, subtract
from executor.domain.orders import Execution, Ticket, advance
from executor.handlers.booking import ExecutorMoment, book_fill, record
from signalbox.contracts import ids
from signalbox.contracts.accounts import AccountConfig
from signalbox.contracts.commands import Command
from signalbox.contracts.errors import Conflict, Malformed
from signalbox.contracts.events import Event
from signalbox.contracts.payloads import Order
from signalbox.contracts.values import OrderState, Side, SourceType

_MOST_DIGITS = 30


def number_of(command: Command, name: str) -> Decimal:
    """A number of the command's body, sent as text.

    Raises:
        Malformed: it is none.
    """
    try:
        number = Decimal(str(command.body.get(name)))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or len(number.as_tuple().digits) > _MOST_DIGITS:
        raise Malformed(f"{name}: a number as text is needed")
    return number


def order_id_of(request_id: str, book: Book, symbol: str) -> str:
    """The name under which a correction is booked."""
    return ids.client_order_id(book.account, f"cmd|{request_id}|{symbol}", book.bot, 0, 0)


def correct(
    desk: Desk,
    book: Book,
    symbol: str,
    *,
    holds: Decimal,
    price: Decimal,
    command: Command,
    moment: ExecutorMoment,
) -> Iterator[Event]:
    """Book what somebody else has bought or sold, as an execution of the source `external`. What
    was sold are the oldest lots, whoever owns them; what was bought opens a lot.

    Raises:
        Conflict: the account is simulated, an order is on its way, or nothing differs.
    """
    account = desk.accounts.get(book.account)
    if account is None or account.broker == "paper":
        raise Conflict(f"{book.account} is simulated: its book is the truth")
    if desk.open_orders(book.bot, symbol):
        raise Conflict(f"orders of {book.bot} on {symbol} are open; cancel them first")
    held = book.holdings.get(symbol, FLAT)
    apart = subtract(holds, held.quantity)
    if not apart:
        raise Conflict(f"the book holds {holds} of {symbol} already")
    side = Side.BUY if apart > ZERO else Side.SELL
    against = [lot for lot in held.lots if (lot.quantity > ZERO) is (side is Side.SELL)]
    order = _order(
        book,
        account,
        symbol,
        side=side,
        quantity=apart.copy_abs(),
        command=command,
        moment=moment,
    )
    ticket = Ticket(
        order=order,
        correlation_id=order.intent_id,
        config_version=0,
        planned_at=moment.now,
        targets=tuple(lot.lot_id for lot in against),
    )
    yield record(desk, ticket, moment, None)
    ticket = advance(ticket, OrderState.ACCEPTED, moment.now)
    yield record(desk, ticket, moment, None)
    yield from book_fill(desk, ticket, Execution(apart.copy_abs(), price), moment, None)


def _order(
    book: Book,
    account: AccountConfig,
    symbol: str,
    *,
    side: Side,
    quantity: Decimal,
    command: Command,
    moment: ExecutorMoment,
) -> Order:
    name = order_id_of(command.request_id, book, symbol)
    return Order(
        order_id=name,
        intent_id=ids.derive("cmd", command.request_id, symbol, book.bot, book.account),
        bot=book.bot,
        account=book.account,
        symbol=symbol,
        side=side,
        purpose="exit",
        quantity=quantity,
        filled=ZERO,
        state=OrderState.PLANNED,
        message=f"corrected by {command.by}",
        source_type=SourceType.EXTERNAL,
        source_id="broker",
        mode=account.mode,
        broker=account.broker,
        broker_order_id=f"correction-{name}",
        fence=moment.fence,
        at=moment.now,
    )
