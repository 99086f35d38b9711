"""How long a broker gets to carry out a stop that rests there, once the price is where it should
be.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from executor.domain.orders import Ticket
from executor.domain.resting import PATIENCE, left_to_broker
from signalbox.contracts.limits import Limits
from signalbox.contracts.payloads import Lot, Quote

_FRESH = timedelta(seconds=Limits().max_quote_age_s)  # an older quote moves nothing, whoever waits


class Patience:
    """In memory: after a restart it begins anew."""

    def __init__(self) -> None:
        # By symbol and lot: when, in market time, the price came there without leaving since.
        self._since: dict[str, dict[UUID, datetime]] = {}
        self._heard: dict[str, datetime] = {}  # by symbol: the newest quote's market time

    def look(self, quote: Quote, lots: Iterable[Lot], stops: Mapping[UUID, Ticket]) -> None:
        """Take a quote; `stops` are those at brokers, by lot. Outside the session none is due."""
        known = self._since.pop(quote.symbol, {})
        self._heard[quote.symbol] = quote.at
        if not quote.session_open:
            return
        left = {
            lot.lot_id: known.get(lot.lot_id, quote.at)
            for lot in lots
            if lot.lot_id in stops and left_to_broker(stops[lot.lot_id], quote)
        }
        if left:
            self._since[quote.symbol] = left

    def has(self, lot_id: UUID, symbol: str, now: datetime) -> bool:
        """Whether the broker is still to be waited for."""
        since = self._since.get(symbol, {}).get(lot_id)
        return since is not None and now - since < PATIENCE

    def lost(self, lot_id: UUID, symbol: str, now: datetime) -> bool:
        """Whether the broker has been waited for long enough, and there is a price to act on."""
        if lot_id not in self._since.get(symbol, {}) or self.has(lot_id, symbol, now):
            return False
        return now - self._heard[symbol] <= _FRESH

    def lots(self, symbol: str, now: datetime) -> frozenset[UUID]:
        """The lots whose broker is still to be waited for."""
        return frozenset(
            lot_id for lot_id in self._since.get(symbol, {}) if self.has(lot_id, symbol, now)
        )
