"""QuantConnect's formatted statistics as numbers, and what of them is worth keeping."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal

from pydantic import JsonValue

from qc_ingest.domain.wire import (
    Json,
    parse_map,
    parse_number,
    parse_number_or_none,
    parse_text,
)
from signalbox.contracts.errors import Malformed
from signalbox.contracts.ids import plain

_PLAIN = re.compile(r"-?\d[\d,]*(\.\d+)?([eE][-+]?\d+)?")
_SIGNS = re.compile(r"[$€£¥₿\s%]")
_MOST = 80  # statistics of one kind; algorithms may add their own


@dataclass(frozen=True, slots=True)
class Performance:
    """How a deployment stands. Amounts in account currency, `total_return` a fraction."""

    equity: Decimal | None = None
    holdings: Decimal | None = None
    unrealized: Decimal | None = None
    net_profit: Decimal | None = None
    fees: Decimal | None = None
    total_return: Decimal | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing, as before the first snapshot."""
        return all(getattr(self, field.name) is None for field in fields(self))

    def body(self) -> dict[str, JsonValue]:
        """As text, without what is not known."""
        named = {
            "equity": self.equity,
            "holdings": self.holdings,
            "unrealized": self.unrealized,
            "net_profit": self.net_profit,
            "fees": self.fees,
            "return": self.total_return,
        }
        return {name: plain(value) for name, value in named.items() if value is not None}


def parse_amount(text: str) -> Decimal | None:
    """`"$100,500.00"`, `"-$1.00"` or `"0.50 %"` as a number; per cent as a fraction.

    Placeholders such as `"-"` and whatever else is no number are None.
    """
    bare = _SIGNS.sub("", text)
    if not _PLAIN.fullmatch(bare):
        return None
    number = parse_number_or_none(bare.replace(",", ""))
    if number is None:
        return None
    return number / 100 if "%" in text else number


def parse_performance(statistics: Mapping[str, str]) -> Performance:
    """A deployment's `runtimeStatistics`."""
    by_name = {name.lower().replace(" ", ""): text for name, text in statistics.items()}
    names = ("equity", "holdings", "unrealized", "netprofit", "fees", "return")
    return Performance(*(parse_amount(by_name.get(name, "")) for name in names))


def parse_statistics(value: Json) -> dict[str, str]:
    """A map of formatted statistics under QuantConnect's own names; `[]` and null are empty."""
    pairs = list(parse_map(value).items())[:_MOST]
    named = ((parse_text(name, longest=64), parse_text(text, longest=64)) for name, text in pairs)
    return {name: text for name, text in named if name}


def parse_total_performance(value: Json) -> dict[str, JsonValue]:
    """The numbers of `totalPerformance`, as text; the list of closed trades becomes its length."""
    found: dict[str, JsonValue] = {}
    for name, part in parse_map(value).items():
        key = parse_text(name, longest=64)
        key = key[:1].lower() + key[1:]
        if isinstance(part, dict):
            found[key] = _numbers(part)
        elif isinstance(part, list):
            found[key] = len(part)
    return found


def _numbers(part: Mapping[str, Json]) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for name, value in list(part.items())[:_MOST]:
        key = name[:64]
        found[key[:1].lower() + key[1:]] = _number_or_text(value)
    return found


def _number_or_text(value: Json) -> str | None:
    """Durations and times are text."""
    try:
        number = parse_number(value)
    except Malformed:
        return parse_text(value, longest=64) or None
    return None if number is None else plain(number)
