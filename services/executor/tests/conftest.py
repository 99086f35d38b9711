"""The executor without a server, and one whose account is at the sandbox's broker, over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Connection, select

from executor.adapters import alarms, store, withdrawals
from executor.adapters.alpaca import Alpaca, Login
from executor.adapters.budget import Budget
from executor.adapters.tables import fills, metadata, positions
from executor.adapters.tables import orders as order_rows
from executor.domain.book import FLAT, Book
from executor.domain.broker import Answer
from executor.domain.desk import Desk
from executor.handlers.booking import ExecutorMoment
from executor.handlers.brokerage import Brokerage, Pace
from executor.handlers.commands import Commands
from executor.handlers.dealer import Dealer
from executor.handlers.floor import Floor
from executor.handlers.memory import Memory
from executor.handlers.verdicts import build_handlers
from executor.handlers.work import Work
from sandbox.alpaca.api import SECRET
from sandbox.alpaca.venue import Account
from sandbox.faults import Kind
from sandbox.serving import Served, serving
from signalbox.contracts.accounts import AccountConfig, KillSwitch
from signalbox.contracts.commands import Command
from signalbox.contracts.config import BotConfig, ExecutorConfig
from signalbox.contracts.events import AlertRaised, Event, OrderChanged, VerdictReached
from signalbox.contracts.payloads import Order, Quote
from signalbox.contracts.values import Action, OrderState
from signalbox.runtime.clock import wall_now
from signalbox.runtime.db import Database
from signalbox.runtime.fence import FenceLost
from signalbox.runtime.migrating import migrate
from signalbox.runtime.service import Service
from signalbox.testing.examples import (
    NOON,
    a_bot,
    a_moment,
    a_quote,
    a_signal,
    a_verdict,
    an_account,
    reached,
)
from signalbox.testing.runner import run
from signalbox.testing.wait import until


class Shop:
    """One executor, in this process and this thread."""

    def __init__(self, bots: Sequence[BotConfig], accounts: Sequence[AccountConfig]) -> None:
        self.db = Database.in_memory(metadata)
        self.config = ExecutorConfig(bots=tuple(bots), accounts=tuple(accounts))
        self.version = 1
        self.now = NOON
        self.over: dict[str, Any] = {}
        self._begin()
        self.transactions = 0
        self._sequences: dict[tuple[str, str], int] = {}
        self._words = 0

    def _begin(self) -> None:
        self.memory = Memory()
        self.handlers = build_handlers(self.memory)
        self.work = Work(cast("Service[ExecutorConfig]", self), self.memory)
        self.commands = Commands(self.work)
        self.floor = Floor(self.work)

    # --- what a service is to the code under test
    def moment(self) -> ExecutorMoment:
        fields = {"now": self.now, "version": self.version, "service": "executor"}
        return a_moment(self.config, **(fields | self.over))

    async def transact(
        self, work: Callable[[Connection, ExecutorMoment], Iterable[Event]]
    ) -> list[Event]:
        self.transactions += 1
        moment = self.moment()
        with self.db.begin() as sql:
            return list(work(sql, moment))

    # --- what tests do
    def quote(self, **over: Any) -> Quote:
        """A quote is heard, of now unless said otherwise."""
        quote = a_quote(**({"at": self.now, "volume": None} | over))
        self.memory.hear([quote])
        return quote

    def verdict(self, action: Action, **over: Any) -> VerdictReached:
        """The next verdict; keys of a verdict go there, all others to the signal."""
        self._words += 1
        told = {k: over.pop(k) for k in ("bot", "account", "outcome", "reason") if k in over}
        version = over.pop("version", self.version)
        fields = {"own_id": str(self._words), "raised_at": self.now, "price": None} | over
        verdict = a_verdict(a_signal(action=action, **fields), **told)
        key = (verdict.bot, verdict.signal.symbol)
        self._sequences[key] = self._sequences.get(key, 0) + 1
        moment = a_moment(self.config, version=version)
        return reached(verdict, self._sequences[key], moment)

    def handle(self, *events: Event) -> list[Any]:
        return run(self.handlers, self.db, metadata, events, self.moment())

    def accept(self, action: Action, **over: Any) -> list[Any]:
        """An accepted verdict comes in."""
        return self.handle(self.verdict(action, **over))

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)

    async def fill(self, *symbols: str) -> list[Order]:
        """Waiting orders meet the newest quotes; returns the orders that changed."""
        before = set(self.memory.waiting)
        await self.floor.fill(symbols or ("AAPL",))
        return [self.order(order_id) for order_id in sorted(before)]

    def configure(self, bot: BotConfig | None = None, **over: Any) -> None:
        """A new version of the configuration."""
        self.version += 1
        change = dict(over)
        if bot is not None:
            change["bots"] = (bot,)
        self.config = self.config.model_copy(update=change)

    def engage(self) -> None:
        self.configure(kill_switch=KillSwitch(everything=True, by="admin", reason="drill"))

    async def guard(self) -> list[Order]:
        """What the newest quotes and the time set off is carried out; returns all such orders."""
        memory = self.memory
        memory.watch_time(self.now)
        alarmed, memory.alarmed = memory.alarmed, set()
        await self.floor.protect(alarmed)
        query = select(order_rows.c.order_id).where(order_rows.c.purpose == "protective")
        with self.db.begin() as sql:
            names = list(sql.scalars(query.order_by(order_rows.c.planned_at)))
        return [self.order(name) for name in names]

    async def restart(self) -> None:
        """Another process on the same database, which knows nothing but that."""
        self._begin()
        with self.db.begin() as sql:
            found = store.open_tickets(sql), store.halts(sql), store.guarded(sql)
            self.memory.start(*found, withdrawals.load(sql))
            self.work.alarms.start(alarms.load(sql))

    def command(self, request_id: str = "r1", **body: Any) -> Command:
        deadline = datetime(2100, 1, 1, tzinfo=NOON.tzinfo)
        return Command(request_id=request_id, by="trader", deadline=deadline, body=body)

    def desk(self, bot: str = "alpha") -> Desk:
        desk = Desk.of(self.config, self.memory.board.snapshot())
        with self.db.begin() as sql:
            store.read(sql, desk, {bot})
        return desk

    def book(self, account: str = "paper-alpha") -> Book:
        return self.desk().book("alpha", account)

    def held(self, symbol: str = "AAPL", account: str = "paper-alpha") -> Decimal:
        return self.book(account).holdings.get(symbol, FLAT).quantity

    def order(self, order_id: str) -> Order:
        with self.db.begin() as sql:
            ticket = store.find_order(sql, order_id)
        assert ticket is not None
        return ticket.order

    def fills(self) -> Sequence[Any]:
        with self.db.begin() as sql:
            return sql.execute(select(fills)).all()


def orders(events: Iterable[Event]) -> list[Order]:
    return [event.data for event in events if isinstance(event, OrderChanged)]


def told(events: Iterable[Event]) -> list[tuple[OrderState, str]]:
    """State and reason of every order event."""
    return [(order.state, order.reason) for order in orders(events)]


@pytest.fixture
def shop() -> Shop:
    """Bot alpha on a paper account without slippage, 100,000 in cash, 1,000 an order."""
    return make_shop()


def make_shop(**over: Any) -> Shop:
    paper = {"slippage_bps": 0, "impact_bps": 0}
    return Shop([a_bot(**over)], [an_account(paper=paper), an_account(id="paper-two", paper=paper)])


@pytest.fixture
def shop_with() -> Callable[..., Shop]:
    """Like `shop`, with the bot changed."""
    return make_shop


@pytest.fixture
def states() -> Callable[[Iterable[Event]], list[tuple[OrderState, str]]]:
    """State and reason of every order event."""
    return told


ACCOUNT = AccountConfig(
    id="paper-alpha", name="Alpha", broker="alpaca", key_sealed="key", secret_sealed="secret"
)
PACE = Pace(
    tick_s=0.01,
    lookups_s=(0.01, 0.02, 0.02, 0.02, 0.02),
    watch_s=(0.02, 0.02, 0.05),
    sweep_s=0.1,
    settle_s=0.05,
    again_s=0.05,
    alarm_s=1.0,
    abandoned_s=(0.1, 0.3),
    quiet_s=0.02,
    vain_s=0.1,
)


@dataclass(slots=True)
class Pit:
    """The executor's side and the broker's side of one account."""

    shop: "FileShop"
    served: Served
    pace: Pace
    events: list[Event] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None
    brokerage: Brokerage | None = None
    updates: Any = None  # the broker's stream, where a test wants to hear it
    read_s: float = 2.0  # its server shares this process, and a busy moment is no time-out

    @property
    def there(self) -> Account:
        """The account at the broker."""
        return self.served.trading.venue.account("key")

    def start(self) -> None:
        """The account's worker."""
        login = Login(f"{self.served.url}/alpaca", "key", SECRET)
        broker = Stepwise(login, budget=Budget(1e6, 1e6), read_s=self.read_s)
        broker.point = self.shop.point
        self.brokerage = Brokerage(self.shop.work, ACCOUNT.id, broker, self.pace)
        self._task = asyncio.create_task(Dealer(self.brokerage, self.updates).run())

    async def stop(self) -> None:
        """The process is gone, in the middle of whatever it did."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def restart(self) -> None:
        """Another process on the same database."""
        await self.stop()
        self.shop.frozen_at = None
        self.shop.frozen.clear()
        quotes = self.shop.memory.board.snapshot().values()
        await self.shop.restart()
        self.shop.memory.hear(quotes)
        self.start()

    def quote(self, symbol: str = "AAPL", **over: Any) -> None:
        """A quote, for the executor and the broker alike."""
        quote = self.shop.quote(symbol=symbol, **over)
        self.served.trading.venue.hear(quote)

    def switch(self, kind: Kind, path: str, count: int | None = 1, seconds: float = 0.05) -> None:
        self.served.switch(kind, path=path, count=count, seconds=seconds)

    def orders(self) -> list[Order]:
        """Our orders, oldest first."""
        query = select(order_rows.c.order_id).order_by(order_rows.c.planned_at, order_rows.c.leg)
        with self.shop.db.begin() as sql:
            names = list(sql.scalars(query))
        return [self.shop.order(name) for name in names]

    def states(self, order: Order | None = None) -> list[OrderState]:
        """The states that were told of, of one order or all."""
        told = [e.data for e in self.events if isinstance(e, OrderChanged)]
        return [o.state for o in told if order is None or o.order_id == order.order_id]

    def alerts(self) -> list[str]:
        told = [e.data for e in self.events if isinstance(e, AlertRaised)]
        return [alert.code for alert in told if alert.severity != "info"]

    async def ends(self, state: OrderState, count: int = 1, timeout_s: float = 20.0) -> list[Order]:
        """Wait until so many orders are in a state."""
        return await until(
            lambda: (
                found
                if len(found := [o for o in self.orders() if o.state is state]) >= count
                else []
            ),
            timeout_s,
        )

    def agrees(self) -> bool:
        """Whether the books hold what the broker does."""
        with self.shop.db.begin() as sql:
            rows = sql.execute(select(positions)).all()
        ours: dict[str, Decimal] = {row.symbol: row.quantity for row in rows if row.quantity}
        return ours == self.there.positions

    def once(self) -> bool:
        """Whether the broker has at most one order of each name, and none that is not ours."""
        names = [order.client_id for order in self.there.orders.values()]
        return sorted(names) == sorted(set(names)) and set(names) <= {
            order.order_id for order in self.orders()
        }


class Stepwise(Alpaca):
    """A client that tells before and after each call."""

    point: Callable[[], Awaitable[None]]

    async def _call(self, *told: Any, **over: Any) -> Answer:
        await self.point()
        answer = await super()._call(*told, **over)
        await self.point()
        return answer


class FileShop(Shop):
    """A shop whose database is a file, read in other threads, and whose events are kept."""

    def __init__(self, home: Path, account: AccountConfig, **bot: Any) -> None:
        super().__init__([a_bot(**bot)], [account])
        migrate("executor", home=home, url=None)
        self.db = Database.open("executor", home=home, url=None)
        self.made: list[Event] = []
        self.points = 0  # before and after every commit and every call so far
        self.frozen_at: int | None = None  # at which of them the process stands still for good
        self.frozen = asyncio.Event()
        self.lost_fence = False
        self.skew = timedelta()

    async def point(self) -> None:
        """A moment at which a process may die."""
        self.points += 1
        if self.points == self.frozen_at:
            self.frozen.set()
        if self.frozen.is_set():
            await asyncio.Event().wait()

    def moment(self) -> ExecutorMoment:
        self.over = {**self.over, "wall": wall_now() + self.skew}
        return super().moment()

    async def transact(self, work: Any) -> list[Event]:
        await self.point()
        if self.lost_fence:
            raise FenceLost("another process holds it")
        events = await super().transact(work)
        self.made.extend(events)
        await self.point()
        return events

    def handle(self, *events: Event) -> list[Any]:
        made = super().handle(*events)
        self.made.extend(made)
        return made


@asynccontextmanager
async def opened(
    home: Path, *, pace: Pace = PACE, account: AccountConfig = ACCOUNT, **bot: Any
) -> AsyncIterator[Pit]:
    """Bot alpha with an account at the sandbox's broker."""
    shop = FileShop(home, account, **bot)
    async with serving() as served:
        found = Pit(shop, served, pace, shop.made)
        found.start()
        try:
            yield found
        finally:
            await found.stop()
            shop.db.close()


@pytest.fixture
def pit(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Pit]]:
    """Opens an executor whose account is at the sandbox's broker."""
    return lambda at="home", **over: opened(tmp_path / at, **over)
