"""Brokers over the network: which orders go to one, whether they may, and what one reports."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypedDict

from executor.domain.fees import is_pair, of_pair
from executor.domain.money import UNIT, ZERO, divide, multiply, subtract
from executor.domain.orders import Execution, Ticket
from executor.domain.paper import NAME as PAPER
from executor.domain.scene import Denial
from signalbox.contracts.accounts import AccountConfig
from signalbox.contracts.config import BotConfig
from signalbox.contracts.ids import plain
from signalbox.contracts.values import OrderKind, OrderState, Side, Target


class Kind(StrEnum):
    """What an answer means for the order that was sent."""

    DONE = "done"
    REJECTED = "rejected"  # for good; it does not exist
    EXISTS = "exists"  # this client order id has been taken before
    LIMITED = "limited"  # nothing was accepted; later it may be
    REFUSED = "refused"  # the keys are not valid
    MISSING = "missing"  # there is no such thing
    UNKNOWN = "unknown"  # it may or may not have taken effect


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a broker, or what became of it."""

    kind: Kind
    body: object = None
    order: "BrokerOrder | None" = None  # of DONE, where an order was sent
    code: str = ""  # the broker's own
    message: str = ""
    request_id: str = ""
    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """An order as the broker shows it."""

    broker_id: str
    client_id: str
    symbol: str
    side: Side
    quantity: Decimal  # ordered, units
    filled: Decimal  # cumulative, units
    average_price: Decimal | None
    status: str  # the broker's own word
    state: OrderState | None  # None: a word that is not known here
    kind: str = ""  # the broker's own word; empty where it does not say
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class BrokerFill:
    """One execution as the broker shows it."""

    broker_id: str  # of its order
    quantity: Decimal
    cumulative: Decimal  # of the order, after this one
    price: Decimal
    at: datetime  # wall time


@dataclass(frozen=True, slots=True)
class BrokerPosition:
    """What the account holds of a symbol."""

    symbol: str
    quantity: Decimal  # negative when short
    available: Decimal  # not reserved by open orders, unsigned


@dataclass(frozen=True, slots=True)
class Asset:
    """What may be ordered of a symbol."""

    tradable: bool
    shortable: bool
    step: Decimal  # quantities are multiples of it
    least: Decimal = field(default=ZERO)  # units
    tick: Decimal = field(default=ZERO)  # prices are multiples of it; 0: as usual


class Routing(TypedDict):
    """The fields of an order that say where it goes."""

    mode: Literal["paper", "live"]
    broker: str
    broker_order_id: str


def routing(account: AccountConfig | None, order_id: str) -> Routing:
    """Where an order goes; the paper broker knows it by our own id."""
    if account is None or account.broker == PAPER:
        return {
            "mode": account.mode if account else "paper",
            "broker": PAPER,
            "broker_order_id": order_id,
        }
    return {"mode": account.mode, "broker": account.broker, "broker_order_id": ""}


def execution_of(fill: BrokerFill, symbol: str, side: Side, fee_bps: Decimal) -> Execution:
    """A broker's fill in our terms. Of crypto the fee is taken from what the fill brings: units of
    a buy, money of a sell.
    """
    if not is_pair(symbol) or not fee_bps:
        return Execution(fill.quantity, fill.price)
    return of_pair(side, fill.quantity, fill.price, fee_bps)


def contradiction(ticket: Ticket, shown: BrokerOrder) -> str:
    """How what the broker has under our order's name differs from what was meant to leave; empty
    when it does not.
    """
    order = ticket.order
    meant = f"{order.side} {plain(order.quantity or ZERO)} {order.symbol}"
    there = f"{shown.side} {plain(shown.quantity)} {shown.symbol}"
    if shown.quantity and there != meant:
        return f"order {order.order_id} was to {meant}, the broker has {there}"
    meant, there = _terms(order.kind, order.limit_price, order.stop_price), _shown_terms(shown)
    if shown.kind and there != meant:
        return f"order {order.order_id} was to be {meant}, the broker has {there}"
    if order.quantity is not None and shown.filled > order.quantity:
        filled = f"{plain(shown.filled)} of {plain(order.quantity)}"
        return f"order {order.order_id} is filled with {filled}"
    return ""


def _terms(kind: str, limit: Decimal | None, stop: Decimal | None) -> str:
    prices = (("limit", limit), ("stop", stop))
    return " ".join([kind, *(f"{name} {plain(at)}" for name, at in prices if at is not None)])


def _shown_terms(shown: BrokerOrder) -> str:
    """The terms as we would have named them: of a stop Alpaca may make one with a limit."""
    if shown.kind == "stop_limit":
        return _terms(OrderKind.STOP, None, shown.stop_price)
    return _terms(shown.kind, shown.limit_price, shown.stop_price)


def fill_of(shown: BrokerOrder, ticket: Ticket, at: datetime) -> BrokerFill | None:
    """What is not booked yet as one fill, from the order's average price; None when that is not
    known. For executions that the broker does not list.
    """
    quantity = subtract(shown.filled, ticket.order.filled)
    if shown.average_price is None or quantity <= ZERO:
        return None
    paid = subtract(multiply(shown.average_price, shown.filled), ticket.notional)
    price = divide(paid, quantity)
    if price <= ZERO:
        return None
    return BrokerFill(shown.broker_id, quantity, shown.filled, price.quantize(UNIT), at)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a broker's kinds of accounts are."""

    sandbox: str
    paper: str
    live: str

    def of(self, account: AccountConfig) -> str:
        """Where this account is; real money only where it says so itself."""
        if account.target is Target.SANDBOX:
            return self.sandbox
        return self.live if account.mode == "live" else self.paper


def objection(
    account: AccountConfig, bot: BotConfig | None, *, replay: bool, allow_live: bool
) -> Denial | None:
    """Why no order may go to this account at all."""
    name = f"{account.broker} in {account.mode} mode"
    if account.broker == PAPER:
        if account.mode == PAPER:
            return None
        words = f"no orders go to {name}: a paper account has no live market"
        return Denial("broker_unavailable", words)
    if replay and account.target is Target.REAL:
        words = f"prices are replayed, so nothing goes to {account.broker}"
        return Denial("replay_feed", words)
    if account.key_sealed is None or account.secret_sealed is None:
        words = f"account {account.id} has no keys for {account.broker}; enter them in the settings"
        return Denial("broker_unavailable", words)
    if account.mode == PAPER:
        return None
    missing = []
    if bot is None or not bot.live:
        missing.append(f"bot {bot.id if bot else ''} does not say live")
    if not allow_live:
        missing.append("this executor was started without SIGNALBOX_ALLOW_LIVE=true")
    if not missing:
        return None
    words = f"account {account.id} trades real money, but {' and '.join(missing)}"
    return Denial("live_not_allowed", words)
