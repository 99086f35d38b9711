"""Closed trades: what was opened first is closed first."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from sandbox.quantconnect.formats import Json, engine_time, number, symbol_id
from signalbox.contracts.payloads import Bar


@dataclass(slots=True)
class Lot:
    """An open quantity; `fee` is what its opening still owes."""

    quantity: Decimal  # signed
    price: Decimal
    fee: Decimal
    at: datetime
    high: Decimal
    low: Decimal


@dataclass(frozen=True, slots=True)
class Trade:
    """An opened and closed quantity."""

    ticker: str
    quantity: Decimal  # signed like the opening
    entry_at: datetime
    entry_price: Decimal
    exit_at: datetime
    exit_price: Decimal
    fees: Decimal
    best: Decimal  # most favourable and most adverse difference of price on the way, times quantity
    worst: Decimal

    @property
    def profit(self) -> Decimal:
        """Before fees."""
        return (self.exit_price - self.entry_price) * self.quantity

    @property
    def net(self) -> Decimal:
        """After fees."""
        return self.profit - self.fees

    def json(self) -> Json:
        """As it stands in `closedTrades`."""
        return {
            "symbol": {"value": self.ticker, "id": symbol_id(self.ticker), "permtick": self.ticker},
            "entryTime": engine_time(self.entry_at),
            "entryPrice": number(self.entry_price),
            "direction": 0 if self.quantity > 0 else 1,
            "quantity": number(abs(self.quantity)),
            "exitTime": engine_time(self.exit_at),
            "exitPrice": number(self.exit_price),
            "profitLoss": number(self.profit),
            "totalFees": number(self.fees),
            "mae": number(self.worst),
            "mfe": number(self.best),
            "duration": duration(self.exit_at - self.entry_at),
            "endTradeDrawdown": number(self.profit - self.best),
        }


@dataclass(slots=True)
class Ledger:
    """Open lots by symbol, and every closed trade."""

    lots: dict[str, deque[Lot]] = field(default_factory=dict)
    closed: list[Trade] = field(default_factory=list)

    def mark(self, bar: Bar) -> None:
        """A price range that open lots lived through."""
        for lot in self.lots.get(bar.symbol, ()):
            lot.high, lot.low = max(lot.high, bar.high), min(lot.low, bar.low)

    def book(
        self, ticker: str, quantity: Decimal, price: Decimal, at: datetime, *, fee: Decimal
    ) -> None:
        """A fill: closes opposite lots, oldest first, and opens what is left."""
        lots, left, share = self.lots.setdefault(ticker, deque()), quantity, fee / quantity
        while left and lots and lots[0].quantity * left < 0:
            lot = lots[0]
            part = -left if abs(left) < abs(lot.quantity) else lot.quantity
            opening = lot.fee * part / lot.quantity
            self.closed.append(_close(ticker, lot, part, at, price, fees=opening - part * share))
            lot.quantity, lot.fee, left = lot.quantity - part, lot.fee - opening, left + part
            if not lot.quantity:
                lots.popleft()
        if left:
            lots.append(Lot(left, price, left * share, at, price, price))


def duration(span: timedelta) -> str:
    """`1.02:03:04`, or `00:10:00` below a day."""
    days, rest = divmod(int(span.total_seconds()), 86_400)
    text = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days}.{text}" if days else text


def _close(
    ticker: str, lot: Lot, part: Decimal, at: datetime, price: Decimal, *, fees: Decimal
) -> Trade:
    ends = [(max(lot.high, price) - lot.price) * part, (min(lot.low, price) - lot.price) * part]
    return Trade(
        ticker,
        part,
        entry_at=lot.at,
        entry_price=lot.price,
        exit_at=at,
        exit_price=price,
        fees=fees,
        best=max(ends),
        worst=min(ends),
    )
