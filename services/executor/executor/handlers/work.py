"""One transaction around a rule: load the desk, change it, save it, remember what waits."""

import asyncio
from collections.abc import Callable, Collection, Iterator

from sqlalchemy import Connection

from executor.domain.desk import Desk
from executor.handlers.alarms import Alarms
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
        self.alarms = Alarms(service)
        self._under_way: set[asyncio.Future[list[Event]]] = set()

    async def do(self, rule: Rule, bots: Collection[str]) -> list[Event]:
        """Run a rule on the books of these bots. What is committed is remembered, also when the
        caller is cancelled meanwhile.

        Raises:
            SignalboxError: what the rule raised; nothing is changed then.
        """
        doing = asyncio.ensure_future(self._do(rule, bots))
        self._under_way.add(doing)
        doing.add_done_callback(self._under_way.discard)
        return await asyncio.shield(doing)

    async def _do(self, rule: Rule, bots: Collection[str]) -> list[Event]:
        desks: list[Desk] = []

        def run(sql: Connection, moment: ExecutorMoment) -> list[Event]:
            desk, events = perform(rule, sql, moment, self.memory, bots)
            self.alarms.keep(sql, desk.alarms)
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
