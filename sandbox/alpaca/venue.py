"""Accounts, orders, executions and positions, all in memory. What is marketable is filled at the
newest quote; the rest rests.
"""

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


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order asks for."""

    kind: str = "market"  # or limit, or stop
    time_in_force: str = "day"  # or gtc, or ioc
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


@dataclass(slots=True)
class Order:
    """One order."""

    id: str
    client_id: str
    symbol: str
    side: str
    quantity: Decimal
    at: datetime
    terms: Terms
    status: str = "accepted"
    filled: Decimal = ZERO
    paid: Decimal = ZERO  # sum of price times quantity
    hold: bool = False  # fills only when it is told to
    in_parts: bool = False  # the first quote fills half of it
    met: Quote | None = None  # the last quote of an open session since it is there
    triggered: bool = False  # a stop: it is a market order now

    @property
    def left(self) -> Decimal:
        """What is not filled."""
        return self.quantity - self.filled

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
        """Take a quote; open orders on it are filled, those of a day that is over expire."""
        known = self.quotes.get(quote.symbol)
        if known is not None and (quote.epoch, quote.at) < (known.epoch, known.at):
            return
        self.quotes[quote.symbol] = quote
        for account in self.accounts.values():
            for order in [o for o in account.orders.values() if o.open]:
                if order.symbol != quote.symbol:
                    continue
                if _outlived(order, quote):
                    self._end(account, order, "expired")
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
        if order.terms.time_in_force == "ioc" and order.open and not order.hold:
            self._end(account, order, "canceled")
        return order

    def _check(self, account: Account, order: Order) -> None:
        held = account.positions.get(order.symbol, ZERO)
        if order.quantity <= ZERO:
            raise Rejection(422, 40010001, "qty must be > 0")
        against = [o for o in account.orders.values() if o.open and o.symbol == order.symbol]
        if any(other.side != order.side for other in against):
            raise Rejection(403, 40310000, "opposite side market/stop order exists")
        after = held + order.sign * order.quantity
        there = abs(available(account, order.symbol))
        if held * order.sign < 0 and order.quantity > there:
            words = f"(requested: {order.quantity}, available: {there})"
            raise Rejection(403, 40310000, f"insufficient qty available for order {words}")
        if after < 0 and ("/" in order.symbol or order.quantity % 1):
            raise Rejection(403, 40310000, "account is not allowed to short")
        if after > held > -1 and self._cost(order) > self.buying_power(account):
            raise Rejection(403, 40310000, "insufficient buying power")

    def buying_power(self, account: Account) -> Decimal:
        """Cash that no open order has reserved."""
        buying = (
            o
            for o in account.orders.values()
            if o.open and o.sign > 0 and account.positions.get(o.symbol, ZERO) >= 0
        )
        return account.cash - sum((self._cost(order) for order in buying), ZERO)

    def _cost(self, order: Order) -> Decimal:
        """What the rest of a buy may cost."""
        quote, terms = self.quotes.get(order.symbol), order.terms
        market = max(quote.ask if quote else ZERO, terms.stop_price or ZERO)
        return order.left * (terms.limit_price or market)

    def match(self, account: Account, order: Order) -> None:
        """Fill an open order at the newest quote, unless it rests or is held."""
        quote = self.quotes.get(order.symbol)
        if quote is None or not quote.session_open or not order.open:
            return
        order.met = quote
        price = None if order.hold else _met(order, quote)
        if price is None:
            return
        quantity = order.left
        if order.in_parts and not order.filled:
            quantity = (quantity * _HALF).quantize(_UNIT, ROUND_DOWN) or quantity
        self.fill(account, order, quantity, price)

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
        self._end(account, order, "canceled")

    def _end(self, account: Account, order: Order, status: str) -> None:
        order.status = status
        self.tell(account, status, order, None)

    def executions(self, account: Account) -> Iterator[Execution]:
        """All fills, oldest first."""
        yield from account.executions


def new_order(
    symbol: str,
    side: str,
    quantity: Decimal,
    client_id: str,
    at: datetime,
    *,
    terms: Terms | None = None,
) -> Order:
    """An order that nobody has seen yet; at the market unless its terms say otherwise."""
    usual = Terms(time_in_force="gtc" if "/" in symbol else "day")
    name = client_id or str(uuid4())
    return Order(str(uuid4()), name, symbol, side, quantity, at, terms or usual)


def available(account: Account, symbol: str) -> Decimal:
    """What of a position open orders do not reserve; negative when short."""
    quantity = account.positions.get(symbol, ZERO)
    side = "sell" if quantity > 0 else "buy"
    open_orders = (o for o in account.orders.values() if o.open and o.symbol == symbol)
    reserved = sum((o.left for o in open_orders if o.side == side), ZERO)
    return (abs(quantity) - reserved).copy_sign(quantity)


def _met(order: Order, quote: Quote) -> Decimal | None:
    """The price that an order gets from a quote; None while it rests. A stop becomes a market order
    when the price that it would get is there or beyond.
    """
    price, terms = quote.ask if order.side == "buy" else quote.bid, order.terms
    if terms.limit_price is not None and order.sign * (price - terms.limit_price) > 0:
        return None
    if terms.stop_price is not None and not order.triggered:
        order.triggered = order.sign * (price - terms.stop_price) >= 0
        return price if order.triggered else None
    return price


def _outlived(order: Order, quote: Quote) -> bool:
    """Whether the session that a day's order was good for is over."""
    if order.terms.time_in_force != "day" or order.met is None:
        return False
    return not quote.session_open or quote.session_closes_at != order.met.session_closes_at


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
