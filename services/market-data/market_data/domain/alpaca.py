"""Alpaca's market data on the wire: sound bars, quotes and headlines; the rest is counted by why.

One row that cannot be read never takes another with it.
"""

import html
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import NamedTuple, TypeVar

from market_data.domain.grid import DAILY, end_of_crypto_day, is_on_grid
from market_data.domain.hours import Hours
from market_data.domain.rows import NEW_YORK, Row, Span, number_fault
from signalbox.contracts.errors import TransientError
from signalbox.contracts.intervals import interval_length
from signalbox.contracts.payloads import News

NAME = "alpaca"
FRAMES = {"1m": "1Min", "5m": "5Min", "15m": "15Min", "30m": "30Min", DAILY: "1Day"}
MOST_HEADLINE, MOST_SUMMARY, MOST_URL = 300, 2_000, 2_000
_MOST_DIGITS, _MOST_EXPONENT = 30, 14
_YEARS = range(1970, 2200)
_MOST_AHEAD = timedelta(seconds=5)  # by which a clock over there may lead ours
_TAG = re.compile(r"<[^>]{0,2000}>")
_INVALID = re.compile(r"invalid symbol\(?s?\)?\s*:?\s*(?P<said>.*)", re.IGNORECASE | re.DOTALL)
Object = Mapping[str, object]
T = TypeVar("T")


class Venue(StrEnum):
    """Which of Alpaca's markets a symbol is of."""

    STOCKS = "stocks"
    CRYPTO = "crypto"


class Tick(NamedTuple):
    """Best bid and ask."""

    symbol: str
    bid: Decimal
    ask: Decimal
    at: datetime


@dataclass(slots=True)
class Article:
    """One headline, for every symbol that it names."""

    number: str
    news: tuple[News, ...]
    published_at: datetime
    updated_at: datetime


@dataclass(slots=True)
class Bars:
    """What answers came to."""

    rows: dict[str, list[Row]] = field(default_factory=dict)  # by symbol, as they came
    refused: Counter[str] = field(default_factory=Counter)  # by reason


class _Unfit(Exception):
    """Why a row is refused."""


def venue_of(symbol: str) -> Venue:
    """Pairs are crypto: `BTC/USD`."""
    return Venue.CRYPTO if "/" in symbol else Venue.STOCKS


def read_json(content: bytes) -> Object:
    """An answer. Numbers are decimals; `NaN`, which is no JSON, becomes one that is refused later.

    Raises:
        TransientError: it is no object.
    """
    try:
        found: object = json.loads(content, parse_float=Decimal, parse_constant=Decimal)
    except (ValueError, RecursionError, InvalidOperation):
        found = None
    if not isinstance(found, dict):
        raise TransientError("alpaca: the answer cannot be read")
    return found


def next_page(body: Object) -> str | None:
    """The token of the next page, if there is one."""
    token = body.get("next_page_token")
    return token if isinstance(token, str) and token else None


def invalid_symbols(message: str, asked: Collection[str]) -> list[str]:
    """Which of the symbols that were asked for an error message calls invalid."""
    found = _INVALID.search(message)
    said = set(re.findall(r"[A-Z0-9][A-Z0-9./:_-]*", found["said"])) if found else set()
    return sorted(symbol for symbol in asked if symbol in {name.rstrip(".") for name in said})


def read_bars(
    body: Object, into: Bars, interval: str, hours: Hours | None, *, closed_by: datetime
) -> None:
    """Add the sound bars of a page that had closed. Those outside of the session are left out.

    Raises:
        TransientError: the page holds no bars at all, not even none.
    """
    table = body.get("bars")
    if not isinstance(table, dict):
        raise TransientError("alpaca: an answer without bars")
    for symbol, listed in table.items():
        for one in listed if isinstance(listed, list) else [listed]:
            row = _sound(lambda one=one: _row(one, interval, hours), into.refused)  # type: ignore[misc]  # bound per round
            if row is not None and row.closed_at <= closed_by:
                into.rows.setdefault(symbol, []).append(row)


def read_quotes(body: Object, refused: Counter[str], *, now: datetime) -> list[Tick]:
    """The sound quotes of an answer.

    Raises:
        TransientError: it holds none at all, not even an empty table.
    """
    table = body.get("quotes")
    if not isinstance(table, dict):
        raise TransientError("alpaca: an answer without quotes")
    ticks = (_sound(lambda s=s, q=q: _tick(s, q, now), refused) for s, q in table.items())  # type: ignore[misc]  # bound per round
    return [tick for tick in ticks if tick is not None]


def read_news(
    body: Object, symbols: Collection[str], refused: Counter[str], *, now: datetime
) -> list[Article]:
    """The headlines of a page, cleaned, for the symbols that are followed.

    Raises:
        TransientError: it holds none at all, not even an empty list.
    """
    listed = body.get("news")
    if not isinstance(listed, list):
        raise TransientError("alpaca: an answer without news")
    wanted = {symbol.replace("/", ""): symbol for symbol in symbols}
    found = (_sound(lambda one=one: _article(one, wanted, now), refused) for one in listed)  # type: ignore[misc]  # bound per round
    return [article for article in found if article is not None]


def news_symbol(symbol: str) -> str:
    """How the news spell a symbol: `BTC/USD` is `BTCUSD`."""
    return symbol.replace("/", "")


def clean(text: object, most: int) -> str:
    """Text as one line without markup and control characters, cut at `most` characters."""
    if not isinstance(text, str):
        return ""
    plain = html.unescape(_TAG.sub(" ", text[: most * 20]))
    plain = unicodedata.normalize("NFC", _TAG.sub(" ", plain))
    kept = "".join(c if _is_shown(c) else " " for c in plain)
    line = " ".join(kept.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _is_shown(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZ"


def _sound(read: Callable[[], T | None], refused: Counter[str]) -> T | None:
    try:
        return read()
    except _Unfit as why:
        refused[str(why)] += 1
        return None


def _row(one: object, interval: str, hours: Hours | None) -> Row | None:
    """One bar; None where it lies outside of the session."""
    found = _object(one)
    span = _span(_time(found, "t"), interval, hours)
    if span is None:
        return None
    prices = [_number(found, name) for name in ("o", "h", "l", "c")]
    volume = _number(found, "v")
    if why := number_fault(prices, volume):
        raise _Unfit(why)
    opened, high, low, closed = prices
    return Row(*span, opened, high, low, closed, volume)


def _span(at: datetime, interval: str, hours: Hours | None) -> Span | None:
    if interval != DAILY:
        end = at + interval_length(interval)
        session = hours.session(at) if hours is not None else None
        if hours is not None and (session is None or end > session.closes_at):
            return None
        if not is_on_grid(at, interval, hours):
            raise _Unfit("off_grid")
        return Span(at, end, at)
    if hours is None:
        midnight = end_of_crypto_day(at)
        if midnight is None:
            raise _Unfit("off_grid")
        return Span(at, midnight, at)
    session = hours.on(at.astimezone(NEW_YORK).date())
    if session is None:
        raise _Unfit("outside_session")
    return Span(session.opens_at, session.closes_at, session.opens_at)


def _tick(symbol: str, one: object, now: datetime) -> Tick:
    found = _object(one)
    bid, ask, at = _number(found, "bp"), _number(found, "ap"), _time(found, "t")
    if not (bid.is_finite() and ask.is_finite()):
        raise _Unfit("not_a_number")
    if bid <= 0 or ask <= 0:
        raise _Unfit("one_sided")
    if bid > ask:
        raise _Unfit("crossed")
    if at > now + _MOST_AHEAD:
        raise _Unfit("from_the_future")
    return Tick(symbol, bid, ask, at)


def _article(one: object, wanted: Mapping[str, str], now: datetime) -> Article:
    found = _object(one)
    number, headline = found.get("id"), clean(found.get("headline"), MOST_HEADLINE)
    if isinstance(number, bool) or not isinstance(number, int | str) or not headline:
        raise _Unfit("no_headline")
    published, named = _time(found, "created_at"), found.get("symbols")
    if published > now + _MOST_AHEAD:
        raise _Unfit("from_the_future")
    updated = _time(found, "updated_at") if found.get("updated_at") else published
    common = {
        "news_id": f"{NAME}-{number}"[:128],
        "headline": headline,
        "summary": clean(found.get("summary"), MOST_SUMMARY),
        "url": _url(found.get("url")),
        "published_at": published,
    }
    names = sorted({str(name).upper() for name in named} if isinstance(named, list) else ())
    news = tuple(News.model_validate({**common, "symbol": s}) for s in _followed(names, wanted))
    return Article(str(number), news, published, updated)


def _followed(names: Collection[str], wanted: Mapping[str, str]) -> Iterator[str]:
    for name in names:
        symbol = wanted.get(name.replace("/", ""))
        if symbol is not None:
            yield symbol


def _url(value: object) -> str:
    is_plain = isinstance(value, str) and value.startswith(("https://", "http://"))
    return value if is_plain and isinstance(value, str) and len(value) <= MOST_URL else ""


def _object(one: object) -> Object:
    if not isinstance(one, dict):
        raise _Unfit("malformed")
    return one


def _number(found: Object, name: str) -> Decimal:
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise _Unfit("not_a_number")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise _Unfit("not_a_number") from None
    is_long = number.is_finite() and len(number.as_tuple().digits) > _MOST_DIGITS
    if is_long or (number and number.is_finite() and abs(number.adjusted()) > _MOST_EXPONENT):
        raise _Unfit("not_a_number")
    return number


def _time(found: Object, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(str(found.get(name)))
    except ValueError:
        raise _Unfit("bad_time") from None
    if at.tzinfo is None or at.year not in _YEARS:
        raise _Unfit("bad_time")
    return at.astimezone(UTC)
