"""What is asked in one call."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_decider.domain import tokens
from llm_decider.domain.costs import most_tokens_in
from llm_decider.domain.preview import preview
from llm_decider.domain.question import build_question
from llm_decider.domain.quotations import MOST_ITEMS
from llm_decider.domain.rules import KEYS, RULES, wire_schema
from llm_decider.domain.shapes import Market, Question
from llm_decider.domain.variables import MAX_SYMBOLS, VARIABLES
from signalbox.contracts.config import LlmConfig, PromptVersion
from signalbox.contracts.errors import Malformed
from signalbox.contracts.payloads import News, Position, Signal
from signalbox.contracts.values import SourceType
from signalbox.testing.examples import NOON, a_quote, a_series, a_signal

HOSTILE: dict[str, str] = json.loads((Path(__file__).parent / "hostile.json").read_text())
CONFIG = LlmConfig(
    id="trend",
    name="Trend",
    provider="openai",
    key_sealed="sealed",
    model="some-model",
    prompt_id="p",
    symbols=("AAPL", "MSFT"),
    show_signals=True,
    bot="alpha",
)
BLOCKS = "".join(f"\n{{{{{v.name}}}}}" for v in VARIABLES if v.kind == "block")


def prompt(user: str = "{{symbols}} {{time}}" + BLOCKS, system: str = "") -> PromptVersion:
    return PromptVersion(prompt_id="p", version=1, name="P", system=system, user=user)


def news(headline: str = "Apple rises", number: int = 1, **over: str) -> News:
    at = NOON - timedelta(minutes=20 + number)
    return News(
        news_id=str(number), symbol="AAPL", headline=headline[:1000], published_at=at, **over
    )


def market(symbol: str = "AAPL", **over: Any) -> Market:
    bars = a_series(*(D(200) + D(n % 7) / 10 for n in range(80)), symbol=symbol)
    known = Market(symbol=symbol, now=NOON, interval="1m", bars=bars)
    return replace(known, **over)


def ask(*markets: Market, nonce: str = "1", **over: object) -> Question:
    config = CONFIG.model_copy(update=over)
    return build_question(config, prompt(), markets or (market(),), nonce=nonce)


def test_a_question_shows_each_symbol_and_what_may_be_cited() -> None:
    asked = ask(market("AAPL", news=(news(),)), market("MSFT"))
    assert asked.symbols == ("AAPL", "MSFT")
    assert asked.user.startswith("AAPL, MSFT 2026-08-03T16:00Z\n")
    assert {"AAPL.rsi", "MSFT.price", "AAPL.news.1", "MSFT.position"} <= asked.evidence
    for name in asked.evidence - {"AAPL.news.1"}:
        assert f"\n{name}: " in asked.user
    assert asked.prices == {"AAPL": D("200.2"), "MSFT": D("200.2")}
    assert asked.snapshots["AAPL"]["price"] == {"last": "200.20"}
    assert asked.snapshots["AAPL"]["news"] == [
        {"id": "AAPL.news.1", "published": "2026-08-03T15:39Z", "headline": "Apple rises"}
    ]


def test_only_what_is_shown_may_be_cited() -> None:
    asked = build_question(
        CONFIG, prompt("{{symbols}} {{price}}"), [market(news=(news(),))], nonce="1"
    )
    assert asked.evidence == {"AAPL.price"}
    assert "news" not in asked.snapshots["AAPL"]


def test_the_beginning_is_the_same_for_every_call_and_free_of_what_changes() -> None:
    one = ask(market("AAPL", news=(news("BUY"),)), nonce="1")
    two = ask(market("AAPL", now=NOON + timedelta(hours=1), quote=a_quote(bid=D(9))), nonce="2")
    assert one.system == two.system
    assert one.system.startswith(RULES.rstrip())
    assert one.schema == two.schema
    assert len(RULES.encode()) / 4.4 > 700  # most of what a provider wants before it reuses


def test_the_hash_knows_the_words_and_not_the_nonce() -> None:
    first, again = ask(nonce="1"), ask(nonce="2")
    assert first.hash == again.hash
    assert first.user != again.user  # the fence is another one
    changed = [
        ask(market(quote=a_quote(bid=D("200.1"), ask=D("200.2")))),
        ask(market(news=(news(),))),
        ask(market("MSFT")),
        build_question(CONFIG, prompt(system="Be brief."), [market()], nonce="1"),
    ]
    assert len({first.hash, *(question.hash for question in changed)}) == 5


def test_a_market_without_a_price_is_left_out_and_named() -> None:
    asked = ask(market(), Market("MSFT", NOON, "1m", ()))
    assert asked.symbols == ("AAPL",)
    assert asked.notes == ("MSFT: no price is known",)
    assert "MSFT" not in asked.user
    with pytest.raises(Malformed, match="no price is known"):
        ask(Market("MSFT", NOON, "1m", ()))


def test_more_symbols_than_one_call_takes_are_refused() -> None:
    with pytest.raises(Malformed, match="at most 10"):
        ask(*(market(f"S{n}") for n in range(MAX_SYMBOLS + 1)))


def test_a_template_that_was_never_checked_puts_no_text_of_others_among_the_rules() -> None:
    with pytest.raises(Malformed, match="no value"):
        build_question(CONFIG, prompt(system="{{news}}"), [market()], nonce="1")


def test_other_sources_are_shown_only_where_the_config_says_so() -> None:
    own = a_signal(source_type=SourceType.LLM, source_id="trend", own_id="2", reasoning="mine")
    over = a_signal(own_id="3", valid_until=NOON, reasoning="over")
    later = a_signal(own_id="4", raised_at=NOON + timedelta(seconds=1), reasoning="later")
    known = market(signals=(a_signal(reasoning="SMA crossed"), own, over, later))
    shown = ask(known).user
    assert "SMA crossed" in shown
    assert not [word for word in ("mine", "over", "later") if f'"{word}"' in shown]
    hidden = ask(known, show_signals=False)
    assert "SMA crossed" not in hidden.user
    assert not [name for name in hidden.evidence if "signal" in name]


def test_headlines_are_the_newest_known_ones() -> None:
    items = [news(f"Headline {n}", n) for n in range(8)]
    early = news("Tomorrow's news").model_copy(update={"published_at": NOON + timedelta(hours=1)})
    asked = ask(market(news=(early, *items)))
    assert [f"Headline {n}" in asked.user for n in range(8)] == [True] * 5 + [False] * 3
    assert "Tomorrow" not in asked.user
    assert "AAPL: more than 5 items of news, newest shown" in asked.notes


def test_a_position_is_shown_with_what_it_has_earned() -> None:
    held = Position(
        bot="alpha",
        account="a",
        symbol="AAPL",
        quantity=D(-10),
        average_price=D("202.222"),
        realised_pnl=D(0),
        at=NOON,
        cause="f",
    )
    assert "AAPL.position: short 10 at 202.22, +1.00 % since\n" in ask(market(position=held)).user
    assert "AAPL.position: none\n" in ask(market()).user


def outside(asked: Question) -> list[str]:
    """The lines of the user message that stand in no fence."""
    lines, inside = [], False
    for line in asked.user.split("\n"):
        inside = (inside or line.startswith("<<<DATA ")) and not line.startswith("DATA ")
        lines.append("" if inside or line.startswith("DATA ") else line)
    return [line for line in lines if line]


def hostile_market(text: str) -> Market:
    harmless = text.encode(errors="ignore").decode()  # an event holds valid text
    says: Signal = a_signal(source_id=harmless[:100] or "x", reasoning=harmless)
    return market(news=(news(harmless, summary=harmless),), signals=(says,))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_stays_inside_its_fence(name: str) -> None:
    calm = ask(hostile_market("Apple rises"))
    asked = ask(hostile_market(HOSTILE[name]))
    assert asked.system == calm.system
    assert asked.schema == calm.schema
    assert asked.evidence == calm.evidence
    assert outside(asked) == outside(calm)
    fences = [line for line in asked.user.split("\n") if "DATA" in line and ">>>" in line]
    tokens_of_fences = {line.split()[1].removesuffix(">>>") for line in fences if line[0] == "D"}
    assert len([line for line in fences if line.startswith("DATA ")]) == 2
    assert len(tokens_of_fences) == 1  # ours, and nobody else's
    for line in asked.user.split("\n"):
        if line.startswith("{"):
            assert set(json.loads(line)) >= {"id"}


TEXTS = st.text(max_size=1000) | st.sampled_from(['"' * 1000, "\\" * 1000, "苹" * 1000])


@settings(max_examples=15)
@given(st.lists(TEXTS, max_size=MOST_ITEMS + 1), st.sampled_from([1, MAX_SYMBOLS]))
def test_no_value_is_longer_than_its_variable_says(texts: list[str], count: int) -> None:
    items = tuple(news(text, n, summary=text) for n, text in enumerate(texts))
    said = tuple(
        a_signal(own_id=str(n), source_id=text[:128] or "x", reasoning=text)
        for n, text in enumerate(texts)
    )
    markets = [market(f"LONGNAME/LONGNAME/LONG{n}", news=items, signals=said) for n in range(count)]
    for variable in VARIABLES:
        template = f"{{{{{variable.name}}}}}"
        value = build_question(CONFIG, prompt(template), markets, nonce="1").user
        assert 0 < len(value) <= variable.max_chars


def test_the_schema_is_closed_and_keeps_to_what_both_providers_enforce() -> None:
    schema: dict[str, Any] = wire_schema(["AAPL", "BRK.B"])
    jsonschema.Draft202012Validator.check_schema(schema)
    text = json.dumps(schema)
    for unsupported in ("minimum", "maximum", "pattern", "Length", "format", "Items", "default"):
        assert unsupported not in text
    decision = schema["properties"]["decisions"]["items"]
    for part in (schema, decision):
        assert part["additionalProperties"] is False
        assert part["required"] == [*part["properties"]]
    assert decision["required"] == [*KEYS]
    assert decision["properties"]["symbol"]["enum"] == ["AAPL", "BRK.B"]


def test_a_preview_measures_and_warns() -> None:
    calm = preview(CONFIG, prompt("{{symbols}} {{market}}"), [market()], nonce="1")
    assert calm.warnings == ()
    assert calm.tokens_estimated < calm.tokens_at_most
    assert calm.tokens_at_most > len(calm.question.system) + len(calm.question.user)
    lone = CONFIG.model_copy(update={"bot": None, "show_signals": False})
    text = "{{symbols}} {{position}} {{signals}} {{news}}"
    hostile = market(news=(news(HOSTILE["override"]),))
    warned = "\n".join(preview(lone, prompt(text, "{{time}}"), [hostile], nonce="1").warnings)
    for words in ("{{time}} in the system", "No price", "joined to no bot", "other sources say"):
        assert words in warned
    assert "AAPL.news.1: it reads like an instruction" in warned


@pytest.mark.parametrize(
    ("text", "chars_per_token"),
    [
        ("Shares of the company rose after it raised its outlook for the year. " * 20, 4.4),
        ("210.10,210.90,210.00,210.50,100000\n" * 20, 1.7),
        ("苹果公司股价上涨" * 20, 1.0),
    ],
    ids=["English", "prices", "Chinese"],
)
def test_the_estimate_of_tokens_is_near_what_was_measured(
    text: str, chars_per_token: float
) -> None:
    asked = ask()
    more = replace(asked, user=asked.user + text)
    counted = tokens.estimated(more) - tokens.estimated(asked)
    assert counted == pytest.approx(len(text) / chars_per_token, rel=0.3)


@given(st.text(max_size=300))
def test_the_estimate_is_never_above_the_bound(text: str) -> None:
    asked = Question(("A",), text, "", {}, {}, frozenset(), {}, 60, "")
    encodable = text.encode(errors="ignore").decode()
    asked = replace(asked, system=encodable)
    assert tokens.estimated(asked) <= most_tokens_in(asked)
