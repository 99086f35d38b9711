"""A rule at work: the insights, orders and positions that follow from bars."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from sandbox.quantconnect.curve import Curve
from sandbox.quantconnect.formats import Json, unix, web_time
from sandbox.quantconnect.orders import FEE, Fill, insight_json
from sandbox.quantconnect.rules import DOWN, FLAT, UP, Rule, Wish
from sandbox.quantconnect.trades import Ledger
from signalbox.contracts.payloads import Bar

CASH = Decimal(100_000)
_STAKE = Decimal(10_000)  # what one position is worth when it is opened
_HALF_SPREAD = Decimal("0.0001")
_CENT = Decimal("0.01")
_FILLED_AFTER = timedelta(seconds=1)
_LOOK_BACK = 90  # clients read the last hundred again each time
_MOST_LOGS = 5000

Heard = Callable[[str, Json], None]  # "insight" or "orderEvent", and the thing itself


@dataclass(slots=True)
class Holding:
    """A position."""

    quantity: Decimal = Decimal(0)
    average: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    first: Decimal = Decimal(0)  # the first price that was seen
    turnover: Decimal = Decimal(0)  # dollars that all the market traded in the last bar

    @property
    def value(self) -> Decimal:
        """At the last close."""
        return self.quantity * self.price

    @property
    def unrealized(self) -> Decimal:
        """Against the average price."""
        return self.quantity * (self.price - self.average)


@dataclass(slots=True)
class Algorithm:
    """One run of a rule, live or in a backtest. The same bars always give the same lists."""

    run_id: str  # deploy id or backtest id
    rule: Rule
    start_cash: Decimal = CASH
    cash: Decimal = field(init=False)
    fees: Decimal = Decimal(0)
    volume: Decimal = Decimal(0)
    insights: list[Json] = field(default_factory=list)
    orders: list[Json] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    holdings: dict[str, Holding] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    curve: Curve = field(default_factory=Curve)
    heard: Heard | None = None  # told of every insight and order event

    def __post_init__(self) -> None:
        self.cash = self.start_cash

    def begin(self, at: datetime) -> None:
        """The start of the equity curve."""
        self.curve.add(at, self.equity, self.start_cash)

    def warm_up(self, bars: Sequence[Bar]) -> None:
        """Let the rule see bars that closed together before the start; it says nothing yet."""
        self.rule.take(bars)
        self.rule.forget()
        self._see(bars)
        for holding in self.holdings.values():
            holding.first = holding.price

    def think(self, bars: Sequence[Bar]) -> None:
        """Bars that closed together, sorted by symbol."""
        self._see(bars)
        for wish in self.rule.take(bars):
            self._supersede(wish)
            self.insights.append(insight_json(self.run_id, self.rule.model, wish))
            self._tell("insight", self.insights[-1])
            self._follow(wish)
        self.curve.add(bars[0].closed_at, self.equity, self.benchmark)

    def trade(self, ticker: str, quantity: Decimal, at: datetime, tag: str) -> None:
        """A market order, filled at once; none without a quantity or a price."""
        holding = self.holdings.get(ticker)
        if not quantity or holding is None or not holding.price:
            return
        price = (holding.price * (1 + (1 if quantity > 0 else -1) * _HALF_SPREAD)).quantize(_CENT)
        fill = Fill(
            self.run_id,
            len(self.orders) + 1,
            ticker,
            quantity,
            price,
            bid=holding.price * (1 - _HALF_SPREAD),
            ask=holding.price * (1 + _HALF_SPREAD),
            last=holding.price,
            at=at,
            filled_at=at + _FILLED_AFTER,
            tag=tag,
        )
        self._book(holding, quantity, price)
        self.ledger.book(ticker, quantity, price, fill.filled_at, fee=FEE)
        self.orders.append(fill.json())
        for event in self.orders[-1]["events"]:
            self._tell("orderEvent", event)

    def sell_everything(self, at: datetime, tag: str) -> None:
        """Flat in every symbol."""
        for ticker in sorted(self.holdings):
            self.trade(ticker, -self.holdings[ticker].quantity, at, tag)

    def log(self, at: datetime, text: str) -> None:
        """One line of the log; a full log takes no more."""
        if len(self.logs) < _MOST_LOGS:
            self.logs.append(f"{web_time(at)} {text}")

    @property
    def equity(self) -> Decimal:
        """Cash and positions."""
        return self.cash + sum((h.value for h in self.holdings.values()), Decimal(0))

    @property
    def unrealized(self) -> Decimal:
        """Of all positions."""
        return sum((h.unrealized for h in self.holdings.values()), Decimal(0))

    @property
    def benchmark(self) -> Decimal:
        """What the same cash would be worth, put evenly into every symbol at the first price."""
        gains = [h.price / h.first for h in self.holdings.values() if h.first]
        return self.start_cash * sum(gains, Decimal(0)) / len(gains) if gains else self.start_cash

    def _see(self, bars: Sequence[Bar]) -> None:
        for bar in bars:
            holding = self.holdings.setdefault(bar.symbol, Holding())
            holding.first = holding.first or bar.open
            holding.price, holding.turnover = bar.close, bar.close * bar.volume
            self.ledger.mark(bar)

    def _tell(self, kind: str, item: Json) -> None:
        if self.heard is not None:
            self.heard(kind, item)

    def _supersede(self, wish: Wish) -> None:
        """An opposite view ends older ones early: the id stays, the close time comes nearer."""
        now = unix(wish.bar.closed_at)
        opposite = {UP: DOWN, DOWN: UP}.get(wish.direction)
        for insight in self.insights[-_LOOK_BACK:]:
            is_opposite = insight["direction"] == opposite and insight["ticker"] == wish.bar.symbol
            if is_opposite and insight["closeTime"] > now:
                insight["closeTime"] = now

    def _follow(self, wish: Wish) -> None:
        """Hold a fixed stake in the direction of the view; flat holds nothing."""
        bar = wish.bar
        sign = {UP: 1, DOWN: -1, FLAT: 0}[wish.direction]
        shares = (_STAKE / bar.close).to_integral_value(rounding=ROUND_DOWN)
        change = sign * shares - self.holdings[bar.symbol].quantity
        self.trade(bar.symbol, change, bar.closed_at, self.rule.model)

    def _book(self, holding: Holding, quantity: Decimal, price: Decimal) -> None:
        before = holding.quantity
        after = before + quantity
        if before * quantity >= 0:
            cost = before * holding.average + quantity * price
            holding.average = cost / after
        elif before * after < 0:
            holding.average = price
        elif after == 0:
            holding.average = Decimal(0)
        holding.quantity = after
        self.cash -= quantity * price + FEE
        self.fees += FEE
        self.volume += abs(quantity) * price
