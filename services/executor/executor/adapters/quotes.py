"""The newest quote of every symbol, in memory."""

from collections.abc import Mapping

from signalbox.contracts.errors import SignalboxError
from signalbox.contracts.events import QuoteUpdated, decode
from signalbox.contracts.payloads import Quote
from signalbox.contracts.subjects import subject
from signalbox.runtime.bus import Bus

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


async def stored_quotes(bus: Bus) -> list[Quote]:
    """The newest quote of every symbol that the stream holds. Beyond 1,024 symbols there are none,
    and orders wait for the quotes that come.

    Raises:
        TransientError: the server did not answer in full.
    """
    stored = await bus.newest("MARKET", _FAMILY)
    return [quote for raw in stored for quote in _quotes(raw)]


def _quotes(raw: bytes) -> list[Quote]:
    """The quote in a message; one that cannot be read is as good as none."""
    try:
        event = decode(raw)
    except SignalboxError:
        return []
    return [event.data] if isinstance(event, QuoteUpdated) else []
