"""The length of a bar."""

from datetime import timedelta

import pytest

from signalbox.contracts.errors import Malformed
from signalbox.contracts.intervals import interval_length


@pytest.mark.parametrize(
    ("interval", "length"),
    [
        ("1m", timedelta(minutes=1)),
        ("15m", timedelta(minutes=15)),
        ("1h", timedelta(hours=1)),
        ("1d", timedelta(days=1)),
    ],
)
def test_interval_length(interval: str, length: timedelta) -> None:
    assert interval_length(interval) == length


@pytest.mark.parametrize("interval", ["", "m", "1", "0m", "-1m", "1.5h", "1w", "²m", "٣m", "1000m"])
def test_interval_length_refuses(interval: str) -> None:
    with pytest.raises(Malformed, match="interval is"):
        interval_length(interval)
