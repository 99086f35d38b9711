"""How a service says what it does with which event."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from signalbox.contracts.events import Event
from signalbox.runtime.moment import Moment, Outgoing

S = TypeVar("S")
Out = Iterable[Event | Outgoing]
Handler = Callable[[Any, S, Moment[Any]], Out | None]
DeadHandler = Callable[[Event | None, S, Moment[Any], str], Out | None]


class Handlers(Generic[S]):
    """The rules of one durable consumer, and how its state is loaded and saved for a whole batch.

    Without `load` there is no state and no database: handlers get None and must be idempotent by
    the ids they make.
    """

    def __init__(
        self,
        stream: str,
        durable: str,
        *,
        load: Callable[[Connection, Sequence[Event], Moment[Any]], S] | None = None,
        save: Callable[[Connection, S, Moment[Any]], None] | None = None,
        after: Callable[[S], None] | None = None,
        skims: bool = False,
    ) -> None:
        self.stream = stream
        self.durable = durable
        self.load = load
        self.save = save
        self.after = after  # on the event loop, once the transaction is committed
        self.skims = skims  # most of the stream is for others, who also set aside what is no event
        self.by_type: dict[type[Event], Handler[S]] = {}
        self.dead: DeadHandler[S] | None = None

    def on(self, kind: type[Event]) -> Callable[[Handler[S]], Handler[S]]:
        """Register the one handler of an event class."""

        def register(handler: Handler[S]) -> Handler[S]:
            if kind in self.by_type:
                raise ValueError(f"{kind.__name__} has a handler already")
            self.by_type[kind] = handler
            return handler

        return register

    def concerns(self, body: bytes) -> bool:
        """Whether a message may be for these handlers; told without reading it."""
        return not self.skims or any(kind.TYPE.encode() in body for kind in self.by_type)

    def on_dead(self, handler: DeadHandler[S]) -> DeadHandler[S]:
        """Register what else happens when a message is set aside."""
        self.dead = handler
        return handler
