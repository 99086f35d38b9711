"""The workers of accounts at brokers: one for each account that has keys."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.exc import InterfaceError, OperationalError

from executor.adapters.alpaca import Alpaca
from executor.adapters.updates import Updates
from executor.domain.alarms import Alarm
from executor.domain.paper import NAME as PAPER
from executor.handlers.alarms import account_of
from executor.handlers.brokerage import FAILED, Brokerage, Pace
from executor.handlers.exit_alerts import ExitAlerts
from executor.handlers.gate import Gate
from executor.handlers.holdings import Holdings
from executor.handlers.listening import Listening
from executor.handlers.passage import Passage
from executor.handlers.reconcile import Reconciler
from executor.handlers.resting import Resting
from executor.handlers.work import Work
from signalbox.contracts.accounts import AccountConfig
from signalbox.contracts.errors import SignalboxError
from signalbox.runtime.fence import FenceLost

log = logging.getLogger(__name__)

_NOBODYS_FAULT = (FenceLost, OperationalError, InterfaceError)
_REFUSED = "broker_refused"
_ACCOUNT = ""  # in the place of a symbol: the account as a whole
_LOOK_S = 0.25
Connect = Callable[[AccountConfig], Alpaca]
Listen = Callable[[AccountConfig], Updates]


class Dealer:
    """The worker of one account."""

    def __init__(self, brokerage: Brokerage, updates: Updates | None = None) -> None:
        self._at = brokerage
        self._listening = Listening(brokerage, updates) if updates else None
        holdings = Holdings(brokerage)
        self._reconciler = Reconciler(brokerage, holdings)
        self._resting = Resting(brokerage, holdings)
        self._passage = Passage(brokerage, Gate(brokerage, holdings), self._resting)
        self._exit_alerts = ExitAlerts(brokerage)
        self._busy: set[str] = set()

    async def run(self) -> None:
        """Work until cancelled: a task for each symbol that has something to do."""
        at, memory = self._at, self._at.work.memory
        at.tally.begin(at.tickets())
        memory.callers[at.account], memory.tallies[at.account] = at.wake, at.tally
        try:
            async with asyncio.TaskGroup() as lanes:
                if self._listening is not None:
                    lanes.create_task(self._listening.run())
                while True:
                    self._go(lanes)
                    await self._rest()
        finally:
            memory.callers.pop(at.account, None)
            memory.tallies.pop(at.account, None)
            await at.broker.close()

    def _go(self, lanes: asyncio.TaskGroup) -> None:
        for name in self._due() - self._busy:
            self._busy.add(name)
            lanes.create_task(self._lane(name))

    async def _rest(self) -> None:
        """Until something has changed, or for a tick."""
        self._at.wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._at.pace.tick_s):
                await self._at.wake.wait()

    def _due(self) -> set[str]:
        at = self._at
        tickets = at.tickets()
        names = {ticket.order.order_id for ticket in tickets}
        at.watches = {name: watch for name, watch in at.watches.items() if name in names}
        if not at.active or at.refused:
            return {_ACCOUNT}
        symbols = {t.order.symbol for t in tickets if at.is_due(t)}
        return {_ACCOUNT, *symbols, *self._resting.due()}

    async def _keep_up(self) -> None:
        """What concerns no symbol alone. An account whose broker refuses us is not asked anything,
        but its orders may still end here.
        """
        await self._at.work.alarms.look_at(self._at.work.memory.waiting)
        await self._resting.end_alarms()
        await self._exit_alerts.end()
        if not self._at.refused:
            await self._reconciler.keep_up()

    async def _lane(self, name: str) -> None:
        """One round; where it fails, others go on."""
        at = self._at
        try:
            await (self._passage.step(name) if name else self._keep_up())
        except _NOBODYS_FAULT:
            raise
        except Exception as error:
            what = name or "its holdings"
            log.exception("account %s: work on %s has failed", at.account, what)
            for ticket in at.tickets(name):
                at.watch(ticket).due = at.now + at.pace.again_s
            words = (
                f"account {at.account}: work on {what} has failed: {error!r}. It is tried again;"
                " other symbols go on. The log says more."
            )
            await at.tell(FAILED, words, name)
        else:
            if name:
                await at.over(FAILED, f"account {at.account}: work on {name} goes on", name)
        finally:
            self._busy.discard(name)
            if any(at.is_due(ticket) and at.watch(ticket).summoned for ticket in at.tickets(name)):
                at.wake.set()  # summoned while it was looked at


class Dealers:
    """Keeps a worker for every account at a broker, as configured."""

    def __init__(
        self,
        work: Work,
        connect: Connect,
        pace: Pace | None = None,
        *,
        listen: Listen | None = None,
    ) -> None:
        self._work = work
        self._connect = connect
        self._listen = listen
        self._pace = pace or Pace()
        self._running: dict[str, tuple[AccountConfig, Brokerage, asyncio.Task[None]]] = {}
        self._shut: dict[str, AccountConfig] = {}  # whose keys do not open

    async def run(self) -> None:
        """Follow the configuration until cancelled."""
        try:
            while True:
                await self._follow()
                await asyncio.sleep(_LOOK_S)
        finally:
            for name in list(self._running):
                await self._stop(name)

    async def _follow(self) -> None:
        accounts = self._work.service.moment().config.accounts
        wanted = {a.id: a for a in accounts if a.broker != PAPER and a.key_sealed}
        for name, (account, _, task) in list(self._running.items()):
            if wanted.get(name) != account or task.done():
                await self._stop(name)
        for name, account in wanted.items():
            if name not in self._running and self._shut.get(name) != account:
                await self._start(account)
        for alarm in self._work.alarms.raised():
            name = account_of(alarm)
            if name and name not in wanted:
                words = f"account {name} is not traded here any more"
                await self._work.alarms.end(alarm, words)

    async def _start(self, account: AccountConfig) -> None:
        try:
            broker = self._connect(account)
            updates = self._listen(account) if self._listen else None
        except (SignalboxError, UnicodeError) as error:  # the latter would print the key
            self._shut[account.id] = account
            log.error("account %s has no usable keys: %s", account.id, type(error).__name__)
            words = (
                f"the keys of account {account.id} do not open here; nothing is sent there and open"
                " orders are not followed. Enter them again."
            )
            told = Alarm(_REFUSED, f"account:{account.id}", detail=f"keys of {account.keys_at}")
            await self._work.alarms.tell(told, words)
            return
        brokerage = Brokerage(self._work, account.id, broker, self._pace)
        task = asyncio.create_task(Dealer(brokerage, updates).run())
        self._running[account.id] = (account, brokerage, task)

    async def _stop(self, name: str) -> None:
        _, _, task = self._running.pop(name)
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled() and task.exception() is not None:
            log.error("the worker of account %s has ended", name, exc_info=task.exception())
