"""What calls may cost: the worst case is reserved before a call and settled after it.

An amount is always in one of three places of a purse: `reserved` while a call is under way, `held`
when nobody knows whether it was billed, `spent` once its cost is known. Nothing gets in unless all
three and the new amount fit under the limit of every purse at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from signalbox.contracts.config import Budget

TOTAL = "total"  # the scope of all configs together
THRESHOLDS = (50, 80, 100)  # per cent of a limit that people are told about

Period = Literal["day", "month"]


@dataclass(frozen=True, slots=True, order=True)
class PurseKey:
    """Which money: a config's or everybody's, of one UTC day or month."""

    scope: str  # `total`, or `config:` and its id
    period: Period
    key: str  # 2026-11-23 or 2026-11


@dataclass(frozen=True, slots=True)
class Purse:
    """The money of one scope and period, in US dollars."""

    at: PurseKey
    limit: Decimal | None  # none: no limit; 0: no call
    spent: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)  # calls under way, at their worst case
    held: Decimal = Decimal(0)  # calls whose cost is not known, at their worst case
    calls: int = 0
    tokens: int = 0
    alerted: int = 0  # the highest threshold that was told
    alerted_of: Decimal | None = None  # the limit that it was told of

    @property
    def committed(self) -> Decimal:
        """What is or may have been spent."""
        return self.spent + self.reserved + self.held

    @property
    def left(self) -> Decimal | None:
        """What a call may still cost; none: anything."""
        return None if self.limit is None else max(self.limit - self.committed, Decimal(0))

    def fits(self, amount: Decimal) -> bool:
        """Whether a call that may cost `amount` is allowed. A limit of 0 allows not even a free
        one.
        """
        if self.limit is None:
            return True
        return self.limit > 0 and self.committed + amount <= self.limit


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call was not made: the first purse that it did not fit into."""

    purse: Purse
    amount: Decimal

    def __str__(self) -> str:
        purse = self.purse
        whose = "all models together" if purse.at.scope == TOTAL else config_of(purse.at.scope)
        said = f"The {purse.at.period}'s budget of {whose} ({purse.limit} USD) allows no call"
        if purse.limit:
            said = (
                f"The call may cost {self.amount} USD, but of the {purse.at.period}'s budget of"
                f" {whose} ({purse.limit} USD) {purse.spent} are spent and"
                f" {purse.reserved + purse.held} reserved"
            )
        return f"{said}. Raise the limit, or wait for the next {purse.at.period} (UTC)."


def config_scope(config_id: str) -> str:
    """The scope of one config's own budget."""
    return f"config:{config_id}"


def config_of(scope: str) -> str:
    """The config whose scope this is; `total` stands for itself."""
    return scope.removeprefix("config:")


def period_keys(wall: datetime) -> dict[Period, str]:
    """The day and the month that a wall time belongs to, in UTC."""
    return {"day": wall.strftime("%Y-%m-%d"), "month": wall.strftime("%Y-%m")}


def purse_keys(config_ids: Iterable[str], wall: datetime) -> list[PurseKey]:
    """Every purse that a call of these configs takes from, in the one order of locking."""
    scopes = {TOTAL, *map(config_scope, config_ids)}
    return sorted(
        PurseKey(scope, period, key)
        for scope in scopes
        for period, key in period_keys(wall).items()
    )


def limit_of(budget: Budget, period: Period) -> Decimal | None:
    """The limit that a budget sets for one kind of period."""
    return budget.day_usd if period == "day" else budget.month_usd


def reserve(purses: Sequence[Purse], amount: Decimal) -> list[Purse] | Refusal:
    """Set `amount` aside in every purse, or in none."""
    for purse in purses:
        if not purse.fits(amount):
            return Refusal(purse, amount)
    return [replace(p, reserved=p.reserved + amount, calls=p.calls + 1) for p in purses]


def settle(purse: Purse, reserved: Decimal, cost: Decimal, tokens: int = 0) -> Purse:
    """The call cost `cost`, also when that is more than was reserved."""
    left, spent = purse.reserved - reserved, purse.spent + cost
    return replace(purse, reserved=left, spent=spent, tokens=purse.tokens + tokens)


def release(purse: Purse, reserved: Decimal) -> Purse:
    """The call was certainly not billed."""
    return replace(purse, reserved=purse.reserved - reserved)


def hold(purse: Purse, reserved: Decimal) -> Purse:
    """Nobody knows whether the call was billed; it counts in full."""
    return replace(purse, reserved=purse.reserved - reserved, held=purse.held + reserved)


def resolve(purse: Purse, held: Decimal, cost: Decimal, tokens: int = 0) -> Purse:
    """Somebody has found out what a call of unknown outcome cost."""
    left, spent = purse.held - held, purse.spent + cost
    return replace(purse, held=left, spent=spent, tokens=purse.tokens + tokens)


def crossed(purse: Purse, *, refused: bool = False) -> int | None:
    """The highest threshold that is reached and was not told yet of this limit. A refusal is 100
    per cent.
    """
    if not purse.limit:
        return None
    told = purse.alerted if purse.alerted_of == purse.limit else 0
    share = (purse.spent + purse.held) * 100 / purse.limit
    reached = [t for t in THRESHOLDS if share >= t or (refused and t == 100)]
    return reached[-1] if reached and reached[-1] > told else None


def split(cost: Decimal, parts: int) -> list[Decimal]:
    """A cost in shares of whole millionths of a dollar; the first has the rest."""
    share = (cost / parts).quantize(Decimal("0.000001"), rounding="ROUND_DOWN")
    return [cost - share * (parts - 1), *[share] * (parts - 1)]


def split_count(total: int, parts: int) -> list[int]:
    """The same for whole numbers."""
    share = total // parts
    return [total - share * (parts - 1), *[share] * (parts - 1)]
