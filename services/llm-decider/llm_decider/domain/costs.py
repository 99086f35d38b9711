"""What tokens cost: the values, the bound of a call before it is made, and prices of one's own."""

import json
from dataclasses import dataclass
from decimal import Decimal

from llm_decider.domain.outcomes import NAMES
from llm_decider.domain.shapes import Question, Usage
from signalbox.contracts.config import TokenPrice

OWN = "own"
_MILLION = Decimal(1_000_000)
_OVERHEAD = 500  # tokens for roles and framing


@dataclass(frozen=True, slots=True)
class UnitPrices:
    """The prices that were used, in US dollars per million tokens."""

    source: str  # the price list with its version, or `own`
    model: str  # as the list names it
    input: Decimal
    cache_read: Decimal
    cache_write_5m: Decimal
    cache_write_1h: Decimal
    output: Decimal


@dataclass(frozen=True, slots=True)
class Priced:
    """A cost in US dollars, exact, and how it came about."""

    usd: Decimal
    unit: UnitPrices


@dataclass(frozen=True, slots=True)
class Unpriced:
    """No price is known, so no call may be made. `message` says what to do."""

    message: str


def most_tokens_in(question: Question) -> int:
    """No tokenizer makes more input tokens of a question: one per byte, and some for framing."""
    schema = json.dumps(dict(question.schema))
    texts = (question.system, question.user, schema)
    return sum(len(text.encode()) for text in texts) + _OVERHEAD


def own_price(price: TokenPrice, model: str, usage: Usage) -> Priced:
    """The cost by the user's own price, which knows no discount for cached tokens."""
    paid = price.input_usd
    unit = UnitPrices(OWN, model, paid, paid, paid, paid, price.output_usd)
    usd = (usage.input_total * paid + usage.output_total * price.output_usd) / _MILLION
    return Priced(plain(usd), unit)


def unpriced(provider: str, model: str, at: str = "") -> Unpriced:
    """That no price is known, in words."""
    where = at or NAMES[provider]
    return Unpriced(
        f"No price is known for {model} at {where}, so it is not asked. Enter its price in the"
        " model's settings; 0 if it costs nothing."
    )


def plain(amount: Decimal) -> Decimal:
    """The same amount without trailing zeros or exponent."""
    return Decimal(f"{amount.normalize():f}")
