"""Bars that the tests of the sandbox share."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from sandbox.quantconnect.rules import BREADTH_SYMBOLS
from signalbox.contracts.payloads import Bar
from signalbox.testing.examples import NOON, a_bar

RISE, FALL = [100, 101, 102, 103, 104, 105, 106, 107, 106], [103, 102, 100, 98, 97]
SWINGS = [*RISE, *FALL, 97, 97, 97, 97, 97, 99]


def minutes(
    closes: Sequence[int | str | Decimal], *, start: datetime = NOON, epoch: int = 1
) -> list[Bar]:
    """AAPL minute by minute."""
    return [
        a_bar(
            close=Decimal(close),
            high=Decimal(1000),
            low=Decimal(1),
            opened_at=start + timedelta(minutes=n),
            epoch=epoch,
        )
        for n, close in enumerate(closes)
    ]


def days(rounds: int, *, epoch: int = 1) -> list[Bar]:
    """The ten names of the breadth deployment, each on a path of its own."""
    bars = []
    for day in range(rounds):
        opened = NOON - timedelta(hours=2, minutes=30) + timedelta(days=day)
        for place, symbol in enumerate(BREADTH_SYMBOLS):
            wave = (day * (place + 3)) % 11
            bars.append(
                a_bar(
                    symbol=symbol,
                    interval="1d",
                    close=Decimal(100 + place + wave),
                    high=Decimal(1000),
                    low=Decimal(1),
                    opened_at=opened,
                    closed_at=opened + timedelta(hours=6, minutes=30),
                    epoch=epoch,
                )
            )
    return bars


def swinging(count: int) -> list[Bar]:
    """As many minutes of AAPL as asked for, up and down for ever."""
    return minutes([SWINGS[n % len(SWINGS)] for n in range(count)])
