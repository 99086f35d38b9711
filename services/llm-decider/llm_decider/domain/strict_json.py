"""The one JSON object that a text is, strictly: what Python's reader lets through is told apart."""

import json
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

MAX_CHARS = 100_000


class Unreadable(Exception):
    """Nothing in the text can be used."""


class JsonObject(dict[str, object]):
    """A JSON object that knows which keys stood in it more than once."""

    def __init__(self, pairs: Sequence[tuple[str, object]]) -> None:
        super().__init__(pairs)
        counted = Counter(name for name, _ in pairs)
        self.doubled = [name for name, count in counted.items() if count > 1]


def read_object(text: str) -> JsonObject:
    """The one JSON object that the text is. Every number in it is a Decimal, finite or not.

    Raises:
        Unreadable: it is too long, or not one JSON object and nothing else.
    """
    if len(text) > MAX_CHARS:
        raise Unreadable(f"The answer has {len(text)} characters, above {MAX_CHARS}.")
    try:
        found = json.loads(
            text,
            object_pairs_hook=JsonObject,
            parse_float=_number,
            parse_int=_number,
            parse_constant=_number,
        )
    except (ValueError, RecursionError):
        raise Unreadable("The answer is not one JSON object and nothing else.") from None
    if not isinstance(found, JsonObject):
        raise Unreadable("The answer is JSON but not an object.")
    return found


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # its exponent is beyond any number
        return Decimal("Infinity")
