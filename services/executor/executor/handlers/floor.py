"""What nobody sends a message for: quotes come in, and time goes by."""

import asyncio
import logging
from collections.abc import Awaitable, Collection, Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from executor.adapters import alarms, store, withdrawals
from executor.adapters.quotes import stored_quotes
from executor.domain.alarms import Alarm
from executor.domain.book import NO_RISK
from executor.domain.desk import START, WHOLE_BOT, Desk
from executor.domain.prices import met
from executor.domain.risk import locks
from executor.handlers.audit import audit
from executor.handlers.booking import ExecutorMoment, quote_for
from executor.handlers.margins import low_margins, tell_margins
from executor.handlers.protect import protect
from executor.handlers.verdicts import halt_key
from executor.handlers.waiting import end_overdue, fill_waiting, marks
from executor.handlers.work import Work
from signalbox.contracts.accounts import KillSwitch
from signalbox.contracts.events import Event, QuoteUpdated
from signalbox.contracts.payloads import Order
from signalbox.contracts.values import Severity
from signalbox.runtime import metrics
from signalbox.runtime.fence import FenceLost

log = logging.getLogger(__name__)

_FAILED, _LOCKED = "fill_failed", "bot_locked"
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
            self._memory.risks = await self._service.db.read(store.risks)
            self._work.alarms.start(await self._service.db.read(alarms.load))
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
            and self._is_ready(ticket.order, desk, moment)
        ]
        if not ready:
            return
        keys = sorted({(order.bot, order.symbol) for order in ready})
        if self._failing().isdisjoint(keys):
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

    def _is_ready(self, order: Order, desk: Desk, moment: ExecutorMoment) -> bool:
        """Whether a quote may fill an order; of a halted key any quote ends it."""
        quote = quote_for(desk, desk.bots.get(order.bot), order.symbol, moment)
        keys = {(order.bot, order.symbol), (order.bot, WHOLE_BOT)}
        halted = not self._memory.halted.isdisjoint(keys)
        return quote is not None and (halted or met(order, quote))

    async def protect(self, keys: Collection[tuple[str, str]]) -> None:
        """Look at the protected lots of these bots and symbols; one that fails stops no other."""
        moment = self._service.moment()
        if moment.frozen:
            return
        for bot, symbol in sorted(keys):
            left = self._memory.patience.lots(symbol, moment.now)

            def rule(
                sql: Connection,
                desk: Desk,
                moment: ExecutorMoment,
                symbol: str = symbol,
                left: frozenset[UUID] = left,
            ) -> Iterator[Event]:
                return protect(sql, desk, {symbol}, moment, left=left)

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
            words = (
                f"orders of {bot} that wait on {symbol} cannot be filled: {error!r}. They are tried"
                " at every quote; others go on. The log says more; cancel the order if it stays."
            )
            await self._work.alarms.tell(Alarm(_FAILED, _about(key)), words)
        else:
            words = f"orders of {bot} that wait on {symbol} can be filled again"
            await self._work.alarms.over(_FAILED, _about(key), words)

    def _failing(self) -> set[tuple[str, str]]:
        """The keys whose waiting orders raise."""
        raised = [alarm.about for alarm in self._work.alarms.raised() if alarm.code == _FAILED]
        return {_key(about) for about in raised}

    async def end_failures(self) -> None:
        """Where nothing is left that could fail, that is over."""
        waiting = {(t.order.bot, t.order.symbol) for t in self._memory.waiting.values()}
        for bot, symbol in self._failing() - waiting:
            if not any(owner == bot for owner, _ in self._memory.guarded.get(symbol, ())):
                words = f"no order of {bot} waits on {symbol} any more"
                await self._work.alarms.over(_FAILED, _about((bot, symbol)), words)

    async def tick_for_ever(self) -> None:
        """What time brings: orders expire, books are valued, gaps are given up."""
        while True:
            moment = self._service.moment()
            _show(moment.config.kill_switch)
            await self.end_overdue(moment)
            await self.halt_gaps(moment)
            await self.end_failures()
            if not moment.frozen:
                await self.tell_locks(moment)
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

    async def tell_locks(self, moment: ExecutorMoment) -> None:
        """Say which bots may open nothing for a while, and when that is over."""
        alarms = self._work.alarms
        for bot in moment.config.bots:
            risk = self._memory.risks.get((bot.id, bot.account), NO_RISK)
            for about, until, why in locks(bot.id, risk):
                if moment.now < until:
                    words = (
                        f"{bot.id} opens nothing {_where(about)} until {until.isoformat()}: {why}."
                        " Exits go on; nothing needs to be done."
                    )
                    alarm = Alarm(_LOCKED, about, detail=until.isoformat())
                    await alarms.tell(alarm, words, Severity.WARNING)
        for told in alarms.raised():
            if told.code == _LOCKED and moment.now >= datetime.fromisoformat(told.detail):
                words = f"its time, {told.detail}, is over"
                await alarms.over(_LOCKED, told.about, words)

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
                    yield from halt_key(desk, key, "sequence_gap", sequence, moment)

            await self._work.do(rule, {key[0]})
            self._memory.gaps.forget(key, sequence, halted=True)

    async def mark(self, moment: ExecutorMoment) -> None:
        """Value the books once in every minute of market time."""
        minute = moment.now.replace(second=0, microsecond=0)
        if minute == self._minute:
            return
        self._minute = minute
        low: dict[str, str] = {}

        def rule(sql: Connection, desk: Desk, moment: ExecutorMoment) -> Iterator[Event]:
            self._memory.shelf.load(sql, desk, store.owners(sql))
            low.clear()
            low.update(low_margins(desk))
            return marks(desk, moment, minute.isoformat())

        await self._work.do(rule, ())
        await tell_margins(self._work.alarms, low)


def _about(key: tuple[str, str]) -> str:
    return f"key:{key[0]}/{key[1]}"


def _where(about: str) -> str:
    return f"on {_key(about)[1]}" if about.startswith("key:") else "on any symbol"


def _key(about: str) -> tuple[str, str]:
    bot, _, symbol = about.removeprefix("key:").partition("/")
    return bot, symbol


def _show(switch: KillSwitch) -> None:
    metrics.TRADING_STATE.set(not switch.everything)
    metrics.KILL_SWITCH.labels("everything").set(switch.everything)
    metrics.KILL_SWITCH.labels("accounts").set(len(switch.accounts))
    metrics.KILL_SWITCH.labels("bots").set(len(switch.bots))
