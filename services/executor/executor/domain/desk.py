"""Everything that one transaction works on: loaded once, changed by the rules, saved once."""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from executor.domain.alarms import Alarm
from executor.domain.book import FLAT, Book
from executor.domain.orders import Ticket
from executor.domain.volatility import Key, Range
from signalbox.contracts import ids
from signalbox.contracts.accounts import AccountConfig, PaperSettings
from signalbox.contracts.config import BotConfig, ExecutorConfig
from signalbox.contracts.payloads import Lot, Order, Quote

WHOLE_BOT = "*"  # stands for a symbol where a halt concerns all of a bot


@dataclass(frozen=True, slots=True)
class Repeat:
    """The last entry on a symbol, and how often it has been made since the first of its kind."""

    side: str
    quantity: str
    since: int  # second of market time
    count: int = 1


@dataclass(frozen=True, slots=True)
class Track:
    """How far the verdicts of one (bot, symbol) are applied, and whether the key is halted."""

    sequence: int = 0  # the last one applied
    halted: str = ""  # the code of the reason; empty while it runs
    repeat: Repeat | None = None  # of the last entry


START = Track()


@dataclass(slots=True)
class Desk:
    """Books, orders and sequences of the bots that a batch touches, and what has changed."""

    bots: Mapping[str, BotConfig]
    accounts: Mapping[str, AccountConfig]
    quotes: Mapping[str, Quote]
    loaded: set[str] = field(default_factory=set)  # bots that all of the following is known of
    books: dict[tuple[str, str], Book] = field(default_factory=dict)  # by bot and account
    tracks: dict[tuple[str, str], Track] = field(default_factory=dict)  # by bot and symbol
    waiting: dict[str, dict[str, Ticket]] = field(default_factory=dict)  # open orders by bot
    names: dict[UUID, dict[str, str]] = field(default_factory=dict)  # see `name_orders`
    known: set[str] = field(default_factory=set)  # ids of orders that exist, of those asked for
    # Of every holding that has changed, by bot, account and symbol: the lots it had at first.
    lots_before: dict[tuple[str, str, str], tuple[Lot, ...]] = field(default_factory=dict)
    changed_books: set[tuple[str, str]] = field(default_factory=set)
    changed_tracks: set[tuple[str, str]] = field(default_factory=set)
    changed_tickets: dict[str, Ticket] = field(default_factory=dict)
    fills: list[Order] = field(default_factory=list)  # orders as they were at each of their fills
    states: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # broker, source, state
    denials: Counter[tuple[str, str]] = field(default_factory=Counter)  # code, source type
    alarms: list[Alarm] = field(default_factory=list)  # raised; they stand until they are over
    delays_s: list[float] = field(default_factory=list)  # wall time from verdict to order
    repeats: int = 0  # verdicts that were applied before
    late_fills: Counter[str] = field(default_factory=Counter)  # broker
    fill_repeats: Counter[str] = field(default_factory=Counter)  # broker
    opened: Set[tuple[str, str]] = frozenset()  # bots and accounts at brokers whose cash is known
    ended: dict[str, Ticket] = field(default_factory=dict)  # of those asked for, as stored
    allow_live: bool = False  # whether this process may trade real money
    ranges: Mapping[Key, Range] = field(default_factory=dict)  # how far prices move
    # Signals that were taken back, with the end of each: before this transaction, and in it.
    withdrawn: Mapping[UUID, datetime] = field(default_factory=dict)
    taken_back: dict[UUID, datetime] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        config: ExecutorConfig,
        quotes: Mapping[str, Quote],
        *,
        allow_live: bool = False,
        ranges: Mapping[Key, Range] | None = None,
        withdrawn: Mapping[UUID, datetime] | None = None,
        opened: Set[tuple[str, str]] = frozenset(),
    ) -> "Desk":
        """An empty desk under a configuration."""
        return cls(
            bots={bot.id: bot for bot in config.bots},
            accounts={account.id: account for account in config.accounts},
            quotes=quotes,
            allow_live=allow_live,
            ranges=ranges or {},
            withdrawn=withdrawn or {},
            opened=opened,
        )

    @property
    def changed(self) -> set[str]:
        """The bots of which something has changed."""
        orders = {ticket.order.bot for ticket in self.changed_tickets.values()}
        return orders.union(bot for bot, *_ in (*self.changed_books, *self.changed_tracks))

    def book(self, bot: str, account: str) -> Book:
        """The book of a bot in an account; opened with the account's starting cash at first use."""
        found = self.books.get((bot, account))
        if found is None:
            settings = self.accounts[account].paper if account in self.accounts else PaperSettings()
            cash = settings.starting_cash
            found = self.books[bot, account] = Book(bot, account, started_with=cash, cash=cash)
        return found

    def name_orders(self, verdict_id: UUID, bot: str, signal_id: UUID, account: str) -> list[str]:
        """The names that a bot's order for a signal may have: one for `account`, and for every
        account that the bot has a book in. They are remembered by verdict.
        """
        accounts = {account, *(where for owner, where in self.books if owner == bot)}
        if bot in self.bots:
            accounts.add(self.bots[bot].account)
        cause = str(signal_id)
        names = {where: ids.client_order_id(where, cause, bot, 0, 0) for where in accounts}
        self.names[verdict_id] = names
        return list(names.values())

    def former(self, bot: str, account: str, symbol: str) -> tuple[Book, ...]:
        """The bot's books in accounts that it has left, where it still holds the symbol."""
        return tuple(
            book
            for (owner, where), book in self.books.items()
            if owner == bot and where != account and book.holdings.get(symbol, FLAT).lots
        )

    def books_of(self, bot: str) -> list[Book]:
        """All books of a bot, in the order of their accounts."""
        return [self.books[key] for key in sorted(self.books) if key[0] == bot]

    def stands_until(self, signal_id: UUID, otherwise: datetime) -> datetime:
        """When a signal ends that was taken back; `otherwise` when it was not."""
        known = self.taken_back.get(signal_id) or self.withdrawn.get(signal_id)
        return min(known, otherwise) if known else otherwise

    def open_orders(self, bot: str, symbol: str | None = None) -> list[Ticket]:
        """A bot's orders that are not final, of one symbol or all: exits first, then by age."""
        tickets = self.waiting.get(bot)
        if not tickets:
            return []
        chosen = (t for t in tickets.values() if symbol is None or t.order.symbol == symbol)
        return sorted(chosen, key=lambda t: (t.entry, t.planned_at, t.order.order_id))

    def halted(self, bot: str, symbol: str) -> str:
        """Why a key, or else its whole bot, is halted; empty when neither is. What halts a key lets
        no exits go on, as a loss of the whole bot does.
        """
        key = self.tracks.get((bot, symbol), START).halted
        return key or self.tracks.get((bot, WHOLE_BOT), START).halted

    def put_book(self, book: Book, symbol: str | None = None) -> None:
        """Take a changed book; `symbol` when a holding of it changed."""
        where = (book.bot, book.account)
        if symbol is not None:
            before = self.books[where].holdings if where in self.books else {}
            self.lots_before.setdefault((*where, symbol), before.get(symbol, FLAT).lots)
        self.books[where] = book
        self.changed_books.add(where)

    def put_track(self, bot: str, symbol: str, track: Track) -> None:
        """Take a changed sequence or halt."""
        self.tracks[bot, symbol] = track
        self.changed_tracks.add((bot, symbol))

    def put_ticket(self, ticket: Ticket) -> None:
        """Take a new order, or one in its next state."""
        order = ticket.order
        self.states[order.broker, order.source_type, order.state] += 1
        self.keep_ticket(ticket)

    def keep_ticket(self, ticket: Ticket) -> None:
        """Take an order of which more is known than before, in the same state."""
        order = ticket.order
        self.known.add(order.order_id)
        self.changed_tickets[order.order_id] = ticket
        if ticket.open:
            self.waiting.setdefault(order.bot, {})[order.order_id] = ticket
        elif order.bot in self.waiting:
            self.waiting[order.bot].pop(order.order_id, None)

    def hold(self, tickets: Iterable[Ticket]) -> None:
        """Take orders as they are stored."""
        for ticket in tickets:
            self.waiting.setdefault(ticket.order.bot, {})[ticket.order.order_id] = ticket
