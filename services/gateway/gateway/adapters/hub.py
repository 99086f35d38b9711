"""Tells everybody who listens what was committed, and the newest prices between."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from gateway.adapters.archive import Archived, kind_of, symbol_of
from signalbox.contracts.events import BarClosed, Event, QuoteUpdated
from signalbox.runtime import metrics

CONFIGURATION = "ConfigurationChanged"  # no event of the bus: it is never archived
_WAITING = 1000  # frames for one listener; one that falls further behind is cut off and resumes


@dataclass(frozen=True, slots=True)
class Wish:
    """What a listener wants to hear; none hears all."""

    kinds: frozenset[str] | None = None
    symbol: str | None = None
    bot: str | None = None

    def takes(self, kind: str, symbol: str | None, bot: str | None) -> bool:
        """Whether this is wanted."""
        return (
            (self.kinds is None or kind in self.kinds)
            and (self.symbol is None or symbol == self.symbol)
            and (self.bot is None or bot == self.bot)
        )


@dataclass(slots=True, eq=False)
class Listener:
    """One open stream."""

    wish: Wish
    session: str  # hash of the token it was opened with
    frames: asyncio.Queue[tuple[int, bytes]] = field(
        default_factory=lambda: asyncio.Queue(_WAITING + 1)
    )
    ended: bool = False

    def offer(self, seq: int, frame: bytes, *, price: bool = False) -> None:
        """Queue a frame. One too many ends the stream after those that wait; a price is left out
        before that.
        """
        if self.ended or (price and self.frames.qsize() >= _WAITING // 2):
            return
        if self.frames.qsize() >= _WAITING:
            self.end()
            return
        self.frames.put_nowait((seq, frame))

    def end(self) -> None:
        """End after what waits."""
        if not self.ended:
            self.ended = True
            self.frames.put_nowait((-1, b""))

    async def next(self, timeout_s: float) -> tuple[int, bytes] | None:
        """The next frame and its number, 0 for what is not archived; none when the stream ends.

        Raises:
            TimeoutError: nothing came.
        """
        async with asyncio.timeout(timeout_s):
            seq, frame = await self.frames.get()
        return None if seq < 0 else (seq, frame)


def frame_of(kind: str, body: str, seq: int = 0) -> bytes:
    """One server-sent event."""
    number = f"id: {seq}\n" if seq else ""
    return f"{number}event: {kind}\ndata: {body}\n\n".encode()


class Hub:
    """Everybody who listens."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self.marks: dict[str, Decimal] = {}  # middle of the newest quote, by symbol
        self.closing = False

    def open(self, wish: Wish, session: str) -> Listener:
        """Listen from now on."""
        listener = Listener(wish, session)
        self._listeners.add(listener)
        metrics.STREAM_CLIENTS.set(len(self._listeners))
        if self.closing:
            listener.end()
        return listener

    def close(self, listener: Listener) -> None:
        """Listen no more."""
        self._listeners.discard(listener)
        metrics.STREAM_CLIENTS.set(len(self._listeners))

    def end_session(self, session: str) -> None:
        """End every stream of somebody who has signed out."""
        for listener in self._listeners:
            if listener.session == session:
                listener.end()

    def end_all(self) -> None:
        """End every stream, and every one that is opened from now on."""
        self.closing = True
        for listener in self._listeners:
            listener.end()

    def tell(self, archived: Sequence[Archived]) -> None:
        """Hand on what was committed; every frame is made once."""
        if not self._listeners:
            return
        for event in archived:
            self._hand_on(event.kind, event.body, event.seq, symbol=event.symbol, bot=event.bot)

    def announce_configuration(self, version: int) -> None:
        """Tell that there is another version of the configuration."""
        self._hand_on(CONFIGURATION, json.dumps({"data": {"version": version}}))

    async def hear(self, event: Event) -> None:
        """Take a price or a bar as it is published."""
        if isinstance(event, QuoteUpdated):
            self.marks[event.data.symbol] = (event.data.bid + event.data.ask) / 2
        if isinstance(event, QuoteUpdated | BarClosed) and self._listeners:
            body = event.encode().decode()
            self._hand_on(kind_of(event.type), body, symbol=symbol_of(event), price=True)

    def _hand_on(
        self,
        kind: str,
        body: str,
        seq: int = 0,
        *,
        symbol: str | None = None,
        bot: str | None = None,
        price: bool = False,
    ) -> None:
        frame: bytes | None = None
        for listener in self._listeners:
            if listener.wish.takes(kind, symbol, bot):
                frame = frame or frame_of(kind, body, seq)
                listener.offer(seq, frame, price=price)
