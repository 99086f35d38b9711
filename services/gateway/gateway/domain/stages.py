"""How long an order took from stage to stage, in wall-clock time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

STAGES = (
    ("signal_to_verdict", "signal", "verdict"),
    ("verdict_to_order", "verdict", "planned"),
    ("submit_to_accept", "submitting", "accepted"),
    ("accept_to_fill", "accepted", "filled"),
    ("signal_to_fill", "signal", "filled"),
)


@dataclass(frozen=True, slots=True)
class Times:
    """When each event of an order's chain was made; none where there is no such event."""

    signal: datetime | None = None  # none too where a person had to approve: that wait is theirs
    verdict: datetime | None = None
    planned: datetime | None = None
    submitting: datetime | None = None
    accepted: datetime | None = None
    filled: datetime | None = None  # the first fill

    def seconds(self) -> Iterator[tuple[str, float]]:
        """Each stage whose both ends are known. Clocks that disagree give 0, never less."""
        for stage, start, end in STAGES:
            begun, done = getattr(self, start), getattr(self, end)
            if begun is not None and done is not None:
                yield stage, max((done - begun).total_seconds(), 0.0)
