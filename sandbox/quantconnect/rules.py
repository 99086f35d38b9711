"""What the sandbox's algorithms think of prices. Small, documented rules; no prediction is meant.

Momentum (one symbol, minute bars): the close against the close 5 bars before. More than +0.05 %:
up; less than -0.05 %: down; within 0.01 % while a direction stands: flat. It speaks when its view
changes, and again when its last word has run out. Confidence grows with the move, from 0.5 to 0.9;
a prediction stands for an hour.

Breadth (several symbols, daily bars): a name above its average of 5 closes goes up while at least
half of all names are above theirs; one below goes down while less than half are; the others are
flat. Confidence is 0.5 plus the distance of that share from one half; a prediction stands for a
day.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from signalbox.contracts.payloads import Bar

UP, DOWN, FLAT = "up", "down", "flat"

_BACK = 5
_MOVES = Decimal("0.0005")
_STILL = Decimal("0.0001")
_STRONG = Decimal("0.003")
_HOUR = timedelta(hours=1)
_AVERAGE = 5
_HALF = Decimal("0.5")
_DAY = timedelta(days=1)
_PLACES = Decimal("0.0001")


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
    """Follows one symbol's minute bars."""

    model = "MomentumAlpha(5)"
    interval = "1m"

    def __init__(self, symbol: str) -> None:
        self.symbols: tuple[str, ...] = (symbol,)
        self._closes: deque[Decimal] = deque(maxlen=_BACK + 1)
        self._views = _Views()

    def take(self, bars: Sequence[Bar]) -> list[Wish]:
        """At most one prediction."""
        bar = bars[-1]
        self._closes.append(bar.close)
        if len(self._closes) <= _BACK:
            return []
        move = bar.close / self._closes[0] - 1
        direction = self._direction(move)
        if direction is None or not self._views.is_new(bar, direction):
            return []
        strength = min(abs(move) / _STRONG, Decimal(1))
        confidence = (_HALF + strength * Decimal("0.4")).quantize(_PLACES)
        return [self._views.say(Wish(bar, direction, confidence, move.quantize(_PLACES), _HOUR))]

    @staticmethod
    def _direction(move: Decimal) -> str | None:
        if abs(move) > _MOVES:
            return UP if move > 0 else DOWN
        return FLAT if abs(move) < _STILL else None


class Breadth:
    """Follows the daily bars of several symbols."""

    model = "BreadthAlpha(5)"
    interval = "1d"

    def __init__(self, symbols: Sequence[str]) -> None:
        self.symbols: tuple[str, ...] = tuple(symbols)
        self._closes: dict[str, deque[Decimal]] = {s: deque(maxlen=_AVERAGE) for s in symbols}
        self._views = _Views()

    def take(self, bars: Sequence[Bar]) -> list[Wish]:
        """One prediction for each name whose view has changed."""
        for bar in bars:
            self._closes[bar.symbol].append(bar.close)
        full = {s: closes for s, closes in self._closes.items() if len(closes) == _AVERAGE}
        if not full:
            return []
        gaps = {s: closes[-1] * _AVERAGE / sum(closes) - 1 for s, closes in full.items()}
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


def _side(gap: Decimal, share: Decimal) -> str:
    if gap > 0 and share >= _HALF:
        return UP
    return DOWN if gap < 0 and share < _HALF else FLAT
