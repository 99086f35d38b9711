"""Bars of the past, for backtests."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from sandbox.quantconnect.rules import BREADTH_SYMBOLS, DAILY
from signalbox.contracts.errors import NotFound
from signalbox.contracts.payloads import Bar

MOST_BARS = 20_000  # of one series in one backtest, the newest


class History(Protocol):
    """Where backtests read."""

    async def bars(
        self, symbol: str, interval: str, start: datetime | None, end: datetime | None
    ) -> list[Bar]:
        """Bars that opened from `start` on and had closed by `end`, oldest first.

        Raises:
            NotFound: there is no such series.
            TransientError: it cannot be read now.
        """


class Recorded:
    """A history in memory."""

    def __init__(self, bars: Iterable[Bar]) -> None:
        self._series: dict[tuple[str, str], list[Bar]] = {}
        for bar in bars:
            self._series.setdefault((bar.symbol, bar.interval), []).append(bar)

    async def bars(
        self, symbol: str, interval: str, start: datetime | None, end: datetime | None
    ) -> list[Bar]:
        """The bars of a series in that time."""
        if (symbol, interval) not in self._series:
            raise NotFound(f"there are no {interval} bars of {symbol}")
        found = self._series[symbol, interval]
        return [b for b in found if inside(b, start, end)][-MOST_BARS:]


def example_days(count: int = 250) -> Recorded:
    """Made-up weekdays of AAPL and the ten names, each on a wave of its own, for tests."""
    bars = []
    for place, symbol in enumerate(("AAPL", *BREADTH_SYMBOLS)):
        opened = datetime(2025, 8, 4, 13, 30, tzinfo=UTC)
        before = Decimal(100)
        for day in range(count):
            wave = math.sin(day / (5 + place)) * 8 + day * (0.05 if place % 2 else -0.02)
            close = (Decimal(100) + Decimal(wave)).quantize(Decimal("0.01"))
            bars.append(
                Bar(
                    symbol=symbol,
                    interval=DAILY,
                    open=before,
                    high=max(before, close) + 1,
                    low=min(before, close) - 1,
                    close=close,
                    volume=Decimal(1_000_000),
                    opened_at=opened,
                    closed_at=opened + timedelta(hours=6, minutes=30),
                    epoch=0,
                    origin="made up",
                    true_opened_at=opened,
                    session_open=False,
                    session_closes_at=opened + timedelta(hours=6, minutes=30),
                )
            )
            before, opened = close, opened + timedelta(days=3 if opened.weekday() == 4 else 1)
    return Recorded(bars)


def inside(bar: Bar, start: datetime | None, end: datetime | None) -> bool:
    """Whether a bar lies in that time."""
    return (start is None or bar.opened_at >= start) and (end is None or bar.closed_at <= end)
