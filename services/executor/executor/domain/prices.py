"""At which price an entry is made: at the quote, or as a limit order so far beyond it."""

from dataclasses import replace
from decimal import Decimal

from executor.domain.fees import BPS, is_pair
from executor.domain.money import add, floor_to, multiply
from executor.domain.orders import Ticket
from executor.domain.paper import beyond, tick_of, touch
from executor.domain.scene import Scene
from signalbox.contracts.limits import Limits
from signalbox.contracts.payloads import Order, Quote
from signalbox.contracts.values import OrderKind, Side

_ONE = Decimal(1)
_CENT, _SMALL = Decimal("0.01"), Decimal("0.0001")  # what venues take for shares; below a dollar


def venue_tick(symbol: str, price: Decimal) -> Decimal:
    """Of what an order's price must be a multiple."""
    if is_pair(symbol):
        return tick_of(price)
    return _CENT if price >= 1 else _SMALL


def to_tick(price: Decimal, side: Side, tick: Decimal) -> Decimal:
    """An order's price as a venue takes it, never further than `price`: a buy's is rounded down, a
    sell's up; at least one tick.
    """
    below = floor_to(price, tick)
    up = side is Side.SELL and below != price
    return max(add(below, tick) if up else below, tick)


def limit_of(side: Side, quote: Quote, limits: Limits) -> Decimal | None:
    """The worst price that an entry may get; None where the bot's entries are market orders."""
    if limits.limit_bps is None:
        return None
    bps = limits.limit_bps if side is Side.BUY else -limits.limit_bps
    far = multiply(touch(side, quote), add(_ONE, multiply(bps, BPS)))
    return to_tick(far, side, venue_tick(quote.symbol, far))


def dearest(side: Side, quote: Quote, limits: Limits) -> Decimal:
    """The highest price that an entry may get: what it is sized at and judged by."""
    price = touch(side, quote)
    limit = limit_of(side, quote, limits)
    return price if limit is None else max(price, limit)


def met(order: Order, quote: Quote) -> bool:
    """Whether an order may be filled on a quote, as far as its limit says."""
    if order.limit_price is None or order.side is None:
        return True
    return not beyond(order.side, touch(order.side, quote), order.limit_price)


def priced(ticket: Ticket, scene: Scene) -> Ticket:
    """An entry that gets its size at the scene's quote, with the limit that belongs to it; any
    other order as it is.
    """
    order, bot, quote = ticket.order, scene.bot, scene.quote
    if not ticket.entry or order.quantity is not None:
        return ticket
    if bot is None or quote is None or order.side is None:
        return ticket
    limit = limit_of(order.side, quote, bot.limits)
    if limit is None:
        return ticket
    change = {"kind": OrderKind.LIMIT, "limit_price": limit}
    return replace(ticket, order=order.model_copy(update=change))


def at_tick(ticket: Ticket, tick: Decimal) -> Ticket:
    """An order whose limit fits a venue that takes multiples of `tick` only; of 0 it takes any."""
    order = ticket.order
    if order.limit_price is None or order.side is None or not tick:
        return ticket
    limit = to_tick(order.limit_price, order.side, tick)
    return replace(ticket, order=order.model_copy(update={"limit_price": limit}))
