"""How fast one account may be asked. QuantConnect publishes no figure, so this one is careful."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import JsonValue

_SLOWED_S = 300.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Requests per minute, and how many may come at once."""

    per_minute: float
    burst: int


class Limiter:
    """A token bucket, shared by all that use one account. Halves for 5 minutes after a 429."""

    def __init__(
        self,
        pace: Pace,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._pace = pace
        self._clock = clock
        self._sleep = sleep
        self._tokens = float(pace.burst)
        self._at = clock()
        self._blocked_until = 0.0
        self._slow_until = 0.0
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Wait for one's turn, in order of asking."""
        async with self._turn:
            while (wait_s := self._wait_s()) > 0:
                await self._sleep(wait_s)
            self._tokens -= 1

    def slow_down(self, retry_after_s: float) -> None:
        """After a 429: nothing before `retry_after_s`, then half as fast for a while."""
        now = self._clock()
        self._refill(now)
        self._tokens = min(self._tokens, 1.0)
        self._blocked_until = max(self._blocked_until, now + retry_after_s)
        self._slow_until = now + retry_after_s + _SLOWED_S

    @property
    def blocked_s(self) -> float:
        """Seconds until anything may be asked again."""
        return max(self._blocked_until - self._clock(), 0.0)

    @property
    def per_minute(self) -> float:
        """The rate in force."""
        return self._pace.per_minute / (2 if self._clock() < self._slow_until else 1)

    def describe(self) -> dict[str, JsonValue]:
        """For the status page."""
        self._refill(self._clock())
        return {
            "per_minute": self.per_minute,
            "available": max(int(self._tokens), 0),
            "limited_for_s": round(self.blocked_s, 1),
        }

    def _refill(self, now: float) -> None:
        grown = self._tokens + (now - self._at) * self.per_minute / 60
        self._tokens, self._at = min(grown, float(self._pace.burst)), now

    def _wait_s(self) -> float:
        self._refill(self._clock())
        if self.blocked_s > 0:
            return self.blocked_s
        return 0.0 if self._tokens >= 1 else (1 - self._tokens) * 60 / self.per_minute
