"""The executor's commands: the gateway asks, a person has decided."""

from collections.abc import Iterator

from sqlalchemy import Connection

from executor.adapters import corrections, store
from executor.domain import paper
from executor.domain.book import FLAT
from executor.domain.desk import Desk
from executor.handlers import correcting, manual
from executor.handlers.booking import ExecutorMoment
from executor.handlers.wishes import Wish, wish_of
from executor.handlers.work import Work
from signalbox.contracts.commands import Command
from signalbox.contracts.errors import Conflict, Malformed, NotFound
from signalbox.contracts.events import Event


class Commands:
    """One method for each verb. A repeated request id gets the stored answer and does nothing.

    After a crash between the effect and its stored answer a repeat makes no second order, but it
    may find its work done: `cancel`, and a `close` that only ended what waited, then answer
    Conflict, and `clear_halt` NotFound.
    """

    def __init__(self, work: Work) -> None:
        self._work = work

    async def close(self, command: Command) -> dict[str, object]:
        """Close a bot's position in one symbol: every lot, whoever owns it."""
        bot, symbol = manual.text_of(command, "bot"), manual.text_of(command, "symbol")
        wish = manual.Exit(command.request_id, command.by, "exit")
        orders: list[str] = []

        def rule(sql: Connection, desk: Desk, moment: ExecutorMoment) -> Iterator[Event]:
            _must_exist(desk, bot)
            names = manual.exit_ids(desk, bot, [symbol], wish.request_id)
            store.load_known(sql, desk, names)
            waits = desk.open_orders(bot, symbol)
            yield from manual.close_all(desk, bot, [symbol], wish, moment)
            orders.extend(name for name in names if name in desk.known)
            if not orders and not waits:
                raise Conflict(f"{bot} holds nothing of {symbol}")

        await self._work.do(rule, {bot})
        return {"orders": orders}

    async def flatten(self, command: Command) -> dict[str, object]:
        """Close every position of a bot, and cancel what it waits for."""
        bot = manual.text_of(command, "bot")
        wish = manual.Exit(command.request_id, command.by, "flatten")
        orders: list[str] = []

        def rule(sql: Connection, desk: Desk, moment: ExecutorMoment) -> Iterator[Event]:
            _must_exist(desk, bot)
            symbols = manual.symbols_of(desk, bot)
            names = manual.exit_ids(desk, bot, symbols, wish.request_id)
            store.load_known(sql, desk, names)
            yield from manual.close_all(desk, bot, symbols, wish, moment)
            orders.extend(name for name in names if name in desk.known)

        await self._work.do(rule, {bot})
        return {"orders": orders}

    async def cancel(self, command: Command) -> dict[str, object]:
        """Cancel an order that waits."""
        order_id = manual.text_of(command, "order_id")
        stops: list[str] = []

        def rule(sql: Connection, desk: Desk, moment: ExecutorMoment) -> Iterator[Event]:
            ticket = store.find_order(sql, order_id)
            yield from manual.cancel(desk, ticket, order_id, command.by, moment)
            stops.extend([order_id] if ticket is not None and ticket.stop else [])

        await self._work.do(rule, ())
        words = "its lot is watched here at the same level; no stop is placed for it any more"
        return {"orders": [order_id], **({"message": words} if stops else {})}

    async def correct(self, command: Command) -> dict[str, object]:
        """Make a book hold what the account at its broker does."""
        bot, wish = manual.text_of(command, "bot"), wish_of(command)
        orders: list[str] = []

        def rule(sql: Connection, desk: Desk, moment: ExecutorMoment) -> Iterator[Event]:
            _must_exist(desk, bot)
            made = corrections.made(sql, wish.request_id)
            if made is not None and made[0] != command.body:
                raise Conflict("another correction was made under this key before; take a new key")
            book = desk.book(bot, made[1] if made else _account_of(desk, bot, wish))
            name = correcting.order_id_of(wish, book)
            store.load_known(sql, desk, [name])
            if made is None:
                yield from correcting.correct(sql, desk, book, wish, moment)
            orders.extend({name} & desk.known)

        await self._work.do(rule, {bot})
        self._work.memory.reopen(bot)
        return {"orders": orders}

    async def clear_halt(self, command: Command) -> dict[str, object]:
        """Let a halted key go on with the verdict of the given number."""
        key = (manual.text_of(command, "bot"), manual.text_of(command, "symbol"))
        following = command.body.get("next_sequence")
        if not isinstance(following, int) or isinstance(following, bool) or following < 1:
            raise Malformed("next_sequence: a whole number of at least 1 is needed")

        def rule(_sql: Connection, desk: Desk, moment: ExecutorMoment) -> Iterator[Event]:
            yield manual.clear(desk, key, following, moment, by=command.by)

        await self._work.do(rule, {key[0]})
        return {"bot": key[0], "symbol": key[1], "next_sequence": following}


def _account_of(desk: Desk, bot: str, wish: Wish) -> str:
    """The account that is named, else the only one that it can be: the bot's own, or one that it
    has left and holds the symbol in.
    """
    books = desk.books_of(bot)
    own = {desk.bots[bot].account} if bot in desk.bots else set()
    known = own.union(book.account for book in books)
    if wish.account:
        if wish.account not in known:
            raise NotFound(f"{bot} has no book in an account {wish.account}")
        return wish.account
    held = {book.account for book in books if not book.holdings.get(wish.symbol, FLAT).flat}
    real = (account.id for account in desk.accounts.values() if account.broker != paper.NAME)
    possible = sorted((own | held).intersection(real))
    if len(possible) > 1:
        where = " and ".join(possible)
        raise Conflict(f"{wish.symbol} of {bot} may be corrected in {where}: name the account")
    return possible[0] if possible else min(held or own or known)


def _must_exist(desk: Desk, bot: str) -> None:
    if bot not in desk.bots and not desk.books_of(bot):
        raise NotFound(f"there is no bot {bot}")
