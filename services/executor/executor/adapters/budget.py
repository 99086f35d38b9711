"""How many requests a minute an account may make, and who goes first."""

import asyncio
import heapq
import time
from collections.abc import Callable
from enum import IntEnum


class Urgency(IntEnum):
    """What a request is for; lower goes first."""

    CANCEL = 0
    SUBMIT = 1
    READ = 2


# What is left in the bucket for those that are more urgent.
_LEFT = {Urgency.CANCEL: 0.0, Urgency.SUBMIT: 5.0, Urgency.READ: 15.0}
_PLENTY = 25.0


class Budget:
    """A bucket of tokens that fills steadily. Used on one event loop."""

    def __init__(
        self,
        per_minute: float = 150.0,
        burst: float = 40.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate_s = per_minute / 60
        self._burst = self._tokens = burst
        self._clock = clock
        self._at = clock()
        self._waiting: list[tuple[Urgency, int, asyncio.Future[None]]] = []
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._shut_until = 0.0

    async def take(self, urgency: Urgency) -> None:
        """Wait for a turn."""
        turn = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._waiting, (urgency, self._count, turn))
        self._serve()
        await turn

    def idle(self) -> bool:
        """Whether nobody waits and there is plenty left."""
        self._fill()
        return not self._waiting and self._tokens >= _PLENTY and self._shut_until <= self._at

    def pause(self, seconds: float) -> None:
        """Let nothing through for so long: the other side has said so."""
        self._shut_until = max(self._shut_until, self._clock() + seconds)

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate_s)
        self._at = now

    def _serve(self) -> None:
        """Serve the most urgent ones; what is left comes again when there are tokens for it."""
        self._fill()
        shut_s = self._shut_until - self._clock()
        if shut_s > 0:
            self._again(shut_s)
            return
        while self._waiting:
            urgency, _, turn = self._waiting[0]
            lacks = 1 + _LEFT[urgency] - self._tokens
            if lacks > 0 and not turn.done():
                self._again(lacks / self._rate_s)
                return
            heapq.heappop(self._waiting)
            if not turn.done():
                self._tokens -= 1
                turn.set_result(None)

    def _again(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._serve)
