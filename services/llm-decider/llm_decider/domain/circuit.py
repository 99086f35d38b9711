"""When a provider is not asked: after a run of failures, a refusal for good, or a request to wait.

Nothing is kept here: whoever calls holds one circuit per provider, key and model.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from llm_decider.domain.shapes import Booking, Failure

_RUN = 5  # failures in a row
_FIRST_S, _LONGEST_S = 30.0, 300.0
_REFUSED_S = 300.0  # a wrong key does not become right by asking
_OWN = "busy"  # our own limit of calls at once


@dataclass(frozen=True, slots=True)
class Circuit:
    """Closed while `trouble` is none. Times are wall times."""

    trouble: Failure | None = None
    since: datetime | None = None  # of the trouble
    until: datetime | None = None  # then one call may try
    trial: datetime | None = None  # when the call began that tries
    failures: int = 0  # in a row
    openings: int = 0  # since it last worked
    not_before: datetime | None = None  # as the provider asked

    def blocks(self, wall: datetime) -> Failure | None:
        """Why no call may be made now; None when one may."""
        if self.trouble is None or self.until is None:
            return None
        busy = self.trial is not None and wall < self.trial + timedelta(seconds=_LONGEST_S)
        if wall >= self.until and not busy:
            return None
        wait_s = max((self.until - wall).total_seconds(), 0.0)
        when = f"for {_in_words(wait_s)}" if wait_s else "until the call that tries it has ended"
        return replace(
            self.trouble,
            message=f"{self.trouble.message} Not asked {when}.",
            booking=Booking.RELEASE,
            retry=False,
            retry_after_s=None,
            breaks=False,
            request_id="",
        )

    def wait_s(self, wall: datetime) -> float:
        """How long to wait before the next call, because the provider asked for it."""
        if self.not_before is None:
            return 0.0
        return max((self.not_before - wall).total_seconds(), 0.0)

    def probing(self, wall: datetime) -> "Circuit":
        """A call begins; where there was trouble it tries, and is the only one."""
        return replace(self, trial=wall) if self.trouble is not None else self

    def worked(self) -> "Circuit":
        """After an answer. What the provider asked to wait still holds."""
        return Circuit(not_before=self.not_before)

    def failed(self, failure: Failure, wall: datetime) -> "Circuit":
        """After a failure."""
        if failure.kind == _OWN:
            return replace(self, trial=None)
        if failure.kind == "rate_limited":
            wait_s = failure.retry_after_s if failure.retry_after_s is not None else 1.0
            later = wall + timedelta(seconds=min(wait_s, 86_400.0))
            return replace(self, trial=None, not_before=max(later, self.not_before or later))
        if failure.breaks:
            return self._open(failure, wall, _REFUSED_S)
        if self.failures + 1 < _RUN and self.trial is None:
            return replace(self, failures=self.failures + 1)
        return self._open(failure, wall, min(_FIRST_S * 2**self.openings, _LONGEST_S))

    def _open(self, failure: Failure, wall: datetime, pause_s: float) -> "Circuit":
        return replace(
            self,
            trouble=failure,
            since=self.since or wall,
            until=wall + timedelta(seconds=pause_s),
            trial=None,
            failures=self.failures + 1,
            openings=self.openings + 1,
        )


def _in_words(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} minutes"
