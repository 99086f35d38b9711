"""The newest quote of every symbol, in memory."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from signalbox.contracts.errors import SignalboxError
from signalbox.contracts.events import QuoteUpdated, decode
from signalbox.contracts.payloads import Quote
from signalbox.contracts.subjects import subject

_STREAM = "MARKET"
_MOST = 10_000
_TIMEOUT_S = 5.0
_FAMILY = subject("market", "quotes") + ".>"


class QuoteBoard:
    """Written by the event loop, read by the writer thread; a snapshot never changes."""

    def __init__(self) -> None:
        self._quotes: dict[str, Quote] = {}

    def put(self, quote: Quote) -> bool:
        """Take a quote unless a newer one is known; a new epoch is newer. Returns whether it was
        taken.
        """
        known = self._quotes.get(quote.symbol)
        if known is not None and (quote.epoch, quote.at) < (known.epoch, known.at):
            return False
        self._quotes[quote.symbol] = quote
        return True

    def snapshot(self) -> Mapping[str, Quote]:
        """The quotes as they are now."""
        return dict(self._quotes)


async def stored_quotes(bus: Any) -> list[Quote]:
    """The newest quote of every symbol that the stream holds, in one request.

    The server answers for up to 1,024 symbols. Beyond that there are none here, and orders wait for
    the quotes that come.

    Raises:
        TimeoutError: the server did not answer in full.
    """
    answers: asyncio.Queue[Any] = asyncio.Queue(_MOST)
    inbox = bus.nc.new_inbox()
    subscription = await bus.nc.subscribe(inbox, cb=answers.put)
    request = json.dumps({"multi_last": [_FAMILY], "batch": _MOST}).encode()
    found: list[Quote] = []
    try:
        await bus.nc.publish(f"$JS.API.DIRECT.GET.{_STREAM}", request, reply=inbox)
        async with asyncio.timeout(_TIMEOUT_S):
            while not _is_end(message := await answers.get()):
                found.extend(_quotes(message.data))
    finally:
        await subscription.unsubscribe()
    return found


def _is_end(message: Any) -> bool:
    """204 comes after the last quote, 404 where there is none, 413 where there are too many."""
    return bool((message.headers or {}).get("Status"))


def _quotes(raw: bytes) -> list[Quote]:
    """The quote in a message; one that cannot be read is as good as none."""
    try:
        event = decode(raw)
    except SignalboxError:
        return []
    return [event.data] if isinstance(event, QuoteUpdated) else []
