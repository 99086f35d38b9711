"""How long to wait after failed sign-ins."""

from dataclasses import dataclass
from datetime import datetime, timedelta

FREE_FAILURES = 5
FIRST_DELAY_S = 2
LONGEST_DELAY_S = 15 * 60
FORGOTTEN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Failures:
    """Sign-ins in a row that failed, for one account name or one address."""

    count: int
    last_at: datetime

    def wait_s(self, now: datetime) -> int:
        """Whole seconds until the next try counts; 0 when it may be made now."""
        if self.count < FREE_FAILURES or now - self.last_at >= FORGOTTEN_AFTER:
            return 0
        delay = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** min(self.count - FREE_FAILURES, 20))
        left = self.last_at + timedelta(seconds=delay) - now
        return max(0, -(-left // timedelta(seconds=1)))

    def and_one(self, now: datetime) -> "Failures":
        """With one more failure, after forgetting old ones."""
        forgotten = now - self.last_at >= FORGOTTEN_AFTER
        return Failures(1 if forgotten else self.count + 1, now)
