"""Pre-trade limits. They bind entries; an order that only reduces a position is never held back by
them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from executor.domain.book import FLAT, Book, orders_last_minute
from executor.domain.desk import Repeat
from executor.domain.funds import charges, free_cash, short_of
from executor.domain.guards import passed
from executor.domain.money import ZERO, add, divide, halfway, multiply, subtract
from executor.domain.orders import Guard
from executor.domain.paper import touch
from executor.domain.prices import dearest
from executor.domain.risk import entry_denied
from executor.domain.scene import Denial, Reserved, Scene, needed
from executor.domain.sizing import units_of
from signalbox.contracts.accounts import AccountConfig
from signalbox.contracts.config import BotConfig
from signalbox.contracts.ids import plain
from signalbox.contracts.payloads import Quote
from signalbox.contracts.values import Side, SourceType

_LEAST_NOTIONAL = Decimal(1)  # account currency
_WHOLE_UNIT = Decimal(1)  # no broker lends a part of a share
_REPEAT_S = 60
_FOUR_PLACES = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class _Entry:
    bot: BotConfig
    account: AccountConfig | None
    book: Book
    reserved: Reserved
    symbol: str
    source: SourceType
    side: Side
    quantity: Decimal
    price: Decimal
    notional: Decimal
    repeat: Repeat  # with this order counted


def size_entry(
    symbol: str,
    side: Side,
    signal_price: Decimal | None,
    bot: BotConfig,
    scene: Scene,
    *,
    source: SourceType,
    guard: Guard | None = None,
) -> Decimal | Denial:
    """How many units an entry trades at the scene's quote, or the first limit that forbids it.

    The bot's notional over the highest price it may get, or what its volatility target allows,
    rounded down to the increment; shorts to whole units. An entry beyond its own stop or target is
    not made.

    Raises:
        ValueError: the scene has no quote.
    """
    if scene.quote is None:
        raise ValueError(f"no quote to size {symbol} with")
    forbidden = unfit(symbol, side, signal_price, bot, scene, guard=guard)
    if forbidden is not None:
        return forbidden
    price = dearest(side, scene.quote, bot.limits)
    step = bot.sizing.step(symbol)
    if side is Side.SELL:
        step = max(step, _WHOLE_UNIT)
    quantity = units_of(symbol, price, step, bot, scene)
    if isinstance(quantity, Denial):
        return quantity
    entry = _Entry(
        bot=bot,
        account=scene.account,
        book=scene.book,
        reserved=scene.reserved,
        symbol=symbol,
        source=source,
        side=side,
        quantity=quantity,
        price=price,
        notional=multiply(quantity, price),
        repeat=repeated(scene.repeat, side, quantity, scene.now),
    )
    for check in _CHECKS:
        denial = check(entry)
        if denial is not None:
            return denial
    return quantity


def unfit(
    symbol: str,
    side: Side,
    signal_price: Decimal | None,
    bot: BotConfig,
    scene: Scene,
    *,
    guard: Guard | None = None,
) -> Denial | None:
    """Why an entry of any size may not be made at the scene's quote; without one, the book alone
    is judged.
    """
    quote = scene.quote
    if quote is None:
        return entry_denied(scene.book, bot.limits, scene.now, symbol)
    price = touch(side, quote)
    return (
        passed(guard, side, price)
        or entry_denied(scene.book, bot.limits, scene.now, symbol)
        or _wide(quote, bot.limits.max_spread)
        or _far(price, signal_price, bot.limits.max_slippage)
    )


def repeated(last: Repeat | None, side: Side, quantity: Decimal, now: datetime) -> Repeat:
    """The last entry on a symbol after this one; the same within a minute counts up."""
    second, amount = int(now.timestamp()), plain(quantity)
    same = last is not None and (last.side, last.quantity) == (side.value, amount)
    if last is None or not same or second - last.since >= _REPEAT_S:
        return Repeat(side.value, amount, second)
    return Repeat(last.side, last.quantity, last.since, last.count + 1)


def over_rate(bot: BotConfig, scene: Scene) -> Denial | None:
    """Whether the bot has planned as many orders as a minute of market time may see."""
    limit = bot.limits.max_orders_per_minute
    count = orders_last_minute(scene.book, scene.now)
    if count < limit:
        return None
    return _denial(
        "order_rate",
        "the bot has planned {observed} orders in a minute, {limit} may be",
        limit,
        count,
    )


def _denial(code: str, words: str, limit: Decimal | int, observed: Decimal | int) -> Denial:
    numbers = {"limit": plain(Decimal(limit)), "observed": plain(Decimal(observed))}
    return Denial(code, words.format(**numbers), numbers)


def _wide(quote: Quote, limit: Decimal) -> Denial | None:
    spread = subtract(quote.ask, quote.bid)
    if spread <= multiply(limit, halfway(quote)):
        return None
    observed = divide(spread, halfway(quote)).quantize(_FOUR_PLACES)
    return _denial(
        "wide_spread",
        "bid and ask are {observed} of the mid apart, {limit} may be",
        limit,
        observed,
    )


def _far(price: Decimal, seen: Decimal | None, limit: Decimal) -> Denial | None:
    if seen is None or limit >= 1:
        return None
    distance = subtract(price, seen).copy_abs()
    if distance <= multiply(limit, seen):
        return None
    observed = divide(distance, seen).quantize(_FOUR_PLACES)
    words = "the price is {observed} away from the one the signal saw, {limit} may be"
    return _denial("price_collar", words, limit, observed)


def _minimum(entry: _Entry) -> Denial | None:
    if entry.quantity and entry.notional >= _LEAST_NOTIONAL:
        return None
    words = (
        "the order would be worth {observed}; below {limit}, or one increment, nothing is traded"
    )
    return _denial("below_minimum", words, _LEAST_NOTIONAL, entry.notional)


def _repeat(entry: _Entry) -> Denial | None:
    limit, count = entry.bot.limits.max_repeats, entry.repeat.count
    if count <= limit:
        return None
    words = "the same order would be made {observed} times within a minute, {limit} may be"
    return _denial("repeat_order", words, limit, count)


def _order_quantity(entry: _Entry) -> Denial | None:
    limit = entry.bot.limits.max_quantity
    if limit is None or entry.quantity <= limit:
        return None
    words = "the order is for {observed} units, one order may be for {limit}"
    return _denial("max_quantity", words, limit, entry.quantity)


def _open_positions(entry: _Entry) -> Denial | None:
    limit, holdings = entry.bot.limits.max_open_positions, entry.book.holdings
    if len(holdings) < limit or not holdings.get(entry.symbol, FLAT).flat:
        return None
    after = 1 + sum(not holding.flat for holding in holdings.values())
    if after <= limit:
        return None
    words = "there would be {observed} open positions, {limit} may be"
    return _denial("max_open_positions", words, limit, after)


def _order_notional(entry: _Entry) -> Denial | None:
    limit = entry.bot.limits.max_order_notional
    if entry.notional <= limit:
        return None
    words = "the order is worth {observed}, one order may be worth {limit}"
    return _denial("max_order_notional", words, limit, entry.notional)


def _quantity_after(entry: _Entry) -> Decimal:
    held = add(entry.book.holdings.get(entry.symbol, FLAT).quantity, entry.reserved.quantity)
    return add(held, entry.quantity if entry.side is Side.BUY else entry.quantity.copy_negate())


def _position(entry: _Entry) -> Denial | None:
    limit = entry.bot.limits.max_position_notional
    after = multiply(_quantity_after(entry), entry.price).copy_abs()
    if after <= limit:
        return None
    words = "the position would be worth {observed}, one position may be worth {limit}"
    return _denial("max_position", words, limit, after)


def _exposure(entry: _Entry) -> Denial | None:
    limit = entry.bot.limits.max_gross_exposure
    holding = entry.book.holdings.get(entry.symbol, FLAT)
    signed = entry.quantity if entry.side is Side.BUY else entry.quantity.copy_negate()
    now = holding.value.copy_abs()
    then = multiply(add(holding.quantity, signed), entry.price).copy_abs()
    after = add(add(entry.book.gross, subtract(then, now)), entry.reserved.gross)
    if after <= limit:
        return None
    words = "all positions would be worth {observed} together, they may be worth {limit}"
    return _denial("max_exposure", words, limit, after)


def _source_budget(entry: _Entry) -> Denial | None:
    """What the lots of this kind of source are worth, its waiting entries included."""
    share = entry.bot.limits.source_budgets.get(entry.source)
    if share is None:
        return None
    limit = multiply(share, max(entry.book.equity, ZERO))
    after = add(entry.notional, entry.reserved.sources.get(entry.source, ZERO))
    for holding in entry.book.holdings.values():
        for lot in holding.lots:
            if lot.source_type is entry.source:
                after = add(after, multiply(lot.quantity.copy_abs(), holding.price))
    if after <= limit:
        return None
    words = f"{entry.source} would have {{observed}} in the market, its budget is {{limit}}"
    return _denial("source_budget", words, limit, after)


def _buying_power(entry: _Entry) -> Denial | None:
    """What is free must cover the order, its reserve and its fee."""
    limited = entry.bot.limits.limit_bps is not None
    need = needed(entry.side, entry.notional, limited=limited)
    fee = charges(entry.symbol, entry.quantity, entry.price, entry.account)
    return short_of(add(need, fee), free_cash(entry.book, entry.reserved))


_CHECKS: tuple[Callable[[_Entry], Denial | None], ...] = (
    _minimum,
    _repeat,
    _order_quantity,
    _order_notional,
    _open_positions,
    _position,
    _exposure,
    _source_budget,
    _buying_power,
)
