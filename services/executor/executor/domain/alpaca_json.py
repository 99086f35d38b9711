"""Reading the parts of Alpaca's JSON: what is not there or cannot be read raises."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation

from executor.domain.money import ZERO
from signalbox.contracts.errors import TransientError
from signalbox.contracts.values import Side

Object = Mapping[str, object]


def object_of(body: object) -> Object:
    """An object.

    Raises:
        TransientError: it is none.
    """
    if not isinstance(body, dict):
        raise TransientError(f"alpaca: an object was expected, not {type(body).__name__}")
    return body


def text_of(found: Object, name: str) -> str:
    """A text that must be there.

    Raises:
        TransientError: it is not.
    """
    value = found.get(name)
    if not isinstance(value, str) or not value or len(value) > 128:
        raise TransientError(f"alpaca: {name} is missing")
    return value


def side_of(found: Object) -> Side:
    """Which way an order goes.

    Raises:
        TransientError: it does not say.
    """
    return Side.BUY if text_of(found, "side") == "buy" else Side.SELL


def number_of(found: Object, name: str) -> Decimal:
    """A number, as text or as one; 0 where there is none.

    Raises:
        TransientError: it is no number.
    """
    value = found.get(name)
    if value is None:
        return ZERO
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or len(number.as_tuple().digits) > 30:
        raise TransientError(f"alpaca: {name} is no number")
    return number


def time_of(found: Object, name: str) -> datetime:
    """A time with its zone.

    Raises:
        TransientError: it is none.
    """
    try:
        at = datetime.fromisoformat(text_of(found, name))
    except ValueError as error:
        raise TransientError(f"alpaca: {name} is no time") from error
    if at.tzinfo is None:
        raise TransientError(f"alpaca: {name} has no zone")
    return at
