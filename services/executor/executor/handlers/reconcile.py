"""What the broker shows against what our books say. Differences are told, not mended by orders."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from executor.adapters import brokered, store
from executor.domain.book import NO_RISK
from executor.domain.broker import BrokerFill, BrokerOrder, BrokerPosition
from executor.domain.desk import Desk
from executor.domain.money import ZERO, multiply, subtract
from executor.domain.orders import Ticket
from executor.handlers import sending
from executor.handlers.booking import ExecutorMoment
from executor.handlers.brokerage import Brokerage
from signalbox.contracts.errors import Refused, SignalboxError, TransientError
from signalbox.contracts.events import Event
from signalbox.contracts.ids import plain
from signalbox.contracts.values import OrderState
from signalbox.runtime import metrics

log = logging.getLogger(__name__)

T = TypeVar("T")

_OVERLAP = timedelta(minutes=5)
_SURE = 2  # looks in a row that must show the same difference
_CRYPTO_SHARE = Decimal("0.003")  # what another fee than the configured one may make up
_IDLE = 4  # times the pause between sweeps while no order is open


class Reconciler:
    """Looks at a whole account: at start before anything is sent, then again and again."""

    def __init__(self, brokerage: Brokerage) -> None:
        self._at = brokerage
        self._due = 0.0
        self._failing_since: float | None = None
        self._suspects: dict[str, int] = {}
        self._opened: set[str] = set()  # bots whose book has begun
        self._foreign: set[str] = set()  # ids of the broker's orders that are not ours

    async def keep_up(self) -> None:
        """One look, when it is time for one."""
        at = self._at
        if at.now < self._due:
            return
        self._due = at.now + at.pace.again_s
        try:
            await self.sweep()
        except Refused as error:
            await at.shut(str(error))
        except SignalboxError as error:
            log.warning("account %s cannot be reconciled: %s", at.account, error)
            await self._note_failure(error)
        else:
            await self._note_success()

    async def sweep(self) -> None:
        """Orders, executions, holdings.

        Raises:
            SignalboxError: the broker did not show them; nothing is concluded.
        """
        at = self._at
        if not at.active:
            names = await self._read(lambda sql: brokered.abandoned(sql, at.account))
            at.lost.update((name, [at.now]) for name in names)
        await self._open_books()
        await self._orders(await at.broker.open_orders())
        await self._executions()
        await self._look_for_lost()
        await self._compare(await at.broker.positions())

    async def cover(self, symbol: str) -> Decimal | None:
        """Units that the broker holds of a symbol, unsigned; None when that is not what our books
        say.

        Raises:
            SignalboxError: the broker did not say.
        """
        at = self._at
        held = await self._read(lambda sql: brokered.held(sql, at.account))
        shown = await at.broker.position(symbol)
        quantity = shown.quantity if shown else ZERO
        return quantity.copy_abs() if same(symbol, held.get(symbol, ZERO), quantity) else None

    async def _note_failure(self, error: SignalboxError) -> None:
        at = self._at
        if self._failing_since is None:
            self._failing_since = at.now
        elif at.now - self._failing_since >= at.pace.alarm_s:
            words = f"account {at.account} has not been reconciled for a while: {error}"
            occurrence = f"{self._failing_since}"
            await at.tell_once("broker_unreachable", f"account:{at.account}", words, occurrence)

    async def _note_success(self) -> None:
        at = self._at
        at.active, self._failing_since = True, None
        self._due = at.now + at.pace.sweep_s * (1 if at.tickets() else _IDLE)
        metrics.RECONCILED.labels(at.account).set(at.work.service.moment().wall.timestamp())
        at.wake.set()

    async def _open_books(self) -> None:
        """A bot's book begins with the account's cash: put right before its first fill."""
        at = self._at
        bots = {b.id for b in at.work.service.moment().config.bots if b.account == at.account}
        if bots <= self._opened and at.active:
            return
        cash = await at.broker.cash()

        def rule(_sql: Connection, desk: Desk, _moment: ExecutorMoment) -> Iterator[Event]:
            for bot in sorted(bots):
                book = desk.book(bot, at.account)
                if not book.holdings and book.cash == book.started_with != cash:
                    desk.put_book(replace(book, started_with=cash, cash=cash, risk=NO_RISK))
            return iter(())

        await at.work.do(rule, bots)
        self._opened |= bots

    async def _orders(self, shown: Sequence[BrokerOrder]) -> None:
        """Open orders at the broker: ours are followed, others told, those given up cancelled."""
        at = self._at
        names = [order.client_id for order in shown]
        own = await self._read(lambda sql: brokered.by_client_id(sql, at.account, names))
        for order in shown:
            ticket = own.get(order.client_id)
            if ticket is None:
                await self._tell_foreign(order)
            elif ticket.open:
                at.watch(ticket).due = 0.0
            elif ticket.order.state is not OrderState.FILLED:
                await self._late(ticket, order)

    async def _late(self, ticket: Ticket, shown: BrokerOrder) -> None:
        """One that has ended for us is open at the broker: the rest of it is cancelled."""
        at, order = self._at, ticket.order
        await at.broker.cancel(shown.broker_id)
        if order.state is OrderState.ABANDONED:
            words = (
                f"order {order.order_id} of {order.bot} on {order.symbol}, given up before, is open"
                " at the broker; it is being cancelled"
            )
            await at.tell_once("late_order", f"bot:{order.bot}", words, order.order_id)

    async def _tell_foreign(self, order: BrokerOrder) -> None:
        at = self._at
        self._foreign.add(order.broker_id)
        words = (
            f"order {order.broker_id} on {order.symbol} in account {at.account} was not made by"
            " Signalbox; it is left alone"
        )
        await at.tell_once("external_order", f"account:{at.account}", words, order.broker_id)

    async def _executions(self) -> None:
        """Book what orders of ours were filled with after their end; tell of others' fills."""
        at = self._at
        since = await self._read(lambda sql: brokered.booked_until(sql, at.account))
        if since is None:
            await self._look_from(at.work.service.moment().wall)  # earlier ones are not ours
            return
        fills = await at.broker.fills(after=since - _OVERLAP)
        if not fills:
            return
        names = {fill.broker_id for fill in fills}
        own = await self._read(lambda sql: brokered.by_broker_id(sql, at.account, names))
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
        own = await self._read(lambda sql: brokered.by_client_id(sql, at.account, names))
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
            ticket = await self._read(partial(store.find_order, order_id=name))
            if shown is not None and ticket is not None:
                await self._adopt_lost(ticket, shown)
            elif len(times) > 1:
                at.lost[name] = times[1:]
                continue
            at.lost.pop(name, None)

    async def _adopt_lost(self, ticket: Ticket, shown: BrokerOrder) -> None:
        """One that was given up exists: its fills are booked, the rest is cancelled."""
        at = self._at
        fills = await at.broker.fills(broker_id=shown.broker_id) if shown.filled else []
        seen = sending.Shown(shown, fills)
        await at.do(ticket, lambda _s, desk, moment: sending.adopt(desk, ticket, seen, moment))
        if shown.state is None or not shown.state.final:
            await self._late(ticket, shown)

    async def _compare(self, shown: Sequence[BrokerPosition]) -> None:
        """Tell of symbols where broker and books differ, once two looks in a row say so. A list
        that shows nothing is a difference as any other: it does not make our books flat.
        """
        at = self._at
        ours = await self._read(lambda sql: brokered.held(sql, at.account))
        theirs = {one.symbol: one.quantity for one in shown}
        moving = {ticket.order.symbol for ticket in at.tickets() if ticket.sent}
        for symbol in sorted({*ours, *theirs, *at.mismatched}):
            if symbol in moving or at.now - at.touched.get(symbol, -1e9) < at.pace.settle_s:
                self._suspects.pop(symbol, None)
                continue
            held, there = ours.get(symbol, ZERO), theirs.get(symbol, ZERO)
            if same(symbol, held, there):
                await self._agreed(symbol)
            else:
                await self._differs(symbol, held, there)
        metrics.POSITION_MISMATCHES.labels(at.account).set(len(at.mismatched))

    async def _agreed(self, symbol: str) -> None:
        self._suspects.pop(symbol, None)
        if symbol in self._at.mismatched:
            self._at.mismatched.discard(symbol)
            words = f"broker and books agree on {symbol} again"
            await self._at.tell("position_mismatch", self._about(symbol), words, over=True)

    async def _differs(self, symbol: str, held: Decimal, there: Decimal) -> None:
        at = self._at
        self._suspects[symbol] = self._suspects.get(symbol, 0) + 1
        if self._suspects[symbol] < _SURE or symbol in at.mismatched:
            self._due = min(self._due, at.now + at.pace.again_s)
            return
        at.mismatched.add(symbol)
        words = (
            f"account {at.account} holds {plain(there)} of {symbol} at the broker, the books say"
            f" {plain(held)}. Nothing is opened there until they agree, and no order is made to"
            " mend it: somebody else may trade in this account."
        )
        await at.tell("position_mismatch", self._about(symbol), words)

    def _about(self, symbol: str) -> str:
        return f"account:{self._at.account}/{symbol}"

    async def _read(self, look: Callable[[Connection], T]) -> T:
        db = self._at.work.service.db
        if db is None:
            raise TransientError("there is no database yet")
        return await db.read(look)


def same(symbol: str, held: Decimal, there: Decimal) -> bool:
    """Whether two positions agree; of crypto to the part that a fee may make up."""
    apart = subtract(held, there).copy_abs()
    if "/" not in symbol or not apart:
        return not apart
    larger = max(held.copy_abs(), there.copy_abs())
    return (held > 0) is (there > 0) and apart <= multiply(larger, _CRYPTO_SHARE)
