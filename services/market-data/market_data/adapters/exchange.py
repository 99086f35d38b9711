"""The hours of the New York Stock Exchange, from the package exchange-calendars: holidays, early
closes and daylight saving.
"""

import warnings
from datetime import UTC, date, timedelta

from market_data.domain.hours import Hours
from market_data.domain.rows import Session

_BACK, _AHEAD = timedelta(days=6 * 366), timedelta(days=360)


def new_york(today: date, *, back: timedelta = _BACK, ahead: timedelta = _AHEAD) -> Hours:
    """Its sessions around a day; about half a second of work."""
    import exchange_calendars  # noqa: PLC0415 - a replay never loads it

    with warnings.catch_warnings():  # what it uses of pandas, and pandas will drop one day
        warnings.simplefilter("ignore", DeprecationWarning)
        calendar = exchange_calendars.get_calendar("XNYS", start=today - back, end=today + ahead)
        table = calendar.schedule[["open", "close"]]
    return Hours(
        tuple(
            Session(opens.to_pydatetime().astimezone(UTC), closes.to_pydatetime().astimezone(UTC))
            for opens, closes in table.itertuples(index=False, name=None)
        )
    )
