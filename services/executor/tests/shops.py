"""The executor without a server, in this process and this thread."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Connection, select

from executor.adapters import alarms, store, withdrawals
from executor.adapters.tables import fills, metadata
from executor.adapters.tables import orders as order_rows
from executor.domain.book import FLAT, Book
from executor.domain.desk import Desk
from executor.handlers.booking import ExecutorMoment
from executor.handlers.commands import Commands
from executor.handlers.floor import Floor
from executor.handlers.memory import Memory
from executor.handlers.verdicts import build_handlers
from executor.handlers.work import Work
from signalbox.contracts.accounts import AccountConfig, KillSwitch
from signalbox.contracts.commands import Command
from signalbox.contracts.config import BotConfig, ExecutorConfig
from signalbox.contracts.events import Event, VerdictReached
from signalbox.contracts.payloads import Order, Quote
from signalbox.contracts.values import Action
from signalbox.runtime.db import Database
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


def make_shop(**over: Any) -> Shop:
    paper = {"slippage_bps": 0, "impact_bps": 0}
    return Shop([a_bot(**over)], [an_account(paper=paper), an_account(id="paper-two", paper=paper)])
