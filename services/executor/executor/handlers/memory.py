"""What the executor keeps in mind between transactions; all of it can be read again from the
database.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from uuid import UUID

from executor.adapters.quotes import QuoteBoard
from executor.adapters.shelf import Shelf
from executor.domain.book import Risk
from executor.domain.desk import Desk
from executor.domain.guards import alarm, trailed
from executor.domain.orders import Ticket
from executor.domain.scene import Denial
from executor.domain.turns import GAP_PATIENCE_S
from executor.domain.volatility import Key, Range
from executor.handlers.patience import Patience
from executor.handlers.tally import Tally
from signalbox.contracts.config import ExecutorConfig
from signalbox.contracts.payloads import Lot, Quote
from signalbox.contracts.values import OrderState
from signalbox.runtime import metrics

_MINUTE_S = 60
_MOST_LEAVING = 120

Guarded = dict[str, dict[tuple[str, str], tuple[Lot, ...]]]  # by symbol; by bot and account


class Gaps:
    """When a verdict that came too early was first seen; a failed transaction forgets nothing."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], dict[int, datetime]] = {}

    def waited_s(self, key: tuple[str, str], sequence: int, wall: datetime) -> float:
        """Wall seconds since this number was first seen too early."""
        first = self._seen.setdefault(key, {}).setdefault(sequence, wall)
        return (wall - first).total_seconds()

    def overdue(self, wall: datetime) -> list[tuple[tuple[str, str], int]]:
        """Keys that have waited long enough, with the lowest number that waits."""
        return [
            (key, min(seen))
            for key, seen in sorted(self._seen.items())
            if (wall - min(seen.values())).total_seconds() >= GAP_PATIENCE_S
        ]

    def forget(self, key: tuple[str, str], applied: int, *, halted: bool) -> None:
        """Numbers up to `applied` wait no longer; of a halted key none does."""
        seen = self._seen.pop(key, None)
        left = {s: at for s, at in seen.items() if s > applied} if seen and not halted else None
        if left:
            self._seen[key] = left


class Outflow:
    """Entries that have left for brokers in the last minute, of all bots together."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._left: deque[float] = deque()

    def full(self) -> Denial | None:
        """Why no more may leave now."""
        while self._left and self._clock() - self._left[0] >= _MINUTE_S:
            self._left.popleft()
        count = len(self._left)
        if count < self._most:
            return None
        words = f"{count} entries of all bots have left in a minute, {self._most} may"
        return Denial("order_rate", words, {"limit": str(self._most), "observed": str(count)})

    def count(self) -> None:
        """One leaves."""
        self._left.append(self._clock())


class Memory:
    """The newest quotes, the orders that wait for one, the halted keys: changed on the event loop
    only. And the books, which belong to the writer thread.
    """

    def __init__(self, *, allow_live: bool = False, outflow: Outflow | None = None) -> None:
        self.allow_live = allow_live
        self.outflow = outflow or Outflow(_MOST_LEAVING)
        self.board = QuoteBoard()
        self.shelf = Shelf()
        self.gaps = Gaps()
        self.waiting: dict[str, Ticket] = {}
        self.halted: set[tuple[str, str]] = set()
        self.quoted: set[str] = set()  # symbols where a waiting order may find a quote now
        self.guarded: Guarded = {}
        self.patience = Patience()
        self.ranges: Mapping[Key, Range] = {}  # never changed, but replaced
        self.opened: frozenset[tuple[str, str]] = frozenset()  # see `Desk`; replaced, not changed
        self.withdrawn: dict[UUID, datetime] = {}  # signals; changed by the writer thread only
        self.risks: dict[tuple[str, str], Risk] = {}  # of books, by bot and account
        self.alarmed: set[tuple[str, str]] = set()  # bots and symbols where a lot may have to go
        self.wake = asyncio.Event()
        self.callers: dict[str, asyncio.Event] = {}  # by account at a broker: an order has changed
        self.changes: Counter[str] = Counter()  # by account: of orders that go to a broker
        self.tallies: dict[str, Tally] = {}  # likewise: what is meant to leave

    def desk(self, config: ExecutorConfig) -> Desk:
        """An empty desk under a configuration, at the newest quotes."""
        quotes = self.board.snapshot()
        return Desk.of(
            config,
            quotes,
            allow_live=self.allow_live,
            ranges=self.ranges,
            withdrawn=self.withdrawn,
            opened=self.opened,
        )

    def reopen(self, bot: str) -> None:
        """Let the cash of a bot's accounts at brokers be looked at anew; it is taken over as long
        as the bot has sent nothing.
        """
        self.opened = frozenset(key for key in self.opened if key[0] != bot)

    def hear(self, quotes: Iterable[Quote]) -> None:
        """Take quotes; orders that wait for them are tried soon."""
        wanted = {ticket.order.symbol for ticket in self.waiting.values()}
        for quote in quotes:
            if not self.board.put(quote):
                continue
            if quote.symbol in wanted:
                self.quoted.add(quote.symbol)
                self.wake.set()
            lots = list(self._watched(quote.symbol))
            self.patience.look(quote, (lot for _, lot in lots), self._stops() if lots else {})
            for bot, lot in lots:
                left = self.patience.has(lot.lot_id, quote.symbol, quote.at)
                if (alarm(lot, quote, None) and not left) or trailed(lot, quote):
                    self.alarmed.add((bot, quote.symbol))
                    self.wake.set()

    def remind(self) -> None:
        """Try every waiting order soon."""
        self.quoted.update(ticket.order.symbol for ticket in self.waiting.values())
        if self.quoted:
            self.wake.set()

    def watch_time(self, now: datetime) -> None:
        """Lots that have been held long enough are closed soon, and those whose stop a broker
        has not carried out.
        """
        for symbol in self.guarded:
            for bot, lot in self._watched(symbol):
                if alarm(lot, None, now) or self.patience.lost(lot.lot_id, symbol, now):
                    self.alarmed.add((bot, symbol))
                    self.wake.set()

    def _watched(self, symbol: str) -> Iterator[tuple[str, Lot]]:
        """The protected lots that no order is closing yet, with their bots."""
        if symbol not in self.guarded:
            return
        leaving = {
            target
            for ticket in self.waiting.values()
            if not ticket.stop
            for target in ticket.targets
        }
        for (bot, _), lots in self.guarded[symbol].items():
            yield from ((bot, lot) for lot in lots if lot.lot_id not in leaving)

    def _stops(self) -> dict[UUID, Ticket]:
        """The stops that are at brokers, by lot."""
        return {
            target: ticket
            for ticket in self.waiting.values()
            if ticket.stop
            for target in ticket.targets
        }

    def guard(self, bot: str, account: str, symbol: str, lots: Iterable[Lot]) -> None:
        """Watch these lots of a holding, and no others."""
        kept = tuple(lot for lot in lots if lot.protection is not None)
        if kept:
            self.guarded.setdefault(symbol, {})[bot, account] = kept
        elif symbol in self.guarded:
            self.guarded[symbol].pop((bot, account), None)

    def start(
        self,
        tickets: Iterable[Ticket],
        halted: set[tuple[str, str]],
        guarded: Guarded,
        withdrawn: dict[UUID, datetime],
    ) -> None:
        """Begin with what the database holds."""
        self.withdrawn = withdrawn
        self.guarded = guarded
        self.waiting = {ticket.order.order_id: ticket for ticket in tickets}
        self.halted = halted
        self._count()

    def take(self, desk: Desk) -> None:
        """Follow what a committed transaction has changed."""
        for order_id, ticket in desk.changed_tickets.items():
            if not ticket.simulated:
                self._call(ticket)
            if not ticket.open:
                self.waiting.pop(order_id, None)
                continue
            if order_id not in self.waiting:  # a quote may have come while it was being planned
                self.quoted.add(ticket.order.symbol)
                self.wake.set()
            self.waiting[order_id] = ticket
        for bot, account, symbol in desk.lots_before:
            self.guard(bot, account, symbol, desk.books[bot, account].holdings[symbol].lots)
        for where in desk.changed_books:
            self.risks[where] = desk.books[where].risk
        for key in desk.changed_tracks:
            track = desk.tracks[key]
            self.gaps.forget(key, track.sequence, halted=bool(track.halted))
            (self.halted.add if track.halted else self.halted.discard)(key)
        self._count()
        _measure(desk)

    def _call(self, ticket: Ticket) -> None:
        """Let the worker of an account at a broker know of a changed order."""
        account = ticket.order.account
        self.changes[account] += 1
        if account in self.callers:
            self.callers[account].set()
            self.tallies[account].intend(ticket)

    def _count(self) -> None:
        metrics.ORDERS_OPEN.set(len(self.waiting))
        if self.callers:
            doubted = (OrderState.SUBMITTING, OrderState.UNKNOWN)
            states = [ticket.order.state for ticket in self.waiting.values()]
            metrics.ORDERS_UNKNOWN.set(sum(state in doubted for state in states))
        metrics.HALTED_KEYS.labels("executor").set(len(self.halted))


def _measure(desk: Desk) -> None:
    """Counters and gauges of a committed transaction."""
    for labels, count in desk.states.items():
        metrics.ORDERS.labels(*labels).inc(count)
    for denied, count in desk.denials.items():
        metrics.DENIALS.labels(*denied).inc(count)
    stage = metrics.STAGE_SECONDS.labels("decision_to_submit")
    for delay_s in desk.delays_s:
        stage.observe(max(delay_s, 0.0))
    if desk.repeats:
        metrics.VERDICT_REPEATS.inc(desk.repeats)
    for order in desk.fills:
        if order.fill and order.fill.slippage_bps is not None:
            slippage = float(order.fill.slippage_bps)
            metrics.SLIPPAGE_BPS.labels(order.source_type).observe(slippage)
    for broker, count in desk.late_fills.items():
        metrics.LATE_FILLS.labels(broker).inc(count)
    for broker, count in desk.fill_repeats.items():
        metrics.FILL_DUPLICATES.labels(broker).inc(count)
    for bot, account in desk.changed_books:
        book = desk.books[bot, account]
        if bot in desk.bots and desk.bots[bot].account == account:
            metrics.EQUITY.labels(bot).set(float(book.equity))
            metrics.CASH.labels(bot).set(float(book.cash))
            metrics.EXPOSURE_GROSS.labels(bot).set(float(book.gross))
            metrics.EXPOSURE_NET.labels(bot).set(float(book.net))
