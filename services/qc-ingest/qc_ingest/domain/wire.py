"""QuantConnect's wire as values: numbers as text, times in three formats, keys in four casings."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache

from pydantic import JsonValue

from signalbox.contracts.errors import Malformed

Json = JsonValue
Fields = Mapping[str, JsonValue]

_NOTHING = frozenset({"", "nan", "infinity", "-infinity", "inf", "-inf", "null", "none"})
_MOST_EXPONENT = 15  # prices, weights and unix times all fit; what does not is no measurement
_FEWEST_EXPONENT = -18
_PLACES = Decimal("1e-12")
_EXACT = Context(prec=40)  # more digits than any such number has
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST_S = Decimal(0)
_LATEST_S = Decimal(7_258_118_400)  # 2200-01-01

# Older names of a field, by its present one; both as `normal` writes them.
_ALIASES = {
    "createdtime": "generatedtime",
    "generatedtimeutc": "generatedtime",
    "closetimeutc": "closetime",
    "referencevaluefinal": "referencefinal",
    "scoreisfinal": "scorefinal",
    "insightid": "id",
    "symbolid": "symbol",
    "symbolvalue": "ticker",
    "message": "messages",
}


def decode(text: str | bytes) -> Json:
    """The JSON value of `text`. Fractions stay text, so no digit is lost; NaN is null.

    Raises:
        Malformed: not JSON, nested too deeply, or a number longer than any measurement.
    """
    try:
        value: Json = json.loads(text, parse_float=str, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not JSON: {type(error).__name__}") from error
    return value


def normal(value: object) -> dict[str, Json]:
    """A map under one casing: `closeTime`, `CloseTime`, `close-time` and `close_time` are one key.

    An empty list stands for an empty map, as the server writes it.

    Raises:
        Malformed: neither.
    """
    if value in ([], None):
        return {}
    if not isinstance(value, Mapping):
        raise Malformed(f"expected an object, found {type(value).__name__}")
    found: dict[str, Json] = {}
    for key, item in value.items():
        name = _name(str(key))
        found.setdefault(name, item)
        if name in _ALIASES:
            found.setdefault(_ALIASES[name], item)
    return found


@lru_cache(maxsize=1024)  # the same few names come ten thousand times
def _name(key: str) -> str:
    return key.replace("-", "").replace("_", "").lower()


def parse_number(value: object) -> Decimal | None:
    """A number, numeric text, or nothing: null, empty text, `NaN` and the infinities are None.

    Raises:
        Malformed: anything else, or a number of 10^16 and more.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise Malformed(f"expected a number, found {type(value).__name__}")
    text = str(value).strip()[:64]
    if text.lower() in _NOTHING:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise Malformed(f"{text!r} is not a number") from error
    if not number.is_finite():
        return None
    if number and number.adjusted() > _MOST_EXPONENT:
        raise Malformed(f"{text!r} is too large")
    if not number or number.adjusted() < _FEWEST_EXPONENT:
        return Decimal(0)
    return _EXACT.plus(number.quantize(_PLACES, context=_EXACT).normalize(_EXACT))


def parse_integer(value: object) -> int | None:
    """A whole number, or nothing.

    Raises:
        Malformed: neither.
    """
    number = parse_number(value)
    if number is None:
        return None
    if number != number.to_integral_value():
        raise Malformed(f"{number} is not a whole number")
    return int(number)


def parse_time(value: object) -> datetime | None:
    """Unix seconds, `2026-11-20T14:05:09Z` or `2026-11-20 14:05:09`; always UTC. Nothing is None.

    Raises:
        Malformed: none of these, or before 1970 or after 2200.
    """
    if isinstance(value, str) and "-" in value[1:] and ":" in value:
        return _parse_text_time(value)
    seconds = parse_number(value)
    if seconds is None:
        return None
    if not _EARLIEST_S <= seconds <= _LATEST_S:
        raise Malformed(f"{seconds} is not a unix time between 1970 and 2200")
    return _EPOCH + timedelta(microseconds=int(seconds * 1_000_000))


def _parse_text_time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Malformed(f"{text[:40]!r} is not a time") from error


def parse_text(value: object, *, longest: int) -> str:
    """Text that every database takes, cut to `longest`; numbers become text, all else is empty."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value).encode(errors="replace").decode().replace("\x00", "")
    return text.strip()[:longest]


def parse_list(value: Json) -> list[Json]:
    """A list; anything else stands for an empty one."""
    return value if isinstance(value, list) else []


def parse_map(value: Json) -> dict[str, Json]:
    """A map with its keys as they are; anything else stands for an empty one."""
    return value if isinstance(value, dict) else {}


def rows_of(value: Json) -> list[dict[str, Json]]:
    """The objects of a list under one casing; what is none is left out."""
    return [normal(row) for row in parse_list(value) if isinstance(row, dict)]


def parse_number_or_none(value: object) -> Decimal | None:
    """A number, or nothing where there is none that can be read."""
    try:
        return parse_number(value)
    except Malformed:
        return None


def parse_integer_or_none(value: object) -> int | None:
    """A whole number, or nothing where there is none that can be read."""
    try:
        return parse_integer(value)
    except Malformed:
        return None


def parse_time_or_none(value: object) -> datetime | None:
    """A time, or nothing where there is none that can be read."""
    try:
        return parse_time(value)
    except Malformed:
        return None
