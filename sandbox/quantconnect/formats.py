"""How QuantConnect writes ids, times, numbers and money."""

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Json = dict[str, Any]


def hex32(*parts: object) -> str:
    """32 hex digits that the parts always give."""
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).hexdigest()[:32]


def symbol_id(ticker: str) -> str:
    """The id of a United States equity."""
    return f"{ticker} R735QTJ8XC9X"


def number(value: Decimal) -> float:
    """A decimal as the number that QuantConnect writes."""
    return float(value)


def unix(at: datetime) -> float:
    """Unix seconds with a fraction."""
    return at.timestamp()


def web_time(at: datetime) -> str:
    """The web layer's way of writing a time."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def engine_time(at: datetime) -> str:
    """The engine's way of writing a time."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def money(value: Decimal) -> str:
    """`$1,234.50`, or `-$1.00`."""
    sign = "-" if value < 0 else ""
    return f"{sign}${abs(value):,.2f}"


def percent(fraction: float, places: int = 3) -> str:
    """`12.3%` for 0.123."""
    return f"{round(fraction * 100, places):g}%"
