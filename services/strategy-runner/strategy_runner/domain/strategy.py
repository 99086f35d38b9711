"""What every strategy is. A strategy is a module of this package that holds a `STRATEGY`.

One more strategy is one more file; nothing else names it.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Protocol

from signalbox.contracts.errors import Malformed
from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Action
from strategy_runner import domain

LEAST, MOST = Decimal("0.5"), Decimal("0.9")  # confidence of any strategy
MOST_BARS = 500  # longest period of any indicator
_FOUR_PLACES = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a strategy says at the close of one bar."""

    action: Action
    confidence: Decimal
    reasoning: str
    values: Mapping[str, str]  # of the indicators


class Strategy(Protocol):
    """One strategy on one symbol. Its state comes from the bars it was given and nothing else."""

    @property
    def warm_up(self) -> int:
        """Bars before the first opinion may be acted on."""

    def update(self, bar: Bar) -> Opinion | None:
        """Take the next closed bar; an opinion only when something has changed."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A strategy as it can be configured."""

    name: str
    defaults: Mapping[str, Decimal]
    build: Callable[[Mapping[str, Decimal]], Strategy]  # raises Malformed

    def start(self, given: Mapping[str, Decimal]) -> Strategy:
        """A fresh strategy; parameters that are not given have their default.

        Raises:
            Malformed: an unknown parameter, or a value that the strategy refuses.
        """
        unknown = sorted(given.keys() - self.defaults.keys())
        if unknown:
            raise Malformed(f"{self.name} has no parameter {', '.join(unknown)}")
        for name, value in given.items():
            if not value.is_finite():
                raise Malformed(f"{name} is {value}, not a number")
        return self.build({**self.defaults, **given})


class Line(Protocol):
    """The part of an indicator that is bounded here."""

    input_values: list[float]

    def purge_oldest(self, size: int) -> None:
        """Forget the oldest inputs."""


@cache
def kinds() -> Mapping[str, Kind]:
    """Every strategy there is, by name."""
    names = (module.name for module in pkgutil.iter_modules(domain.__path__))
    modules = (importlib.import_module(f"{domain.__name__}.{name}") for name in names)
    found = (getattr(module, "STRATEGY", None) for module in modules)
    return {kind.name: kind for kind in found if isinstance(kind, Kind)}


def kind_named(name: str) -> Kind:
    """A strategy by its name; `sma-cross` is `sma_cross`.

    Raises:
        Malformed: there is none.
    """
    kind = kinds().get(name.replace("-", "_"))
    if kind is None:
        raise Malformed(f"there is no strategy {name}; there are {', '.join(sorted(kinds()))}")
    return kind


def whole(parameters: Mapping[str, Decimal], name: str, least: int) -> int:
    """A parameter that counts bars.

    Raises:
        Malformed: not a whole number from `least` to 500.
    """
    value = parameters[name]
    if value != value.to_integral_value() or not least <= value <= MOST_BARS:
        raise Malformed(f"{name} is {value}, not a whole number from {least} to {MOST_BARS}")
    return int(value)


def confidence(share: float | Decimal) -> Decimal:
    """0.5 for a share of 0, 0.9 for 1 and above, straight in between."""
    bounded = min(max(Decimal(share), Decimal(0)), Decimal(1))
    return (LEAST + (MOST - LEAST) * bounded).quantize(_FOUR_PLACES)


def bound(line: Line, period: int) -> None:
    """Forget inputs that an indicator no longer needs.

    Twice the period stay: with fewer the library would take the rest for the beginning of a series.
    """
    spare = len(line.input_values) - 2 * period
    if spare > 2 * period:
        line.purge_oldest(spare)
