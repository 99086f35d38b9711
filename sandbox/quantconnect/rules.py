"""What the sandbox's algorithms think of prices. Small, documented rules; no prediction is meant.

Momentum (one symbol): the close against the close 5 bars before. More than +0.05 %: up; less than
-0.05 %: down; within 0.01 % while a direction stands: flat. It speaks when its view changes, and
again when its last word has run out. Confidence grows with the move, from 0.5 to 0.9; a prediction
on minute bars stands for an hour, one on daily bars for a week.

Breadth (several symbols, daily bars): a name above its average of 5 closes goes up while at least
half of all names are above theirs; one below goes down while less than half are; the others are
flat. Confidence is 0.5 plus the distance of that share from one half; a prediction stands for a
day.

A project's parameters choose: `rule` (momentum, breadth), `symbols` (separated by commas),
`resolution` (minute, daily) with `backtest_resolution` where a backtest differs, and `lookback`
(bars).
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from signalbox.contracts.payloads import Bar

UP, DOWN, FLAT = "up", "down", "flat"
MINUTE, DAILY = "1m", "1d"
BREADTH_SYMBOLS = ("CVX", "GE", "IBM", "JNJ", "JPM", "KO", "MSFT", "PG", "WMT", "XOM")

_LOOKBACK, _LONGEST_LOOKBACK = 5, 100
_MOST_SYMBOLS = 20
_MOVES = Decimal("0.0005")
_STILL = Decimal("0.0001")
_STRONG = {MINUTE: Decimal("0.003"), DAILY: Decimal("0.1")}
_STANDS = {MINUTE: timedelta(hours=1), DAILY: timedelta(weeks=1)}
_HALF = Decimal("0.5")
_DAY = timedelta(days=1)
_PLACES = Decimal("0.0001")
_RESOLUTIONS = {"minute": MINUTE, "daily": DAILY}


class RuleError(ValueError):
    """Parameters that no rule can be made of: the algorithm fails when it is initialized."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One prediction about one symbol, made at a bar's close."""

    bar: Bar
    direction: str
    confidence: Decimal
    magnitude: Decimal  # expected change, a fraction
    period: timedelta


class Rule(Protocol):
    """From bars that closed together to predictions."""

    model: str
    interval: str
    symbols: tuple[str, ...]

    def take(self, bars: Sequence[Bar]) -> list[Wish]:
        """What it says now; `bars` closed together, sorted by symbol."""

    def forget(self) -> None:
        """Take back every word, keep the prices: the end of a warm-up."""


def make_rule(parameters: Mapping[str, str], *, backtest: bool = False) -> Rule:
    """The rule that a project's parameters choose; Momentum on AAPL's minutes without any.

    Raises:
        RuleError: they make no sense.
    """
    kind = parameters.get("rule") or "momentum"
    resolution = parameters.get("resolution") or ("daily" if kind == "breadth" else "minute")
    if backtest:
        resolution = parameters.get("backtest_resolution") or resolution
    if resolution.lower() not in _RESOLUTIONS:
        raise RuleError(f"resolution is {resolution[:40]!r}, not one of minute, daily")
    interval, lookback = _RESOLUTIONS[resolution.lower()], _lookback(parameters)
    named = tuple(filter(None, (s.strip() for s in (parameters.get("symbols") or "").split(","))))
    if len(named) > _MOST_SYMBOLS:
        raise RuleError(f"symbols names {len(named)}, more than {_MOST_SYMBOLS}")
    if kind == "breadth":
        return Breadth(sorted(set(named)) or BREADTH_SYMBOLS, interval, lookback)
    if kind == "momentum" and len(named) <= 1:
        return Momentum(named[0] if named else "AAPL", interval, lookback)
    if kind == "momentum":
        raise RuleError(f"rule momentum follows one symbol, symbols names {len(named)}")
    raise RuleError(f"rule is {kind[:40]!r}, not one of momentum, breadth")


def _lookback(parameters: Mapping[str, str]) -> int:
    text = parameters.get("lookback") or str(_LOOKBACK)
    if not (text.isascii() and text.isdigit() and 2 <= int(text[:9]) <= _LONGEST_LOOKBACK):
        raise RuleError(f"lookback is {text[:20]!r}, not a number from 2 to {_LONGEST_LOOKBACK}")
    return int(text)


@dataclass(slots=True)
class _Views:
    """What a rule has said of each symbol, and until when that stands."""

    words: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    def is_new(self, bar: Bar, direction: str) -> bool:
        """Whether the view has changed, or the last word has run out. Flat needs no repeating."""
        said = self.words.get(bar.symbol)
        if said is None:
            return direction != FLAT
        return said[0] != direction or (direction != FLAT and said[1] <= bar.closed_at)

    def say(self, wish: Wish) -> Wish:
        """Remember a word."""
        until = wish.bar.closed_at + wish.period
        self.words[wish.bar.symbol] = (wish.direction, until)
        return wish


class Momentum:
    """Follows one symbol."""

    def __init__(self, symbol: str, interval: str = MINUTE, lookback: int = _LOOKBACK) -> None:
        self.model = f"MomentumAlpha({lookback})"
        self.interval = interval
        self.symbols: tuple[str, ...] = (symbol,)
        self._closes: deque[Decimal] = deque(maxlen=lookback + 1)
        self._views = _Views()

    def take(self, bars: Sequence[Bar]) -> list[Wish]:
        """At most one prediction."""
        bar = bars[-1]
        self._closes.append(bar.close)
        if len(self._closes) < (self._closes.maxlen or 0):
            return []
        move = bar.close / self._closes[0] - 1
        direction = self._direction(move)
        if direction is None or not self._views.is_new(bar, direction):
            return []
        strength = min(abs(move) / _STRONG[self.interval], Decimal(1))
        confidence = (_HALF + strength * Decimal("0.4")).quantize(_PLACES)
        stands = _STANDS[self.interval]
        return [self._views.say(Wish(bar, direction, confidence, move.quantize(_PLACES), stands))]

    def forget(self) -> None:
        """Take back every word."""
        self._views = _Views()

    @staticmethod
    def _direction(move: Decimal) -> str | None:
        if abs(move) > _MOVES:
            return UP if move > 0 else DOWN
        return FLAT if abs(move) < _STILL else None


class Breadth:
    """Follows several symbols."""

    def __init__(
        self, symbols: Sequence[str], interval: str = DAILY, lookback: int = _LOOKBACK
    ) -> None:
        self.model = f"BreadthAlpha({lookback})"
        self.interval = interval
        self.symbols: tuple[str, ...] = tuple(symbols)
        self._closes: dict[str, deque[Decimal]] = {s: deque(maxlen=lookback) for s in symbols}
        self._lookback = lookback
        self._views = _Views()

    def take(self, bars: Sequence[Bar]) -> list[Wish]:
        """One prediction for each name whose view has changed."""
        for bar in bars:
            self._closes[bar.symbol].append(bar.close)
        full = {s: closes for s, closes in self._closes.items() if len(closes) == self._lookback}
        if not full:
            return []
        gaps = {s: closes[-1] * self._lookback / sum(closes) - 1 for s, closes in full.items()}
        share = Decimal(sum(gap > 0 for gap in gaps.values())) / len(gaps)
        confidence = (_HALF + abs(share - _HALF)).quantize(_PLACES)
        wishes: list[Wish] = []
        for bar in bars:
            gap = gaps.get(bar.symbol)
            direction = FLAT if gap is None else _side(gap, share)
            if gap is not None and self._views.is_new(bar, direction):
                wish = Wish(bar, direction, confidence, gap.quantize(_PLACES), _DAY)
                wishes.append(self._views.say(wish))
        return wishes

    def forget(self) -> None:
        """Take back every word."""
        self._views = _Views()


def _side(gap: Decimal, share: Decimal) -> str:
    if gap > 0 and share >= _HALF:
        return UP
    return DOWN if gap < 0 and share < _HALF else FLAT
