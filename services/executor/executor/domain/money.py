"""Exact arithmetic: where a digit would be lost, it raises instead."""

from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow

from signalbox.contracts.payloads import Quote, QuoteUsed

_EXACT = Context(prec=200, traps=[DivisionByZero, Inexact, InvalidOperation, Overflow])
_ROUNDED = Context(prec=18, traps=[DivisionByZero, InvalidOperation, Overflow])

add = _EXACT.add
subtract = _EXACT.subtract
multiply = _EXACT.multiply
divide = _ROUNDED.divide  # to 18 digits: for averages and ratios, never for cash
square_root = _ROUNDED.sqrt

ZERO = Decimal(0)
UNIT = Decimal("0.000000001")  # to which brokers count
_HALF = Decimal("0.5")


def floor_to(amount: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `amount`; both are positive."""
    return multiply(_EXACT.divide_int(amount, step), step)


def units_for(notional: Decimal, price: Decimal, step: Decimal) -> Decimal:
    """How many units `notional` buys at `price`, rounded down to a multiple of `step`."""
    return multiply(_EXACT.divide_int(notional, multiply(price, step)), step)


def halfway(quote: Quote | QuoteUsed) -> Decimal:
    """The mid: halfway between bid and ask."""
    return multiply(add(quote.bid, quote.ask), _HALF)
