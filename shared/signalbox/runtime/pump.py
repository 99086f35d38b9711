"""Reading a durable consumer without ever waiting to fill a batch.

Credit is kept open at the server, so a message is in the process as soon as it exists. FastStream's
own batch subscriber and its plain pull lose or delay messages when a fetch times out or the server
restarts.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.subscriber.usecases.stream_pull_subscriber import BatchPullStreamSubscriber
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext

from signalbox.runtime import wire

log = logging.getLogger(__name__)

MOST = 250  # messages in one transaction: more costs memory, and nothing is faster
_CREDIT = 1200
_EXPIRES_S = 30.0
_PINNED_EXPIRES_S = 1.0  # well below the pin's time-out of 3 s
_HEARTBEAT_S = 1.0
_SILENCE_S = 3.0  # more than a busy process may be late in reading what has arrived
_LINGER_S = 10.0


class Pump:
    """A batch is what has arrived: one message when idle, hundreds under load."""

    def __init__(self, nc: Client, stream: str, durable: str, *, group: str | None = None) -> None:
        self._nc = nc
        self._group = group
        self._stream, self._durable = stream, durable
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._expires_s = _PINNED_EXPIRES_S if group else _EXPIRES_S
        self._heartbeat_s = _HEARTBEAT_S / 2 if group else _HEARTBEAT_S
        self._queue: list[Msg] = []
        self._some = asyncio.Event()
        self._out = 0  # messages asked for and not yet received
        self._pin: str | None = None
        self._seen = 0.0
        self._inbox = ""
        self._subscription: Subscription | None = None
        self._guard_task: asyncio.Task[None] | None = None
        self._asking: asyncio.Future[None] | None = None

    async def start(self) -> "Pump":
        """Ask for messages, and keep asking when the server falls silent."""
        await self._restart()
        self._guard_task = asyncio.create_task(self._guard())
        return self

    async def stop(self) -> None:
        """Ask no more; what is queued comes again after the acknowledgement time-out."""
        if self._guard_task:
            self._guard_task.cancel()
        if self._subscription:
            with contextlib.suppress(Exception):
                await self._subscription.unsubscribe()

    async def get(self, most: int, timeout_s: float) -> list[Msg]:
        """At least one message, at most `most`; TimeoutError when none comes in time."""
        if not self._queue:
            self._some.clear()
            async with asyncio.timeout(timeout_s):
                await self._some.wait()
        got, self._queue = self._queue[:most], self._queue[most:]
        await self._ask()
        return got

    async def rewind(self, js: JetStreamContext) -> None:
        """Have everything delivered again, in order, from the first message not acknowledged."""
        if self._subscription:
            await self._subscription.unsubscribe()
        self._subscription = None
        await self._nc.flush()
        self._queue.clear()
        await js.reset_consumer(self._stream, self._durable)
        await self._restart()

    async def _restart(self) -> None:
        # A new inbox, so that late answers to old requests cannot disturb the count. The old one
        # is still heard for a while: what is on its way would come again only after ack_wait.
        old, self._out, self._seen = self._subscription, 0, time.monotonic()
        inbox = self._inbox = self._nc.new_inbox()
        self._subscription = await wire.hear(
            self._nc, inbox, lambda message: self._on_message(message, inbox)
        )
        if old:
            asyncio.get_running_loop().call_later(
                _LINGER_S, lambda: asyncio.ensure_future(_quietly(old.unsubscribe()))
            )
        await self._ask()

    def _ask_soon(self, delay_s: float) -> None:
        def ask() -> None:
            self._asking = asyncio.ensure_future(_quietly(self._ask()))

        asyncio.get_running_loop().call_later(delay_s, ask)

    async def _ask(self) -> None:
        wanted = _CREDIT - self._out - len(self._queue)
        if wanted <= _CREDIT // 2:
            return
        self._out += wanted
        request: dict[str, object] = {
            "batch": wanted,
            "expires": int(self._expires_s * 1e9),
            "idle_heartbeat": int(self._heartbeat_s / 2 * 1e9),
        }
        if self._group:
            request["group"] = self._group
            if self._pin:
                request["id"] = self._pin
        await self._nc.publish(self._subject, json.dumps(request).encode(), reply=self._inbox)

    def _on_message(self, message: Msg, inbox: str) -> None:
        self._seen = time.monotonic()
        headers = message.headers or {}
        if inbox != self._inbox:
            if message.reply.startswith("$JS.ACK"):
                self._queue.append(message)
                self._some.set()
            return
        if message.reply.startswith("$JS.ACK"):
            if self._group:
                self._pin = headers.get("Nats-Pin-Id", self._pin)
            self._out -= 1
            self._queue.append(message)
            self._some.set()
            return
        status = headers.get("Status")
        if status == "100":  # idle heartbeat
            return
        if status == "503":  # no leader yet: the guard asks again
            self._seen = time.monotonic() - self._heartbeat_s
            return
        # 404, 408, 409: this request is over; 423: another client is pinned, so ask again later
        self._out = max(0, self._out - int(headers.get("Nats-Pending-Messages") or self._out))
        if status == "423":
            self._pin = None
        self._ask_soon(self._heartbeat_s if status == "423" else 0)

    async def _guard(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_s / 2)
            silent_s = time.monotonic() - self._seen
            if self._nc.is_connected and silent_s > _SILENCE_S:
                with contextlib.suppress(Exception):
                    await self._restart()


async def _quietly(work: Awaitable[None]) -> None:
    """The guard asks again when this fails."""
    with contextlib.suppress(Exception):
        await work


class PumpSubscriber(BatchPullStreamSubscriber):
    """FastStream's batch subscriber with its fetch loop replaced by a pump, and its way to the
    handler by a call: there is nothing to parse, no middleware, and `receive` never raises.
    """

    __slots__ = ()
    receive: "Receiver"

    async def process_message(self, msg: Any) -> Any:
        """Hand a batch over; who stops the subscriber waits until it is handled."""
        with self.lock:
            await self.receive(msg)

    async def _create_subscription(self) -> None:
        if self.subscription is not None:
            return
        nc = self._outer_config.connection_state.connection
        durable = str(self.config.durable_name)
        group = durable if self.config.description == _PINNED else None
        pump = await Pump(nc, self.stream.name, durable, group=group).start()
        pump.unsubscribe = pump.stop  # type: ignore[attr-defined]  # what FastStream calls on stop
        self.subscription = cast("Any", pump)
        self.add_task(self._pump)

    async def rewind(self) -> None:
        """See `Pump.rewind`."""
        if self.running and self.subscription is not None:
            await cast("Pump", self.subscription).rewind(self.jetstream)

    async def _pump(self) -> None:
        while not self.running:  # noqa: ASYNC110 - a flag of the library
            await asyncio.sleep(0)
        pump = cast("Pump", self.subscription)
        while self.running:
            try:
                messages = await pump.get(self.pull_sub.batch_size or MOST, 1.0)
            except TimeoutError:
                continue
            await self.consume(messages)


_PINNED = "pinned"

Receiver = Callable[[list[Msg]], Coroutine[Any, Any, None]]


def consume(
    broker: NatsBroker, receive: Receiver, *, stream: str, durable: str, pinned: bool
) -> PumpSubscriber:
    """Subscribe `receive` to a durable that provisioning has made; it acknowledges by itself."""
    from nats.js.api import ConsumerConfig  # noqa: PLC0415 - its AckPolicy is another enum

    subscriber = broker.subscriber(
        f"{stream}.{durable}",
        stream=JStream(stream, declare=False),
        durable=durable,
        config=ConsumerConfig(durable_name=durable, description=_PINNED if pinned else None),
        pull_sub=PullSub(batch_size=MOST, batch=True),
        ack_policy=AckPolicy.MANUAL,
        inbox_prefix=f"_INBOX_{durable}.".encode(),
    )
    subscriber.__class__ = PumpSubscriber
    subscriber(receive)
    pump = cast("PumpSubscriber", subscriber)
    pump.receive = receive
    return pump
