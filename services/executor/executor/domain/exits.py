"""Which lots an order closes."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from functools import reduce

from executor.domain.book import FLAT, Book
from executor.domain.money import ZERO, add
from executor.domain.orders import Ticket
from executor.domain.scene import Denial, Intent
from signalbox.contracts.config import BotConfig
from signalbox.contracts.payloads import Lot, Signal
from signalbox.contracts.values import Action, OrderState, Side


def closable(signal: Signal, book: Book, bot: BotConfig) -> tuple[Lot, ...]:
    """The lots that a word closes: its source's own first, then, unless it is a close, those of
    lower sources.

    A sell closes long lots and a buy short ones. Others' lots are touched by a source of higher
    priority only, and only where the bot says `flatten_lower`.
    """
    lots = book.holdings.get(signal.symbol, FLAT).lots
    if not lots or signal.action is Action.HOLD:
        return ()
    own = tuple(
        lot
        for lot in lots
        if lot.source_id == signal.source_id and lot.source_type is signal.source_type
    )
    if signal.action is Action.CLOSE:
        return own
    long = signal.action is Action.SELL
    chosen = tuple(lot for lot in own if (lot.quantity > 0) is long)
    if not bot.flatten_lower:
        return chosen
    rank = bot.policy.priorities.get
    mine = rank(signal.source_type, 0)
    lower = (lot for lot in lots if rank(lot.source_type, 0) < mine and (lot.quantity > 0) is long)
    return (*chosen, *lower)


def exit_of(lots: tuple[Lot, ...], account: str) -> Intent:
    """The order that closes these lots, which are all long or all short."""
    quantity = reduce(add, (lot.quantity.copy_abs() for lot in lots))
    side = Side.SELL if lots[0].quantity > 0 else Side.BUY
    targets = tuple(lot.lot_id for lot in lots)
    return Intent(side, account, entry=False, quantity=quantity, targets=targets)


def everything(book: Book, symbol: str) -> list[Intent]:
    """The orders that close every lot of a symbol, whoever owns it: one for the long lots, one for
    the short.
    """
    lots = book.holdings.get(symbol, FLAT).lots
    sides = (tuple(lot for lot in lots if (lot.quantity > 0) is long) for long in (True, False))
    return [exit_of(side, book.account) for side in sides if side]


def still_open(ticket: Ticket, book: Book) -> Decimal:
    """What an exit can close now: the rest of its lots, and no more than was ordered."""
    targets = set(ticket.targets)
    lots = book.holdings.get(ticket.order.symbol, FLAT).lots
    there = reduce(add, (lot.quantity.copy_abs() for lot in lots if lot.lot_id in targets), ZERO)
    return min(there, ticket.remaining or ZERO)


def superseded(
    signal: Signal, waiting: Iterable[Ticket], bot: BotConfig, *, planned: bool
) -> list[tuple[Ticket, tuple[OrderState, Denial]]]:
    """Orders that still wait for a quote and that a newer word ends, with how they end.

    A source's newer order takes the place of its older ones. A close ends its own waiting entries,
    a sell those that buy and a buy those that sell short, even where nothing else is to be done; a
    sell or a buy also those of lower sources, where the bot says `flatten_lower`. What a person has
    commanded stays.
    """
    ended = []
    for ticket in waiting:
        if ticket.order.verdict_id is None:
            continue
        if planned and _own(signal, ticket):
            why = Denial(
                "superseded", "the source has spoken again, and its newer order replaces this one"
            )
            ended.append((ticket, (OrderState.REPLACED, why)))
        elif ticket.entry and _against(signal, ticket, bot):
            why = Denial("superseded", f"{signal.source_id} speaks against it")
            ended.append((ticket, (OrderState.CANCELED, why)))
    return ended


def only_closing(signal: Signal, waiting: Iterable[Ticket], bot: BotConfig) -> list[Ticket]:
    """Exits that go on without the entry that was to follow them, because a newer word speaks
    against that as it would against an entry that waits.
    """
    return [
        replace(ticket, follow=None)
        for ticket in waiting
        if ticket.follow is not None and _against(signal, ticket, bot)
    ]


def _own(signal: Signal, ticket: Ticket) -> bool:
    order = ticket.order
    return order.source_id == signal.source_id and order.source_type is signal.source_type


def _against(signal: Signal, ticket: Ticket, bot: BotConfig) -> bool:
    """Whether a word ends what an order would open."""
    own = _own(signal, ticket)
    if signal.action is Action.CLOSE:
        return own
    against = {Action.SELL: Side.BUY, Action.BUY: Side.SELL}.get(signal.action)
    rank = bot.policy.priorities.get
    lower = rank(ticket.order.source_type, 0) < rank(signal.source_type, 0) and bot.flatten_lower
    return ticket.order.side is against and (own or lower)
