"""How many units an entry is for, before any limit has looked at it."""

from decimal import Decimal

from executor.domain.book import Book
from executor.domain.money import ZERO, multiply, units_for
from executor.domain.scene import Denial, Scene
from executor.domain.volatility import key_of
from signalbox.contracts.config import BotConfig
from signalbox.contracts.limits import Sizing


def units_of(
    symbol: str, price: Decimal, step: Decimal, bot: BotConfig, scene: Scene
) -> Decimal | Denial:
    """Units at this price, rounded down to a multiple of `step`; a denial when what the bot's
    sizing needs to know is not known.
    """
    if bot.sizing.kind == "volatility_target":
        return _by_volatility(symbol, price, step, bot, scene)
    return units_for(_notional(bot.sizing, scene.book), price, step)


def _notional(sizing: Sizing, book: Book) -> Decimal:
    if sizing.kind == "fixed_notional":
        return sizing.notional
    return max(multiply(sizing.fraction, book.equity), ZERO)


def _by_volatility(
    symbol: str, price: Decimal, step: Decimal, bot: BotConfig, scene: Scene
) -> Decimal | Denial:
    """Units whose loss is the bot's risk when the price moves by its multiple of the average true
    range; worth no more than one order may be.
    """
    sizing = bot.sizing
    seen = scene.ranges.get(key_of(symbol, sizing))
    if seen is None or not seen.fresh(scene.now, scene.epoch):
        words = (
            f"the average true range of {sizing.atr_period} bars of {sizing.atr_interval} is not"
            f" known for {symbol}; without it the order has no size"
        )
        return Denial("no_volatility", words)
    if not seen.of_scale(price):
        words = (
            f"{symbol} stands at {price}, its average true range is of bars around {seen.close}:"
            " it may have been split, and waits for new bars"
        )
        return Denial("no_volatility", words)
    risk = multiply(sizing.risk, max(scene.book.equity, ZERO))
    units = units_for(risk, multiply(sizing.atr_multiple, seen.value), step)
    return min(units, units_for(bot.limits.max_order_notional, price, step))
