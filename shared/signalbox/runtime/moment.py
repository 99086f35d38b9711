"""What a rule may know of its surroundings: time, configuration, and whose turn it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from signalbox.contracts.events import Event

D = TypeVar("D")
E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that is no event, to be published through the outbox."""

    id: str
    subject: str
    body: bytes
    trace: str = ""  # W3C traceparent


@dataclass(frozen=True, slots=True)
class Moment(Generic[D]):
    """One instant in the life of a service. The same moment and input give the same output."""

    service: str
    now: datetime  # the market clock: trading rules
    wall: datetime  # wall time: budgets, signatures, logins
    config: D
    version: int  # of the configuration
    epoch: int = 0  # of the market clock
    speed: float = 1.0  # market seconds per wall second
    replay: bool = False  # prices are not of today: nothing real trades
    frozen: bool = False  # the market clock is not renewed: take no new risk
    fence: int = 0

    def event(
        self, kind: type[E], data: Any, *, cause: Event | None = None, sequence: int | None = None
    ) -> E:
        """The event of `data`, stamped with this service, wall time and configuration version."""
        return kind.of(
            data,
            source=self.service,
            time=self.wall,
            configversion=self.version,
            cause=cause,
            sequence=sequence,
        )
