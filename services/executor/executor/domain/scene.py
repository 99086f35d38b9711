"""What a rule may know when it plans or fills an order, and what it may answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from executor.domain.book import Book
from executor.domain.desk import Repeat
from executor.domain.money import ZERO, add, multiply
from executor.domain.orders import Follow, Guard, Ticket, advance
from executor.domain.volatility import Key, Range
from signalbox.contracts.accounts import AccountConfig, KillSwitch
from signalbox.contracts.config import BotConfig
from signalbox.contracts.payloads import Quote
from signalbox.contracts.values import OrderState, Side, SourceType

INITIAL_MARGIN = Decimal("1.5")  # of the value of what is short, its proceeds included
SHORT_PART = INITIAL_MARGIN - 1
_RESERVE = Decimal("1.03")  # a market buy may cost more than the quote says


@dataclass(frozen=True, slots=True)
class Reserved:
    """What orders that are sized and not yet filled may still use of the limits."""

    quantity: Decimal = ZERO  # of the symbol, signed
    gross: Decimal = ZERO  # over all symbols
    cash: Decimal = ZERO  # for buys with the reserve, for short sales as margin
    sources: Mapping[SourceType, Decimal] = field(default_factory=dict)  # of the gross, by owner


NOTHING_RESERVED = Reserved()


@dataclass(frozen=True, slots=True)
class Scene:
    """One bot, one symbol, one instant of market time."""

    bot: BotConfig | None
    account: AccountConfig | None  # the bot's own
    book: Book  # the bot's in that account, with the symbol's lots
    quote: Quote | None  # only when it is fresh enough to trade on
    now: datetime
    former: tuple[Book, ...] = ()  # the bot's in accounts that it has left, with the symbol's lots
    kill_switch: KillSwitch = field(default_factory=KillSwitch)
    closed: bool = False  # the symbol's market, as far as is known
    replay: bool = False  # prices are not of today
    halted: str = ""  # why the key is halted; empty when it is not
    reserved: Reserved = NOTHING_RESERVED
    repeat: Repeat | None = None  # the last entry on the symbol
    allow_live: bool = False  # whether this process may trade real money
    epoch: int = 0  # of the market clock
    ranges: Mapping[Key, Range] = field(default_factory=dict)  # by `key_of`: how far prices move


@dataclass(frozen=True, slots=True)
class Denial:
    """No, and exactly why."""

    code: str
    message: str
    numbers: dict[str, str] = field(default_factory=dict)  # limit and observed, where there are any


def advance_for(ticket: Ticket, state: OrderState, why: Denial, at: datetime) -> Ticket:
    """The ticket in its next state, and why.

    Raises:
        InvariantBroken: `state` may not follow the present one.
    """
    return advance(ticket, state, at, reason=why.code, message=why.message, numbers=why.numbers)


@dataclass(frozen=True, slots=True)
class Intent:
    """An order that should be made. An entry without a quote gets its size from the quote that
    fills it.
    """

    side: Side
    account: str  # where; an exit follows its lots, also to an account that the bot has left
    entry: bool
    quantity: Decimal | None
    targets: tuple[UUID, ...] = ()  # the lots that an exit closes
    guard: Guard | None = None  # what protects the lots that an entry opens
    follow: Follow | None = None  # the entry that comes after an exit that is a flip's first half
    limit_price: Decimal | None = None  # of an entry that is a limit order


def usable(quote: Quote | None, now: datetime, epoch: int, max_age_s: int) -> Quote | None:
    """The quote if an order may be filled on it: of this epoch, in the session, and fresh in
    market time.
    """
    if quote is None or quote.epoch != epoch or outside(quote, now):
        return None
    return quote if now - quote.at <= timedelta(seconds=max_age_s) else None


def outside(quote: Quote, now: datetime) -> bool:
    """Whether the market of the newest quote is closed."""
    over = quote.session_closes_at is not None and now >= quote.session_closes_at
    return over or not quote.session_open


def reserved_by(tickets: Sequence[Ticket], symbol: str) -> Reserved:
    """What the unfilled rest of these orders may still use; exits only give back and count for
    nothing.
    """
    quantity = gross = cash = ZERO
    sources: dict[SourceType, Decimal] = {}
    if not tickets:
        return NOTHING_RESERVED
    for ticket in tickets:
        left, side, limit = ticket.remaining, ticket.order.side, ticket.order.limit_price
        price = limit or ticket.order.average_price or ticket.arrival or ticket.signal_price
        if not (ticket.open and ticket.entry and left and side and price):
            continue
        notional = multiply(left, price)
        gross = add(gross, notional)
        source = ticket.order.source_type
        sources[source] = add(sources.get(source, ZERO), notional)
        cash = add(cash, needed(side, notional, limited=limit is not None))
        if ticket.order.symbol == symbol:
            quantity = add(quantity, multiply(left, Decimal(side.sign)))
    return Reserved(quantity, gross, cash, sources)


def needed(side: Side, notional: Decimal, *, limited: bool = False) -> Decimal:
    """What an entry of this value takes of the free cash: a buy at the market 3 % more, since its
    price is not known; a short sale what its proceeds do not cover of its margin.
    """
    if side is Side.SELL:
        return multiply(notional, SHORT_PART)
    return notional if limited else multiply(notional, _RESERVE)
