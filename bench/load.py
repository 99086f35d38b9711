"""Publishes signals and waits until the stream holds a fill for each."""

import asyncio
import math
import time
from dataclasses import dataclass

from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from bench.samples import signals
from bench.stack import Stack
from signalbox.runtime.bus import Receipt
from signalbox.runtime.moment import Outgoing

_OUTSTANDING = 2000
_GIVE_UP_S = 60.0
_FILLED = b'"state":"filled"'


class Sink:
    """Hears fills from the stream, so only after they are stored."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.wanted = math.inf
        self.enough = asyncio.Event()

    async def start(self, stack: Stack) -> None:
        """Read ORDERS as the provisioning user, without acknowledgements."""
        self.bus = await stack.bus("provision")
        await self.bus.js.subscribe(
            "sb.v1.orders.>",
            stream="ORDERS",
            config=ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.NEW),
            manual_ack=True,
            pending_msgs_limit=-1,
            pending_bytes_limit=-1,
            cb=self._on_message,
        )

    async def _on_message(self, message: Msg) -> None:
        if _FILLED in message.data:
            self.times.append(time.perf_counter())
            if len(self.times) >= self.wanted:
                self.enough.set()

    async def wait(self, count: int) -> None:
        """Until this many fills in all have been stored."""
        self.wanted = count
        if len(self.times) < count:
            self.enough.clear()
            async with asyncio.timeout(_GIVE_UP_S):
                await self.enough.wait()


@dataclass(frozen=True, slots=True)
class Throughput:
    """One run at full speed."""

    per_s: float
    cpu_us: dict[str, float]  # per signal, by process
    resident_mb: dict[str, float]
    messages: dict[str, float]  # stored per signal, by stream
    rows: dict[str, float]  # inserted per signal, by table; `commits` are transactions of messages


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from the intended time of publishing to the stored fill."""

    p50: float
    p99: float


async def throughput(stack: Stack, sink: Sink, count: int) -> Throughput:
    """Publish as fast as the stream takes them."""
    speaker = await stack.bus("strategy-runner")
    await _warm_up(stack, sink)
    batch = signals(len(sink.times), count)
    before, start, already = stack.cpu_s(), time.perf_counter(), len(sink.times)
    stored, written = await _messages(sink), stack.stored()
    waiting: list[Receipt] = []
    for message in batch:
        waiting.append(await speaker.send(message))
        if len(waiting) >= _OUTSTANDING:
            await speaker.confirmed(*waiting[: _OUTSTANDING // 2])
            del waiting[: _OUTSTANDING // 2]
    await speaker.confirmed(*waiting)
    await sink.wait(already + count)
    elapsed_s = sink.times[-1] - start
    after = stack.cpu_s()
    cpu_us = {name: (after[name] - before[name]) / count * 1e6 for name in before}
    grown = await _messages(sink)
    messages = {name: (grown[name] - stored[name]) / count for name in grown}
    rows = {name: (n - written[name]) / count for name, n in stack.stored().items()}
    return Throughput(count / elapsed_s, cpu_us, stack.resident_mb(), messages, rows)


async def latency(stack: Stack, sink: Sink, count: int, rate: float) -> Latency:
    """Publish at a steady rate; a late start counts against the system, not for it."""
    speaker = await stack.bus("strategy-runner")
    await _warm_up(stack, sink)
    batch = signals(len(sink.times), count)
    already = len(sink.times)
    start = time.perf_counter() + 0.1
    intended = [start + n / rate for n in range(count)]
    for message, at in zip(batch, intended, strict=True):
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        await speaker.send(message)
    await sink.wait(already + count)
    found = sink.times[already : already + count]
    took_ms = sorted((b - a) * 1000 for a, b in zip(intended, found, strict=True))
    return Latency(took_ms[count // 2], took_ms[math.ceil(count * 0.99) - 1])


async def _warm_up(stack: Stack, sink: Sink) -> None:
    """A few hundred signals that nobody counts; an even number of rounds leaves the book flat."""
    speaker = await stack.bus("strategy-runner")
    batch: list[Outgoing] = signals(len(sink.times), 400)
    already = len(sink.times)
    await speaker.confirmed(await speaker.send(*batch))
    await sink.wait(already + len(batch))


async def _messages(sink: Sink) -> dict[str, int]:
    js = sink.bus.js
    names = ("SIGNALS", "VERDICTS", "ORDERS", "BOOKS")
    return {name: (await js.stream_info(name)).state.messages for name in names}
