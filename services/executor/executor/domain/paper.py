"""The paper broker: what an order would have got from a quote.

Any broker reports in the same terms: an `Execution` for each part of an order. This one answers at
once and is a pure function of the order and the quote, so a replay of the same quotes gives the
same fills.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from executor.domain.fees import BPS, fee_of, is_pair, of_pair, pair_fee_bps
from executor.domain.money import ZERO, add, divide, floor_to, multiply, square_root
from executor.domain.orders import Execution
from signalbox.contracts.accounts import PaperSettings
from signalbox.contracts.payloads import Quote, QuoteUsed
from signalbox.contracts.values import Side

NAME = "paper"
_ONE = Decimal(1)
_MOST_IMPACT_BPS = Decimal(50)
_TICK = Decimal("0.0001")
_SMALL_TICK = Decimal("0.00000001")  # below 1


def touch(side: Side, quote: Quote) -> Decimal:
    """The price that a market order of this side meets."""
    return quote.ask if side is Side.BUY else quote.bid


def tick_of(price: Decimal) -> Decimal:
    """To what a price is rounded: 4 decimals, below 1 to 8."""
    return _TICK if price >= 1 else _SMALL_TICK


def fill_price(
    side: Side, quote: Quote, quantity: Decimal, settings: PaperSettings, volume: Decimal | None
) -> Decimal:
    """Ask or bid, worsened by slippage and by the order's own impact.

    Impact is `impact_bps * sqrt(quantity / volume)` basis points, at most 50; none where the bar's
    volume is not known. The price is rounded against the trader: to 4 decimals, below 1 to 8.
    """
    bps = settings.slippage_bps
    if volume:
        impact = multiply(settings.impact_bps, square_root(divide(quantity, volume)))
        bps = add(bps, min(impact, _MOST_IMPACT_BPS))
    price = touch(side, quote)
    tick = tick_of(price)
    worse = multiply(price, add(_ONE, multiply(bps, BPS if side is Side.BUY else -BPS)))
    rounded = worse.quantize(tick, ROUND_CEILING if side is Side.BUY else ROUND_FLOOR)
    return max(rounded, tick)


def available(
    wanted: Decimal, quote: Quote, settings: PaperSettings, increment: Decimal
) -> Decimal:
    """How much of `wanted` this quote fills: a share of the bar's volume, where it is known."""
    if quote.volume is None:
        return wanted
    most = multiply(settings.max_participation, max(quote.volume, ZERO))
    return wanted if wanted <= most else floor_to(most, increment)


def execute(
    side: Side,
    wanted: Decimal,
    quote: Quote,
    settings: PaperSettings,
    increment: Decimal,
    *,
    limit: Decimal | None = None,
) -> Execution | None:
    """What a market order, or one with a `limit`, gets from `quote`; None when nothing is wanted,
    the bar is too thin for one increment, or the quote is beyond the limit. Nothing is filled
    beyond it.
    """
    if limit is not None and beyond(side, touch(side, quote), limit):
        return None
    quantity = available(wanted, quote, settings, increment)
    if quantity <= ZERO:
        return None
    price = fill_price(side, quote, quantity, settings, quote.volume)
    if limit is not None and beyond(side, price, limit):
        price = limit
    used = QuoteUsed(bid=quote.bid, ask=quote.ask, at=quote.at)
    if is_pair(quote.symbol):
        return of_pair(side, quantity, price, pair_fee_bps(settings), quote=used)
    return Execution(quantity, price, fee_of(quantity, price, settings), used)


def beyond(side: Side, price: Decimal, limit: Decimal) -> bool:
    """Whether a price is worse for this side than a limit."""
    return price > limit if side is Side.BUY else price < limit
