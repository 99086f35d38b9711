"""Accounts, orders, executions and positions, all in memory: market orders at the newest quote."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from uuid import uuid4

from signalbox.contracts.payloads import Quote

ZERO = Decimal(0)
_START_CASH = Decimal(100_000)
_CRYPTO_FEE = Decimal("0.0025")  # of what a fill brings
_UNIT = Decimal("0.000000001")
_HALF = Decimal("0.5")
_FINAL = frozenset({"filled", "canceled", "expired", "rejected"})


class Rejection(Exception):
    """An error answer in Alpaca's form."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(slots=True)
class Order:
    """One order."""

    id: str
    client_id: str
    symbol: str
    side: str
    quantity: Decimal
    at: datetime
    status: str = "accepted"
    filled: Decimal = ZERO
    paid: Decimal = ZERO  # sum of price times quantity
    hold: bool = False  # fills only when it is told to
    in_parts: bool = False  # the first quote fills half of it

    @property
    def open(self) -> bool:
        """Whether it may still be filled."""
        return self.status not in _FINAL

    @property
    def sign(self) -> int:
        """+1 for a buy."""
        return 1 if self.side == "buy" else -1


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill; `number` counts those of the account."""

    number: int
    order: Order
    quantity: Decimal
    cumulative: Decimal
    price: Decimal
    at: datetime


@dataclass(slots=True)
class Account:
    """What one key trades in."""

    id: str
    cash: Decimal = _START_CASH
    orders: dict[str, Order] = field(default_factory=dict)
    names: dict[str, Order] = field(default_factory=dict)  # by client id, for ever
    executions: list[Execution] = field(default_factory=list)
    positions: dict[str, Decimal] = field(default_factory=dict)
    costs: dict[str, Decimal] = field(default_factory=dict)  # average price


Tell = Callable[[Account, str, Order, Execution | None], None]


def _now() -> datetime:
    return datetime.now(UTC)


def _nobody(_account: Account, _event: str, _order: Order, _fill: Execution | None) -> None:
    """Nobody listens."""


@dataclass(slots=True)
class Venue:
    """The market and everybody's account in it. A key that is used for the first time opens one."""

    wall: Callable[[], datetime] = _now
    quotes: dict[str, Quote] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    assets: dict[str, dict[str, object]] = field(default_factory=dict)  # what is unlike others
    tell: Tell = _nobody  # what happens to an order

    def account(self, key: str) -> Account:
        """The account of a key."""
        return self.accounts.setdefault(key, Account(f"account-{len(self.accounts) + 1}"))

    def hear(self, quote: Quote) -> None:
        """Take a quote; open orders on it are filled."""
        known = self.quotes.get(quote.symbol)
        if known is not None and (quote.epoch, quote.at) < (known.epoch, known.at):
            return
        self.quotes[quote.symbol] = quote
        for account in self.accounts.values():
            for order in [o for o in account.orders.values() if o.open]:
                if order.symbol == quote.symbol:
                    self.match(account, order)

    def place(self, account: Account, order: Order) -> Order:
        """Take an order, and fill it where there is a quote.

        Raises:
            Rejection: Alpaca would not take it.
        """
        if order.client_id in account.names:
            raise Rejection(422, 40010001, "client_order_id must be unique")
        self._check(account, order)
        account.orders[order.id] = account.names[order.client_id] = order
        self.tell(account, "new", order, None)
        self.match(account, order)
        return order

    def _check(self, account: Account, order: Order) -> None:
        held = account.positions.get(order.symbol, ZERO)
        if order.quantity <= ZERO:
            raise Rejection(422, 40010001, "qty must be > 0")
        against = [o for o in account.orders.values() if o.open and o.symbol == order.symbol]
        if any(other.side != order.side for other in against):
            raise Rejection(403, 40310000, "opposite side market/stop order exists")
        after = held + order.sign * order.quantity
        if held and (held > 0) != (after > 0) and after:
            raise Rejection(403, 40310000, "insufficient qty available for order")
        if after < 0 and ("/" in order.symbol or order.quantity % 1):
            raise Rejection(403, 40310000, "account is not allowed to short")
        quote = self.quotes.get(order.symbol)
        price = quote.ask if quote else ZERO
        if after > held > -1 and order.quantity * price > account.cash:
            raise Rejection(403, 40310000, "insufficient buying power")

    def match(self, account: Account, order: Order) -> None:
        """Fill an open order at the newest quote, unless it is held."""
        quote = self.quotes.get(order.symbol)
        if quote is None or not quote.session_open or order.hold or not order.open:
            return
        quantity = order.quantity - order.filled
        if order.in_parts and not order.filled:
            quantity = (quantity * _HALF).quantize(_UNIT, ROUND_DOWN) or quantity
        self.fill(account, order, quantity, quote.ask if order.side == "buy" else quote.bid)

    def fill(self, account: Account, order: Order, quantity: Decimal, price: Decimal) -> None:
        """Execute a part of an order, late or not; crypto pays its fee from what it gets."""
        order.filled += quantity
        order.paid += quantity * price
        if order.filled == order.quantity:
            order.status = "filled"
        elif order.open:
            order.status = "partially_filled"
        number = len(account.executions) + 1
        done = Execution(number, order, quantity, order.filled, price, self.wall())
        account.executions.append(done)
        _settle(account, order, quantity, price)
        self.tell(account, "fill" if order.status == "filled" else "partial_fill", order, done)

    def cancel(self, account: Account, order_id: str) -> None:
        """End an order.

        Raises:
            Rejection: there is none, or it is too late.
        """
        order = account.orders.get(order_id)
        if order is None:
            raise Rejection(404, 40410000, f"order not found for {order_id}")
        if not order.open:
            raise Rejection(422, 42210000, f'order is already in "{order.status}" state')
        order.status = "canceled"
        self.tell(account, "canceled", order, None)

    def executions(self, account: Account) -> Iterator[Execution]:
        """All fills, oldest first."""
        yield from account.executions


def new_order(symbol: str, side: str, quantity: Decimal, client_id: str, at: datetime) -> Order:
    """An order that nobody has seen yet."""
    return Order(str(uuid4()), client_id or str(uuid4()), symbol, side, quantity, at)


def _settle(account: Account, order: Order, quantity: Decimal, price: Decimal) -> None:
    """Move cash and position."""
    symbol, held = order.symbol, account.positions.get(order.symbol, ZERO)
    fee = _CRYPTO_FEE if "/" in symbol else ZERO
    got = quantity - (quantity * fee).quantize(_UNIT) if order.sign > 0 else quantity
    cash = quantity * price
    account.cash += -cash if order.sign > 0 else cash - (cash * fee).quantize(_UNIT)
    after = held + order.sign * got
    if abs(after) > abs(held):
        known = account.costs.get(symbol, ZERO)
        account.costs[symbol] = (abs(held) * known + got * price) / abs(after)
    account.positions[symbol] = after
    if not after:
        account.positions.pop(symbol)
        account.costs.pop(symbol, None)
