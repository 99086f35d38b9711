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
    drawdown: Number | None = None  # with `points`: fraction below the highest so far, 0 to 1


class DayView(View):
    """What something is worth now, and what the present market day (UTC) has brought."""

    equity: Number
    realised_pnl: Number  # since its beginning
    unrealised_pnl: Number
    exposure_gross: Number
    pnl_today: Number
    pnl_today_share: Number | None = None  # of what the day began with; null where that was nothing
    open_positions: int


class BotDayView(DayView):
    """One bot's day, on the account that it has now."""

    bot: str
    account: str
    at: UtcTime  # of its newest equity
    drawdown: Number  # fraction below its highest so far, 0 to 1


class SummaryView(View):
    """How all bots are doing today."""

    day: UtcTime  # when the market day began
    total: DayView
    bots: tuple[BotDayView, ...]


class StageView(View):
    """How long one stage took, in wall-clock time."""

    stage: str
    orders: int  # of the newest ones, how many tell
    p50_s: float
    p95_s: float


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
    average_win: Number | None = None
    average_loss: Number | None = None  # as a positive number
    expectancy: Number | None = None  # profit after every fee for each closed part
    expectancy_error: Number | None = None  # plus or minus, with 95 per cent confidence
    traded: Number | None = None  # price times quantity, of openings and closings
    turnover: Number | None = None  # that over the mean equity
    slippage_bps: Number | None = None  # against the mid at the verdict; positive is worse
    exposure_gross: Number | None = None  # of open lots, at the newest quotes
    exposure_net: Number | None = None
    mean_exposure: Number | None = None  # of a bot: mean of gross exposure over equity
    basis: str | None = None  # of the ratios: equity, or realised profit on the books' equity
    days: int = 0  # market days that the ratios are made of
    days_a_year: int | None = None  # 252, or 365 where a symbol trades around the clock
    sharpe: Number | None = None
    sortino: Number | None = None
    volatility: Number | None = None  # a year
    annual_return: Number | None = None
    calmar: Number | None = None
    max_drawdown: Number | None = None  # fraction of the highest value before it, 0 to 1
    max_drawdown_from: UtcTime | None = None
    max_drawdown_to: UtcTime | None = None
    stages: tuple[StageView, ...] = ()
    missing: dict[str, str] = {}  # why a figure is null, by its name


class ComparedView(View):
    """What one kind of source has earned, and what it cost."""

    source_type: str
    name: str  # AI, classic, QuantConnect
    realised_pnl: Number  # after fees
    fees: Number
    llm_cost: Number  # US dollars, all that its models were paid
    pnl_after_cost: Number
    trades: int  # lots or parts of lots that were closed
    fills: int
    hit_rate: Number | None = None  # wins over trades
    hit_rate_low: Number | None = None  # between which it lies with 95 per cent confidence
    hit_rate_high: Number | None = None
    expectancy: Number | None = None  # profit after fees and costs for each closed part
    expectancy_error: Number | None = None  # plus or minus, with 95 per cent confidence
    days: int  # market days of the comparison
    max_drawdown: Number | None = None  # of what its books would be worth with its profit alone
    max_drawdown_from: UtcTime | None = None
    max_drawdown_to: UtcTime | None = None
    enough: bool  # whether there are enough trades to say anything
    missing: dict[str, str] = {}  # why a figure is null, by its name


class ComparisonView(View):
    """AI against classic against QuantConnect, over everything that is known."""

    items: tuple[ComparedView, ...]
    best: str | None = None  # the kind that is ahead by more than chance; null: nobody can say
    statement: str


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
    active: bool  # until somebody has seen to it


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
