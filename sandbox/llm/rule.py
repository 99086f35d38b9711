"""The small rule that answers: it reads the prompt's own numbers, and says what it is.

A high or low RSI is taken to turn; otherwise the trend over twenty bars is followed when the RSI
agrees. What decides is quoted in the reasoning.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LOW, _HIGH, _MIDDLE = 30.0, 70.0, 50.0
_STOP, _TARGET = 0.02, 0.03  # fractions of the price
_HORIZON_MINUTES = 30
_NUMBER = r"-?\d+(?:\.\d+)?"
_SAYS = "Answer of the sandbox's rule, not of a model: "


@dataclass(frozen=True, slots=True)
class Shown:
    """What a prompt shows of one symbol."""

    rsi: float | None
    trend: str | None  # up, down or flat, over twenty bars
    price: float | None


def symbols_of(schema: Any) -> list[str]:
    """The symbols that a decision schema allows; none of any other schema."""
    for key in ("properties", "decisions", "items", "properties", "symbol", "enum"):
        schema = schema.get(key) if isinstance(schema, Mapping) else None
    return [str(name) for name in schema] if isinstance(schema, list) else []


def read(prompt: str, symbol: str) -> Shown:
    """The numbers of one symbol, from lines such as `AAPL.rsi: 55.2 (14 bars)`."""
    rsi = _found(prompt, symbol, "rsi", rf"({_NUMBER})")
    price = _found(prompt, symbol, "price", rf"last ({_NUMBER})")
    trend = _found(prompt, symbol, "trend", r".*?20 bars (?:strongly )?(up|down|flat)")
    return Shown(
        float(rsi) if rsi is not None else None, trend, float(price) if price is not None else None
    )


def _found(prompt: str, symbol: str, name: str, pattern: str) -> str | None:
    line = re.search(rf"^{re.escape(symbol)}\.{name}: {pattern}", prompt, re.M)
    return line[1] if line else None


def answer(prompt: str, schema: Any) -> str:
    """The text of an answer: a decision for each symbol of the schema."""
    decisions = [_decision(symbol, read(prompt, symbol)) for symbol in symbols_of(schema)]
    if not decisions:
        return json.dumps({"note": f"{_SAYS}it can only decide on symbols."})
    return json.dumps({"schema_version": "1", "decisions": decisions})


def _decision(symbol: str, shown: Shown) -> dict[str, Any]:
    action, why = _view(shown)
    trades = action in {"BUY", "SELL"}
    away = abs((shown.rsi if shown.rsi is not None else _MIDDLE) - _MIDDLE)
    sign = 1 if action == "BUY" else -1
    levels = trades and shown.price is not None
    price = shown.price or 0.0
    evidence = [("rsi", shown.rsi), ("trend", shown.trend)]
    return {
        "symbol": symbol,
        "data_ok": action != "ABSTAIN",
        "suspicious_input": False,
        "reasoning": _SAYS + why,
        "evidence": [f"{symbol}.{name}" for name, value in evidence if value is not None],
        "action": action,
        "confidence": round(0.55 + min(away, 25.0) / 100, 2) if trades else 0.5,
        "horizon_minutes": _HORIZON_MINUTES,
        "stop_loss": round(price * (1 - sign * _STOP), 2) if levels else None,
        "take_profit": round(price * (1 + sign * _TARGET), 2) if levels else None,
        "invalidation": "The RSI crosses 50." if trades else None,
    }


def _view(shown: Shown) -> tuple[str, str]:
    rsi, trend = shown.rsi, shown.trend
    if rsi is None:
        return "ABSTAIN", "no RSI is shown."
    said = f"RSI {rsi:.1f}" + (f", trend over 20 bars {trend}" if trend else "")
    if rsi <= _LOW:
        return "BUY", f"{said}: low, taken to turn."
    if rsi >= _HIGH:
        return "SELL", f"{said}: high, taken to turn."
    if trend == "up" and rsi > _MIDDLE:
        return "BUY", f"{said}: they agree on up."
    if trend == "down" and rsi < _MIDDLE:
        return "SELL", f"{said}: they agree on down."
    return "HOLD", f"{said}: they do not agree on a side."
