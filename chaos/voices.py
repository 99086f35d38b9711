"""Speaks on the bus as any service may, with that service's own credentials, and never gives up."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from signalbox.contracts import ids
from signalbox.contracts.errors import SignalboxError
from signalbox.contracts.events import Event, QuoteUpdated, SignalRaised
from signalbox.contracts.payloads import Quote, Signal
from signalbox.contracts.values import Action, SourceType
from signalbox.runtime.bus import Bus, Credentials, server_url
from signalbox.runtime.clock import MarketClock, wall_now
from signalbox.runtime.moment import Outgoing
from signalbox.runtime.outbox import message_of
from signalbox.testing.wait import until

_ACK_S = 1.0  # then everything that waits is sent once more, under the same ids; each time later
_PATIENCE_S = 60.0
_PAUSE_S = 0.05
SPEAKERS = {
    SourceType.STRATEGY: "strategy-runner",
    SourceType.QUANTCONNECT: "qc-ingest",
    SourceType.EXTERNAL: "gateway",
    SourceType.MANUAL: "gateway",
}


class Voices:
    """One connection for each user that is needed, and the market clock as the bucket tells it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._buses: dict[str, Bus] = {}
        self._opening = asyncio.Lock()
        self.clock = MarketClock()
        self.repeats = 0  # publishing rounds that had to be done again

    async def bus(self, user: str) -> Bus:
        """The connection of one user."""
        async with self._opening:
            if user not in self._buses:
                url = server_url(self._home, None)
                bus = Bus(user, url, Credentials.read(self._home, user))
                await bus.connect()
                self._buses[user] = bus
            return self._buses[user]

    async def open(self) -> None:
        """Listen to the market clock."""
        bus = await self.bus("market-data")
        await bus.nc.subscribe("$KV.CLOCK.clock", cb=self._on_clock)
        raw = await bus.bucket_get("CLOCK", "clock")
        if raw:
            self.clock.take(raw)
        await until(lambda: self.clock.reading is not None, 20)

    async def _on_clock(self, message: Msg) -> None:
        self.clock.take(message.data)

    async def close(self) -> None:
        """Leave."""
        for bus in self._buses.values():
            with suppress(NatsError):  # the server may be away
                await bus.close()

    @property
    def now(self) -> datetime:
        """Market time."""
        return self.clock.now(wall_now())

    @property
    def epoch(self) -> int:
        """Which loop of the replay it is."""
        return self.clock.reading.epoch if self.clock.reading else 0

    async def say(self, user: str, events: Iterable[Event | Outgoing]) -> None:
        """Publish in order and wait until the stream has acknowledged everything, however often it
        goes away meanwhile; the ids make repeats harmless.
        """
        messages = [e if isinstance(e, Outgoing) else message_of(e) for e in events]
        bus = await self.bus(user)
        async with asyncio.timeout(_PATIENCE_S):
            patience_s = _ACK_S
            while not await self._once(bus, messages, patience_s):
                patience_s += _ACK_S
                self.repeats += 1
                await asyncio.sleep(_PAUSE_S)

    async def _once(self, bus: Bus, messages: list[Outgoing], patience_s: float) -> bool:
        try:
            async with asyncio.timeout(patience_s):
                await bus.confirmed(await bus.send(*messages))
        except (SignalboxError, TimeoutError, OSError):
            return False
        return True

    async def speak(self, *signals: Signal) -> None:
        """Raise signals as their sources' services do."""
        for user in dict.fromkeys(SPEAKERS[s.source_type] for s in signals):
            mine = [s for s in signals if SPEAKERS[s.source_type] == user]
            await self.say(user, [raised(signal, user) for signal in mine])

    def signal(self, symbol: str, action: Action, own_id: str, **over: Any) -> Signal:
        """A word of now that outlives a weekend; by default of strategy `tester`."""
        fields: dict[str, Any] = {
            "source_type": SourceType.STRATEGY,
            "source_id": "tester",
            "own_id": own_id,
            "symbol": symbol,
            "action": action,
            "confidence": Decimal("0.8"),
            "raised_at": self.now,
            "epoch": self.epoch,
        } | over
        fields.setdefault("valid_until", fields["raised_at"] + timedelta(days=7))
        key = (fields["source_type"], fields["source_id"], fields["own_id"])
        return Signal(signal_id=ids.signal_id(*key), **fields)

    async def quote(self, *symbols: str, bid: str = "101.37", ask: str = "101.41") -> None:
        """Make a price for symbols that the feed does not know."""
        now, wall = self.now, wall_now()
        quotes = [
            Quote(
                symbol=symbol,
                bid=Decimal(bid),
                ask=Decimal(ask),
                at=now,
                epoch=self.epoch,
                origin="test",
            )
            for symbol in symbols
        ]
        events = [QuoteUpdated.of(q, source="market-data", time=wall) for q in quotes]
        await self.say("market-data", events)


def raised(signal: Signal, user: str) -> SignalRaised:
    """The event that a service publishes."""
    return SignalRaised.of(signal, source=user, time=wall_now())


@asynccontextmanager
async def voices_in(home: Path) -> AsyncIterator[Voices]:
    """Voices for the time of a block."""
    voices = Voices(home)
    try:
        await voices.open()
        yield voices
    finally:
        await voices.close()
