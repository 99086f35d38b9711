"""The places where the hot path goes below the NATS client's public interface.

Publishing costs the client a coroutine and a header check for each message and a task switch for
each write, receiving a queue and a task switch. Here a whole batch is one write, at once, and a
message goes straight to its receiver. Both lean on private names: the client's version is locked,
and `shared/tests/test_runtime.py` runs them against a real server.
"""

import asyncio
from collections.abc import Callable, Iterable

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.protocol.command import hpub_cmd, pub_cmd

from signalbox.contracts.errors import TransientError
from signalbox.runtime.moment import Outgoing

_DRAIN_S = 5.0  # a server that takes nothing for so long is as good as away
_HEAD = "NATS/1.0\r\nContent-Type: application/cloudevents+json\r\nNats-Msg-Id: "


def publishing(message: Outgoing, reply: str) -> bytes:
    """The protocol line, headers and body of one message."""
    trace = f"\r\ntraceparent: {message.trace}" if message.trace else ""
    head = f"{_HEAD}{message.id}{trace}\r\n\r\n".encode()
    return hpub_cmd(message.subject, reply, head, message.body)


def acknowledging(message: Msg) -> bytes:
    """The protocol line that says a message was handled."""
    return pub_cmd(message.reply, "", b"+ACK")


async def write(nc: Client, commands: Iterable[bytes]) -> None:
    """Send protocol commands in one go.

    Raises:
        TransientError: the connection is away, or broke: what was sent is not known.
    """
    if not nc.is_connected:
        raise TransientError("the bus connection is away")
    transport = nc._transport
    if nc._pending or transport is None:  # what the client holds back goes first
        await nc._send_command(b"".join(commands))
        await nc._flush_pending()
        return
    try:
        transport.write(b"".join(commands))
        async with asyncio.timeout(_DRAIN_S):
            await transport.drain()  # type: ignore[no-untyped-call]  # the client has no types there
    except OSError as error:
        raise TransientError(f"the bus connection broke: {error!r}") from error


def parse_headers(raw: bytes) -> dict[str, str]:
    """The headers of a message, one `Name: Value` a line; a line without a colon is none."""
    found: dict[str, str] = {}
    for line in raw.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            found[name] = value.strip()
    return found


def quickened(nc: Client) -> Client:
    """The client, reading headers with `parse_headers`: its own looks at every letter of every
    name, which is a third of receiving a message.
    """
    vars(nc)["_parse_header_lines"] = parse_headers
    return nc


def drop(nc: Client) -> None:
    """Forget what the client holds back until a lost connection is there again."""
    nc._pending.clear()
    nc._pending_data_size = 0


class _Straight:
    """Stands in for a subscription's queue: what is put in is received at once."""

    def __init__(self, subscription: Subscription, receive: Callable[[Msg], None]) -> None:
        self._subscription = subscription
        self._receive = receive
        self._never = asyncio.Event()

    def put_nowait(self, message: Msg) -> None:
        """Hand the message over; nothing is ever pending."""
        self._subscription._pending_size = 0
        self._receive(message)

    async def get(self) -> Msg:
        """What the client's own task waits on, for ever."""
        await self._never.wait()
        raise asyncio.CancelledError

    def qsize(self) -> int:
        """Nothing waits."""
        return 0

    def empty(self) -> bool:
        """Nothing waits."""
        return True

    def task_done(self) -> None:
        """Nothing was taken."""

    async def join(self) -> None:
        """Nothing to wait for."""


async def hear(nc: Client, subject: str, receive: Callable[[Msg], None]) -> Subscription:
    """Subscribe a plain function, called as each message is read from the connection."""

    async def never(_message: Msg) -> None:
        raise AssertionError("the queue is bypassed")

    subscription = await nc.subscribe(
        subject, cb=never, pending_msgs_limit=-1, pending_bytes_limit=-1
    )
    subscription._pending_queue = _Straight(subscription, receive)  # type: ignore[assignment]  # see above
    return subscription
