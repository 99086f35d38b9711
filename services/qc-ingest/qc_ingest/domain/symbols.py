"""Which security a QuantConnect symbol id names."""

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from signalbox.contracts.errors import Malformed


class SecurityType(IntEnum):
    """QuantConnect's numbers for kinds of security."""

    BASE = 0
    EQUITY = 1
    OPTION = 2
    COMMODITY = 3
    FOREX = 4
    FUTURE = 5
    CFD = 6
    CRYPTO = 7
    FUTURE_OPTION = 8
    INDEX = 9
    INDEX_OPTION = 10
    CRYPTO_FUTURE = 11


@dataclass(frozen=True, slots=True)
class SymbolId:
    """A decoded id such as `SPY R735QTJ8XC9X`."""

    first_ticker: str  # the company's first one; the current one comes beside the id
    security_type: int
    market: int


_CANONICAL = re.compile(r"[A-Z0-9][A-Z0-9./:_-]{0,23}")
_BASE36 = re.compile(r"[0-9A-Z]{1,24}")
_QUOTES = (
    "FDUSD",
    "USDT",
    "USDC",
    "BUSD",
    "TUSD",
    "DAI",
    "USD",
    "EUR",
    "GBP",
    "JPY",
    "BTC",
    "ETH",
    "BNB",
)


def decode_symbol_id(text: str) -> SymbolId:
    """What `{TICKER} {PROPS}` says: from the right, two digits of security type, three of market.

    Raises:
        Malformed: not of that form.
    """
    head = text.split("|", 1)[0].strip()
    ticker, _, properties = head.rpartition(" ")
    if not ticker or not _BASE36.fullmatch(properties):
        raise Malformed(f"{text[:60]!r} is not a symbol id such as 'SPY R735QTJ8XC9X'")
    number = int(properties, 36)
    return SymbolId(ticker.strip(), number % 100, number // 100 % 1000)


@lru_cache(maxsize=4096)  # an algorithm speaks of the same few again and again
def canonical_symbol(symbol_id: str, ticker: str) -> str:
    """The symbol to trade: the current ticker of an equity, `BASE/QUOTE` of a crypto pair.

    Raises:
        Malformed: not decodable, a kind of security that is not traded here, or no usable ticker.
    """
    found = decode_symbol_id(symbol_id)
    name = (ticker or found.first_ticker).strip().upper()
    if found.security_type == SecurityType.CRYPTO:
        name = _pair(name)
    elif found.security_type != SecurityType.EQUITY:
        raise Malformed(
            f"{symbol_id[:60]!r} is {_kind(found.security_type)}, which is not traded here"
        )
    if not _CANONICAL.fullmatch(name):
        raise Malformed(f"{name[:40]!r} is not a symbol")
    return name


def _pair(name: str) -> str:
    if "/" in name:
        return name
    quote = next((q for q in _QUOTES if name.endswith(q) and len(name) > len(q)), None)
    if quote is None:
        raise Malformed(f"{name[:40]!r} is not a crypto pair with a known quote currency")
    return f"{name.removesuffix(quote)}/{quote}"


def _kind(number: int) -> str:
    try:
        return f"a security of type {SecurityType(number).name.lower().replace('_', ' ')}"
    except ValueError:
        return f"a security of unknown type {number}"
