"""What Alpaca's stream of order updates says. It is a hint: only an order's name is taken of it."""

import json
from dataclasses import dataclass
from enum import StrEnum

NAME = "trade_updates"
_MOST_NAME = 128


class Word(StrEnum):
    """What a message is."""

    AUTHORISED = "authorised"
    LISTENING = "listening"
    CHANGED = "changed"  # something has happened to an order
    REFUSED = "refused"  # keys
    LIMITED = "limited"  # too many connections or requests
    FAILED = "failed"  # another error
    OTHER = "other"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Said:
    """One message."""

    word: Word
    order: str = ""  # our name of the order


def stream_of(url: str) -> str:
    """Where the stream of the account is whose REST calls go to `url`."""
    return "ws" + url.rstrip("/").removeprefix("http") + "/stream"


def authenticate(key: str, secret: str) -> str:
    """The first message, of whoever connects."""
    data = {"key_id": key, "secret_key": secret}
    return json.dumps({"action": "authenticate", "data": data})


def listen() -> str:
    """The second: what to tell."""
    return json.dumps({"action": "listen", "data": {"streams": [NAME]}})


def read(frame: str | bytes) -> Said:
    """What a frame says, be it text or binary. Nothing in it raises."""
    try:
        found = json.loads(frame)
    except (ValueError, RecursionError):
        return Said(Word.MALFORMED)
    data = found.get("data") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(data, dict):
        return Said(Word.MALFORMED)
    if found.get("action") == "error" or "error_message" in data:
        return Said(_failure(str(data.get("error_message", ""))))
    match found.get("stream"):
        case "authorization":
            granted = data.get("status") == "authorized"
            return Said(Word.AUTHORISED if granted else Word.REFUSED)
        case "listening":
            streams = data.get("streams")
            listed = isinstance(streams, list) and NAME in streams
            return Said(Word.LISTENING if listed else Word.FAILED)
        case "trade_updates":
            return _update(data)
        case _:
            return Said(Word.OTHER)


def _update(data: dict[str, object]) -> Said:
    order = data.get("order")
    name = order.get("client_order_id") if isinstance(order, dict) else None
    if not isinstance(name, str) or not 0 < len(name) <= _MOST_NAME:
        return Said(Word.MALFORMED)
    return Said(Word.CHANGED, name)


def _failure(words: str) -> Word:
    told = words.lower()
    if "limit" in told or "too many" in told:
        return Word.LIMITED
    return Word.REFUSED if "auth" in told else Word.FAILED
