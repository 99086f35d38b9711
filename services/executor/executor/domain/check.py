"""Do the books agree with the fills they were made of?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from executor.domain.money import ZERO, add, multiply, subtract


@dataclass(frozen=True, slots=True)
class Traded:
    """What one fill moved."""

    bot: str
    account: str
    symbol: str
    buy: bool
    quantity: Decimal
    price: Decimal
    fee: Decimal


@dataclass(frozen=True, slots=True)
class Kept:
    """What the books say: by (bot, account, symbol) or (bot, account)."""

    positions: Mapping[tuple[str, str, str], Decimal]
    lots: Mapping[tuple[str, str, str], Decimal]
    cash: Mapping[tuple[str, str], Decimal]
    started_with: Mapping[tuple[str, str], Decimal]


@dataclass(slots=True)
class Sums:
    """What fills and splits add up to."""

    positions: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)
    cash: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    def take(self, fills: Iterable[Traded]) -> None:
        """Add fills."""
        for fill in fills:
            where = (fill.bot, fill.account, fill.symbol)
            book = (fill.bot, fill.account)
            amount = multiply(fill.quantity, fill.price)
            moved, paid = (
                (fill.quantity, amount.copy_negate())
                if fill.buy
                else (
                    fill.quantity.copy_negate(),
                    amount,
                )
            )
            self.positions[where] = add(self.positions.get(where, ZERO), moved)
            self.cash[book] = subtract(add(self.cash.get(book, ZERO), paid), fill.fee)

    def split(self, where: tuple[str, str, str], units: Decimal) -> None:
        """Add what a split has added to a position; it moves no cash."""
        self.positions[where] = add(self.positions.get(where, ZERO), units)


def mismatches(kept: Kept, sums: Sums) -> list[tuple[str, str, str]]:
    """(bot, symbol, what is wrong) for every book that contradicts its fills; cash has the symbol
    `*`.
    """
    found = []
    for key in sorted({*kept.positions, *kept.lots, *sums.positions}):
        bot, account, symbol = key
        held, lots = kept.positions.get(key, ZERO), kept.lots.get(key, ZERO)
        filled = sums.positions.get(key, ZERO)
        if not held == lots == filled:
            words = f"position {held}, lots {lots}, fills {filled} in account {account}"
            found.append((bot, symbol, words))
    for book in sorted({*kept.cash, *sums.cash}):
        expected = add(kept.started_with.get(book, ZERO), sums.cash.get(book, ZERO))
        cash = kept.cash.get(book, ZERO)
        if cash != expected:
            words = f"cash {cash}, starting cash and fills {expected} in account {book[1]}"
            found.append((book[0], "*", words))
    return found
