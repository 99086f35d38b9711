"""What people are told of: alarms stand until they are over, notices are said once. Both by the
executor's loops; what a transaction on the books has to tell goes with it.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from sqlalchemy import Connection

from executor.adapters import alarms as rows
from executor.domain.alarms import Alarm
from executor.domain.orders import Ticket
from executor.handlers.booking import ExecutorMoment, alert
from signalbox.contracts.config import ExecutorConfig
from signalbox.contracts.events import Event
from signalbox.contracts.payloads import Order
from signalbox.contracts.values import OrderState, Severity
from signalbox.runtime.service import Service

DOUBTED = frozenset({OrderState.SUBMITTING, OrderState.UNKNOWN})
EXIT_WAITS, UNKNOWN, VANISHED = "exit_waits", "order_unknown", "order_vanished"
REJECTED, GIVEN_UP, ABANDONED = "exit_rejected", "exit_given_up", "order_abandoned"
OF_EXITS = frozenset({REJECTED, GIVEN_UP, ABANDONED})  # they name the account; see exit_alerts.py

_HOLDS: dict[str, Callable[[Ticket], bool]] = {  # while the order is open
    EXIT_WAITS: lambda ticket: not ticket.sent,
    UNKNOWN: lambda ticket: ticket.order.state in DOUBTED,
    VANISHED: lambda _ticket: True,  # the broker shows it again, or its end
}
Say = Callable[[Connection, ExecutorMoment], list[Event]]


class Alarms:
    """What is raised is stored, so that another process can say that it is over."""

    def __init__(self, service: Service[ExecutorConfig]) -> None:
        self._service = service
        self._raised: dict[tuple[str, str], Alarm] = {}  # by code and what it is about
        self._noted: set[tuple[str, str]] = set()  # by code and occurrence, in this process
        self._turn = asyncio.Lock()

    def start(self, raised: Iterable[Alarm]) -> None:
        """Begin with what the database holds."""
        self._raised = {(alarm.code, alarm.about): alarm for alarm in raised}

    def raised(self) -> list[Alarm]:
        """What people know to be wrong."""
        return list(self._raised.values())

    async def tell(self, alarm: Alarm, words: str, severity: Severity = Severity.CRITICAL) -> None:
        """Raise an alarm, unless it is raised in the same detail."""
        key = alarm.code, alarm.about

        def say(sql: Connection, moment: ExecutorMoment) -> list[Event]:
            rows.put(sql, alarm)
            return [alert(moment, *key, words, moment.wall.isoformat(), severity=severity)]

        async with self._turn:
            if self._raised.get(key) != alarm:
                await self._commit(say, key, alarm)

    async def tell_of(self, order: Order, code: str, words: str, detail: str = "") -> None:
        """Raise an alarm about an open order; another one there takes it over."""
        await self.tell(Alarm(code, _place(order), order.order_id, detail), words)

    def keep(self, sql: Connection, raised: Iterable[Alarm]) -> None:
        """Remember what a transaction on the books has raised, in that transaction."""
        for alarm in raised:
            rows.put(sql, alarm)
            self._remember((alarm.code, alarm.about), alarm)

    async def tell_of_doubt(self, ticket: Ticket, alarm_s: float) -> None:
        """Tell of an order whose outcome has not been known for so long."""
        order, since = ticket.order, ticket.submission.since
        if order.state not in DOUBTED or since is None:
            return
        if (self._service.moment().wall - since).total_seconds() < alarm_s:
            return
        words = (
            f"whether the broker has order {order.order_id} of {order.bot} on {order.symbol} is not"
            " known; nothing else is sent on this symbol until it is"
        )
        await self.tell_of(order, UNKNOWN, words)

    async def look_at(self, waiting: Mapping[str, Ticket]) -> None:
        """End the alarms about orders for which they do not hold any more."""
        for alarm in self.raised():
            ticket, holds = waiting.get(alarm.order_id), _HOLDS.get(alarm.code)
            if holds is not None and not (ticket and holds(ticket)):
                words = f"order {alarm.order_id}, of which this told, has gone on or ended"
                await self.end(alarm, words)

    async def over(self, code: str, about: str, words: str) -> None:
        """Say that the trouble is over, if people were told of it."""
        alarm = self._raised.get((code, about))
        if alarm is not None:
            await self.end(alarm, words)

    async def end(self, alarm: Alarm, words: str) -> None:
        """Say that it is over, unless another one has taken its place meanwhile."""
        key = alarm.code, alarm.about

        def say(sql: Connection, moment: ExecutorMoment) -> list[Event]:
            rows.drop(sql, alarm)
            told = (*key, words, moment.wall.isoformat())
            return [alert(moment, *told, severity=Severity.INFO, active=False)]

        async with self._turn:
            if self._raised.get(key) == alarm:
                await self._commit(say, key, None)

    async def over_of(self, order: Order, code: str, words: str) -> None:
        """Say that an order's trouble is over."""
        await self.over(code, _place(order), words)

    async def _commit(self, say: Say, key: tuple[str, str], alarm: Alarm | None) -> None:
        """Remembered also when the caller is cancelled meanwhile; the next one may then begin
        before this one is written.
        """
        before: list[Alarm | None] = []

        def run(sql: Connection, moment: ExecutorMoment) -> list[Event]:
            before.append(self._raised.get(key))
            self._remember(key, alarm)
            return say(sql, moment)

        try:
            await self._service.transact(run)
        except Exception:
            if before:
                self._remember(key, before[-1])
            raise

    def _remember(self, key: tuple[str, str], alarm: Alarm | None) -> None:
        others = {known: one for known, one in self._raised.items() if known != key}
        self._raised = {**others, key: alarm} if alarm else others

    async def note(self, code: str, about: str, words: str, occurrence: str) -> None:
        """Tell of what has happened and is no state that could end; once for the occurrence."""

        def say(_sql: Connection, moment: ExecutorMoment) -> list[Event]:
            told = (code, about, words, occurrence)
            return [alert(moment, *told, active=False)]

        if (code, occurrence) not in self._noted:
            await self._service.transact(say)
            self._noted.add((code, occurrence))


def account_of(alarm: Alarm) -> str:
    """The account that an alarm is about; empty where it is about none."""
    if alarm.code in OF_EXITS:
        return alarm.detail
    kind, _, where = alarm.about.partition(":")
    return where.partition("/")[0] if kind == "account" else ""


def _place(order: Order) -> str:
    return f"account:{order.account}/{order.symbol}"
