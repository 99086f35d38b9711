"""The books as the last transaction left them, so that the next need not read them again."""

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import Connection

from executor.adapters import store
from executor.domain.book import Book, marked
from executor.domain.desk import Desk, Track
from executor.domain.orders import Ticket
from signalbox.contracts.payloads import Quote


@dataclass(slots=True)
class _Bot:
    """What is known of one bot."""

    books: dict[str, Book]  # by account
    tracks: dict[str, Track]  # by symbol
    waiting: dict[str, Ticket]  # open orders by id
    marks: dict[str, dict[str, Quote]] = field(default_factory=dict)  # by account and symbol


class Shelf:
    """Bots as the database knows them. Used in the writer thread only.

    Every transaction that changes books numbers them anew. What lies here is true while the
    database holds the number it was laid down under; after a rollback, or when another process has
    written, it holds a different one, and everything is read again.
    """

    def __init__(self) -> None:
        self._edition = 0
        self._bots: dict[str, _Bot] = {}
        self._next: tuple[int, dict[str, _Bot | None]] = (0, {})

    def load(self, sql: Connection, desk: Desk, bots: Collection[str]) -> None:
        """Bring these bots to the desk, their holdings at the newest mids."""
        self._follow(store.edition(sql))
        missing = set(bots) - self._bots.keys()
        if missing:
            found = Desk(desk.bots, desk.accounts, desk.quotes)
            store.read(sql, found, missing)
            self._bots.update((bot, _taken(found, bot)) for bot in missing)
        for name in bots:
            bot = self._bots[name]
            for account, book in bot.books.items():
                now = marked(book, desk.quotes, bot.marks.setdefault(account, {}))
                bot.books[account] = desk.books[name, account] = now
            desk.tracks.update(((name, symbol), track) for symbol, track in bot.tracks.items())
            if bot.waiting:
                desk.waiting[name] = dict(bot.waiting)
            desk.loaded.add(name)

    def save(self, sql: Connection, desk: Desk) -> None:
        """Write what changed; it is laid down here once it turns out to be committed."""
        number = store.save(sql, desk)
        if number is not None:
            self._next = (
                number,
                {bot: self._put(desk, bot) if bot in desk.loaded else None for bot in desk.changed},
            )

    def _put(self, desk: Desk, name: str) -> _Bot:
        before = self._bots[name]
        bot = _taken(desk, name)
        for account in bot.books.keys() - before.books.keys():
            if (name, account) not in desk.changed_books:  # only looked at, so not stored
                del bot.books[account]
        bot.marks = {account: dict(seen) for account, seen in before.marks.items()}
        for owner, account, symbol in desk.lots_before:
            if owner == name:
                bot.marks.get(account, {}).pop(symbol, None)
        return bot

    def _follow(self, edition: int) -> None:
        """Go along with the database: lay down what was committed, drop what is not true."""
        (number, changed), self._next = self._next, (0, {})
        if edition == self._edition:
            return
        self._edition = edition
        if edition != number:
            self._bots.clear()
            return
        for name, bot in changed.items():
            self._bots.pop(name, None)
            if bot is not None:
                self._bots[name] = bot


def _taken(desk: Desk, name: str) -> _Bot:
    return _Bot(
        books={account: book for (bot, account), book in desk.books.items() if bot == name},
        tracks={symbol: track for (bot, symbol), track in desk.tracks.items() if bot == name},
        waiting=dict(desk.waiting.get(name, {})),
    )
