"""What is known of a market, as lines of text with an id each, and as JSON. The one formatter.

The same market gives the same bytes. A line is `<symbol>.<key>: <text>`; what stands before the
colon is the id that an answer cites.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import JsonValue

from llm_decider.domain.indicators import (
    RANGE_BARS,
    RETURNS,
    VOLUME_BARS,
    Readings,
    readings,
    trend,
)
from llm_decider.domain.shapes import Market
from signalbox.contracts.ids import plain
from signalbox.contracts.payloads import Bar, Position, Quote

RECENT_BARS = 20
_SIGNIFICANT = 5  # digits of a price that are shown at least

Topic = Literal["market", "price", "returns", "indicators", "volume", "trend", "bars", "position"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One line about one symbol."""

    topic: Topic
    key: str
    text: str
    values: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that can be said of one symbol in numbers."""

    symbol: str
    price: Decimal | None  # the last trusted one
    facts: tuple[Fact, ...]

    def lines(self, *topics: Topic) -> tuple[str, ...]:
        """The lines of these topics, each with its id in front."""
        return tuple(f"{self.symbol}.{f.key}: {f.text}" for f in self.facts if f.topic in topics)

    def ids(self, *topics: Topic) -> frozenset[str]:
        """The ids of these lines."""
        return frozenset(f"{self.symbol}.{f.key}" for f in self.facts if f.topic in topics)


def snapshot(market: Market) -> Snapshot:
    """All facts of one market. What comes after its time, or from another loop of a replay, is not
    looked at; what there are too few bars for is left out.
    """
    bars = _usable(market)
    quote = _usable_quote(market, bars)
    price = _trusted(bars, quote)
    if price is None:
        return Snapshot(market.symbol, None, ())
    places = decimals(price)
    found = readings(bars)
    facts = [
        _bars(bars, market.interval),
        _price(price, quote, places),
        _returns(found),
        _range(found, places),
        *_indicators(found, places),
        _volume(found),
        _trend(bars, found),
        _recent(bars),
        _position(market.position, price),
    ]
    return Snapshot(market.symbol, price, tuple(fact for fact in facts if fact))


def decimals(price: Decimal) -> int:
    """Decimals that show a price with five significant digits, two at least."""
    return max(2, _SIGNIFICANT - 1 - price.adjusted())


def fixed(value: float | Decimal, places: int) -> str:
    """A number with a fixed count of decimals and no exponent; never a negative zero."""
    text = f"{Decimal(value):.{places}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def minute(at: datetime) -> str:
    """A time to the minute, such as `2026-08-03T16:00Z`. It is UTC already."""
    return at.strftime("%Y-%m-%dT%H:%MZ")


def _usable(market: Market) -> tuple[Bar, ...]:
    """Closed bars of the newest loop, oldest first, each once."""
    known = {bar.opened_at: bar for bar in market.bars if bar.closed_at <= market.now}
    newest = max((bar.epoch for bar in known.values()), default=0)
    return tuple(known[at] for at in sorted(known) if known[at].epoch == newest)


def _usable_quote(market: Market, bars: Sequence[Bar]) -> Quote | None:
    quote = market.quote
    if quote is None or quote.at > market.now:
        return None
    if bars and (quote.epoch != bars[-1].epoch or quote.at < bars[-1].closed_at):
        return None
    return quote


def _trusted(bars: Sequence[Bar], quote: Quote | None) -> Decimal | None:
    if quote:
        return (quote.bid + quote.ask) / 2
    return bars[-1].close if bars else None


def _bars(bars: Sequence[Bar], interval: str) -> Fact | None:
    if not bars:
        return None
    closed = minute(bars[-1].closed_at)
    text = f"{len(bars)} closed bars of {interval}, the newest closed at {closed}"
    if not bars[-1].session_open:
        text += ", the market is closed"
    values: dict[str, JsonValue] = {"count": len(bars), "interval": interval, "closed_at": closed}
    return Fact("market", "bars", text, values)


def _price(price: Decimal, quote: Quote | None, places: int) -> Fact:
    values = {"last": fixed(price, places)}
    if quote:
        values |= {"bid": fixed(quote.bid, places), "ask": fixed(quote.ask, places)}
    return Fact("price", "price", _listed(values), {**values})


def _returns(found: Readings) -> Fact | None:
    values = {
        f"{n} bar{'s' if n > 1 else ''}": percent(found[f"return_{n}"])
        for n in RETURNS
        if f"return_{n}" in found
    }
    return Fact("returns", "returns", _listed(values), {**values}) if values else None


def _range(found: Readings, places: int) -> Fact | None:
    if "place_range" not in found:
        return None
    values = {
        "low": fixed(found["range_low"], places),
        "high": fixed(found["range_high"], places),
        "place": fixed(found["place_range"], 2),
    }
    return Fact("returns", "range", f"{_listed(values)} (up to {RANGE_BARS} bars)", {**values})


def _indicators(found: Readings, places: int) -> list[Fact | None]:
    fine = places + 2  # for what is much smaller than a price
    averages = _some(found, places, sma20="sma_20", sma50="sma_50", ema20="ema_20")
    macd = _some(found, fine, macd="macd", signal="macd_signal", histogram="macd_histogram")
    bands = _some(found, places, low="band_low", middle="band_middle", high="band_high")
    bands |= _some(found, 2, place="place_band")
    adx = _some(found, 1, adx="adx", plus_di="plus_di", minus_di="minus_di")
    return [
        _indicator("averages", averages, ""),
        _indicator("rsi", _some(found, 1, rsi="rsi"), " (14 bars)"),
        _indicator("macd", macd, " (12 26 9 bars)"),
        _indicator("atr", _some(found, fine, atr="atr"), " (14 bars)"),
        _indicator("bollinger", bands, " (20 bars, 2 deviations)"),
        _indicator("adx", adx, " (14 bars)"),
    ]


def _indicator(key: str, values: Mapping[str, str], note: str) -> Fact | None:
    if not values:
        return None
    text = values.get(key, "") if len(values) == 1 else _listed(values)
    return Fact("indicators", key, text + note, {**values})


def _volume(found: Readings) -> Fact | None:
    values = _some(found, 0, last="volume", mean="volume_mean")
    values |= _some(found, 2, ratio="volume_ratio")
    note = f" (of {VOLUME_BARS} bars before)" if "mean" in values else ""
    return Fact("volume", "volume", _listed(values) + note, {**values}) if values else None


def _trend(bars: Sequence[Bar], found: Readings) -> Fact | None:
    words = trend(bars, found["atr"]) if "atr" in found else {}
    if not words:
        return None
    values = {f"{span} bars": word for span, word in words.items()}
    if "adx" in found:
        values["strength"] = (
            "weak" if found["adx"] < 20 else "clear" if found["adx"] < 40 else "strong"
        )
    return Fact("trend", "trend", _listed(values), {**values})


def _recent(bars: Sequence[Bar]) -> Fact | None:
    if not bars:
        return None
    places = decimals(bars[-1].close)
    rows = [
        f"{bar.opened_at:%m-%d %H:%M},"
        + ",".join(fixed(p, places) for p in (bar.open, bar.high, bar.low, bar.close))
        + f",{fixed(bar.volume, 0)}"
        for bar in bars[-RECENT_BARS:]
    ]
    text = "\n".join(("opened,open,high,low,close,volume", *rows))
    return Fact("bars", "recent", text, {"rows": list(rows)})


def _position(position: Position | None, price: Decimal) -> Fact:
    if position is None or not position.quantity:
        return Fact("position", "position", "none", {})
    side = "long" if position.quantity > 0 else "short"
    values = {"side": side, "quantity": plain(abs(position.quantity))}
    text = f"{side} {values['quantity']}"
    if position.average_price:
        sign = 1 if side == "long" else -1
        values["average"] = fixed(position.average_price, decimals(price))
        values["since"] = percent(sign * (price / position.average_price - 1))
        text += f" at {values['average']}, {values['since']} since"
    return Fact("position", "position", text, {**values})


def _some(found: Readings, places: int, **names: str) -> dict[str, str]:
    return {name: fixed(found[key], places) for name, key in names.items() if key in found}


def percent(fraction: float | Decimal) -> str:
    """A fraction as a percentage with sign and two decimals."""
    text = fixed(fraction * 100, 2)
    return f"{text} %" if text.startswith("-") else f"+{text} %"


def _listed(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
