"""When to act: the replay's turns, and the commands that read its history."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from pydantic import Field, JsonValue, ValidationError

from market_data.domain import clock, history
from market_data.domain.feed import describe, refusals, speed_of
from market_data.domain.timeline import Series, Timeline, merge
from signalbox.contracts.clock import ClockReading
from signalbox.contracts.commands import Command
from signalbox.contracts.config import MarketConfig
from signalbox.contracts.errors import Malformed, NotFound, TransientError
from signalbox.contracts.events import BarClosed, Event, QuoteUpdated, StateChanged
from signalbox.contracts.misfits import in_words
from signalbox.contracts.payloads import Bar, Quote, State
from signalbox.contracts.values import Symbol, UtcTime, Value
from signalbox.runtime import metrics
from signalbox.runtime.moment import Moment
from signalbox.runtime.topology import CLOCK_BUCKET

log = logging.getLogger(__name__)

CLOCK_KEY = "clock"
RENEW_S = 1.0  # the clock is written at least this often
SHORTEST_PAUSE_S = 0.01  # at high speed what is due meanwhile goes out together


class Host(Protocol):
    """What the replay needs of the service it runs in."""

    def moment(self) -> Moment[MarketConfig]:
        """This instant."""

    async def publish(self, events: Iterable[Event]) -> None:
        """Publish in order and wait until all is stored."""

    async def bucket_get(self, bucket: str, key: str) -> bytes | None:
        """The value of a key."""

    async def bucket_put(self, bucket: str, key: str, value: bytes) -> None:
        """Store the value of a key."""


class BarsWanted(Value):
    """The body of the command `bars`."""

    symbol: Symbol
    interval: str = Field(min_length=1, max_length=8)
    before: UtcTime | None = None  # bars that had closed by then, market time; none: by now
    count: int = Field(300, ge=1, le=history.MOST_BARS)


class Replay:
    """The feed. Publishes what is due, then moves the clock: a kill repeats, never skips."""

    def __init__(
        self,
        series: Sequence[Series],
        host: Host,
        *,
        initial_speed: float,
        most_steps: int | None = None,
    ) -> None:
        self._series = series
        self._timeline: Timeline = merge(series, most=most_steps)
        self._host = host
        self._initial_speed = initial_speed
        self._stored: ClockReading | None = None  # what the bucket holds
        self._seen: ClockReading | None = None  # what history may show: includes what is on its way
        self._nudge = asyncio.Event()
        for origin, counts in refusals(series).items():
            metrics.ROWS_REFUSED.labels(origin).inc(sum(counts.values()))

    def hurry(self) -> None:
        """Look at the configuration now."""
        self._nudge.set()

    async def load(self) -> None:
        """Take up the stored reading, or make the first one."""
        raw = await self._host.bucket_get(CLOCK_BUCKET, CLOCK_KEY)
        wall = self._host.moment().wall
        if raw is None:
            reading = clock.begin(self._timeline, wall, self._speed())
        else:
            stored = ClockReading.model_validate_json(raw)
            reading = clock.resume(self._timeline, stored, wall, self._speed())
        await self._put(reading)

    async def run(self) -> None:
        """Replay for ever, from where the stored reading stands."""
        await self.load()
        await self._announce()
        while True:
            await self.turn()
            await self._pause()

    async def turn(self) -> None:
        """Publish what is due, then store the reading that follows; a failure leaves it unmoved."""
        before, moment = self._reading(), self._host.moment()
        turn = clock.take_turn(self._timeline, before, moment.wall, self._speed())
        changed = (turn.reading.speed, turn.reading.epoch) != (before.speed, before.epoch)
        stale = (turn.reading.wall_at - before.wall_at).total_seconds() >= RENEW_S
        if not (turn.positions or changed or stale):
            return
        self._seen = turn.reading
        facts = [f for p in turn.positions for f in self._timeline.events(p, turn.epoch)]
        await self._host.publish([_event(moment, fact) for fact in facts])
        await self._put(turn.reading)
        for fact in facts:
            if isinstance(fact, Bar):
                metrics.BARS.labels(fact.interval).inc()
        if changed:
            await self._announce()

    async def bars(self, command: Command) -> dict[str, JsonValue]:
        """Answer `bars`: what had closed by `before` and is published, oldest first."""
        try:
            wanted = BarsWanted.model_validate(command.body)
        except ValidationError as error:
            raise Malformed(in_words(error)) from error
        number = history.find(self._timeline, wanted.symbol, wanted.interval)
        if number is None:
            raise NotFound(f"there are no {wanted.interval} bars of {wanted.symbol}")
        reading = self._visible()
        before = wanted.before or reading.market_at
        found = history.bars(self._timeline, reading, number, before=before, count=wanted.count)
        return {"bars": [bar.model_dump(mode="json") for bar in found]}

    async def symbols(self, _command: Command) -> dict[str, JsonValue]:
        """Answer `symbols`: every series, and its first and last bar that can be seen."""
        listed = history.listing(self._timeline, self._visible())
        return {"symbols": [_listed(one) for one in listed]}

    def _speed(self) -> float:
        return speed_of(self._host.moment().config, self._initial_speed)

    def _reading(self) -> ClockReading:
        if self._stored is None:
            raise TransientError("the feed has not started yet; try again")
        return self._stored

    def _visible(self) -> ClockReading:
        return self._seen or self._reading()

    async def _put(self, reading: ClockReading) -> None:
        body = reading.model_dump_json().encode()
        await self._host.bucket_put(CLOCK_BUCKET, CLOCK_KEY, body)
        self._stored = self._seen = reading
        metrics.CLOCK_EPOCH.set(reading.epoch)

    async def _announce(self) -> None:
        reading, moment = self._reading(), self._host.moment()
        body: dict[str, JsonValue] = describe(self._timeline, self._series, reading)
        state = State(service=moment.service, kind="feed", id="replay", body=body, at=moment.wall)
        await self._host.publish([moment.event(StateChanged, state)])
        log.info("replay", extra={"epoch": reading.epoch, "speed": reading.speed})

    async def _pause(self) -> None:
        """Until the next step is due, the clock wants renewing, or somebody says hurry."""
        reading, wall = self._reading(), self._host.moment().wall
        until_renewal_s = RENEW_S - (wall - reading.wall_at).total_seconds()
        pause_s = min(clock.wait_s(self._timeline, reading, wall), until_renewal_s)
        try:
            async with asyncio.timeout(max(pause_s, SHORTEST_PAUSE_S)):
                await self._nudge.wait()
        except TimeoutError:
            return
        self._nudge.clear()


def _event(moment: Moment[MarketConfig], fact: Quote | Bar) -> Event:
    return moment.event(QuoteUpdated if isinstance(fact, Quote) else BarClosed, fact)


def _listed(one: history.Listing) -> dict[str, JsonValue]:
    return {
        "symbol": one.symbol,
        "interval": one.interval,
        "origin": one.origin,
        "first": _text(one.first),
        "last": _text(one.last),
    }


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
