"""The average true range against TA-Lib, over prices that jump and stand still."""

import random
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
import talib

from executor.domain.volatility import range_of
from signalbox.contracts.payloads import Bar
from signalbox.testing.examples import NOON, a_bar


def walk(seed: int) -> list[Bar]:
    dice = random.Random(seed)  # noqa: S311 - a seeded test
    bars, close = [], 20_000
    for minute in range(300):
        opened = max(close + dice.choice([0, 0, dice.randint(-300, 300)]), 500)
        close = max(opened + round(dice.gauss(0, 50)), 400)
        low, high = sorted((opened, close))
        cents = {"open": opened, "close": close, "high": high + 7, "low": low - dice.randrange(40)}
        prices = {name: Decimal(value) / 100 for name, value in cents.items()}
        bars.append(a_bar(opened_at=NOON + timedelta(minutes=minute), **prices))
    return bars


@pytest.mark.parametrize("period", [2, 14, 50])
@pytest.mark.parametrize("seed", range(3))
def test_range_of_any_bars(seed: int, period: int) -> None:
    bars = walk(seed)
    high, low, close = (
        np.array([float(getattr(bar, name)) for bar in bars]) for name in ("high", "low", "close")
    )
    wanted = talib.ATR(high, low, close, period)
    assert range_of(bars[:period], period, 1) is None
    for count in range(period + 1, len(bars) + 1):
        found = range_of(bars[:count], period, 1)
        assert found is not None
        assert found.at == bars[count - 1].closed_at
        assert float(found.value) == pytest.approx(wanted[count - 1], rel=1e-10)
