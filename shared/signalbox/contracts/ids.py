"""Deterministic ids: the same cause always gives the same id, in any process."""

import hashlib
from datetime import datetime
from decimal import Decimal
from uuid import UUID

NAMESPACE = UUID("6f6d1f0a-6c4b-5d0e-9c35-5b1f0a51b0c5")

_BASE = hashlib.sha1(NAMESPACE.bytes, usedforsecurity=False)  # what every uuid5 here begins with


def derive(*parts: object) -> UUID:
    """The uuid5 of the parts joined by `|`."""
    digest = _BASE.copy()
    digest.update("|".join(map(str, parts)).encode())
    return UUID(bytes=digest.digest()[:16], version=5)


def signal_id(source_type: str, source_id: str, own_id: str) -> UUID:
    """The id of one source's word, from the id that the source itself gave it."""
    return derive(source_type, source_id, own_id)


def withdrawal_id(signal: UUID, valid_until: datetime) -> UUID:
    """The id of the withdrawal of `signal` to a new expiry."""
    return derive(signal, "withdrawn", valid_until.isoformat())


def verdict_id(signal: UUID, bot: str, round_: int) -> UUID:
    """The id of what `bot` made of `signal` in one round of approval."""
    return derive(signal, bot, round_)


def order_event_id(client_order_id: str, state: str, cumulative_quantity: Decimal) -> UUID:
    """The id of one state change or fill of an order."""
    return derive(client_order_id, state, plain(cumulative_quantity))


def lot_id(fill: str) -> UUID:
    """The id of the lot that a fill opens."""
    return derive("lot", fill)


def client_order_id(account: str, cause: str, bot: str, leg: int, attempt: int) -> str:
    """32 hex digits that name one broker order of one intent.

    `cause` is the signal's id; without a signal `exit|lot|trigger` or `cmd|request id|symbol`.
    """
    text = "|".join((account, cause, bot, str(leg), str(attempt)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def plain(number: Decimal) -> str:
    """A decimal's one canonical text: no exponent, no trailing zeros (`1E+2` and `100.0` are
    `100`).
    """
    text = str(number)
    if "E" in text:
        text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
