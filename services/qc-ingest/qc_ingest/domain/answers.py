"""What an HTTP answer of QuantConnect means.

Its HTTP status is almost always 200; the body says whether it worked.
"""

import re
from collections.abc import Collection
from decimal import ROUND_CEILING, Decimal

from qc_ingest.domain.health import Trouble
from qc_ingest.domain.wire import Json, decode, normal, parse_text
from signalbox.contracts.errors import (
    Malformed,
    NotFound,
    PermanentError,
    RateLimited,
    Refused,
    TransientError,
)


class WrongCredentials(PermanentError):
    """User id or token is not accepted; no call helps until a person acts."""


class SealedShut(PermanentError):
    """The stored token does not open."""


class NotDeployed(NotFound):
    """The project has never been deployed."""


class Locked(Refused):
    """A collaborator holds the project's lock, or this user may only read it."""


class Loading(TransientError):
    """The server prepares the data file; ask again soon."""


class Doubtful(TransientError):
    """An empty 500: an old quirk for wrong credentials or missing data. One more try, no more."""


class NotDone(TransientError):
    """A change was not made: it never reached the server, or the server put it off."""


class OutcomeUnknown(TransientError):
    """A change was sent and no answer came; it may have been made. Look before asking again."""


DEFAULT_RETRY_AFTER_S = 30
_LONGEST_RETRY_AFTER_S = 3600
_LONG_HEX = re.compile(r"[0-9a-fA-F]{40,}")
_REFUSED_ACCOUNT = ("Hash doesn't match", "UserID not valid")
_TRY_AGAIN = "please try again shortly"
_NEVER_DEPLOYED = "No live deployment found"
_LOCKED = "write permission"


def read_answer(
    status: int, body: bytes, *, expects: Collection[str] = (), retry_after: str | None = None
) -> dict[str, Json]:
    """The payload, under one casing.

    `expects` names payload fields; with one of them there, a missing `success` counts as success.

    Raises:
        WrongCredentials, NotDeployed, PermanentError: asking again cannot help.
        Loading, Doubtful, RateLimited, TransientError: it may.
    """
    _check_status(status, body, retry_after)
    try:
        fields = normal(decode(body))
    except Malformed as error:
        raise TransientError(f"HTTP {status} with a body that is no JSON object") from error
    success = fields.get("success")
    if success is None and any(name in fields for name in expects):
        success = True
    if success is not True:
        raise _failure(_texts(fields))
    if fields.get("status") == "loading":
        raise Loading("QuantConnect is preparing the data")
    return fields


def trouble_of(error: PermanentError | TransientError) -> Trouble:
    """What a failed call says about the connection."""
    match error:
        case WrongCredentials():
            return Trouble.CREDENTIALS
        case SealedShut():
            return Trouble.SEALED
        case RateLimited():
            return Trouble.LIMITED
        case TransientError():
            return Trouble.UNREACHABLE
        case PermanentError():
            return Trouble.REFUSED


def scrub(text: str) -> str:
    """Server text that is fit to be shown: a signature in it would be good for two hours."""
    return " ".join(_LONG_HEX.sub("…", text).split())[:300]


def retry_after_s(header: str | None) -> int:
    """Whole seconds to wait, from a `Retry-After` header."""
    text = (header or "").strip()
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text):
        return DEFAULT_RETRY_AFTER_S
    return min(int(Decimal(text).to_integral_value(ROUND_CEILING)), _LONGEST_RETRY_AFTER_S)


def _check_status(status: int, body: bytes, retry_after: str | None) -> None:
    if status == 401:
        raise WrongCredentials("HTTP 401")
    if status == 429:
        wait_s = retry_after_s(retry_after)
        raise RateLimited(f"QuantConnect asks to wait {wait_s:g} s", retry_after_s=wait_s)
    if status == 500 and not body.strip():
        raise Doubtful("HTTP 500 with an empty body")
    if status >= 500 or status == 408:
        raise TransientError(f"HTTP {status}")
    if status >= 300:
        raise PermanentError(f"HTTP {status}")


def _texts(fields: dict[str, Json]) -> list[str]:
    found = fields.get("errors") or fields.get("messages") or []
    many = found if isinstance(found, list) else [found]
    return [text for item in many if (text := parse_text(item, longest=500))]


def _failure(texts: list[str]) -> Exception:
    if any(text.startswith(_REFUSED_ACCOUNT) for text in texts):
        return WrongCredentials("the signature was not accepted")
    if any(_NEVER_DEPLOYED in text for text in texts):
        return NotDeployed(_NEVER_DEPLOYED)
    said = scrub("; ".join(texts)) or "a failure without a reason"
    if any(_TRY_AGAIN in text for text in texts):
        return NotDone(f"QuantConnect says: {said}")
    if any(_LOCKED in text.lower() for text in texts):
        return Locked(
            f"QuantConnect says: {said}. Somebody else holds the project's lock, or this user may"
            " only read it: close the project elsewhere, or ask its owner for write permission."
        )
    return PermanentError(f"QuantConnect says: {said}")
