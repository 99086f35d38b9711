"""What the streams hold, read as other systems read it, and whether all of it was handled."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError

from signalbox.contracts.errors import Malformed
from signalbox.contracts.events import AnyEvent, decode
from signalbox.contracts.subjects import PREFIX
from signalbox.runtime.bus import Bus
from signalbox.runtime.topology import CONSUMERS
from signalbox.testing.wait import until

_BATCH = 500
_ANSWER_S = 10.0


@dataclass(frozen=True, slots=True)
class Stored:
    """One message of a stream; without an event when it is none."""

    sequence: int
    subject: str
    body: bytes
    event: AnyEvent | None


async def stored(
    bus: Bus, stream: str, first: int = 1, *, subjects: str = f"{PREFIX}.>"
) -> list[Stored]:
    """Every message of a stream from a sequence on, oldest first. The user may read it directly."""
    found: list[Stored] = []
    while True:
        page = [_parse(message) async for message in _page(bus, stream, first, subjects)]
        if not page:
            return found
        found += page
        first = page[-1].sequence + 1


async def _page(bus: Bus, stream: str, first: int, subjects: str) -> AsyncIterator[Msg]:
    answers: asyncio.Queue[Msg] = asyncio.Queue()
    inbox = bus.nc.new_inbox()
    subscription = await bus.nc.subscribe(inbox, cb=answers.put)
    request = json.dumps({"seq": first, "batch": _BATCH, "next_by_subj": subjects})
    try:
        await bus.nc.publish(f"$JS.API.DIRECT.GET.{stream}", request.encode(), reply=inbox)
        async with asyncio.timeout(_ANSWER_S):
            while "Status" not in ((message := await answers.get()).headers or {}):
                yield message
    finally:
        await subscription.unsubscribe()


def _parse(message: Msg) -> Stored:
    headers = message.headers or {}
    try:
        event: AnyEvent | None = decode(message.data)
    except Malformed:
        event = None
    return Stored(
        int(headers["Nats-Sequence"]), headers.get("Nats-Subject", ""), message.data, event
    )


async def last_sequence(bus: Bus, stream: str) -> int:
    """The number of the newest message that a stream has taken."""
    return int((await bus.js.stream_info(stream)).state.last_seq)


async def backlog(bus: Bus) -> dict[str, int]:
    """What waits for each durable consumer, delivered or not; nothing when all is handled."""
    waiting: dict[str, int] = {}
    for consumer in CONSUMERS:
        info = await bus.js.consumer_info(consumer.stream, consumer.durable)
        count = (info.num_pending or 0) + (info.num_ack_pending or 0)
        if count:
            waiting[f"{consumer.stream}.{consumer.durable}"] = count
    return waiting


async def quiet(bus: Bus, within_s: float = 60.0) -> dict[str, int]:
    """Wait until every consumer has handled everything and nothing new has come meanwhile; returns
    where each stream ends. `bus` belongs to `provision`, which may ask about every consumer.

    A message is acknowledged when what followed from it is stored, so there is no work in between
    that this does not see.
    """
    streams = sorted({consumer.stream for consumer in CONSUMERS} - {"MARKET", "STATE"})
    seen: list[dict[str, int]] = []

    async def look() -> dict[str, int] | None:
        try:
            ends = {stream: await last_sequence(bus, stream) for stream in streams}
            waiting = await backlog(bus)
        except (NatsError, JetStreamError, TimeoutError):
            return None
        same = bool(seen) and seen[-1] == ends
        seen.append(ends)
        return ends if same and not waiting else None

    return await until(look, within_s, every=0.1) or {}
