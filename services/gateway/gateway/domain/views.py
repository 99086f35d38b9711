"""What the REST interface answers: frozen, every field named, nothing secret among them."""

from decimal import Decimal
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, PlainSerializer

from signalbox.contracts.ids import plain
from signalbox.contracts.payloads import Protection
from signalbox.contracts.values import UtcTime

T = TypeVar("T")

# Money, prices and quantities travel as text, so that no reader rounds them.
Number = Annotated[Decimal, PlainSerializer(plain, return_type=str)]


class View(BaseModel):
    """One answer, or a part of one. What is not named here stays inside."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Listing(View, Generic[T]):
    """A part of a list, newest first. `next_cursor` is null at the end."""

    items: tuple[T, ...]
    next_cursor: str | None = None


class SignalView(View):
    """One source's word on one symbol."""

    id: str
    source_type: str
    source_id: str
    own_id: str
    symbol: str
    action: str
    confidence: Number
    confidence_origin: str
    raised_at: UtcTime
    valid_until: UtcTime
    withdrawn: bool = False
    target: str
    epoch: int
    price: Number | None = None
    stop_price: Number | None = None
    target_price: Number | None = None
    horizon_s: float | None = None
    reasoning: str = ""
    details: dict[str, str] = {}


class LiveSignalView(View):
    """A word that stood when a verdict was reached."""

    signal_id: str
    source_type: str
    source_id: str
    action: str
    confidence: Number
    raised_at: UtcTime
    valid_until: UtcTime


class VerdictView(View):
    """What the router did with one signal for one bot, and why."""

    id: str
    signal_id: str
    bot: str
    account: str
    symbol: str
    source_type: str
    source_id: str
    action: str
    confidence: Number
    round: int
    outcome: str
    reason: str
    explanation: str  # the reason in words
    rule: str
    winner_id: str | None = None
    numbers: dict[str, str] = {}
    inputs: tuple[LiveSignalView, ...] = ()
    decided_by: str | None = None
    evaluated_at: UtcTime
    valid_until: UtcTime
    current: bool  # false when a later round replaced it
    sequence: int | None = None
    config_version: int = 0


class SliceView(View):
    """How much of which lot a fill opened or closed."""

    lot_id: str
    source_type: str
    source_id: str
    effect: str
    quantity: Number
    entry_price: Number
    realised_pnl: Number


class TradeView(View):
    """One fill, and whose lots it touched."""

    id: str
    order_id: str
    bot: str
    account: str
    mode: str
    symbol: str
    side: str
    purpose: str
    quantity: Number
    price: Number
    fee: Number
    realised_pnl: Number
    slippage_bps: Number | None = None
    source_type: str
    source_id: str
    confidence: Number | None = None
    ai_confidence: Number | None = None
    signal_id: str | None = None
    verdict_id: str | None = None
    at: UtcTime
    slices: tuple[SliceView, ...] = ()


class OrderView(View):
    """An order as it stands."""

    id: str
    intent_id: str
    bot: str
    account: str
    mode: str
    symbol: str
    side: str | None = None
    purpose: str
    trigger: str | None = None  # of a protective exit: stop, target, trailing, time
    leg: int
    attempt: int
    kind: str = "market"  # or limit, stop
    limit_price: Number | None = None  # of a limit order: filled there or better
    stop_price: Number | None = None  # of a stop: a market order once the price is there
    quantity: Number | None = None
    filled: Number
    average_price: Number | None = None
    state: str
    final: bool
    reason: str
    message: str
    numbers: dict[str, str] = {}
    source_type: str
    source_id: str
    confidence: Number | None = None
    signal_id: str | None = None
    verdict_id: str | None = None
    broker: str
    broker_order_id: str
    created_at: UtcTime
    updated_at: UtcTime


class StepView(View):
    """One state an order went through."""

    state: str
    filled: Number
    reason: str = ""
    message: str = ""
    at: UtcTime


class OrderDetail(OrderView):
    """An order with everything that happened to it."""

    steps: tuple[StepView, ...]
    trades: tuple[TradeView, ...]


class LotView(View):
    """Open quantity that one source owns."""

    id: str
    bot: str
    account: str
    symbol: str
    source_type: str
    source_id: str
    confidence: Number | None = None
    quantity: Number
    entry_price: Number
    order_id: str
    opened_at: UtcTime
    protection: Protection | None = None


class LotHistory(View):
    """A lot from its opening to now."""

    id: str
    source_type: str
    source_id: str
    opened: Number
    closed: Number
    entry_price: Number
    realised_pnl: Number
    open: bool
    slices: tuple["LotSliceView", ...]


class LotSliceView(SliceView):
    """A slice with the fill it belongs to."""

    fill_id: str
    at: UtcTime


class OutcomeView(View):
    """What a signal would have earned at its horizon."""

    horizon_s: float
    entry_price: Number
    exit_price: Number
    forward_return: Number
    at: UtcTime


class ChainView(View):
    """A signal and all that followed: verdicts, orders with their fills, lots, outcomes."""

    signal: SignalView | None  # null: a person's own order, or the signal is not archived yet
    verdicts: tuple[VerdictView, ...]
    orders: tuple[OrderDetail, ...]
    lots: tuple[LotHistory, ...]
    outcomes: tuple[OutcomeView, ...]
