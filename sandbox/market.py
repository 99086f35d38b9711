"""The market as the sandbox hears it: clock, bars as they close, and history to rebuild from."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import uuid4

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError
from pydantic import JsonValue, TypeAdapter

from sandbox.history import MOST_BARS, inside
from sandbox.quantconnect.desk import Desk
from signalbox.contracts.commands import Command, Reply
from signalbox.contracts.errors import (
    Malformed,
    NotFound,
    SignalboxError,
    TransientError,
    error_named,
)
from signalbox.contracts.events import BarClosed, decode
from signalbox.contracts.payloads import Bar
from signalbox.contracts.subjects import command_subject, subject
from signalbox.runtime.bus import Bus
from signalbox.runtime.clock import MarketClock, wall_now
from signalbox.runtime.topology import CLOCK_BUCKET

log = logging.getLogger(__name__)

_RETRY_S = 0.5
_TICK_S = 0.25
_ASK_S = 5.0
_PAGE = 1000
_MOST_PAGES = 20  # bars further back than this do not matter to anybody
_MOST_WAITING = 10_000
_AHEAD = timedelta(days=36_500)  # market-data itself shows nothing beyond its clock
_BARS = TypeAdapter(list[Bar])
_OUTSIDE = (NatsError, JetStreamError, SignalboxError, OSError, TimeoutError)


class Market:
    """Feeds a desk. What it misses it reads from history; what it cannot read it tries again."""

    def __init__(
        self, bus: Bus, desk: Desk, also: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._bus = bus
        self._desk = desk
        self._also = also  # what else is heard once the bus is there
        self._clock = MarketClock()
        self._bars: asyncio.Queue[Bar] = asyncio.Queue(_MOST_WAITING)
        self._lost = False  # a bar did not fit, or the connection was away
        self._heard: set[tuple[str, str]] = set()
        self.changes_seen = -1  # of the desk, when its series were last looked at
        self.problem: str | None = "starting"

    async def run(self) -> None:
        """Follow the market until cancelled."""
        await self._until("the bus", self._bus.connect)
        await self._until("the market's subjects", self._listen)
        while True:
            try:
                await self._follow()
            except _OUTSIDE as error:
                self._note(f"the market cannot be read: {error}")
                await asyncio.sleep(_RETRY_S)

    async def _until(self, what: str, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
                return
            except _OUTSIDE as error:
                self._note(f"{what}: {error}")
                await asyncio.sleep(_RETRY_S)

    def _note(self, problem: str) -> None:
        if problem != self.problem:
            log.warning("not ready, trying again: %s", problem)
        self.problem = problem

    async def _listen(self) -> None:
        """Hear the clock and every series that an algorithm follows."""
        await self._bus.nc.subscribe(f"$KV.{CLOCK_BUCKET}.clock", cb=self._on_clock)
        await self._hear_series()
        if self._also is not None:
            await self._also()
        self._bus.reconnected.append(self.on_reconnected)
        raw = await self._bus.bucket_get(CLOCK_BUCKET, "clock")
        if raw:
            self._clock.take(raw)

    async def _hear_series(self) -> None:
        """Subscribe to what is newly followed; what nobody follows any more does no harm."""
        for symbol, interval in set(self._desk.series()) - self._heard:
            address = subject("market", "bars", symbol, interval)
            await self._bus.nc.subscribe(address, cb=self._on_bar)
            self._heard.add((symbol, interval))
        self.changes_seen = self._desk.changes

    async def _on_clock(self, message: Msg) -> None:
        self._clock.take(message.data)

    async def on_reconnected(self) -> None:
        """Bars may have passed by while the connection was away."""
        self._lost = True

    async def _on_bar(self, message: Msg) -> None:
        try:
            event = decode(message.data)
            if isinstance(event, BarClosed):
                self._bars.put_nowait(event.data)
        except (Malformed, asyncio.QueueFull) as error:
            log.warning("a bar was not taken: %r", error)
            self._lost = True

    async def _follow(self) -> None:
        """Catch up, then take bar after bar until one was missed."""
        self._lost = False
        while self._clock.reading is None:  # noqa: ASYNC110 - told by a callback
            await asyncio.sleep(_TICK_S)
        if self._desk.epoch != self._clock.reading.epoch:
            await self._rebuild(self._clock.reading.epoch)
        else:
            for symbol, interval in self._desk.series():
                await self._fill(symbol, interval, wall_now() + _AHEAD)
        self.problem = None
        while not self._lost:
            if self._desk.changes != self.changes_seen:
                await self._hear_series()
            try:
                async with asyncio.timeout(_TICK_S):
                    bar = await self._bars.get()
            except TimeoutError:
                self._desk.settle(time.monotonic())
                continue
            if self._desk.epoch is None or bar.epoch > self._desk.epoch:
                await self._rebuild(bar.epoch)
            if self._desk.is_gap(bar):
                await self._fill(bar.symbol, bar.interval, bar.opened_at)
            self._desk.take(bar, time.monotonic())

    async def bars(
        self, symbol: str, interval: str, start: datetime | None, end: datetime | None
    ) -> list[Bar]:
        """Bars that opened from `start` on and had closed by `end`, oldest first.

        Raises:
            NotFound: there is no such series.
            TransientError: market-data does not answer.
        """
        before, found = end or wall_now() + _AHEAD, list[Bar]()
        while len(found) < MOST_BARS:
            page = await self._page(symbol, interval, before)
            fresh = [bar for bar in page if inside(bar, start, end)]
            found = fresh + found
            if len(page) < _PAGE or len(fresh) < len(page):
                break
            before = page[0].opened_at
        return found

    async def _rebuild(self, epoch: int) -> None:
        """Everything that this loop of the market has shown so far, in one go."""
        bars: list[Bar] = []
        for symbol, interval in self._desk.series():
            bars += await self._history(symbol, interval, wall_now() + _AHEAD, None, epoch)
        self._desk.begin(epoch, bars)
        log.info("deployed on loop %d of the market", epoch, extra={"bars": len(bars)})

    async def _fill(self, symbol: str, interval: str, before: datetime) -> None:
        """Take what closed since the newest bar in hand."""
        after, epoch = self._desk.after(symbol, interval), self._desk.epoch
        if epoch is None:
            return
        for bar in await self._history(symbol, interval, before, after, epoch):
            self._desk.take(bar, time.monotonic())

    async def _history(
        self, symbol: str, interval: str, before: datetime, after: datetime | None, epoch: int
    ) -> list[Bar]:
        """Bars of one loop, oldest first."""
        found: list[Bar] = []
        for _ in range(_MOST_PAGES):
            try:
                page = await self._page(symbol, interval, before)
            except NotFound:
                break  # this feed has no such series
            fresh = [b for b in page if b.epoch == epoch and (after is None or b.opened_at > after)]
            found = fresh + found
            if len(page) < _PAGE or len(fresh) < len(page):
                break
            before = page[0].opened_at
        return found

    async def _page(self, symbol: str, interval: str, before: datetime) -> list[Bar]:
        body: dict[str, JsonValue] = {
            "symbol": symbol,
            "interval": interval,
            "before": before.isoformat(),
            "count": _PAGE,
        }
        deadline = wall_now() + timedelta(seconds=_ASK_S)
        command = Command(request_id=uuid4().hex, by="sandbox", deadline=deadline, body=body)
        address = command_subject("market-data", "bars")
        try:
            message = await self._bus.nc.request(
                address, command.model_dump_json().encode(), timeout=_ASK_S
            )
        except NatsError as error:
            raise TransientError(f"market-data does not answer: {error}") from error
        reply = Reply.model_validate_json(message.data)
        if reply.problem:
            raise error_named(reply.problem.kind, reply.problem.message)
        return _BARS.validate_python(reply.body["bars"])
