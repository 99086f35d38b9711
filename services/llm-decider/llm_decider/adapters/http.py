"""The HTTP below both libraries: its limits, and what its failures mean."""

import logging
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx2

from llm_decider.domain.outcomes import Answer, Broken
from signalbox.contracts.errors import PermanentError

_CONNECT_S = 5.0
_READ_S = 900.0  # the caller's deadline is shorter
_MOST_BYTES = 4 * 1024 * 1024
_LOGGERS = ("openai", "anthropic", "httpx2", "httpcore2")
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
_ADDRESS = (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)
FAILURES = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError)


class TooLarge(ValueError):
    """More bytes than any decision has."""


def open_http() -> httpx2.AsyncClient:
    """Connections for one provider and key. Redirects are not followed: they carry the key on."""
    quiet()
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(_READ_S, connect=_CONNECT_S, pool=_CONNECT_S),
        limits=httpx2.Limits(max_connections=100, max_keepalive_connections=20),
        follow_redirects=False,
    )


def checked(address: str) -> str:
    """The address, if it is one.

    Raises:
        PermanentError: it is none.
    """
    try:
        url = urlsplit(address)
        good = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
        httpx2.URL(address)
    except (ValueError, httpx2.InvalidURL):
        good = False
    if not good:
        raise PermanentError(f"{address} is not an address")
    return address


def quiet() -> None:
    """Hold the libraries' loggers at WARNING: below it they write prompts."""
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


async def read_answer(
    status: int, headers: Mapping[str, str], chunks: AsyncIterator[bytes]
) -> Answer:
    """An answer, as far as it is not too large.

    Raises:
        TooLarge: more than 4 MiB.
    """
    content = bytearray()
    async for chunk in chunks:
        content += chunk
        if len(content) > _MOST_BYTES:
            raise TooLarge
    return answer(status, headers, bytes(content))


def answer(status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    """An answer that has been read."""
    lower = {name.lower(): value for name, value in headers.items()}
    return Answer(status, lower, content, _retry_after_s(lower, datetime.now(UTC)))


def _retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds that the server asked to wait; None when it did not, or not readably."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        if re.fullmatch(r"\d{1,10}(\.\d{1,6})?", text):
            return float(text) * unit_s
    try:
        when = parsedate_to_datetime(headers.get("retry-after", ""))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max((when - now).total_seconds(), 0.0)


def meaning(error: BaseException) -> Broken:
    """How a call ended that failed below HTTP; looks at the causes of a library's own error."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, TooLarge):
            return Broken.TOO_LARGE
        if isinstance(seen, _ADDRESS):
            return Broken.BAD_ADDRESS
        if isinstance(seen, _NOT_SENT):
            return Broken.NOT_SENT
        if isinstance(seen, httpx2.HTTPError | OSError):
            return Broken.LOST
        seen = seen.__cause__
    return Broken.UNUSABLE
