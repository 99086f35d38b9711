"""One account at a broker: what those who work on it share."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection

from executor.adapters import brokered, store
from executor.adapters.alpaca import Alpaca
from executor.domain.alarms import Alarm
from executor.domain.desk import Desk
from executor.domain.orders import Ticket
from executor.handlers.booking import ExecutorMoment
from executor.handlers.tally import Tally
from executor.handlers.work import Work
from signalbox.contracts.errors import TransientError
from signalbox.contracts.events import Event

FAILED, MISMATCH = "broker_failed", "position_mismatch"
_WHOLE = (  # told of an account as a whole, until all of it was looked at once without fault
    FAILED,
    "broker_refused",
    "broker_unreachable",
    "order_contradicts",
    "order_surplus",
)
T = TypeVar("T")
Rule = Callable[[Connection, Desk, ExecutorMoment], Iterator[Event]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things wait, in wall seconds."""

    tick_s: float = 0.25
    lookups_s: tuple[float, ...] = (1, 2, 4, 8, 15)  # for an order that may not be there
    watch_s: tuple[float, ...] = (0.25, 0.5, 1, 2, 5, 15)  # between two looks at an open order
    sweep_s: float = 15.0  # while orders are open; four times as long while none is
    settle_s: float = 5.0  # after a fill, before positions are compared
    again_s: float = 5.0  # after a call that has failed
    alarm_s: float = 60.0  # until a doubt is told
    abandoned_s: tuple[float, ...] = (60, 300)  # when one that was given up is looked for
    quiet_s: float = 1.0  # after another order on the symbol, before a stop is placed there
    resting_s: float = 900.0  # between two looks at a stop that rests; the sweep lists them all
    move_s: float = 1.0  # between two moves of stops that trail
    vain_s: float = 60.0  # until a stop is tried again that could not be placed
    reconnect_s: tuple[float, float] = (1, 30)  # to the stream: the shortest pause, the longest


@dataclass(slots=True)
class Watch:
    """What is remembered of one order between two looks; a restart begins anew."""

    due: float = 0.0  # on the loop's clock
    summoned: bool = False  # the broker's stream says that something has happened to it
    looks: int = 0
    missing: int = 0  # how often the broker has said that it has no such order
    recalled: bool = False  # it was looked at since its end is wanted
    limited: bool = False  # the broker has taken nothing: it may be sent again
    cancelled: bool = False  # asked for not long ago
    unlisted: float | None = None  # since when the broker owes us an execution, loop's clock


@dataclass(slots=True)
class Brokerage:
    """The account, the broker, and what is on its way there."""

    work: Work
    account: str
    broker: Alpaca
    pace: Pace = field(default_factory=Pace)
    active: bool = False  # reconciled once, so that orders may go out
    refused: str = ""  # why the broker lets us do nothing; until the account is configured anew
    lost: dict[str, list[float]] = field(default_factory=dict)  # given up: when to look for it
    watches: dict[str, Watch] = field(default_factory=dict)
    touched: dict[str, float] = field(default_factory=dict)  # by symbol: last news, loop's clock
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    sweep_due: float = 0.0  # when the whole account is looked at next, on the loop's clock
    connections: int = 0  # how often the stream has begun, and at the last sweep had
    swept: int = 0
    tally: Tally = field(init=False)

    def __post_init__(self) -> None:
        self.tally = Tally(self.account)

    @property
    def now(self) -> float:
        """The loop's clock."""
        return asyncio.get_running_loop().time()

    async def correction_of(self, symbol: str, bot: str = "") -> str:
        """How a person corrects what is held here: in the book of `bot`, else of the one that the
        account belongs to, or once did.
        """
        if not bot:
            bots = self.work.service.moment().config.bots
            own = [bot.id for bot in bots if bot.account == self.account]
            former = await self.read(lambda sql: brokered.bots_of(sql, self.account))
            bot = [*own, *former, "{bot}"][0]
        return f'POST /api/positions/{bot}/{symbol}/correct with "account": "{self.account}"'

    def tickets(self, symbol: str | None = None) -> list[Ticket]:
        """Open orders of this account: exits first, then by age."""
        found = [
            ticket
            for ticket in self.work.memory.waiting.values()
            if ticket.order.account == self.account
            and not ticket.simulated
            and symbol in {None, ticket.order.symbol}
        ]
        return sorted(found, key=lambda t: (t.entry, t.planned_at, t.order.leg, t.order.order_id))

    def kept(self, ticket: Ticket) -> Ticket | None:
        """The order as it is now; None when it has ended."""
        return self.work.memory.waiting.get(ticket.order.order_id)

    def watch(self, ticket: Ticket) -> Watch:
        """What is remembered of an order."""
        return self.watches.setdefault(ticket.order.order_id, Watch())

    @property
    def unswept(self) -> bool:
        """Whether the stream has begun anew since the account was looked at: what happened while
        nobody listened is not known yet.
        """
        return self.swept < self.connections

    def is_due(self, ticket: Ticket) -> bool:
        """Whether an order is to be looked at. What the stream says, or that its end is wanted,
        hastens only what the broker is known to have: a doubt is settled by asking often enough.
        """
        watch = self.watch(ticket)
        known = bool(ticket.order.broker_order_id)
        recalled = ticket.submission.recall is not None and not watch.recalled
        return watch.due <= self.now or (known and (watch.summoned or recalled))

    def summon(self, order_id: str) -> None:
        """Look at an order now, if it is open here."""
        ticket = self.work.memory.waiting.get(order_id)
        if ticket is not None and ticket.order.account == self.account and not ticket.simulated:
            watch = self.watch(ticket)
            watch.summoned, watch.looks = True, 0
            self.wake.set()

    async def read(self, look: Callable[[Connection], T]) -> T:
        """What the database says.

        Raises:
            TransientError: there is none yet.
        """
        db = self.work.service.db
        if db is None:
            raise TransientError("there is no database yet")
        return await db.read(look)

    async def do(self, ticket: Ticket, rule: Rule, others: Iterable[Ticket] = ()) -> None:
        """One transaction on the books of the order's bot, and of those of other orders. The desk
        has the order as it is, also when it has ended since the caller looked.
        """
        name, bot = ticket.order.order_id, ticket.order.bot

        def on_the_order(sql: Connection, desk: Desk, moment: ExecutorMoment) -> Iterator[Event]:
            if name not in desk.waiting.get(bot, {}):
                ended = store.find_order(sql, name)
                if ended is not None:
                    desk.ended[name] = ended
            return rule(sql, desk, moment)

        await self.work.do(on_the_order, {bot, *(other.order.bot for other in others)})

    @property
    def mismatched(self) -> frozenset[str]:
        """Symbols that differ from our books, as people were told."""
        return self.symbols(MISMATCH)

    def symbols(self, code: str) -> frozenset[str]:
        """Those here that people were told of."""
        here = self.about() + "/"
        raised = [alarm.about for alarm in self.work.alarms.raised() if alarm.code == code]
        return frozenset(about.removeprefix(here) for about in raised if about.startswith(here))

    async def shut(self, why: str, code: str = "broker_refused") -> None:
        """Nothing can be done here: no more calls until the account is configured anew."""
        self.refused = why or "the broker refuses the keys"
        words = (
            f"account {self.account} is halted: {self.refused}. Open orders are not followed and"
            " nothing is sent. Look at the account at its broker; then enter valid keys, or restart"
            " the executor."
        )
        await self.tell(code, words, detail=self.refused[:256])

    async def tell(self, code: str, words: str, symbol: str = "", detail: str = "") -> None:
        """Raise an alarm about the account, or a symbol in it."""
        await self.work.alarms.tell(Alarm(code, self.about(symbol), detail=detail), words)

    async def over(self, code: str, words: str, symbol: str = "") -> None:
        """What was told of the account, or a symbol in it, holds no more."""
        await self.work.alarms.over(code, self.about(symbol), words)

    def told(self, code: str) -> bool:
        """Whether people know of a trouble of the account as a whole."""
        return any((x.code, x.about) == (code, self.about()) for x in self.work.alarms.raised())

    async def sound(self) -> None:
        """The whole account was looked at without fault: what that disproves is over."""
        if self.refused:
            return
        for code in _WHOLE:
            await self.over(code, f"account {self.account} is followed again")
        for symbol in self.symbols(FAILED) - {ticket.order.symbol for ticket in self.tickets()}:
            await self.over(FAILED, f"account {self.account}: no order of {symbol} waits", symbol)

    def about(self, symbol: str = "") -> str:
        """What an alarm is about."""
        return f"account:{self.account}/{symbol}" if symbol else f"account:{self.account}"
