"""What a fill costs: of a pair the fee is taken from what the fill brings."""

from decimal import ROUND_HALF_EVEN, Decimal

from executor.domain.money import UNIT, ZERO, add, multiply, subtract
from executor.domain.orders import Execution
from signalbox.contracts.accounts import PaperSettings
from signalbox.contracts.payloads import QuoteUsed
from signalbox.contracts.values import Side

BPS = Decimal("0.0001")
_PAIR_BPS = Decimal(25)  # of a paper account that names none: a broker's lowest tier, for takers
_CENT_PART = Decimal("0.000001")


def is_pair(symbol: str) -> bool:
    """Whether a symbol is one currency in terms of another, such as BTC/USD."""
    return "/" in symbol


def fee_of(quantity: Decimal, price: Decimal, settings: PaperSettings) -> Decimal:
    """The paper broker's fee on shares in account currency, to a ten-thousandth of a cent."""
    if not settings.fee_bps and not settings.fee_per_share:
        return ZERO
    share = multiply(multiply(multiply(price, quantity), settings.fee_bps or ZERO), BPS)
    fee = add(share, multiply(settings.fee_per_share, quantity))
    return fee.quantize(_CENT_PART, ROUND_HALF_EVEN)


def pair_fee_bps(settings: PaperSettings) -> Decimal:
    """The paper broker's fee on pairs."""
    return _PAIR_BPS if settings.fee_bps is None else settings.fee_bps


def of_pair(
    side: Side,
    quantity: Decimal,
    price: Decimal,
    fee_bps: Decimal,
    *,
    quote: QuoteUsed | None = None,
) -> Execution:
    """A fill of a pair after its fee: units are withheld of a buy, money of a sell."""
    share = multiply(fee_bps, BPS)
    if side is Side.SELL:
        fee = multiply(multiply(quantity, price), share)
        return Execution(quantity, price, fee.quantize(UNIT), quote)
    withheld = multiply(quantity, share).quantize(UNIT)
    kept = subtract(quantity, withheld)
    return Execution(kept, price, multiply(withheld, price), quote, withheld)
