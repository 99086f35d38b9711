"""What the REST interface answers about books, alerts and states."""

from pydantic import JsonValue

from gateway.domain.views import LotView, Number, View
from signalbox.contracts.values import UtcTime


class PositionView(View):
    """What a bot holds of one symbol."""

    bot: str
    account: str
    symbol: str
    quantity: Number
    average_price: Number | None = None
    realised_pnl: Number
    mark_price: Number | None = None  # middle of the newest quote the gateway has heard
    unrealised_pnl: Number | None = None  # at that price, before fees
    at: UtcTime
    lots: tuple[LotView, ...] = ()


class EquityView(View):
    """A bot's account value at one instant of market time."""

    bot: str
    account: str
    at: UtcTime
    equity: Number
    cash: Number
    exposure_gross: Number
    exposure_net: Number
    realised_pnl: Number
    unrealised_pnl: Number
    fees: Number


class PerformanceView(View):
    """What a source, a bot or a symbol has earned, from the slices of fills alone."""

    source_type: str | None = None
    source_id: str | None = None
    bot: str | None = None
    symbol: str | None = None
    realised_pnl: Number  # after fees
    fees: Number
    gross_profit: Number
    gross_loss: Number
    trades: int  # lots or parts of lots that were closed
    wins: int
    losses: int
    win_rate: Number | None = None  # 0 to 1; null before the first closed lot
    profit_factor: Number | None = None  # null while there is no loss
    fills: int


class AlertView(View):
    """Something a person should know."""

    id: str
    severity: str
    code: str
    about: str
    message: str
    service: str
    active: bool
    at: UtcTime


class DeadLetterView(View):
    """A message that was set aside."""

    id: str
    service: str
    stream: str
    stream_sequence: int
    original_subject: str
    message_id: str
    attempts: int
    reason: str
    original: str
    at: UtcTime


class StateView(View):
    """The last known state of something that a service looks after."""

    id: str
    body: dict[str, JsonValue]
    at: UtcTime


class QuantConnectSignalView(View):
    """A signal of a QuantConnect algorithm. Processed: no bot waits for a person."""

    id: str
    config_id: str
    symbol: str
    signal: str
    confidence: Number
    price: Number | None = None
    timestamp: UtcTime
    processed: bool
    created_at: UtcTime
