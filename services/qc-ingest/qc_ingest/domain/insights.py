"""Insights: what an alpha model predicts about one symbol."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from qc_ingest.domain.wire import Json, normal, parse_number, parse_text, parse_time
from signalbox.contracts.errors import Malformed


class Direction(StrEnum):
    """Where the price is expected to go."""

    UP = "up"
    DOWN = "down"
    FLAT = "flat"


@dataclass(frozen=True, slots=True)
class Insight:
    """One insight, in our types."""

    id: str  # 32 hex digits
    symbol_id: str
    ticker: str
    is_volatility: bool
    direction: Direction
    generated_at: datetime
    closes_at: datetime
    confidence: Decimal | None = None  # as given, not yet clamped
    magnitude: Decimal | None = None  # expected change, a fraction
    weight: Decimal | None = None  # of the portfolio
    reference: Decimal | None = None  # price when it was made
    source_model: str = ""
    tag: str = ""

    @property
    def digest(self) -> str:
        """Changes when the algorithm changes its mind: what it says, and until when.

        Whole seconds: a push may have lost the fraction that reading gives.
        """
        return digest_of(self.closes_at.replace(microsecond=0).isoformat(), self.direction)


_ID = re.compile(r"[0-9a-f]{32}")
_DIRECTIONS: dict[str, Direction] = {
    **{d.value: d for d in Direction},
    "1": Direction.UP,
    "0": Direction.FLAT,
    "-1": Direction.DOWN,
}
_KINDS = {"": False, "price": False, "0": False, "volatility": True, "1": True}


def digest_of(*parts: object) -> str:
    """32 hex digits that stand for the parts."""
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).hexdigest()[:32]


def parse_insight(raw: object) -> Insight:
    """An insight of any vintage, by pull or push.

    Raises:
        Malformed: not an object, or id, symbol, direction or a time is missing or unreadable.
    """
    fields = normal(raw)
    generated_at = parse_time(fields.get("generatedtime"))
    if generated_at is None:
        raise Malformed("generatedTime is missing")
    symbol_id, ticker = parse_symbol(fields)
    return Insight(
        id=_parse_id(fields.get("id")),
        symbol_id=symbol_id,
        ticker=ticker,
        is_volatility=_parse_kind(fields.get("type")),
        direction=_parse_direction(fields.get("direction")),
        generated_at=generated_at,
        closes_at=_parse_close(fields, generated_at),
        confidence=parse_number(fields.get("confidence")),
        magnitude=parse_number(fields.get("magnitude")),
        weight=parse_number(fields.get("weight")),
        reference=parse_number(fields.get("reference")),
        source_model=parse_text(fields.get("sourcemodel"), longest=128),
        tag=parse_text(fields.get("tag"), longest=256),
    )


def parse_symbol(fields: dict[str, Json]) -> tuple[str, str]:
    """Symbol id and current ticker, whether `symbol` is text or an object of its own.

    Raises:
        Malformed: no symbol id.
    """
    symbol = fields.get("symbol")
    ticker = parse_text(fields.get("ticker"), longest=32)
    if isinstance(symbol, dict):
        inner = normal(symbol)
        symbol, ticker = inner.get("id"), ticker or parse_text(inner.get("value"), longest=32)
    symbol_id = parse_text(symbol, longest=128)
    if not symbol_id:
        raise Malformed("symbol is missing")
    return symbol_id, ticker


def _parse_id(value: object) -> str:
    text = parse_text(value, longest=64).replace("-", "").lower()
    if not _ID.fullmatch(text):
        raise Malformed(f"id {text[:40]!r} is not 32 hex digits")
    return text


def _parse_kind(value: object) -> bool:
    text = parse_text(value, longest=32).lower()
    if text not in _KINDS:
        raise Malformed(f"type {text!r} is unknown")
    return _KINDS[text]


def _parse_direction(value: object) -> Direction:
    text = parse_text(value, longest=16).lower()
    if text not in _DIRECTIONS:
        raise Malformed(f"direction {text!r} is not up, down or flat")
    return _DIRECTIONS[text]


def _parse_close(fields: dict[str, Json], generated_at: datetime) -> datetime:
    closes_at = parse_time(fields.get("closetime"))
    if closes_at is not None:
        return closes_at
    period_s = parse_number(fields.get("period"))
    if period_s is None or not 0 <= period_s <= 3_200_000_000:
        raise Malformed("neither closeTime nor a usable period")
    return generated_at + timedelta(seconds=int(period_s))
