"""One transaction around a rule: load the desk, change it, save it, remember what waits."""

from collections.abc import Callable, Collection, Iterator

from sqlalchemy import Connection

from executor.domain.desk import Desk
from executor.handlers.booking import ExecutorMoment
from executor.handlers.memory import Memory
from signalbox.contracts.config import ExecutorConfig
from signalbox.contracts.events import Event
from signalbox.runtime.service import Service

Rule = Callable[[Connection, Desk, ExecutorMoment], Iterator[Event]]


class Work:
    """How loops and commands change the books."""

    def __init__(self, service: Service[ExecutorConfig], memory: Memory) -> None:
        self.service = service
        self.memory = memory

    async def do(self, rule: Rule, bots: Collection[str]) -> list[Event]:
        """Run a rule on the books of these bots.

        Raises:
            SignalboxError: what the rule raised; nothing is changed then.
        """
        desks: list[Desk] = []

        def run(sql: Connection, moment: ExecutorMoment) -> list[Event]:
            desk, events = perform(rule, sql, moment, self.memory, bots)
            desks.append(desk)
            return events

        events = await self.service.transact(run)
        for desk in desks:
            self.memory.take(desk)
        return events


def perform(
    rule: Rule,
    sql: Connection,
    moment: ExecutorMoment,
    memory: Memory,
    bots: Collection[str],
) -> tuple[Desk, list[Event]]:
    """The part inside the transaction."""
    desk = memory.desk(moment.config)
    memory.shelf.load(sql, desk, bots)
    events = list(rule(sql, desk, moment))
    memory.shelf.save(sql, desk)
    return desk, events
