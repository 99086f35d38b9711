"""The bus: one NATS connection, publishing with acknowledgements outstanding together, buckets."""

import asyncio
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faststream.nats import NatsBroker
from faststream.security import SASLPlaintext
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError

from signalbox.contracts.errors import TransientError
from signalbox.runtime import metrics, wire
from signalbox.runtime.counting import Check, Line, checks
from signalbox.runtime.moment import Outgoing
from signalbox.runtime.topology import written_alone

log = logging.getLogger(__name__)

PUBLISH_TIMEOUT_S = 5.0
_READ_S = 5.0
_MOST_READ = 10_000


class PublishFailed(TransientError):
    """The stream did not take a message."""


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What a service needs to come in: NATS user and password, and its private key."""

    user: str
    password: str
    private_key: str | None

    @classmethod
    def read(cls, home: Path, service: str) -> "Credentials":
        """From the file that provisioning wrote for this service."""
        stored = json.loads((home / "credentials" / f"{service}.json").read_text())
        return cls(stored["user"], stored["password"], stored.get("private_key"))


def server_url(home: Path, given: str | None) -> str:
    """The given server, else the embedded one whose address its starter wrote down."""
    if given:
        return given
    path = home / "nats" / "url"
    return path.read_text().strip() if path.exists() else "nats://127.0.0.1:4222"


class Receipt:
    """Messages on their way to their streams; a repeat that a stream drops counts as stored."""

    __slots__ = ("done", "left", "tokens")

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.left = 0  # acknowledgements to come
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Bus:
    """One connection of one service."""

    def __init__(self, service: str, url: str, credentials: Credentials | None) -> None:
        self.service = service
        self.inbox_prefix = f"_INBOX_{service}"
        login = (
            SASLPlaintext(username=credentials.user, password=credentials.password)
            if credentials
            else None
        )
        self.broker = NatsBroker(
            url,
            apply_types=False,
            name=service,
            inbox_prefix=self.inbox_prefix,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.2,  # type: ignore[arg-type]  # seconds; the client takes fractions
            ping_interval=10,
            max_outstanding_pings=2,
            connect_timeout=5,
            pending_size=64 * 1024 * 1024,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_reconnected,
            logger=None,
            graceful_timeout=15,
            security=login,
        )
        self.reconnected: list[Any] = []  # async functions to call after every reconnect
        self._waiting: dict[str, tuple[Receipt, Check | None]] = {}
        self._lines = {name: Line() for name in written_alone(service)}
        self._back = asyncio.Event()
        self._closing = False
        self._said = ""
        self._count = 0

    async def connect(self) -> None:
        """Connect, and listen for acknowledgements."""
        self._nc = wire.quickened(await self.broker.connect())
        self._prefix = self.nc.new_inbox()
        self._cut = len(self._prefix) + 1
        await wire.hear(self._nc, f"{self._prefix}.*", self._on_ack)

    @property
    def nc(self) -> Client:
        """The connection itself."""
        return self.broker.connection

    @property
    def js(self) -> JetStreamContext:
        """JetStream on this connection."""
        stream: JetStreamContext = self.broker.config.connection_state.stream
        return stream

    @property
    def connected(self) -> bool:
        """Whether the server can be reached now."""
        return bool(self.broker.config.connection_state) and self.nc.is_connected

    async def send(self, *messages: Outgoing, counted: bool = False) -> Receipt:
        """Publish in order; the receipt ends when the streams hold all of them.

        `counted` saves acknowledgements, see `counting`; whoever asks for it sends again when it
        fails.

        Raises:
            PublishFailed: the connection is away and does not come back in time.
        """
        if not self._nc.is_connected:
            await self._wait_for_connection()
        receipt = Receipt()
        commands = []
        for message, check, due in checks(self._lines if counted else {}, messages):
            reply = ""
            if due:
                self._count += 1
                token = str(self._count)
                receipt.tokens.append(token)
                self._waiting[token] = (receipt, check)
                reply = f"{self._prefix}.{token}"
            commands.append(wire.publishing(message, reply))
        receipt.left = len(receipt.tokens)
        if not receipt.left:
            receipt.done.set_result(None)
        try:
            await wire.write(self._nc, commands)
        except BaseException as error:
            self.forget(receipt)
            if not isinstance(error, NatsError | TransientError):
                raise
            raise PublishFailed(f"publishing failed: {error}") from error
        return receipt

    async def _wait_for_connection(self) -> None:
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                while not self._nc.is_connected:
                    self._back.clear()
                    await self._back.wait()
        except TimeoutError:
            raise PublishFailed(f"no connection within {PUBLISH_TIMEOUT_S:g} s") from None

    async def confirmed(self, *receipts: Receipt) -> None:
        """Wait until the streams hold everything.

        Raises:
            PublishFailed: a message was refused, or nothing was heard in time.
        """
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                for receipt in receipts:
                    await receipt.done
        except TimeoutError:
            self.forget(*receipts)
            raise PublishFailed(f"no stream answered within {PUBLISH_TIMEOUT_S:g} s") from None

    def forget(self, *receipts: Receipt) -> None:
        """Stop waiting for these."""
        for receipt in receipts:
            receipt.done.cancel()
            for token in receipt.tokens:
                self._waiting.pop(token, None)
        self._distrust()

    def _distrust(self) -> None:
        """Every message is acknowledged again until its stream's numbers are known."""
        for line in self._lines.values():
            line.offset = None

    def _on_ack(self, message: Msg) -> None:
        receipt, check = self._waiting.pop(message.subject[self._cut :], (None, None))
        if receipt is None or receipt.done.done():
            return
        if not message.data or b'"error"' in message.data:
            said = message.data.decode() or "no stream listens"
            self._fail(receipt, f"the stream refused a message: {said}")
        elif check is not None and not check.holds(message.data):
            self._distrust()
            self._fail(receipt, "the stream did not take every message")
        else:
            receipt.left -= 1
            if not receipt.left:
                receipt.done.set_result(None)

    @staticmethod
    def _fail(receipt: Receipt, why: str) -> None:
        receipt.done.set_exception(PublishFailed(why))
        receipt.done.exception()  # looked at: whoever waits is told

    async def last(self, stream: str, subject: str) -> bytes | None:
        """The newest message on a subject, or None.

        Raises:
            TransientError: the server does not answer.
        """
        try:
            return (await self.js.get_last_msg(stream, subject, direct=True)).data
        except NotFoundError:
            return None
        except (NatsError, JetStreamError) as error:
            raise TransientError(f"{subject} cannot be read: {error!r}") from error

    async def newest(self, stream: str, *filters: str) -> list[bytes]:
        """The newest message on every subject that fits one of these, in one request.

        The server answers for up to 1,024 subjects; where there are more, nothing is read.

        Raises:
            TransientError: the server does not answer in full.
        """
        answers: asyncio.Queue[Msg] = asyncio.Queue(_MOST_READ)
        inbox = self.nc.new_inbox()
        subscription = await self.nc.subscribe(inbox, cb=answers.put)
        request = json.dumps({"multi_last": filters, "batch": _MOST_READ}).encode()
        found: list[bytes] = []
        try:
            await self.nc.publish(f"$JS.API.DIRECT.GET.{stream}", request, reply=inbox)
            async with asyncio.timeout(_READ_S):
                while not _is_end(message := await answers.get()):
                    found.append(message.data)
        except (NatsError, TimeoutError) as error:
            raise TransientError(f"{stream} cannot be read: {error!r}") from error
        finally:
            await subscription.unsubscribe()
        return found

    async def bucket_get(self, bucket: str, key: str) -> bytes | None:
        """The value of a key, or None."""
        return await self.last(f"KV_{bucket}", f"$KV.{bucket}.{key}") or None

    async def bucket_put(self, bucket: str, key: str, value: bytes) -> None:
        """Store the value of a key."""
        await self.js.publish(f"$KV.{bucket}.{key}", value, timeout=PUBLISH_TIMEOUT_S)

    async def close(self) -> None:
        """Send what is buffered and leave."""
        self._closing = True
        await self.broker.stop()

    async def _on_error(self, error: Exception) -> None:
        metrics.BUS_ERRORS.labels(self.service).inc()
        if repr(error) != self._said:  # the client tries again five times a second
            log.warning("bus error: %r", error)
        self._said = repr(error)

    async def _on_disconnected(self) -> None:
        """All unconfirmed messages fail, for nobody knows which have arrived, and what the client
        still holds back is dropped: they are sent again in order, and nothing overtakes them.
        """
        if not self._closing:
            log.warning("bus connection lost")
        lost, self._waiting = self._waiting, {}
        if lost:
            wire.drop(self._nc)
        self._distrust()
        for receipt, _ in lost.values():
            if not receipt.done.done():
                self._fail(receipt, "the connection was lost")

    async def _on_reconnected(self) -> None:
        log.info("bus connection is back")
        self._said = ""
        self._back.set()
        for call in self.reconnected:
            await call()


def _is_end(message: Msg) -> bool:
    """204 comes after the last one, 404 where there is none, 413 where there are too many."""
    return "Status" in (message.headers or {})
