"""Withdrawals: an entry that still waits for what a source has taken back ends with it."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from executor.adapters import withdrawals
from executor.domain.desk import Desk
from executor.domain.flip import followed_sooner
from executor.domain.withdrawal import shortened, taken_back
from executor.handlers.booking import ExecutorMoment, end
from executor.handlers.memory import Memory
from signalbox.contracts.events import Event, OrderChanged, SignalWithdrawn
from signalbox.contracts.values import OrderState
from signalbox.runtime.handlers import Handlers


def build_handlers(memory: Memory) -> Handlers[Desk]:
    """The handlers of the durable `executor` on SIGNALS."""

    def load(sql: Connection, events: Sequence[Event], moment: ExecutorMoment) -> Desk:
        desk = memory.desk(moment.config)
        signals = {e.data.signal_id for e in events if isinstance(e, SignalWithdrawn)}
        memory.shelf.load(sql, desk, withdrawals.waiting_for(sql, signals))
        return desk

    def save(sql: Connection, desk: Desk, moment: ExecutorMoment) -> None:
        memory.shelf.save(sql, desk)
        if withdrawals.save(sql, desk.taken_back, moment.wall):
            memory.withdrawn = withdrawals.load(sql)
        memory.withdrawn.update(desk.taken_back)  # before the next verdict, in this same thread

    handlers: Handlers[Desk] = Handlers(
        "SIGNALS", "executor", load=load, save=save, after=memory.take, skims=True
    )

    @handlers.on(SignalWithdrawn)
    def on_signal_withdrawn(
        event: SignalWithdrawn, desk: Desk, moment: ExecutorMoment
    ) -> Iterator[OrderChanged]:
        """Outcomes: every open entry that the signal asked for is cancelled, or expires at the
        new time; exits stay, and what was to follow them may do so until then. It is remembered,
        since a verdict on the signal may come after it.
        """
        signal, until = event.data.signal_id, event.data.valid_until
        until = min(until, desk.stands_until(signal, until))
        desk.taken_back[signal] = until
        why = taken_back(event.data.source_id, until, moment.now)
        for bot in sorted(desk.waiting):
            for ticket in desk.open_orders(bot):
                if ticket.order.signal_id != signal:
                    continue
                shorten = shortened if ticket.entry else followed_sooner
                sooner = shorten(ticket, until)
                if ticket.entry and why is not None:
                    yield from end(desk, ticket, (OrderState.CANCELED, why), moment)
                elif sooner is not ticket:
                    desk.keep_ticket(sooner)

    return handlers
