"""Streams, what they keep, and the tokens that subjects are made of."""

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from signalbox.contracts.errors import Malformed

PREFIX = "sb.v1"
MAX_MESSAGE_BYTES = 256 * 1024

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_TOKEN = re.compile(r"(?:[A-Za-z0-9_-]|=[0-9A-F]{2})+")


def token(text: str) -> str:
    """Text as one subject token: what is not `A-Z a-z 0-9 _ -` becomes `=` and two hex digits per
    byte.

    Raises:
        Malformed: `text` is empty, so no token can stand for it, or is not valid Unicode.
    """
    if not text:
        raise Malformed("an empty text has no subject token")
    if text.isascii() and text.replace("-", "_").isidentifier():
        return text
    try:
        raw = text.encode()
    except UnicodeEncodeError as error:
        raise Malformed(f"text is not valid Unicode: {error.reason}") from error
    return "".join(chr(byte) if byte in _PLAIN else f"={byte:02X}" for byte in raw)


def untoken(escaped: str) -> str:
    """The text that `token` made this of.

    Raises:
        Malformed: this is not what `token` makes of any text.
    """
    if not _TOKEN.fullmatch(escaped):
        raise Malformed(f"{escaped!r} is not a subject token")
    raw = re.sub(r"=([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), escaped).encode("latin-1")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"{escaped!r} does not hold UTF-8") from error
    if token(text) != escaped:
        raise Malformed(f"{escaped!r} is not in its one canonical form")
    return text


@lru_cache(maxsize=8192)
def subject(family: str, *parts: str) -> str:
    """`sb.v1.<family>.<part>…` with every part escaped."""
    return ".".join((PREFIX, family, *(token(part) for part in parts)))


@dataclass(frozen=True, slots=True)
class Stream:
    """One JetStream stream: what it takes and how long it keeps it."""

    name: str
    subjects: tuple[str, ...]
    money: bool = True  # refuse rather than forget, and fsync before every acknowledgement
    max_age: timedelta = timedelta(days=30)
    max_bytes: int = 1 << 30
    per_subject: int = -1  # newest messages kept of one subject; -1 keeps all


STREAMS = (
    Stream("SIGNALS", (f"{PREFIX}.signals.>",)),
    Stream("LLM", (f"{PREFIX}.llm.>",)),
    Stream("VERDICTS", (f"{PREFIX}.verdicts.>",)),
    Stream("ORDERS", (f"{PREFIX}.orders.>",)),
    Stream("BOOKS", (f"{PREFIX}.books.>",)),
    Stream("OUTCOMES", (f"{PREFIX}.outcomes.>",)),
    Stream("MARKET", (f"{PREFIX}.market.>",), money=False, per_subject=1000),
    Stream("STATE", (f"{PREFIX}.state.>",), per_subject=1),
    Stream("INGRESS", (f"{PREFIX}.ingress.>",)),
    Stream("ALERTS", (f"{PREFIX}.alerts.>",)),
    Stream("DEAD", (f"{PREFIX}.dead.>",)),
)
ARCHIVED = tuple(stream.name for stream in STREAMS if stream.name != "MARKET")


def command_subject(service: str, verb: str) -> str:
    """Where `service` answers the command `verb`."""
    return subject("cmd", service, verb)
