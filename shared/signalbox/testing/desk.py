"""A service in this process on a real server, with everything around it played by the test."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError

from signalbox.contracts.clock import ClockReading
from signalbox.contracts.config import Document, Versioned
from signalbox.contracts.events import AnyEvent, Event, decode
from signalbox.contracts.subjects import PREFIX
from signalbox.runtime.bus import Bus, Credentials
from signalbox.runtime.clock import wall_now
from signalbox.runtime.moment import Outgoing
from signalbox.runtime.outbox import message_of
from signalbox.runtime.service import Service
from signalbox.testing.examples import NOON
from signalbox.testing.servers import RunningNats
from signalbox.testing.wait import until

_SPEAKERS = {
    "signals.strategy": "strategy-runner",
    "signals.quantconnect": "qc-ingest",
    "signals.llm": "llm-decider",
    "llm": "llm-decider",
    "signals.manual": "gateway",
    "signals.external": "gateway",
    "verdicts": "decision-router",
    "orders": "executor",
    "books": "executor",
    "market": "market-data",
    "ingress": "gateway",
}


class Desk:
    """Sets configuration and clock, speaks for any service, and hears everything."""

    def __init__(self, nats: RunningNats) -> None:
        self.nats = nats
        self.heard: list[AnyEvent] = []
        self.ids: list[str] = []  # message ids as they came, repeats included
        self._buses: dict[str, Bus] = {}
        self._connecting = asyncio.Lock()
        self._clock: asyncio.Task[None] | None = None
        self.reading = ClockReading(
            epoch=1, market_at=NOON, wall_at=wall_now(), speed=0, replay=True, position=0
        )

    async def bus(self, user: str) -> Bus:
        """The connection of one user."""
        async with self._connecting:
            if user not in self._buses:
                bus = Bus(user, self.nats.url, Credentials.read(self.nats.home, user))
                await bus.connect()
                self._buses[user] = bus
        return self._buses[user]

    async def open(self) -> None:
        """Start the clock and listen to everything."""
        reader = await self.bus("reader")
        await reader.nc.subscribe(f"{PREFIX}.>", cb=self._on_message)
        await reader.nc.flush()
        self._clock = asyncio.create_task(self._tick())

    async def close(self) -> None:
        """Stop the clock and leave."""
        if self._clock:
            self._clock.cancel()
        for bus in self._buses.values():
            await bus.close()

    async def _on_message(self, message: Msg) -> None:
        if message.data and not message.subject.startswith(f"{PREFIX}.cmd."):
            self.ids.append((message.headers or {}).get("Nats-Msg-Id", ""))
            self.heard.append(decode(message.data))

    async def _tick(self) -> None:
        while True:
            with suppress(NatsError, JetStreamError, TimeoutError):  # the server may be away
                await self.set_clock(self.reading.market_at)
            await asyncio.sleep(1)

    async def set_clock(self, market_at: datetime, **over: Any) -> None:
        """Put the market clock there."""
        change = {"market_at": market_at, "wall_at": wall_now()} | over
        self.reading = self.reading.model_copy(update=change)
        bus = await self.bus("market-data")
        await bus.bucket_put("CLOCK", "clock", self.reading.model_dump_json().encode())

    async def configure(self, service: str, document: Document, version: int = 1) -> None:
        """Put a configuration document into the bucket."""
        body = Versioned[type(document)](version=version, document=document)  # type: ignore[misc, operator]  # a class made at run time
        bus = await self.bus("gateway")
        await bus.bucket_put("CONFIG", service, body.model_dump_json().encode())

    async def say(self, *events: Event | Outgoing) -> None:
        """Publish as the service that may, and wait until the streams have it."""
        for event in events:
            message = event if isinstance(event, Outgoing) else message_of(event)
            bus = await self.bus(speaker(message.subject))
            await bus.confirmed(await bus.send(message))

    async def ask(self, service: str, verb: str, body: dict[str, Any], **over: Any) -> Any:
        """Ask as the gateway; returns the reply's body or raises what it says."""
        raw = {"request_id": "r1", "by": "admin", "deadline": "2099-01-01T00:00:00Z", "body": body}
        bus = await self.bus("gateway")
        subject = f"{PREFIX}.cmd.{service}.{verb}"
        answer = await bus.nc.request(subject, json.dumps(raw | over).encode(), timeout=15)
        return json.loads(answer.data)

    def of(self, *kinds: type[Event]) -> Sequence[Any]:
        """What was heard of these kinds, once each, in order."""
        seen: dict[Any, AnyEvent] = {e.id: e for e in self.heard if isinstance(e, kinds)}
        return list(seen.values())

    async def hear(
        self, kind: type[Event], count: int = 1, timeout_s: float = 30.0
    ) -> Sequence[Any]:
        """Wait until this many of a kind have been heard."""
        await until(lambda: len(self.of(kind)) >= count, timeout_s)
        return self.of(kind)


def speaker(subject: str) -> str:
    """The user that may publish on a subject."""
    rest = subject.removeprefix(f"{PREFIX}.")
    return next(user for prefix, user in _SPEAKERS.items() if rest.startswith(prefix))


@asynccontextmanager
async def desk_on(nats: RunningNats) -> AsyncIterator[Desk]:
    """A desk for the time of a test."""
    desk = Desk(nats)
    await desk.open()
    try:
        yield desk
    finally:
        await desk.close()


@asynccontextmanager
async def running(*services: Service[Any]) -> AsyncIterator[None]:
    """The services, active, for the time of the block."""
    lives = [service.lifespan(None) for service in services]
    for life in lives:
        await life.__aenter__()
    try:
        for service in services:
            await until(lambda s=service: _is_ready(s), 20)  # type: ignore[misc]  # bound per round
        yield
    finally:
        for life in reversed(lives):
            await life.__aexit__(None, None, None)


async def _is_ready(service: Service[Any]) -> bool:
    problems = await service.checks()
    return not any(problems.values())


def with_ids(events: Iterable[Event]) -> set[str]:
    """Their ids as text."""
    return {str(event.id) for event in events}
