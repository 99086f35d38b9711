"""Archives what every stream says, and brings it into the read models, in one transaction."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from gateway.adapters import archive
from gateway.adapters.archive import Archived
from gateway.adapters.merge import Batch
from gateway.projections.registry import project
from signalbox.contracts.config import GatewayConfig
from signalbox.contracts.events import EVENTS, Event, OrderChanged
from signalbox.contracts.payloads import LotSlice
from signalbox.contracts.subjects import ARCHIVED
from signalbox.runtime import metrics
from signalbox.runtime.handlers import Handlers
from signalbox.runtime.moment import Moment

DURABLE = "gateway"


@dataclass(slots=True)
class Intake:
    """What one batch brings."""

    last_seq: int
    known: set[str]
    fresh: list[Event] = field(default_factory=list)
    changes: Batch = field(default_factory=Batch)
    archived: list[Archived] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """Keep an event that the archive does not hold yet, and what it changes."""
        if str(event.id) in self.known:
            return
        self.known.add(str(event.id))
        self.fresh.append(event)
        for change in project(event):
            self.changes.add(change)


def load(sql: Connection, events: Sequence[Event], _moment: Moment[GatewayConfig]) -> Intake:
    """Where the archive ends, and which of these events it holds."""
    return Intake(archive.last_seq(sql), archive.known(sql, events))


def save(sql: Connection, intake: Intake, _moment: Moment[GatewayConfig]) -> None:
    """Archive and project, in bulk."""
    intake.archived = archive.store(sql, intake.fresh, intake.last_seq)
    intake.changes.write(sql)


def build_handlers(tell: Callable[[Sequence[Archived]], None]) -> list[Handlers[Intake]]:
    """One consumer for each archived stream; `tell` hears what was committed."""

    def after(intake: Intake) -> None:
        for event in intake.fresh:
            metrics.ARCHIVED.labels(event.STREAM).inc()
            if isinstance(event, OrderChanged) and event.data.fill:
                _gain(event.data.fill.slices)
        tell(intake.archived)

    return [_handlers(stream, after) for stream in ARCHIVED]


def _gain(slices: Iterable[LotSlice]) -> None:
    for part in slices:
        owner = metrics.PNL_REALIZED.labels(part.source_type, part.source_id)
        owner.inc(float(part.realised_pnl))


def _handlers(stream: str, after: Callable[[Intake], None]) -> Handlers[Intake]:
    handlers = Handlers(stream, DURABLE, load=load, save=save, after=after)
    for kind in EVENTS:
        if stream == kind.STREAM:
            handlers.on(kind)(on_event)
    return handlers


def on_event(event: Event, intake: Intake, _moment: Moment[GatewayConfig]) -> tuple[Event, ...]:
    """Outcomes: archived and projected; nothing when the archive holds it."""
    intake.take(event)
    return ()
