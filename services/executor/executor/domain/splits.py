"""Stock splits: how one looks from outside, and what it makes of a holding."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from functools import reduce

from executor.domain.book import Holding
from executor.domain.money import UNIT, ZERO, add, divide, multiply, subtract
from executor.domain.paper import tick_of
from signalbox.contracts.payloads import Lot, Protection

_WHOLE = Decimal(1)
_DUST = Decimal("0.000001")  # units by which a broker may round otherwise


@dataclass(frozen=True, slots=True)
class Split:
    """So many new units for so many old ones."""

    new: int
    old: int

    def __str__(self) -> str:
        return f"{self.new}:{self.old}"

    def units(self, quantity: Decimal) -> Decimal:
        """What becomes of so many units; what cannot be counted is left out."""
        exact = divide(multiply(quantity, Decimal(self.new)), Decimal(self.old))
        return exact.quantize(UNIT, ROUND_DOWN)

    def price(self, price: Decimal) -> Decimal:
        """What becomes of a price of one unit."""
        exact = divide(multiply(price, Decimal(self.old)), Decimal(self.new))
        return max(exact.quantize(tick_of(exact)), tick_of(exact))


_TIMES = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100)
_COMMON = (
    *(Split(times, 1) for times in _TIMES),
    *(Split(1, times) for times in _TIMES),
    *(Split(3, 2), Split(4, 3), Split(5, 2), Split(5, 4)),
)


def likely(
    held: Decimal, there: Decimal, before: Decimal | None, now: Decimal | None
) -> Split | None:
    """The split that explains why a broker shows `there` where the books hold `held`: the price
    went from `before` to `now` the other way. Cash may have been paid for less than one unit.
    Where nobody knows the price before, the quantities alone have to fit exactly.
    """
    if now is None or not held or not there or held == there or (held > ZERO) is not (there > ZERO):
        return None
    short = {
        split: subtract(split.units(held).copy_abs(), there.copy_abs())
        for split in _COMMON
        if before is None or _explains(split, before, now)
    }
    most = _WHOLE if before is not None else _DUST
    fitting = [split for split, units in short.items() if -_DUST <= units < most]
    return min(fitting, key=lambda split: short[split].copy_abs(), default=None)


def _explains(split: Split, before: Decimal, now: Decimal) -> bool:
    """Whether the price before is nearer to that of an old unit than to that of a new one."""
    return far(before, divide(multiply(now, Decimal(split.new)), Decimal(split.old))) < far(
        before, now
    )


def far(one: Decimal, other: Decimal) -> Decimal:
    """How many times the smaller of two prices the larger is."""
    return divide(max(one, other), min(one, other))


def after_split(holding: Holding, split: Split, there: Decimal) -> Holding:
    """The holding in new units: what each lot has cost stays, its levels move with the price. The
    newest lot takes what rounding leaves, and a difference to `there` that is no more than that.
    """
    total = split.units(holding.quantity)
    if subtract(there, total).copy_abs() <= _DUST:
        total = there
    units = [split.units(lot.quantity) for lot in holding.lots]
    units[-1] = subtract(total, reduce(add, units[:-1], ZERO))
    lots = tuple(
        _changed(lot, split, quantity)
        for lot, quantity in zip(holding.lots, units, strict=True)
        if quantity
    )
    cost = reduce(add, (multiply(lot.quantity, lot.entry_price) for lot in lots), ZERO)
    return Holding(
        quantity=total,
        cost=cost,
        realised=add(holding.realised, subtract(cost, holding.cost)),  # what rounding leaves
        price=holding.price,
        lots=lots,
    )


def _changed(lot: Lot, split: Split, quantity: Decimal) -> Lot:
    guard = lot.protection
    return lot.model_copy(
        update={
            "quantity": quantity,
            "entry_price": divide(multiply(lot.quantity, lot.entry_price), quantity).quantize(UNIT),
            "protection": _moved(guard, split) if guard else None,
        }
    )


def _moved(guard: Protection, split: Split) -> Protection:
    levels = ("stop_price", "target_price", "best_price")
    known = {name: getattr(guard, name) for name in levels}
    return guard.model_copy(
        update={name: price and split.price(price) for name, price in known.items()}
    )
