"""How fast a provider may be asked."""

import asyncio
import time
from collections.abc import Callable


class Pace:
    """A bucket of tokens that fills steadily; served in order of asking. Used on one event loop."""

    def __init__(
        self, per_minute: float, burst: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate_s = per_minute / 60
        self._burst = self._tokens = float(burst)
        self._clock = clock
        self._at = clock()
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Wait for a turn."""
        async with self._turn:
            while (wait_s := self._wait_s()) > 0:  # noqa: ASYNC110 - time itself is waited for
                await asyncio.sleep(wait_s)
            self._tokens -= 1

    def pause(self, seconds: float) -> None:
        """Let nothing through for so long: the other side has said so."""
        self._fill()
        self._tokens = min(self._tokens, 1 - self._rate_s * seconds)

    def _wait_s(self) -> float:
        self._fill()
        return max(1 - self._tokens, 0.0) / self._rate_s

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate_s)
        self._at = now
