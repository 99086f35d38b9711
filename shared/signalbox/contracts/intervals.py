"""The length of a bar, as every service writes it: `1m`, `15m`, `1h`, `1d`."""

from datetime import timedelta

from signalbox.contracts.errors import Malformed

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def interval_length(interval: str) -> timedelta:
    """The length of one bar of an interval.

    Raises:
        Malformed: not a number from 1 to 999 and m, h or d.
    """
    number, unit = interval[:-1], interval[-1:]
    digits = number.isascii() and number.isdigit()
    if unit not in _UNITS or not digits or not 0 < int(number) < 1000:
        raise Malformed(f"interval is {interval!r}, not a number and m, h or d")
    return int(number) * _UNITS[unit]
