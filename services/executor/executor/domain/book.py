"""What one bot owns in one account: cash, positions, lots, and their value at the newest prices."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from executor.domain.money import ZERO, add, divide, halfway, multiply, subtract
from signalbox.contracts.payloads import Equity, Lot, Position, Quote

_MOST_LOTS = 400  # in one event, so that it stays below the bus's largest message
_MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Holding:
    """One symbol of a book. `lots` are oldest first."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO  # sum of lot quantity times entry price, signed
    realised: Decimal = ZERO  # after fees, since the beginning
    price: Decimal = ZERO  # newest mid, else the last fill's price
    lots: tuple[Lot, ...] = ()

    @property
    def flat(self) -> bool:
        """Whether it is worth nothing and cost nothing. Lots of both directions may add up to no
        quantity and still have a profit to come.
        """
        return not self.quantity and not self.cost

    @property
    def value(self) -> Decimal:
        """What it is worth; negative when short."""
        return multiply(self.quantity, self.price)


FLAT = Holding()


@dataclass(frozen=True, slots=True)
class Risk:
    """What the rules about a bad day need to know."""

    day: str = ""  # market date, ISO
    opened_with: Decimal | None = None  # equity when that day began
    losses: int = 0  # losing exits in a row
    locked_until: datetime | None = None  # market time; no entries before
    locked_why: str = ""
    rejections: int = 0  # entries in a row that the broker has rejected
    peak: Decimal | None = None  # highest equity at a minute's mark
    cooling: tuple[tuple[str, datetime], ...] = ()  # symbols, and when they may be entered again


NO_RISK = Risk()


@dataclass(frozen=True, slots=True)
class Book:
    """Equity is always what it started with, plus realised, plus unrealised profit."""

    bot: str
    account: str
    started_with: Decimal
    cash: Decimal
    realised: Decimal = ZERO  # after fees
    fees: Decimal = ZERO
    recent: tuple[tuple[int, int], ...] = ()  # (second of market time, orders planned in it)
    holdings: Mapping[str, Holding] = field(default_factory=dict)
    net: Decimal = ZERO  # sum of values
    gross: Decimal = ZERO  # sum of absolute values
    cost: Decimal = ZERO  # sum of costs
    risk: Risk = NO_RISK

    @property
    def equity(self) -> Decimal:
        """Cash plus positions at their marks."""
        return add(self.cash, self.net)

    @property
    def unrealised(self) -> Decimal:
        """What closing everything at the marks would add, before fees."""
        return subtract(self.net, self.cost)

    @property
    def short_value(self) -> Decimal:
        """The absolute value of what is short."""
        return multiply(subtract(self.gross, self.net), Decimal("0.5"))


def valued(book: Book) -> Book:
    """The book with the sums over its holdings."""
    net = gross = cost = ZERO
    for holding in book.holdings.values():
        value = holding.value
        net, gross, cost = add(net, value), add(gross, value.copy_abs()), add(cost, holding.cost)
    return replace(book, net=net, gross=gross, cost=cost)


def marked(book: Book, quotes: Mapping[str, Quote], seen: dict[str, Quote]) -> Book:
    """The book at the newest mids; `seen` are the quotes by symbol that it is marked at."""
    changed: dict[str, Holding] = {}
    for symbol, holding in book.holdings.items():
        quote = quotes.get(symbol)
        if quote is None or seen.get(symbol) is quote:
            continue
        seen[symbol] = quote
        price = halfway(quote)
        if price != holding.price:
            changed[symbol] = replace(holding, price=price)
    if not changed:
        return book
    return valued(replace(book, holdings={**book.holdings, **changed}))


def with_holding(book: Book, symbol: str, holding: Holding, *, cash: Decimal, fee: Decimal) -> Book:
    """The book after a fill has changed one holding and moved `cash` (fee included)."""
    old = book.holdings.get(symbol, FLAT)
    was, now = old.value, holding.value
    return Book(
        bot=book.bot,
        account=book.account,
        started_with=book.started_with,
        cash=add(book.cash, cash),
        realised=add(book.realised, subtract(holding.realised, old.realised)),
        fees=add(book.fees, fee),
        recent=book.recent,
        holdings={**book.holdings, symbol: holding},
        net=add(book.net, subtract(now, was)),
        gross=add(book.gross, subtract(now.copy_abs(), was.copy_abs())),
        cost=add(book.cost, subtract(holding.cost, old.cost)),
        risk=book.risk,
    )


def orders_last_minute(book: Book, now: datetime) -> int:
    """Orders planned in the last minute of market time, to the second."""
    second = int(now.timestamp())
    return sum(count for at, count in book.recent if second - _MINUTE_S < at <= second)


def with_order_counted(book: Book, now: datetime) -> Book:
    """The book after one more planned order; what is older than a minute is forgotten."""
    second = int(now.timestamp())
    kept = tuple(entry for entry in book.recent if second - _MINUTE_S < entry[0] < second)
    this_second = sum(count for at, count in book.recent if at == second)
    kept = (*kept, (second, this_second + 1))
    return Book(
        bot=book.bot,
        account=book.account,
        started_with=book.started_with,
        cash=book.cash,
        realised=book.realised,
        fees=book.fees,
        recent=kept,
        holdings=book.holdings,
        net=book.net,
        gross=book.gross,
        cost=book.cost,
        risk=book.risk,
    )


def equity_of(book: Book, at: datetime, cause: str) -> Equity:
    """The book's value as it is published."""
    return Equity(
        bot=book.bot,
        account=book.account,
        equity=book.equity,
        cash=book.cash,
        exposure_gross=book.gross,
        exposure_net=book.net,
        realised_pnl=book.realised,
        unrealised_pnl=book.unrealised,
        fees=book.fees,
        at=at,
        cause=cause,
    )


def position_of(book: Book, symbol: str, at: datetime, cause: str) -> Position:
    """One holding as it is published; of very many lots, the newest.

    The average price is left out when lots of both directions make it meaningless.
    """
    holding = book.holdings.get(symbol, FLAT)
    average = divide(holding.cost, holding.quantity) if holding.quantity else None
    return Position(
        bot=book.bot,
        account=book.account,
        symbol=symbol,
        quantity=holding.quantity,
        average_price=average if average is not None and average > 0 else None,
        lots=holding.lots[-_MOST_LOTS:],
        realised_pnl=holding.realised,
        at=at,
        cause=cause,
    )
