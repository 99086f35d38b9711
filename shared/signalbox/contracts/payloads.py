"""What events carry. Each class is the `data` of one event, or a part of it."""

from typing import Literal
from uuid import UUID

from pydantic import Field, JsonValue

from signalbox.contracts.values import (
    Action,
    Amount,
    Confidence,
    Name,
    OrderKind,
    OrderState,
    Outcome,
    Price,
    Quantity,
    Reason,
    Side,
    SignedQuantity,
    Slug,
    SourceType,
    Symbol,
    Target,
    UtcTime,
    Value,
)


class Signal(Value):
    """One source's word on one symbol."""

    signal_id: UUID  # from source_type, source_id and own_id
    source_type: SourceType
    source_id: Name  # project, config or strategy instance, token's name, user
    own_id: Name  # the source's own id for this word
    symbol: Symbol
    action: Action
    confidence: Confidence
    confidence_origin: Literal["source", "default"] = "source"
    raised_at: UtcTime  # the source's own time, on the market clock
    valid_until: UtcTime  # not acted on at or after this instant, on the market clock
    target: Target = Target.SANDBOX  # a real signal is not traded while prices are replayed
    epoch: int = 0  # of the market clock
    price: Price | None = None  # what the source saw
    stop_price: Price | None = None
    target_price: Price | None = None
    horizon_s: float | None = Field(None, gt=0)
    reasoning: str = Field("", max_length=4000)
    details: dict[str, str] = Field(default_factory=dict)


class Withdrawal(Value):
    """A source takes its word back, or shortens it."""

    signal_id: UUID
    source_type: SourceType
    source_id: Name
    symbol: Symbol
    valid_until: UtcTime  # the new, earlier expiry
    reason: str = ""


class LiveSignal(Value):
    """A word that still stood when a verdict was reached."""

    signal_id: UUID
    source_type: SourceType
    source_id: Name
    action: Action
    confidence: Confidence
    raised_at: UtcTime
    valid_until: UtcTime


class Verdict(Value):
    """What the router did with one signal for one bot, and exactly why."""

    verdict_id: UUID
    signal: Signal
    bot: Slug  # `none` when no bot lists the source
    account: str = ""
    round: int = 0  # 0 at first; 1 after approval, refusal or lapse
    outcome: Outcome
    reason: Reason
    rule: str = ""  # the policy's rule in words
    winner_id: UUID | None = None  # the signal that leads, when another one does
    numbers: dict[str, str] = Field(default_factory=dict)  # what decided it, by name
    inputs: tuple[LiveSignal, ...] = ()  # sorted by signal id
    decided_by: str | None = None  # the person, when one decided
    evaluated_at: UtcTime  # on the market clock


class QuoteUsed(Value):
    """The quote that a paper fill took its price from."""

    bid: Price
    ask: Price
    at: UtcTime


class LotSlice(Value):
    """The part of one lot that a fill opened or closed."""

    lot_id: UUID
    source_type: SourceType
    source_id: Name
    effect: Literal["opened", "closed"]
    quantity: Quantity
    entry_price: Price
    realised_pnl: Amount  # after fees; 0 less the fee when opened


class Fill(Value):
    """A part of an order that was executed."""

    fill_id: str  # broker, broker order id and cumulative quantity: a repeat is the same fill
    quantity: Quantity
    price: Price
    fee: Amount
    quote: QuoteUsed | None = None
    slippage_bps: Amount | None = None  # against the mid at the verdict; positive is worse
    slices: tuple[LotSlice, ...] = ()


class Order(Value):
    """An order after one state change or fill."""

    order_id: str  # our client order id, 32 hex digits
    intent_id: UUID  # the verdict's id; derived from the cause for exits and commands
    bot: Slug
    account: Slug
    mode: Literal["paper", "live"]
    symbol: Symbol
    side: Side | None = None  # none when it was denied before a side was known
    purpose: Literal["entry", "exit", "flatten", "protective"] = "entry"
    trigger: Literal["stop", "target", "trailing", "time"] | None = None  # of a protective exit
    leg: int = 0
    attempt: int = 0
    kind: OrderKind = OrderKind.MARKET
    limit_price: Price | None = None  # of a limit order: filled there or better
    stop_price: Price | None = None  # of a stop: becomes a market order when the price is there
    quantity: Quantity | None = None
    filled: Amount  # cumulative, units
    average_price: Price | None = None
    state: OrderState
    reason: str = ""  # code of a denial, rejection or cancellation
    message: str = ""  # the same in words
    numbers: dict[str, str] = Field(default_factory=dict)  # limit and observed value, by name
    source_type: SourceType
    source_id: Name
    confidence: Confidence | None = None
    signal_id: UUID | None = None
    verdict_id: UUID | None = None
    broker: str = ""
    broker_order_id: str = ""
    fence: int = 0
    at: UtcTime  # on the market clock
    fill: Fill | None = None


class Protection(Value):
    """What closes a lot by itself, also while its source is silent."""

    stop_price: Price | None = None
    target_price: Price | None = None
    trailing: Amount | None = None  # fraction of the best price, by which it may fall back
    best_price: Price | None = None  # since it was opened, where it is trailed; in coarse steps
    exit_at: UtcTime | None = None  # market time


class Lot(Value):
    """Open quantity that one source owns."""

    lot_id: UUID
    source_type: SourceType
    source_id: Name
    confidence: Confidence | None = None
    quantity: SignedQuantity  # what remains; negative is short
    entry_price: Price
    opened_at: UtcTime
    order_id: str
    protection: Protection | None = None


class Position(Value):
    """What a bot holds of one symbol after a change."""

    bot: Slug
    account: Slug
    symbol: Symbol
    quantity: SignedQuantity
    average_price: Price | None = None
    lots: tuple[Lot, ...] = ()
    realised_pnl: Amount  # of this bot and symbol, since the beginning
    at: UtcTime
    cause: str  # fill id; makes the event's id


class Equity(Value):
    """A bot's account value at one instant, positions at mid."""

    bot: Slug
    account: Slug
    equity: Amount
    cash: Amount
    exposure_gross: Amount
    exposure_net: Amount
    realised_pnl: Amount
    unrealised_pnl: Amount
    fees: Amount
    at: UtcTime
    cause: str  # fill id, or the market minute


class Bar(Value):
    """Open, high, low, close and volume of one closed span."""

    symbol: Symbol
    interval: str  # 1m, 1d
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Amount  # units
    opened_at: UtcTime  # on the market clock
    closed_at: UtcTime
    epoch: int
    origin: str  # which feed or data set
    true_opened_at: UtcTime  # when it really happened; differs from opened_at under replay
    session_open: bool = True  # whether the market is open at closed_at
    session_closes_at: UtcTime | None = None


class Quote(Value):
    """Best bid and ask at one instant."""

    symbol: Symbol
    bid: Price
    ask: Price
    at: UtcTime  # on the market clock
    epoch: int
    origin: str
    session_open: bool = True
    session_closes_at: UtcTime | None = None
    volume: Amount | None = None  # units of the current bar, where known


class News(Value):
    """A headline about one symbol."""

    news_id: Name
    symbol: Symbol
    headline: str = Field(max_length=1000)
    summary: str = Field("", max_length=8000)
    url: str = ""
    published_at: UtcTime


class State(Value):
    """The last known state of something that a service looks after."""

    service: Slug
    kind: Slug
    id: Name
    body: dict[str, JsonValue]
    at: UtcTime  # wall time


class Push(Value):
    """What arrived at a webhook, as received, after authentication."""

    push_id: UUID
    config_id: Slug
    body: str = Field(max_length=65536)
    received_at: UtcTime
