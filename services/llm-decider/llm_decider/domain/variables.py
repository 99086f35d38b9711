"""What a template may name, and what stands in its place."""

from dataclasses import dataclass
from typing import Literal

MAX_SYMBOLS = 10  # in one call


@dataclass(frozen=True, slots=True)
class Variable:
    """One name that a template may use.

    A block has several lines and may stand once in a template, so that a rendered template is
    bounded. A changing one differs from call to call: a provider cannot reuse what comes after it.
    """

    name: str
    kind: Literal["text", "number", "time", "block"]
    description: str
    max_chars: int  # of the rendered value, whatever the market does
    example: str
    trusted: bool = True  # false: written by others; cleaned, fenced, and only in the user part
    changing: bool = True


_NEWS = (
    "<<<DATA 5f0c2b9e71d3a846\n"
    '{"id": "AAPL.news.1", "published": "2026-08-03T15:40Z", "headline": "Apple raises outlook"}\n'
    "DATA 5f0c2b9e71d3a846>>>"
)
_SIGNALS = (
    "<<<DATA 5f0c2b9e71d3a846\n"
    '{"id": "AAPL.signal.1", "source": "quantconnect", "name": "27", "action": "buy",'
    ' "confidence": "0.70", "raised": "2026-08-03T15:58Z", "says": "Momentum turned up."}\n'
    "DATA 5f0c2b9e71d3a846>>>"
)

VARIABLES = (
    Variable(
        "symbols",
        "text",
        "The symbols to decide on, with commas between them.",
        300,
        "AAPL, MSFT",
        changing=False,
    ),
    Variable(
        "symbol",
        "text",
        "The same as symbols: reads better where one call is about one symbol.",
        300,
        "AAPL",
        changing=False,
    ),
    Variable(
        "interval",
        "text",
        "The length of one bar.",
        16,
        "1m",
        changing=False,
    ),
    Variable(
        "horizon_minutes",
        "number",
        "The longest horizon that a decision may name, in minutes.",
        12,
        "60",
        changing=False,
    ),
    Variable("time", "time", "Market time, UTC, to the minute.", 20, "2026-08-03T16:00Z"),
    Variable(
        "market",
        "block",
        "Everything that is known in numbers: price, returns, indicators, volume, trend.",
        20_000,
        "AAPL.price: last 210.50, bid 210.48, ask 210.52\nAAPL.rsi: 55.2 (14 bars)",
    ),
    Variable(
        "price",
        "block",
        "Last price, bid and ask.",
        4_000,
        "AAPL.price: last 210.50, bid 210.48, ask 210.52",
    ),
    Variable(
        "returns",
        "block",
        "Returns over 1, 5, 15 and 60 bars, and the range of the last 60.",
        4_000,
        "AAPL.returns: 1 bar +0.05 %, 5 bars -0.12 %",
    ),
    Variable(
        "indicators",
        "block",
        "Averages, RSI, MACD, ATR, Bollinger bands and ADX.",
        10_000,
        "AAPL.rsi: 55.2 (14 bars)",
    ),
    Variable(
        "volume",
        "block",
        "Volume of the last bar against its mean.",
        3_000,
        "AAPL.volume: last 12300, mean 11000, ratio 1.12 (of 20 bars before)",
    ),
    Variable(
        "trend",
        "block",
        "The direction over 5, 20 and 60 bars, in words.",
        3_000,
        "AAPL.trend: 5 bars up, 20 bars flat, 60 bars down",
    ),
    Variable(
        "bars",
        "block",
        "The last 20 closed bars as a table. Costs many tokens.",
        40_000,
        "AAPL.recent: opened,open,high,low,close,volume\n"
        "08-03 15:59,210.10,210.90,210.00,210.50,100000",
    ),
    Variable(
        "position",
        "block",
        "What the bot holds, if the model is joined to a bot.",
        3_000,
        "AAPL.position: long 10 at 209.00, +0.72 % since",
    ),
    Variable(
        "news",
        "block",
        "The newest headlines, cleaned and fenced.",
        60_000,
        _NEWS,
        trusted=False,
    ),
    Variable(
        "signals",
        "block",
        "What other sources say now, if the model may see it; cleaned and fenced.",
        60_000,
        _SIGNALS,
        trusted=False,
    ),
)
BY_NAME = {variable.name: variable for variable in VARIABLES}
NAMING = ("symbols", "symbol", "market", "price")  # one of them says which symbols are meant
