"""One call's question: the rendered messages, what an answer may name, and how large it is."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from llm_decider.domain import templates
from llm_decider.domain.cleaning import fence_token
from llm_decider.domain.quotations import Quotation, headlines, words_of_others
from llm_decider.domain.rules import RULES, wire_schema
from llm_decider.domain.shapes import Market, Question
from llm_decider.domain.snapshot import Snapshot, Topic, minute, snapshot
from llm_decider.domain.variables import BY_NAME, MAX_SYMBOLS
from signalbox.contracts.config import LlmConfig, PromptVersion
from signalbox.contracts.errors import Malformed

_SAME_TOKEN = "0" * 16  # stands for the fence's token where two questions are compared
_TOPICS: Mapping[str, tuple[Topic, ...]] = {
    "market": ("market", "price", "returns", "indicators", "volume", "trend"),
    "price": ("price",),
    "returns": ("returns",),
    "indicators": ("indicators",),
    "volume": ("volume",),
    "trend": ("trend",),
    "bars": ("bars",),
    "position": ("position",),
}


@dataclass(frozen=True, slots=True)
class _Known:
    """Everything that a template may be filled with."""

    plain: Mapping[str, str]  # values that are no quotation
    quoted: Mapping[str, Quotation]
    ids: Mapping[str, frozenset[str]]  # what each variable shows

    def system(self, template: str) -> str:
        """The system message: fixed rules first, and nothing that others wrote."""
        return f"{RULES}\n{templates.render(template, self.plain)}".rstrip()

    def user(self, template: str, token: str) -> str:
        """The user message, quotations inside a fence with this token."""
        fenced = {name: quotation.fenced(token) for name, quotation in self.quoted.items()}
        return templates.render(template, {**self.plain, **fenced})


def build_question(
    config: LlmConfig, prompt: PromptVersion, markets: Sequence[Market], *, nonce: str
) -> Question:
    """Ask a config's model about some markets, at most ten, through one version of a prompt.

    The system message begins with the fixed rules and holds what stays the same between calls; the
    market comes last, in the user message. `nonce` is anything that the next call does not repeat:
    it makes the fence's token, which the question's hash does not depend on. A market of which no
    price is known is left out, with a note.

    Raises:
        Malformed: the prompt cannot be rendered, there are too many markets, or of none is a price
            known.
    """
    if len(markets) > MAX_SYMBOLS:
        raise Malformed(f"{len(markets)} symbols in one call; at most {MAX_SYMBOLS} are asked")
    taken = [(market, snapshot(market)) for market in markets]
    prices = {market.symbol: known.price for market, known in taken if known.price is not None}
    if not prices:
        raise Malformed("no price is known of any symbol, so nothing can be asked")
    asked = [(market, known) for market, known in taken if market.symbol in prices]
    known = _known(config, asked)
    token = fence_token(nonce, "".join(q.text for q in known.quoted.values()))
    schema = wire_schema([*prices])
    system = known.system(prompt.system)
    used = {*templates.names_used(prompt.system), *templates.names_used(prompt.user)}
    shown = {name: known.quoted[name] for name in known.quoted if name in used}
    return Question(
        symbols=(*prices,),
        system=system,
        user=known.user(prompt.user, token),
        schema=schema,
        prices=prices,
        evidence=frozenset[str]().union(*(known.ids.get(name, frozenset()) for name in used)),
        snapshots={m.symbol: _stored(m, s, shown) for m, s in asked},
        horizon_s=config.horizon_s,
        hash=_hash(system, known.user(prompt.user, _SAME_TOKEN), schema),
        notes=(
            *(f"{m.symbol}: no price is known" for m, s in taken if s.price is None),
            *(note for quotation in shown.values() for note in quotation.notes),
        ),
    )


def _known(config: LlmConfig, asked: Sequence[tuple[Market, Snapshot]]) -> _Known:
    markets = [market for market, _ in asked]
    symbols = ", ".join(market.symbol for market in markets)
    seen = words_of_others(markets, config.id) if config.show_signals else Quotation()
    quoted = {"news": headlines(markets), "signals": seen}
    blocks = {
        name: "\n".join(line for _, known in asked for line in known.lines(*topics))
        for name, topics in _TOPICS.items()
    }
    fixed = {
        "symbols": symbols,
        "symbol": symbols,
        "interval": config.interval,
        "horizon_minutes": str(config.horizon_s // 60),
        "time": minute(max(market.now for market in markets)),
    }
    ids = {
        name: frozenset[str]().union(*(known.ids(*topics) for _, known in asked))
        for name, topics in _TOPICS.items()
    }
    ids |= {name: frozenset(quotation.ids) for name, quotation in quoted.items()}
    values = fixed | {name: text or "nothing is known" for name, text in blocks.items()}
    return _Known({name: _capped(name, text) for name, text in values.items()}, quoted, ids)


def _capped(name: str, text: str) -> str:
    most = BY_NAME[name].max_chars
    if len(text) > most:
        raise Malformed(f"{{{{{name}}}}} has {len(text)} characters; at most {most} are sent")
    return text


def _stored(
    market: Market, known: Snapshot, shown: Mapping[str, Quotation]
) -> dict[str, JsonValue]:
    """What was shown of one market, to be kept with the decision."""
    kept: dict[str, JsonValue] = {
        "at": minute(market.now),
        "interval": market.interval,
        **{fact.key: dict(fact.values) for fact in known.facts if fact.topic != "bars"},
    }
    for name, quotation in shown.items():
        kept[name] = [dict(item) for item in quotation.of(market.symbol)]
    return kept


def _hash(system: str, user: str, schema: Mapping[str, JsonValue]) -> str:
    body = json.dumps([system, user, schema], ensure_ascii=True, sort_keys=True)
    return hashlib.sha256(body.encode()).hexdigest()
