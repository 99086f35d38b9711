"""Orders and insights as QuantConnect writes them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sandbox.quantconnect.formats import Json, engine_time, hex32, number, symbol_id, unix
from sandbox.quantconnect.rules import Wish

FEE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Fill:
    """A market order that was filled at once, as every one here is."""

    run_id: str  # deployment or backtest
    order_id: int
    ticker: str
    quantity: Decimal  # signed
    price: Decimal
    bid: Decimal
    ask: Decimal
    last: Decimal
    at: datetime
    filled_at: datetime
    tag: str

    def json(self) -> Json:
        """The order with its two events."""
        return {
            "id": self.order_id,
            "contingentId": 0,
            "brokerId": [str(self.order_id)],
            "symbol": {"value": self.ticker, "id": symbol_id(self.ticker), "permtick": self.ticker},
            "price": number(self.price),
            "priceCurrency": "USD",
            "time": engine_time(self.at),
            "createdTime": engine_time(self.at),
            "lastFillTime": engine_time(self.filled_at),
            "quantity": number(self.quantity),
            "type": 0,
            "status": 3,
            "tag": self.tag,
            "securityType": 1,
            "direction": 0 if self.quantity > 0 else 1,
            "value": number(self.quantity * self.price),
            "isMarketable": True,
            "properties": {"timeInForce": {}},
            "orderSubmissionData": {
                "bidPrice": number(self.bid),
                "askPrice": number(self.ask),
                "lastPrice": number(self.last),
            },
            "events": [self._event(1, self.at, {}), self._event(2, self.filled_at, self._filled())],
        }

    def _filled(self) -> Json:
        return {
            "status": "filled",
            "fillPrice": number(self.price),
            "fillQuantity": number(self.quantity),
            "orderFeeAmount": number(FEE),
            "orderFeeCurrency": "USD",
        }

    def _event(self, event_id: int, at: datetime, over: Json) -> Json:
        return {
            "id": f"{self.run_id}-{self.order_id}-{event_id}",
            "algorithmId": self.run_id,
            "orderId": self.order_id,
            "orderEventId": event_id,
            "symbol": symbol_id(self.ticker),
            "symbolValue": self.ticker,
            "symbolPermtick": self.ticker,
            "time": unix(at),
            "status": "submitted",
            "fillPrice": 0,
            "fillPriceCurrency": "USD",
            "fillQuantity": 0,
            "direction": "buy" if self.quantity > 0 else "sell",
            "isAssignment": False,
            "quantity": number(self.quantity),
            **over,
        }


def insight_json(run_id: str, model: str, wish: Wish) -> Json:
    """A prediction; one in eight says nothing of its confidence."""
    bar = wish.bar
    id_ = hex32(run_id, bar.symbol, bar.closed_at.isoformat())
    silent = int(id_[0], 16) < 2
    return {
        "id": id_,
        "groupId": None,
        "sourceModel": model,
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
