"""What nobody sends a message for: quotes come in, and time goes by."""

import asyncio
import logging
from collections.abc import Awaitable, Collection, Iterator
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from executor.adapters import store, withdrawals
from executor.adapters.quotes import stored_quotes
from executor.domain.desk import START, Desk
from executor.handlers.audit import audit
from executor.handlers.booking import ExecutorMoment, alert, quote_for
from executor.handlers.protect import protect
from executor.handlers.verdicts import halt
from executor.handlers.waiting import end_overdue, fill_waiting, marks
from executor.handlers.work import Work
from signalbox.contracts.accounts import KillSwitch
from signalbox.contracts.events import Event, QuoteUpdated
from signalbox.contracts.values import Severity
from signalbox.runtime import metrics
from signalbox.runtime.fence import FenceLost

log = logging.getLogger(__name__)

_TICK_S = 0.2
_NOBODYS_FAULT = (FenceLost, OperationalError, InterfaceError)  # the loop starts again


class Floor:
    """The executor's loops."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._service = work.service
        self._memory = work.memory
        self._version = 0  # of the configuration that waiting orders were last checked against
        self._minute: datetime | None = None  # of market time, last valued
        self._failing: set[tuple[str, str]] = set()  # keys whose waiting orders raise

    async def start(self) -> None:
        """Check the books, then read what waits, what is halted, and the newest quotes."""
        await self._service.transact(audit)
        if self._service.db is not None:
            found = await self._service.db.read(
                lambda sql: (
                    store.open_tickets(sql),
                    store.halts(sql),
                    store.guarded(sql),
                    withdrawals.load(sql),
                )
            )
            self._memory.start(*found)
        self._memory.hear(await stored_quotes(self._service.bus))

    async def hear(self, event: QuoteUpdated) -> None:
        """Take a quote."""
        self._memory.hear((event.data,))

    async def fill_for_ever(self) -> None:
        """Fill waiting orders as quotes come in; all that came meanwhile is one transaction."""
        memory = self._memory
        memory.hear(await stored_quotes(self._service.bus))  # those published before we listened
        memory.remind()
        while True:
            await memory.wake.wait()
            memory.wake.clear()
            symbols, memory.quoted = memory.quoted, set()
            alarmed, memory.alarmed = memory.alarmed, set()
            await self.fill(symbols)
            await self.protect(alarmed)

    async def fill(self, symbols: Collection[str]) -> None:
        """One round for these symbols, if an order waits there and may be filled."""
        moment = self._service.moment()
        desk = self._memory.desk(moment.config)
        ready = [
            ticket.order
            for ticket in self._memory.waiting.values()
            if ticket.order.symbol in symbols
            and ticket.simulated
            and quote_for(desk, desk.bots.get(ticket.order.bot), ticket.order.symbol, moment)
        ]
        if not ready:
            return
        keys = sorted({(order.bot, order.symbol) for order in ready})
        if self._failing.isdisjoint(keys):
            try:
                await self._fill({bot for bot, _ in keys}, {symbol for _, symbol in keys})
            except _NOBODYS_FAULT:
                raise
            except Exception as error:  # noqa: BLE001 - which key failed is found out below
                log.warning("filling %d keys at once failed: %r", len(keys), error)
            else:
                return
        for key in keys:
            await self._fill_alone(key)

    async def protect(self, keys: Collection[tuple[str, str]]) -> None:
        """Look at the protected lots of these bots and symbols; one that fails stops no other."""
        if self._service.moment().frozen:
            return
        for bot, symbol in sorted(keys):

            def rule(
                sql: Connection, desk: Desk, moment: ExecutorMoment, symbol: str = symbol
            ) -> Iterator[Event]:
                return protect(sql, desk, {symbol}, moment)

            await self._guarded((bot, symbol), self._work.do(rule, {bot}))

    async def _fill(self, bots: Collection[str], symbols: Collection[str]) -> None:
        def rule(_sql: Connection, desk: Desk, moment: ExecutorMoment) -> Iterator[Event]:
            return fill_waiting(desk, symbols, moment)

        await self._work.do(rule, bots)

    async def _fill_alone(self, key: tuple[str, str]) -> None:
        """One key in its own transaction."""
        bot, symbol = key
        await self._guarded(key, self._fill({bot}, {symbol}))

    async def _guarded(self, key: tuple[str, str], work: Awaitable[object]) -> None:
        """Where one key fails, one alert says so, and others go on."""
        bot, symbol = key
        try:
            await work
        except _NOBODYS_FAULT:
            raise
        except Exception as error:
            log.exception("orders of %s on %s cannot be filled", bot, symbol)
            if key not in self._failing:
                words = (
                    f"orders of {bot} that wait on {symbol} cannot be filled: {error!r}. They are"
                    " tried at every quote; others go on. The log says more; cancel the order if"
                    " it stays."
                )
                await self._tell(key, words, Severity.CRITICAL)
                self._failing.add(key)
        else:
            if key in self._failing:
                words = f"orders of {bot} that wait on {symbol} can be filled again"
                await self._tell(key, words, Severity.INFO)
                self._failing.discard(key)

    async def _tell(self, key: tuple[str, str], words: str, severity: Severity) -> None:
        active = severity is Severity.CRITICAL

        def say(_sql: Connection, moment: ExecutorMoment) -> list[Event]:
            about, occurrence = f"key:{key[0]}/{key[1]}", f"{active}|{moment.wall.isoformat()}"
            return [
                alert(
                    moment,
                    "fill_failed",
                    about,
                    words,
                    occurrence,
                    severity=severity,
                    active=active,
                )
            ]

        await self._service.transact(say)

    async def tick_for_ever(self) -> None:
        """What time brings: orders expire, books are valued, gaps are given up."""
        while True:
            moment = self._service.moment()
            _show(moment.config.kill_switch)
            await self.end_overdue(moment)
            await self.halt_gaps(moment)
            if not moment.frozen:
                self._memory.watch_time(moment.now)
                await self.mark(moment)
            await asyncio.sleep(_TICK_S)

    async def end_overdue(self, moment: ExecutorMoment) -> None:
        """End what has expired; after a change of configuration look at everything that waits."""
        changed = moment.version != self._version
        bots = {
            ticket.order.bot
            for ticket in self._memory.waiting.values()
            if ticket.submission.recall is None
            and (changed or (ticket.expires_at is not None and ticket.expires_at <= moment.now))
        }
        if not bots:
            self._version = moment.version
            return

        def rule(_sql: Connection, desk: Desk, moment: ExecutorMoment) -> Iterator[Event]:
            return end_overdue(desk, moment)

        await self._work.do(rule, bots)
        self._version = moment.version

    async def halt_gaps(self, moment: ExecutorMoment) -> None:
        """Halt the keys whose missing verdicts have not come in time."""
        for key, sequence in self._memory.gaps.overdue(moment.wall):

            def rule(
                _sql: Connection,
                desk: Desk,
                moment: ExecutorMoment,
                key: tuple[str, str] = key,
                sequence: int = sequence,
            ) -> Iterator[Event]:
                if sequence > desk.tracks.get(key, START).sequence + 1:
                    yield halt(desk, key, "sequence_gap", sequence, moment)

            await self._work.do(rule, {key[0]})
            self._memory.gaps.forget(key, sequence, halted=True)

    async def mark(self, moment: ExecutorMoment) -> None:
        """Value the books once in every minute of market time."""
        minute = moment.now.replace(second=0, microsecond=0)
        if minute == self._minute:
            return
        self._minute = minute

        def rule(sql: Connection, desk: Desk, moment: ExecutorMoment) -> Iterator[Event]:
            self._memory.shelf.load(sql, desk, store.owners(sql))
            return marks(desk, moment, minute.isoformat())

        await self._work.do(rule, ())


def _show(switch: KillSwitch) -> None:
    metrics.TRADING_STATE.set(not switch.everything)
    metrics.KILL_SWITCH.labels("everything").set(switch.everything)
    metrics.KILL_SWITCH.labels("accounts").set(len(switch.accounts))
    metrics.KILL_SWITCH.labels("bots").set(len(switch.bots))
