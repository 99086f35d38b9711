"""One live paper deployment: the insights, orders and positions that follow from bars."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from sandbox.quantconnect.rules import DOWN, FLAT, UP, Rule, Wish
from signalbox.contracts.payloads import Bar

CASH = Decimal(100_000)
MOST_INSIGHTS = 10_000  # then it is deployed anew, so that memory stays bounded
_STAKE = Decimal(10_000)  # what one position is worth when it is opened
_FEE = Decimal(1)
_HALF_SPREAD = Decimal("0.0001")
_CENT = Decimal("0.01")
_FILLED_AFTER_S = 1
_LOOK_BACK = 90  # clients read the last hundred again each time
_ENDED = frozenset({"Stopped", "Liquidated"})

Json = dict[str, Any]


def hex32(*parts: object) -> str:
    """32 hex digits that the parts always give."""
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).hexdigest()[:32]


def symbol_id(ticker: str) -> str:
    """The id of a United States equity."""
    return f"{ticker} R735QTJ8XC9X"


def number(value: Decimal) -> float:
    """A decimal as the number that QuantConnect writes."""
    return float(value)


def unix(at: datetime) -> float:
    """Unix seconds with a fraction."""
    return at.timestamp()


def web_time(at: datetime) -> str:
    """The web layer's way of writing a time."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def engine_time(at: datetime) -> str:
    """The engine's way of writing a time."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass(slots=True)
class Holding:
    """A position."""

    quantity: Decimal = Decimal(0)
    average: Decimal = Decimal(0)
    price: Decimal = Decimal(0)

    @property
    def value(self) -> Decimal:
        """At the last close."""
        return self.quantity * self.price

    @property
    def unrealized(self) -> Decimal:
        """Against the average price."""
        return self.quantity * (self.price - self.average)


@dataclass(slots=True)
class Deployment:
    """A running or ended deployment. The same bars always give the same lists."""

    project_id: int
    deploy_id: str
    rule: Rule
    launched: datetime
    epoch: int | None = None  # the loop of the market that it lives on
    status: str = "Running"
    stopped: datetime | None = None
    insights: list[Json] = field(default_factory=list)
    orders: list[Json] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    cash: Decimal = CASH
    fees: Decimal = Decimal(0)
    volume: Decimal = Decimal(0)
    holdings: dict[str, Holding] = field(default_factory=dict)

    @property
    def is_running(self) -> bool:
        """Whether it still thinks and trades."""
        return self.status not in _ENDED

    @property
    def is_full(self) -> bool:
        """Whether it holds as much as it may."""
        return len(self.insights) >= MOST_INSIGHTS

    def take(self, bars: Sequence[Bar]) -> None:
        """Bars that closed together, sorted by symbol."""
        if not self.is_running:
            return
        for bar in bars:
            self.holdings.setdefault(bar.symbol, Holding()).price = bar.close
        for wish in self.rule.take(bars):
            self._supersede(wish)
            self.insights.append(self._insight(wish))
            self._trade(wish)

    def stop(self, at: datetime, *, liquidate: bool = False) -> None:
        """End it; with `liquidate` every position is sold first."""
        if liquidate:
            for ticker in sorted(self.holdings):
                self._order(ticker, -self.holdings[ticker].quantity, at, "Liquidated")
        self.status = "Liquidated" if liquidate else "Stopped"
        self.stopped = at
        self.log(at, f"Algorithm {self.status.lower()}")

    def log(self, at: datetime, text: str) -> None:
        """One line of the log."""
        self.logs.append(f"{web_time(at)} {text}")

    @property
    def equity(self) -> Decimal:
        """Cash and positions."""
        return self.cash + sum((h.value for h in self.holdings.values()), Decimal(0))

    def _supersede(self, wish: Wish) -> None:
        """An opposite view ends older ones early: the id stays, the close time comes nearer."""
        now = unix(wish.bar.closed_at)
        opposite = {UP: DOWN, DOWN: UP}.get(wish.direction)
        for insight in self.insights[-_LOOK_BACK:]:
            is_opposite = insight["direction"] == opposite and insight["ticker"] == wish.bar.symbol
            if is_opposite and insight["closeTime"] > now:
                insight["closeTime"] = now

    def _insight(self, wish: Wish) -> Json:
        bar = wish.bar
        id_ = hex32(self.deploy_id, bar.symbol, bar.closed_at.isoformat())
        silent = int(id_[0], 16) < 2  # one in eight says nothing of its confidence
        return {
            "id": id_,
            "groupId": None,
            "sourceModel": self.rule.model,
            "generatedTime": unix(bar.closed_at),
            "closeTime": unix(bar.closed_at + wish.period),
            "symbol": symbol_id(bar.symbol),
            "ticker": bar.symbol,
            "type": "price",
            "reference": number(bar.close),
            "referenceFinal": 0,
            "direction": wish.direction,
            "period": wish.period.total_seconds(),
            "magnitude": str(wish.magnitude),  # the engine writes these two as text
            "confidence": None if silent else str(wish.confidence),
            "weight": None,
            "scoreFinal": False,
            "scoreDirection": 0,
            "scoreMagnitude": 0,
            "estimatedValue": 0,
            "tag": None,
        }

    def _trade(self, wish: Wish) -> None:
        """Hold a fixed stake in the direction of the view; flat holds nothing."""
        bar = wish.bar
        sign = {UP: 1, DOWN: -1, FLAT: 0}[wish.direction]
        shares = (_STAKE / bar.close).to_integral_value(rounding=ROUND_DOWN)
        change = sign * shares - self.holdings[bar.symbol].quantity
        self._order(bar.symbol, change, bar.closed_at, self.rule.model)

    def _order(self, ticker: str, quantity: Decimal, at: datetime, tag: str) -> None:
        if quantity == 0:
            return
        holding = self.holdings[ticker]
        side = 1 if quantity > 0 else -1
        price = (holding.price * (1 + side * _HALF_SPREAD)).quantize(_CENT)
        self._book(holding, quantity, price)
        order_id = len(self.orders) + 1
        filled_at = at + timedelta(seconds=_FILLED_AFTER_S)
        events = [
            self._event(order_id, 1, ticker, quantity, at=at),
            self._event(order_id, 2, ticker, quantity, at=filled_at, price=price),
        ]
        self.orders.append(
            {
                "id": order_id,
                "contingentId": 0,
                "brokerId": [str(order_id)],
                "symbol": {"value": ticker, "id": symbol_id(ticker), "permtick": ticker},
                "price": number(price),
                "priceCurrency": "USD",
                "time": engine_time(at),
                "createdTime": engine_time(at),
                "lastFillTime": engine_time(filled_at),
                "quantity": number(quantity),
                "type": 0,
                "status": 3,
                "tag": tag,
                "securityType": 1,
                "direction": 0 if quantity > 0 else 1,
                "value": number(quantity * price),
                "isMarketable": True,
                "properties": {"timeInForce": {}},
                "orderSubmissionData": {
                    "bidPrice": number(holding.price * (1 - _HALF_SPREAD)),
                    "askPrice": number(holding.price * (1 + _HALF_SPREAD)),
                    "lastPrice": number(holding.price),
                },
                "events": events,
            }
        )

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
        self.cash -= quantity * price + _FEE
        self.fees += _FEE
        self.volume += abs(quantity) * price

    def _event(
        self,
        order_id: int,
        event_id: int,
        ticker: str,
        quantity: Decimal,
        *,
        at: datetime,
        price: Decimal | None = None,
    ) -> Json:
        fill = {"orderFeeAmount": number(_FEE), "orderFeeCurrency": "USD"} if price else {}
        return {
            "id": f"{self.deploy_id}-{order_id}-{event_id}",
            "algorithmId": self.deploy_id,
            "orderId": order_id,
            "orderEventId": event_id,
            "symbol": symbol_id(ticker),
            "symbolValue": ticker,
            "symbolPermtick": ticker,
            "time": unix(at),
            "status": "filled" if price else "submitted",
            "fillPrice": number(price) if price else 0,
            "fillPriceCurrency": "USD",
            "fillQuantity": number(quantity) if price else 0,
            "direction": "buy" if quantity > 0 else "sell",
            "isAssignment": False,
            "quantity": number(quantity),
            **fill,
        }
