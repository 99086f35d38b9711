"""The paper broker: what an order would have got from a quote.

Any broker reports in the same terms: an `Execution` for each part of an order. This one answers at
once and is a pure function of the order and the quote, so a replay of the same quotes gives the
same fills.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from executor.domain.money import ZERO, add, divide, floor_to, multiply, square_root
from executor.domain.orders import Execution
from signalbox.contracts.accounts import PaperSettings
from signalbox.contracts.payloads import Quote, QuoteUsed
from signalbox.contracts.values import Side

NAME = "paper"
_BPS = Decimal("0.0001")
_ONE = Decimal(1)
_MOST_IMPACT_BPS = Decimal(50)
_TICK = Decimal("0.0001")
_SMALL_TICK = Decimal("0.00000001")  # below 1
_CENT_PART = Decimal("0.000001")


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
    worse = multiply(price, add(_ONE, multiply(bps, _BPS if side is Side.BUY else -_BPS)))
    rounded = worse.quantize(tick, ROUND_CEILING if side is Side.BUY else ROUND_FLOOR)
    return max(rounded, tick)


def fee_of(quantity: Decimal, price: Decimal, settings: PaperSettings) -> Decimal:
    """The fee in account currency, to a ten-thousandth of a cent."""
    if not settings.fee_bps and not settings.fee_per_share:
        return ZERO
    share = multiply(multiply(multiply(price, quantity), settings.fee_bps), _BPS)
    fee = add(share, multiply(settings.fee_per_share, quantity))
    return fee.quantize(_CENT_PART, ROUND_HALF_EVEN)


def available(
    wanted: Decimal, quote: Quote, settings: PaperSettings, increment: Decimal
) -> Decimal:
    """How much of `wanted` this quote fills: a share of the bar's volume, where it is known."""
    if quote.volume is None:
        return wanted
    most = multiply(settings.max_participation, max(quote.volume, ZERO))
    return wanted if wanted <= most else floor_to(most, increment)


def execute(
    side: Side, wanted: Decimal, quote: Quote, settings: PaperSettings, increment: Decimal
) -> Execution | None:
    """What a market order gets from `quote`; None when nothing is wanted, or the bar is too thin
    for one increment.
    """
    quantity = available(wanted, quote, settings, increment)
    if quantity <= ZERO:
        return None
    price = fill_price(side, quote, quantity, settings, quote.volume)
    return Execution(
        quantity=quantity,
        price=price,
        fee=fee_of(quantity, price, settings),
        quote=QuoteUsed(bid=quote.bid, ask=quote.ask, at=quote.at),
    )
