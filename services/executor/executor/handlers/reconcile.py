"""What the broker shows against what our books say. Differences are told, not mended by orders."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from executor.adapters import brokered, store
from executor.domain.book import NO_RISK
from executor.domain.broker import BrokerFill, BrokerOrder, contradiction
from executor.domain.desk import Desk
from executor.domain.money import add, subtract
from executor.domain.orders import Ticket
from executor.handlers import sending
from executor.handlers.booking import ExecutorMoment
from executor.handlers.brokerage import Brokerage
from executor.handlers.holdings import Holdings
from signalbox.contracts.errors import Refused, SignalboxError
from signalbox.contracts.events import Event
from signalbox.contracts.values import OrderState
from signalbox.runtime import metrics
from signalbox.runtime.fence import FenceLost

log = logging.getLogger(__name__)

_OVERLAP = timedelta(minutes=5)
_OVERLAP_AT_START = timedelta(hours=24)
_MOST_SKEW_S = 2.0
_SKEW = "clock_skew"
_IDLE = 4  # times the pause between sweeps while no order is open


class Reconciler:
    """Looks at a whole account: at start before anything is sent, then again and again."""

    def __init__(self, brokerage: Brokerage, holdings: Holdings) -> None:
        self._at = brokerage
        self._holdings = holdings
        self._failing_since: float | None = None
        self._foreign: set[str] = set()  # ids of the broker's orders that are not ours

    async def keep_up(self) -> None:
        """One look, when it is time for one."""
        at = self._at
        if at.now < at.sweep_due:
            return
        at.sweep_due, connections = at.now + at.pace.again_s, at.connections
        try:
            doubtful = await self.sweep()
        except FenceLost:
            raise
        except Refused as error:
            await at.shut(str(error))
        except SignalboxError as error:
            log.warning("account %s cannot be reconciled: %s", at.account, error)
            await self._note_failure(error)
        else:
            at.swept = connections
            await self._note_success(soon=doubtful)

    async def sweep(self) -> bool:
        """Orders, executions, holdings. Returns whether they are to be looked at again soon.

        Raises:
            SignalboxError: the broker did not show them; nothing is concluded.
        """
        at = self._at
        if not at.active or at.told(_SKEW):
            await self._check_clock()
        if not at.active:
            names = await self._at.read(lambda sql: brokered.abandoned(sql, at.account))
            at.lost.update((name, [at.now]) for name in names)
        await self._open_books()
        await self._orders(await at.broker.open_orders())
        await self._executions()
        await self._look_for_lost()
        return await self._holdings.compare(await at.broker.positions())

    async def _note_failure(self, error: SignalboxError) -> None:
        at = self._at
        if self._failing_since is None:
            self._failing_since = at.now
        elif at.now - self._failing_since >= at.pace.alarm_s:
            words = f"account {at.account} has not been reconciled for a while: {error}"
            await at.tell("broker_unreachable", words)

    async def _note_success(self, *, soon: bool) -> None:
        at = self._at
        at.active, self._failing_since = True, None
        await at.sound()
        moving = any(not ticket.resting for ticket in at.tickets())
        pause_s = at.pace.sweep_s * (1 if moving else _IDLE)
        if not at.unswept:
            at.sweep_due = at.now + (at.pace.again_s if soon else pause_s)
        metrics.RECONCILED.labels(at.account).set(at.work.service.moment().wall.timestamp())
        at.wake.set()

    async def _check_clock(self) -> None:
        """A clock that is wrong here harms nothing at the broker, but makes figures wrong."""
        at = self._at
        there = await at.broker.clock()
        apart_s = abs((at.work.service.moment().wall - there).total_seconds())
        if apart_s > _MOST_SKEW_S:
            words = (
                f"the clock of this machine and the broker's are {apart_s:.0f} s apart. Orders go"
                " on, by the broker's times; set the clock."
            )
            await at.tell(_SKEW, words)
        else:
            await at.over(_SKEW, "the clock of this machine and the broker's agree")

    async def _open_books(self) -> None:
        """A bot's book begins with the account's cash, and with what was taken into it: put right
        before its first order, whose fill may have moved that cash and not be booked.
        """
        at = self._at
        memory = at.work.memory
        bots = {b.id for b in at.work.service.moment().config.bots if b.account == at.account}
        keys = {(bot, at.account) for bot in bots}
        if keys <= memory.opened and at.active:
            return
        broker_id, cash = await at.broker.account()

        def rule(sql: Connection, desk: Desk, _moment: ExecutorMoment) -> Iterator[Event]:
            if brokered.bound_to(sql, at.account, broker_id) != broker_id:
                raise Refused(
                    "these keys open another account at the broker than the one that the orders and"
                    " lots here are of; enter keys of that one, or add a new account for this one"
                )
            for bot in sorted(bots):
                book = desk.book(bot, at.account)
                untouched = not brokered.ever_sent(sql, at.account, bot)
                if untouched and book.cash != cash:
                    began = subtract(add(cash, book.cost), book.realised)
                    desk.put_book(replace(book, started_with=began, cash=cash, risk=NO_RISK))
            return iter(())

        await at.work.do(rule, bots)
        memory.opened |= keys

    async def _orders(self, shown: Sequence[BrokerOrder]) -> None:
        """Open orders at the broker: ours are followed, others told, those given up cancelled."""
        at = self._at
        names = [order.client_id for order in shown]
        own = await self._at.read(lambda sql: brokered.by_client_id(sql, at.account, names))
        for order in shown:
            ticket = own.get(order.client_id)
            if ticket is None:
                await self._tell_foreign(order)
            elif ticket.open:
                same = _rests(ticket, order)  # the list has said all there is
                at.watch(ticket).due = at.now + at.pace.resting_s if same else 0.0
            elif ticket.order.state is not OrderState.FILLED:
                await self._late(ticket, order)
        for ticket in at.tickets():
            if ticket.resting and ticket.order.order_id not in names:  # it has ended there
                at.watch(ticket).due = 0.0

    async def _late(self, ticket: Ticket, shown: BrokerOrder) -> None:
        """One that has ended for us is open at the broker: the rest of it is cancelled."""
        at, order = self._at, ticket.order
        await at.broker.cancel(shown.broker_id)
        if order.state is OrderState.ABANDONED:
            words = (
                f"order {order.order_id} of {order.bot} on {order.symbol}, given up before, is open"
                " at the broker; it is being cancelled"
            )
            await at.work.alarms.note("late_order", f"bot:{order.bot}", words, order.order_id)

    async def _tell_foreign(self, order: BrokerOrder) -> None:
        at = self._at
        self._foreign.add(order.broker_id)
        words = (
            f"order {order.broker_id} on {order.symbol} in account {at.account} was not made by"
            " Signalbox; it is left alone"
        )
        await at.work.alarms.note("external_order", at.about(), words, order.broker_id)

    async def _executions(self) -> None:
        """Book what orders of ours were filled with after their end; tell of others' fills."""
        at = self._at
        since = await at.read(lambda sql: brokered.booked_until(sql, at.account))
        if since is None:
            await self._look_from(await at.broker.clock())  # earlier ones are not ours
            return
        overlap = _OVERLAP if at.active else _OVERLAP_AT_START
        fills = await at.broker.fills(after=since - overlap)
        if not fills:
            return
        names = {fill.broker_id for fill in fills}
        own = await self._at.read(lambda sql: brokered.by_broker_id(sql, at.account, names))
        for name in sorted(names - own.keys() - self._foreign):
            await self._recognise(name)
        for name, ticket in own.items():
            await self._book(ticket, [fill for fill in fills if fill.broker_id == name])
        newest = max(fill.at for fill in fills)
        if newest > since:
            await self._look_from(newest)

    async def _look_from(self, at: datetime) -> None:
        def note(sql: Connection, _moment: ExecutorMoment) -> Sequence[Event]:
            brokered.note_booked(sql, self._at.account, at)
            return ()

        await self._at.work.service.transact(note)

    async def _recognise(self, broker_id: str) -> None:
        """Whose order it is that was filled: one of ours whose answer was lost, or another's."""
        at = self._at
        shown = await at.broker.order(broker_id)
        if shown is None:
            return
        names = [shown.client_id]
        own = await self._at.read(lambda sql: brokered.by_client_id(sql, at.account, names))
        if shown.client_id not in own:
            await self._tell_foreign(shown)
        elif not own[shown.client_id].open:
            await self._adopt_lost(own[shown.client_id], shown)

    async def _book(self, ticket: Ticket, fills: Sequence[BrokerFill]) -> None:
        at = self._at
        if ticket.open:
            if max(fill.cumulative for fill in fills) > ticket.order.filled:
                at.watch(ticket).due = 0.0  # whoever follows it books them
            return
        if all(fill.cumulative <= ticket.order.filled for fill in fills):
            return

        def rule(sql: Connection, desk: Desk, moment: ExecutorMoment) -> Iterator[Event]:
            names = [ticket.order.order_id]
            now = brokered.by_client_id(sql, at.account, names)[ticket.order.order_id]
            return sending.book(desk, now, fills, moment)

        at.touched[ticket.order.symbol] = at.now
        await at.do(ticket, rule)

    async def _look_for_lost(self) -> None:
        """Orders that were given up are looked for a few times more."""
        at = self._at
        for name, times in list(at.lost.items()):
            if times and times[0] > at.now:
                continue
            shown = await at.broker.find(name)
            ticket = await self._at.read(partial(store.find_order, order_id=name))
            if shown is not None and ticket is not None:
                await self._adopt_lost(ticket, shown)
            elif len(times) > 1:
                at.lost[name] = times[1:]
                continue
            at.lost.pop(name, None)

    async def _adopt_lost(self, ticket: Ticket, shown: BrokerOrder) -> None:
        """One that was given up exists: its fills are booked, the rest is cancelled."""
        at = self._at
        wrong = contradiction(ticket, shown)
        if wrong:
            await at.shut(wrong, "order_contradicts")
            return
        fills = await at.broker.fills(broker_id=shown.broker_id) if shown.filled else []
        seen = sending.Shown(shown, fills)
        await at.do(ticket, lambda _s, desk, moment: sending.adopt(desk, ticket, seen, moment))
        if shown.state is None or not shown.state.final:
            await self._late(ticket, shown)


def _rests(ticket: Ticket, shown: BrokerOrder) -> bool:
    """Whether a stop is at the broker as it was when it was last looked at."""
    same = shown.state is ticket.order.state and shown.filled == ticket.order.filled
    return ticket.resting and same and not contradiction(ticket, shown)
