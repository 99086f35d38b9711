"""From the text of an answer to one judged decision per symbol. Whatever the text is, nothing is
raised and nothing outside the limits comes out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from typing import Literal

from llm_decider.domain.cleaning import clean
from llm_decider.domain.rules import (
    ACTIONS,
    BAND,
    KEYS,
    MAX_EVIDENCE,
    MAX_INVALIDATION_CHARS,
    MAX_REASONING_CHARS,
    SCHEMA_VERSION,
)
from llm_decider.domain.shapes import Question
from llm_decider.domain.snapshot import decimals
from llm_decider.domain.strict_json import JsonObject, Unreadable, read_object
from signalbox.contracts.values import Action

_FOUR_PLACES = Decimal("0.0001")
_SHOWN = 60  # characters of a wrong value that are repeated
_MAX_PRECISION = 100  # digits: more than the contracts give a price
_EXITS = ("stop_loss", "take_profit")

_MEANT = {
    "BUY": Action.BUY,
    "SELL": Action.SELL,
    "CLOSE": Action.CLOSE,
    "HOLD": Action.HOLD,
    "ABSTAIN": Action.HOLD,
}


@dataclass(frozen=True, slots=True)
class Judged:
    """What one symbol's part of an answer is worth. An invalid one has no action."""

    outcome: Literal["answered", "invalid"]
    action: Action | None = None
    abstained: bool = False  # no ground for a view; the action is `hold`
    confidence: Decimal | None = None
    reasoning: str = ""
    horizon_s: int | None = None
    stop: Decimal | None = None
    target: Decimal | None = None
    evidence: tuple[str, ...] = ()
    invalidation: str = ""
    suspicious: bool = False
    notes: tuple[str, ...] = ()  # what was cut, rounded or clamped
    problems: tuple[str, ...] = ()  # why it is invalid, in words


def read_answer(text: str, question: Question) -> Mapping[str, Judged]:
    """One judgement for each symbol of the question, in its order. Never raises.

    Each symbol stands on its own: what is wrong with one does not touch another.
    """
    try:
        items, others = _sorted(read_object(text), question.symbols)
    except Unreadable as error:
        return dict.fromkeys(question.symbols, Judged("invalid", problems=(str(error),)))
    judged = {symbol: _judged(items[symbol], symbol, question) for symbol in question.symbols}
    marked = [symbol for symbol, one in judged.items() if one.suspicious]
    return {
        symbol: _noted(one, [*others, *(_seen_at(other) for other in marked if other != symbol)])
        for symbol, one in judged.items()
    }


def _sorted(
    answer: JsonObject, symbols: Sequence[str]
) -> tuple[Mapping[str, list[JsonObject]], list[str]]:
    """The decisions by symbol, and a note on each that belongs to none."""
    if answer.doubled or {*answer} != {"schema_version", "decisions"}:
        raise Unreadable("The answer does not hold exactly schema_version and decisions, once.")
    version, decisions = answer["schema_version"], answer["decisions"]
    if version != SCHEMA_VERSION:
        raise Unreadable(f"schema_version is {_shown(version)}, not {SCHEMA_VERSION!r}.")
    if not isinstance(decisions, list):
        raise Unreadable("decisions is not a list.")
    items: dict[str, list[JsonObject]] = {symbol: [] for symbol in symbols}
    others: list[str] = []
    for item in decisions:
        symbol = item.get("symbol") if isinstance(item, JsonObject) else None
        if isinstance(symbol, str) and symbol in items:
            items[symbol].append(item)
        elif len(others) < len(symbols):
            others.append(f"The answer also decides on {_shown(symbol)}, which was not asked.")
    return items, others


def _judged(items: Sequence[JsonObject], symbol: str, question: Question) -> Judged:
    if len(items) != 1:
        found = "no decision" if not items else f"{len(items)} decisions"
        return Judged("invalid", problems=(f"The answer holds {found} on {symbol}.",))
    item = _Item(items[0])
    judged = item.read(question)
    if not item.problems:
        judged = item.with_exits(judged, question.prices[symbol])
    if item.problems:
        return Judged(
            "invalid",
            reasoning=judged.reasoning,
            suspicious=judged.suspicious,
            problems=tuple(item.problems),
        )
    return replace(judged, notes=tuple(item.notes))


class _Item:
    """Reads one decision, and collects what is wrong with it."""

    def __init__(self, fields: JsonObject) -> None:
        self.fields = fields
        self.notes: list[str] = []
        self.problems = [f"{_shown(name)} stands there twice." for name in fields.doubled]
        self.problems += [f"{name} is missing." for name in KEYS if name not in fields]
        self.problems += [
            f"{_shown(name)} is not asked for." for name in fields if name not in KEYS
        ]

    def read(self, question: Question) -> Judged:
        """Everything but the prices. Worth nothing when there are problems afterwards."""
        wanted = self.text("action")
        if wanted not in _MEANT:
            self.problems.append(f"action is {_shown(wanted)}, none of {', '.join(ACTIONS)}.")
        data_ok, suspicious = self.flag("data_ok"), self.flag("suspicious_input")
        abstained = wanted == "ABSTAIN" or not data_ok or suspicious
        if abstained and wanted != "ABSTAIN":
            why = "it saw instructions in the data" if suspicious else "it found the data wanting"
            self.notes.append(f"The model said {_shown(wanted)}, but {why}.")
        return Judged(
            "answered",
            action=Action.HOLD if abstained else _MEANT.get(wanted),
            abstained=abstained,
            confidence=self.confidence(),
            reasoning=self.prose("reasoning", MAX_REASONING_CHARS),
            horizon_s=self.horizon_s(question.horizon_s),
            evidence=self.evidence(question.evidence),
            invalidation=self.prose("invalidation", MAX_INVALIDATION_CHARS),
            suspicious=suspicious,
        )

    def with_exits(self, judged: Judged, price: Decimal) -> Judged:
        """The decision with its stop and target, checked against the trusted price."""
        named = {name: self.number(name) for name in _EXITS if self.fields.get(name) is not None}
        if judged.action not in (Action.BUY, Action.SELL):
            if named:
                self.notes.append("Stop and target go with a buy or sell, so they were left out.")
            return judged
        buys = judged.action is Action.BUY
        stop, target = (
            self.exit(name, named.get(name), price, below=below)
            for name, below in zip(_EXITS, (buys, not buys), strict=True)
        )
        return replace(judged, stop=stop, target=target)

    def text(self, name: str) -> str:
        value = self.fields.get(name, "")
        if isinstance(value, str):
            return value
        self.problems.append(f"{name} is {_shown(value)}, not a text.")
        return ""

    def prose(self, name: str, max_chars: int) -> str:
        if name == "invalidation" and self.fields.get(name) is None:
            return ""
        said = clean(self.text(name), max_chars)
        self.notes += [f"{name}: {flag}." for flag in said.flags]
        return said.text

    def flag(self, name: str) -> bool:
        value = self.fields.get(name, False)
        if not isinstance(value, bool):
            self.problems.append(f"{name} is {_shown(value)}, neither true nor false.")
        return value is True

    def number(self, name: str) -> Decimal | None:
        value = self.fields.get(name)
        if isinstance(value, Decimal) and value.is_finite():
            return value
        if name in self.fields:
            self.problems.append(f"{name} is {_shown(value)}, not a finite number.")
        return None

    def confidence(self) -> Decimal | None:
        value = self.number("confidence")
        if value is not None and not 0 <= value <= 1:
            self.problems.append(f"confidence is {_shown(value)}, not from 0 to 1.")
            return None
        return value and abs(value.quantize(_FOUR_PLACES))

    def horizon_s(self, longest_s: int) -> int | None:
        value = self.number("horizon_minutes")
        if value is None:
            return None
        if value < 1 or value != value.to_integral_value():
            self.problems.append(f"horizon_minutes is {_shown(value)}, not a whole number from 1.")
            return None
        if value > longest_s // 60:
            self.notes.append(f"A horizon of {_shown(value)} minutes was cut to {longest_s} s.")
            return longest_s
        return int(value) * 60

    def evidence(self, known: frozenset[str]) -> tuple[str, ...]:
        value = self.fields.get("evidence", [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.problems.append("evidence is not a list of texts.")
            return ()
        unknown = [one for one in value if one not in known]
        if unknown:
            self.problems.append(f"evidence names {_shown(unknown[0])}, which was not shown.")
            return ()
        cited = tuple(dict.fromkeys(value))
        if len(cited) > MAX_EVIDENCE:
            self.notes.append(f"{len(cited)} items of evidence, the first {MAX_EVIDENCE} kept.")
        return cited[:MAX_EVIDENCE]

    def exit(
        self, name: str, value: Decimal | None, price: Decimal, *, below: bool
    ) -> Decimal | None:
        """A stop or a target within the band, on its side of the price, with as many decimals."""
        if value is None:
            return None
        if not price * (100 - BAND) / 100 <= value <= price * (100 + BAND) / 100:
            self.problems.append(f"{name} is {_shown(value)}, over {BAND} per cent from {price}.")
            return None
        rounded = _rounded(value, decimals(price))
        if rounded != value:
            self.notes.append(f"{name}: {_shown(value)} was rounded to {rounded}.")
        if rounded == price or (rounded < price) is not below:
            side = "below" if below else "above"
            self.problems.append(f"{name} is {_shown(rounded)}, not {side} the price {price}.")
        return rounded


def _rounded(value: Decimal, places: int) -> Decimal:
    if -int(value.as_tuple().exponent) <= places:
        return value
    return value.quantize(Decimal(1).scaleb(-places), context=Context(prec=_MAX_PRECISION))


def _noted(judged: Judged, more: Sequence[str]) -> Judged:
    if judged.outcome == "invalid":
        return replace(judged, problems=(*judged.problems, *more))
    return replace(judged, notes=(*judged.notes, *more))


def _seen_at(symbol: str) -> str:
    return f"The model saw instructions in what it was shown about {symbol}."


def _shown(value: object) -> str:
    """A wrong value, made short and plain."""
    if isinstance(value, list | dict):
        return f"a {'list' if isinstance(value, list) else 'JSON object'}"
    return clean(repr(value) if isinstance(value, str) else str(value), _SHOWN).text
