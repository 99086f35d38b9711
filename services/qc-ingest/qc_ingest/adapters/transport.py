"""One signed request to QuantConnect: limits, deadlines, and what may be repeated."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import httpx

from qc_ingest.adapters.limiter import Limiter
from qc_ingest.domain.answers import Doubtful, Loading, NotDone, OutcomeUnknown, read_answer
from qc_ingest.domain.signature import sign
from qc_ingest.domain.wire import Json
from signalbox.contracts.errors import PermanentError, RateLimited, SignalboxError, TransientError
from signalbox.runtime import metrics

Http = httpx.AsyncClient
Body = dict[str, Json]

_CONNECT_S, _READ_S = 5.0, 30.0
_DEADLINE_S = 90.0  # for one call with all its repeats
_LOADING_S = 60.0
_MOST_BYTES = 16 * 1024 * 1024
_DATE_S = 2.0  # the Date header counts whole seconds, and may be made a second early
_BACKOFF_S = (1.0, 2.0, 4.0, 8.0)
_LONGEST_WAIT_S = 10.0  # a longer Retry-After is the caller's to wait for
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Account:
    """Where and as whom."""

    base_url: str
    user_id: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Timing:
    """Time and dice, so that tests need neither."""

    wall: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    dice: Callable[[], float] = random.random  # noqa: S311 - spreads repeats, guards nothing


def open_http() -> httpx.AsyncClient:
    """One pool of connections for every account."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(_READ_S, connect=_CONNECT_S),
        headers={"User-Agent": "Signalbox/1", "Accept": "application/json"},
        follow_redirects=False,
        trust_env=False,
    )


class Transport:
    """Requests of one account. Errors are Signalbox's own; neither token nor signature is in them.

    An impatient one repeats nothing.
    """

    def __init__(
        self,
        account: Account,
        http: httpx.AsyncClient,
        limiter: Limiter,
        *,
        timing: Timing | None = None,
        patient: bool = True,
    ) -> None:
        self._account = account
        self._http = http
        self._timing = timing or Timing()
        self._tries = len(_BACKOFF_S) + 1 if patient else 1
        self.limiter = limiter
        self.skew_s: float | None = None  # QuantConnect's clock less ours

    async def read(
        self, path: str, body: Body | None = None, *, expects: Collection[str] = ()
    ) -> dict[str, Json]:
        """The answer to a question; repeated, with growing pauses, until the deadline.

        Raises:
            Loading: the data file is being prepared.
            PermanentError, TransientError: see `read_answer`.
        """
        try:
            async with asyncio.timeout(_DEADLINE_S):
                return await self._repeat(path, body or {}, expects)
        except TimeoutError as error:
            raise TransientError(f"{path}: no answer within {_DEADLINE_S:g} s") from error

    async def prepared(
        self, path: str, body: Body, *, expects: Collection[str] = ()
    ) -> dict[str, Json]:
        """The same for data that the server may have to prepare first.

        Raises:
            Loading: it was not ready within a minute.
        """
        waited_s, wait_s = 0.0, 1.0
        while True:
            try:
                return await self.read(path, body, expects=expects)
            except Loading:
                if self._tries == 1 or waited_s + wait_s > _LOADING_S:
                    raise
                await self._timing.sleep(wait_s)
                waited_s, wait_s = waited_s + wait_s, wait_s * 2

    async def change(
        self, path: str, body: Body, *, expects: Collection[str] = ()
    ) -> dict[str, Json]:
        """The answer to something that creates or changes. It is sent once at most.

        Raises:
            NotDone, RateLimited: nothing was changed.
            OutcomeUnknown: it may have been; look before asking again.
            PermanentError: it was refused.
        """
        try:
            async with asyncio.timeout(_DEADLINE_S):
                await self._take_turn()
        except TimeoutError as error:
            raise NotDone(f"{path}: no turn within {_DEADLINE_S:g} s") from error
        try:
            return await self._once(path, body, expects)
        except RateLimited as error:
            self.limiter.slow_down(error.retry_after_s)
            raise
        except NotDone:
            raise
        except TransientError as error:
            raise OutcomeUnknown(str(error)) from error

    async def _repeat(self, path: str, body: Body, expects: Collection[str]) -> dict[str, Json]:
        doubted = False
        for attempt in range(self._tries):
            await self._take_turn()
            try:
                return await self._once(path, body, expects)
            except RateLimited as error:
                self.limiter.slow_down(error.retry_after_s)
                if error.retry_after_s > _LONGEST_WAIT_S or attempt + 1 == self._tries:
                    raise
                continue  # the limiter waits
            except (Loading, TransientError) as error:
                last = isinstance(error, Loading) or attempt + 1 == self._tries
                if last or (doubted and isinstance(error, Doubtful)):
                    raise
                doubted = doubted or isinstance(error, Doubtful)
            await self._timing.sleep(self._timing.dice() * _BACKOFF_S[attempt])
        raise TransientError(f"{path}: not answered")

    async def _take_turn(self) -> None:
        """Wait for one's turn; what QuantConnect asked any user of this account to wait is told."""
        wait_s = math.ceil(self.limiter.blocked_s)
        if wait_s > _LONGEST_WAIT_S:
            raise RateLimited(f"QuantConnect asks to wait {wait_s} s more", retry_after_s=wait_s)
        await self.limiter.take()

    async def _once(self, path: str, body: Body, expects: Collection[str]) -> dict[str, Json]:
        status = "none"
        try:
            found, content = await self._send(path, body)
            status = str(found.status_code)
            self._note_date(found.headers.get("date"))
            return read_answer(
                found.status_code,
                content,
                expects=expects,
                retry_after=found.headers.get("retry-after"),
            )
        except SignalboxError as error:
            status = f"{status} {type(error).__name__}"
            raise
        finally:
            metrics.QC_REQUESTS.labels(path, status).inc()

    async def _send(self, path: str, body: Body) -> tuple[httpx.Response, bytes]:
        account = self._account
        url = f"{account.base_url.rstrip('/')}/{path}"
        headers = sign(account.user_id, account.token, int(self._timing.wall()))
        try:
            async with self._http.stream("POST", url, json=body, headers=headers) as response:
                return response, await _read(response)
        except _NEVER_SENT as error:
            raise NotDone(f"{path}: no connection") from error
        except httpx.TimeoutException as error:
            raise TransientError(f"{path}: no answer in time") from error
        except httpx.UnsupportedProtocol as error:
            raise NotDone(f"{path}: the address has no http or https in front") from error
        except httpx.InvalidURL as error:
            raise PermanentError(f"{account.base_url} is not an address") from error
        except httpx.DecodingError as error:
            raise TransientError(f"{path}: the answer cannot be unpacked") from error
        except httpx.TransportError as error:
            raise TransientError(f"{path}: the connection broke off") from error

    def _note_date(self, header: str | None) -> None:
        try:
            theirs = parsedate_to_datetime(header or "").timestamp()
        except (ValueError, TypeError, OverflowError):
            return
        apart_s = round(theirs - self._timing.wall(), 1)
        self.skew_s = apart_s if abs(apart_s) > _DATE_S else 0.0


async def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > _MOST_BYTES:
            raise PermanentError(f"the answer is larger than {_MOST_BYTES >> 20} MiB")
    return bytes(content)
