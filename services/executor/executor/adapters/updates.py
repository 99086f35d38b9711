"""Alpaca's stream of order updates over a WebSocket: one connection, for as long as it lasts."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from executor.adapters.alpaca import Login
from executor.domain import alpaca_stream as wire
from executor.domain.alpaca_stream import Said, Word
from signalbox.contracts.errors import RateLimited, Refused, TransientError

_LIMITED_S = 90.0  # so long a connection that is half dead may still count over there
_MOST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the other side may take, in seconds."""

    begin_s: float = 10.0  # to connect, to know us and to listen
    ping_s: float = 20.0  # between two pings, and for the answer to one


class _Direct(connect):
    """Goes nowhere else than it was told to: keys are sent over the connection."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class Updates:
    """The stream of one account. Neither key nor secret appears in an error or a log."""

    def __init__(self, login: Login, patience: Patience | None = None) -> None:
        self._login = login
        self._patience = patience or Patience()
        self._quiet = logging.Logger("stream", logging.CRITICAL)  # the library logs what it sends
        self._quiet.addHandler(logging.NullHandler())

    async def follow(self, began: Callable[[], None], hear: Callable[[Said], None]) -> None:
        """Connect, then hand over what is said until the connection ends.

        Raises:
            Refused: not with these keys.
            RateLimited: too many connections.
            TransientError: it could not be reached, has ended, or was silent for too long.
        """
        patience = self._patience
        try:
            async with (
                asyncio.timeout(patience.begin_s) as beginning,
                _Direct(
                    wire.stream_of(self._login.url),
                    open_timeout=None,
                    ping_interval=patience.ping_s,
                    ping_timeout=patience.ping_s,
                    close_timeout=1.0,
                    max_size=_MOST_BYTES,
                    compression=None,
                    proxy=None,
                    user_agent_header="Signalbox/1",
                    logger=self._quiet,
                ) as socket,
            ):
                await self._introduce(socket)
                beginning.reschedule(None)
                began()
                async for frame in socket:
                    hear(wire.read(frame))
        except InvalidStatus as error:
            raise _refusal(error.response.status_code) from None
        except (OSError, TimeoutError, WebSocketException) as error:
            raise TransientError(f"the stream has failed: {type(error).__name__}") from None
        raise TransientError("the stream has ended")

    async def _introduce(self, socket: ClientConnection) -> None:
        await socket.send(wire.authenticate(self._login.key, self._login.secret))
        await _await(socket, Word.AUTHORISED)
        await socket.send(wire.listen())
        await _await(socket, Word.LISTENING)


async def _await(socket: ClientConnection, wanted: Word) -> None:
    """Read up to the answer that is waited for."""
    while (word := wire.read(await socket.recv()).word) is not wanted:
        match word:
            case Word.REFUSED:
                raise _refusal(401)
            case Word.LIMITED:
                raise _refusal(429)
            case Word.FAILED:
                raise TransientError("the stream answers with an error")


def _refusal(status: int) -> Exception:
    if status == 429:
        words = "the stream allows no further connection"
        return RateLimited(words, retry_after_s=_LIMITED_S)
    if status in {401, 403}:
        return Refused("the stream refuses the keys")
    return TransientError(f"the stream answers {status}")
