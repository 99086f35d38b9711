"""Bars in a row, from their closes."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from signalbox.contracts.payloads import Bar
from signalbox.testing.examples import NOON, a_bar

Bars = Callable[..., list[Bar]]


def bars_of(
    closes: Sequence[Decimal | int | str], *, first: datetime = NOON, epoch: int = 1, **over: object
) -> list[Bar]:
    """One-minute bars without a gap, the first one opening at `first`."""
    return [
        a_bar(
            opened_at=first + timedelta(minutes=n),
            close=Decimal(close),
            high=Decimal(close) + 1,
            low=Decimal(close) / 2,
            open=Decimal(close),
            epoch=epoch,
            **over,
        )
        for n, close in enumerate(closes)
    ]


@pytest.fixture(scope="session")
def bars() -> Bars:
    """Makes bars from closes."""
    return bars_of
