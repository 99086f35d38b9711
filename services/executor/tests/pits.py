"""An executor whose account is at the sandbox's broker, over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select

from executor.adapters.alpaca import Alpaca, Login
from executor.adapters.budget import Budget
from executor.adapters.tables import orders as order_rows
from executor.adapters.tables import positions
from executor.domain.broker import Answer
from executor.handlers.booking import ExecutorMoment
from executor.handlers.brokerage import Brokerage, Pace
from executor.handlers.dealer import Dealer
from sandbox.alpaca.api import SECRET
from sandbox.alpaca.venue import Account
from sandbox.faults import Kind
from sandbox.serving import Served, serving
from signalbox.contracts.accounts import AccountConfig
from signalbox.contracts.events import AlertRaised, Event, OrderChanged
from signalbox.contracts.payloads import Order
from signalbox.contracts.values import OrderState
from signalbox.runtime.clock import wall_now
from signalbox.runtime.db import Database
from signalbox.runtime.fence import FenceLost
from signalbox.runtime.migrating import migrate
from signalbox.testing.examples import a_bot
from signalbox.testing.wait import until
from tests.shops import Shop

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
    abandoned_s=(0.1, 0.3),
    quiet_s=0.02,
    move_s=0.01,
    vain_s=0.1,
)
ALARMED = replace(PACE, alarm_s=0.2)  # a doubt is told soon; else only where a test waits for that


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
