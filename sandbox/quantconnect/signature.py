"""Whether a request is signed as QuantConnect asks for."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from urllib.parse import parse_qs

OLDEST_S = 7200
_AHEAD_S = 300


@dataclass(frozen=True, slots=True)
class Login:
    """The one account of the sandbox."""

    user_id: str
    token: str = field(repr=False)


def problem(login: Login, authorization: str, timestamp: str, now: float) -> str | None:
    """None for a good signature, else QuantConnect's own words."""
    user_id, digest = _decode(authorization)
    if user_id != login.user_id:
        return f"UserID not valid: {user_id[:20]}"
    wrong = f"Hash doesn't match. UID: {user_id} Hash: {digest[:64]} Timestamp: '{timestamp[:20]}'"
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return wrong
    if not -_AHEAD_S <= now - int(timestamp) <= OLDEST_S:
        return wrong
    expected = hashlib.sha256(f"{login.token}:{timestamp}".encode()).hexdigest()
    return None if hmac.compare_digest(expected.encode(), digest.encode()) else wrong


def from_query(query: str) -> tuple[str, str]:
    """The signature of a link: `?authorization=…&timestamp=…`."""
    found = parse_qs(query)
    authorization = found.get("authorization", [""])[0]
    return f"Basic {authorization}", found.get("timestamp", [""])[0]


def _decode(authorization: str) -> tuple[str, str]:
    kind, _, encoded = authorization.partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return "", ""
    user_id, _, digest = text.partition(":")
    return user_id, digest
