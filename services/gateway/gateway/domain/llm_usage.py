"""What asking language models cost, and what came of it, as sums over decisions."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from operator import add, attrgetter
from typing import Literal, TypeVar

from signalbox.contracts.assessments import LlmDecision
from signalbox.contracts.values import Action

Breakdown = Literal["model", "provider", "config", "symbol", "prompt"]
EARNING: frozenset[Breakdown] = frozenset({"config", "symbol"})  # what lots name, too
Period = Literal["day", "month"]
K = TypeVar("K")
NOUGHT = Decimal(0)
_WIDE = Context(prec=60)  # sums of money are exact
_RATIO = Decimal("0.0001")
_MONEY = Decimal("0.00000001")  # quotients of money, US dollars


@dataclass(frozen=True, slots=True)
class Usage:
    """Sums over decisions. Money in US dollars."""

    cost_usd: Decimal = NOUGHT
    estimated_usd: Decimal = NOUGHT  # of cost_usd: what no provider has counted
    decisions: int = 0
    answered: int = 0
    refused: int = 0
    truncated: int = 0
    invalid: int = 0
    failed: int = 0
    over_budget: int = 0
    buys: int = 0
    sells: int = 0
    closes: int = 0
    holds: int = 0  # abstentions among them
    abstained: int = 0
    cached: int = 0  # answered from our own cache, at no cost
    dry_runs: int = 0
    signals: int = 0  # decisions that became a signal
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0  # of tokens_in: read from the provider's own cache
    tokens_reasoning: int = 0  # of tokens_out
    latency_ms: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        with localcontext(_WIDE):
            return Usage(*map(add, _sums(self), _sums(other)))

    def amounts(self) -> dict[str, Decimal | int]:
        """Every sum by its name."""
        return {f.name: getattr(self, f.name) for f in fields(Usage)}

    @property
    def validity(self) -> Decimal | None:
        """Answers that fit, of those that came, 0 to 1; none before the first."""
        return share(self.answered, self.answered + self.refused + self.truncated + self.invalid)

    @property
    def cached_share(self) -> Decimal | None:
        """Part of the input that the provider read from its cache, 0 to 1."""
        return share(self.tokens_cached, self.tokens_in)

    @property
    def cost_per_decision(self) -> Decimal | None:
        """US dollars for one decision; none before the first."""
        return per(self.cost_usd, self.decisions)


_sums: Callable[[Usage], tuple[Decimal | int, ...]] = attrgetter(*(f.name for f in fields(Usage)))


def share(part: int, whole: int) -> Decimal | None:
    """A fraction to four places; none of nothing."""
    return (Decimal(part) / whole).quantize(_RATIO, ROUND_HALF_EVEN) if whole else None


def per(money: Decimal, count: int) -> Decimal | None:
    """US dollars for one of so many, to eight places; none of nothing."""
    return (money / count).quantize(_MONEY, ROUND_HALF_EVEN) if count else None


def usage_of(made: LlmDecision) -> Usage:
    """What one decision adds."""
    acted = made.action if made.outcome == "answered" else None
    return Usage(
        cost_usd=made.cost_usd,
        estimated_usd=made.cost_usd if made.cost_is_estimated else NOUGHT,
        decisions=1,
        **{made.outcome: 1},
        buys=int(acted is Action.BUY),
        sells=int(acted is Action.SELL),
        closes=int(acted is Action.CLOSE),
        holds=int(acted is Action.HOLD),
        abstained=int(made.abstained),
        cached=int(made.cached),
        dry_runs=int(made.dry_run),
        signals=int(made.signal_id is not None),
        tokens_in=made.tokens_in,
        tokens_out=made.tokens_out,
        tokens_cached=made.tokens_cached,
        tokens_reasoning=made.tokens_reasoning,
        latency_ms=round(made.latency_ms),
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose sums these are: one row of the read model."""

    day: datetime  # midnight UTC of the wall clock
    config_id: str
    symbol: str
    provider: str
    model: str
    prompt_version: str
    target: str  # real or sandbox; empty where nobody said

    def period(self, period: Period) -> str:
        """The UTC day or month: `2026-11-23`, `2026-11`."""
        return period_key(self.day, period)

    def part(self, by: Breakdown) -> str:
        """What it is counted under."""
        return {
            "model": self.model,
            "provider": self.provider,
            "config": self.config_id,
            "symbol": self.symbol,
            "prompt": self.prompt_version,
        }[by]


@dataclass(frozen=True, slots=True)
class Calls:
    """How many calls of its provider one config made on one day."""

    config_id: str
    day: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Earned:
    """What the fills of one config's signals on one symbol have earned, after fees."""

    config_id: str
    symbol: str
    realised_pnl: Decimal
    fills: int


def period_key(at: datetime, period: Period) -> str:
    """The UTC day or month of a wall time, as budgets name it."""
    return f"{at:%Y-%m-%d}" if period == "day" else f"{at:%Y-%m}"


def grouped(sums: Iterable[tuple[Asked, Usage]], key: Callable[[Asked], K]) -> dict[K, Usage]:
    """Sums by a key."""
    found: dict[K, Usage] = {}
    for asked, usage in sums:
        name = key(asked)
        found[name] = found.get(name, Usage()) + usage
    return found
