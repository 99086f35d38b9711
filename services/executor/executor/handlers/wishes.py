"""What a person says that an account holds, as it comes with a command."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from pydantic import JsonValue

from executor.domain.money import ZERO
from executor.domain.splits import Split
from executor.handlers.manual import text_of
from signalbox.contracts.commands import Command
from signalbox.contracts.errors import Malformed

_MOST_DIGITS = 30
_MOST_TIMES = 1000  # units of a split


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person says: what the account holds, and how it came to differ from the book. Neither
    traded nor split: it came or went without either.
    """

    request_id: str
    by: str
    reason: str
    symbol: str
    account: str  # empty where the bot has one at a broker only
    holds: Decimal
    price: Decimal | None  # what the difference was traded at
    split: Split | None
    asked: dict[str, JsonValue]  # as it came


def wish_of(command: Command) -> Wish:
    """What is asked for.

    Raises:
        Malformed: it cannot be read.
    """
    body = command.body
    price = _number_of(command, "price") if body.get("price") is not None else None
    split = _split_of(text_of(command, "split")) if body.get("split") is not None else None
    if price is not None and price <= ZERO:
        raise Malformed("price: above 0")
    if price is not None and split is not None:
        raise Malformed("price or split, not both: by a split nothing is traded")
    return Wish(
        request_id=command.request_id,
        by=command.by,
        reason=text_of(command, "reason"),
        symbol=text_of(command, "symbol"),
        account=text_of(command, "account") if body.get("account") is not None else "",
        holds=_number_of(command, "quantity"),
        price=price,
        split=split,
        asked=dict(body),
    )


def _number_of(command: Command, name: str) -> Decimal:
    try:
        number = Decimal(str(command.body.get(name)))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or len(number.as_tuple().digits) > _MOST_DIGITS:
        raise Malformed(f"{name}: a number as text is needed")
    return number


def _split_of(text: str) -> Split:
    new, _, old = text.partition(":")
    if not (new.isdecimal() and old.isdecimal()):
        raise Malformed("split: new units for old ones, such as 2:1")
    split = Split(int(new), int(old))
    if not (0 < split.new <= _MOST_TIMES and 0 < split.old <= _MOST_TIMES):
        raise Malformed(f"split: numbers from 1 to {_MOST_TIMES}")
    return split
