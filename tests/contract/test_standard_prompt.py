"""The prompt that the gateway starts with is one that llm-decider takes."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path

import pytest

from gateway.domain import standard_prompt
from llm_decider.domain import templates
from llm_decider.domain.answer import read_answer
from llm_decider.domain.preview import LEAST_CACHED, preview
from llm_decider.domain.question import build_question
from llm_decider.domain.rules import RULES
from llm_decider.domain.shapes import Market
from sandbox.llm import rule
from signalbox.contracts.config import LlmConfig, PromptVersion
from signalbox.contracts.payloads import News
from signalbox.testing.examples import NOON, a_quote, a_series, a_signal

PAGE = Path(__file__).parents[2] / "docs" / "llm-trading.md"
MINUTE = timedelta(minutes=1)
CONFIG = LlmConfig(
    id="demo",
    name="Demo",
    provider="claude",
    key_sealed="sealed",
    model="some-model",
    prompt_id=standard_prompt.ID,
    symbols=("AAPL",),
    bot="alpha",
    show_signals=True,
)


VERSION = PromptVersion(
    prompt_id=standard_prompt.ID,
    version=1,
    name=standard_prompt.NAME,
    system=standard_prompt.SYSTEM,
    user=standard_prompt.USER,
)


def market(step: str = "0") -> Market:
    """Two hours of small swings around a line with this rise a minute."""
    bars = a_series(*(D(200) + D(n % 9) / 10 + n * D(step) for n in range(120)))
    return Market("AAPL", NOON, "1m", bars, quote=a_quote(bid=D(200), ask=D("200.1")))


def test_the_standard_prompt_has_no_problem_and_renders() -> None:
    assert templates.check(standard_prompt.SYSTEM, standard_prompt.USER) == ()
    shown = preview(CONFIG, VERSION, [market()], nonce="1")
    assert shown.warnings == ()
    assert "AAPL.macd: macd" in shown.question.user
    assert "{{" not in shown.question.system + shown.question.user


def test_its_beginning_is_long_enough_to_be_reused() -> None:
    assert len((RULES + standard_prompt.SYSTEM).encode()) / 4.4 > LEAST_CACHED


def size(symbols: int, *, talk: int = 0) -> int:
    """Tokens of a call about so many symbols, with so many headlines and signals about each, all
    longer than what is shown of them.
    """
    markets = []
    for name in (f"SYM{number}" for number in range(symbols)):
        news = [
            News(
                news_id=f"{n}",
                symbol=name,
                headline="Shares gain 3.2% " * 20,
                summary="Revenue was 12.5 billion. " * 40,
                published_at=NOON - n * MINUTE,
            )
            for n in range(talk)
        ]
        words = "The trend is up 3.2% in 20 bars. " * 30
        said = [a_signal(symbol=name, own_id=f"{n}", reasoning=words) for n in range(talk)]
        markets.append(replace(market(), symbol=name, news=(*news,), signals=(*said,)))
    return preview(CONFIG, VERSION, markets, nonce="1").tokens_estimated


def stated(before: str) -> int:
    """The figure that the documentation gives right after these words."""
    found = re.search(rf"{before} ([\d,]+)", " ".join(PAGE.read_text(encoding="utf-8").split()))
    assert found, f"{PAGE.name} no longer says '{before}'"
    return int(found[1].replace(",", ""))


def test_its_size_is_bounded_and_what_the_docs_say() -> None:
    one, ten, full = stated("one symbol is about"), stated("adds about"), stated("stay below")
    assert 0.75 * one <= size(1) <= one
    assert 0.75 * ten <= (size(10) - size(1)) / 9 <= ten
    assert 0.75 * full <= size(10, talk=50) <= full


@pytest.mark.parametrize("step", ["-0.05", "0", "0.05"])
def test_the_sandbox_reads_it_and_its_answer_fits(step: str) -> None:
    question = build_question(CONFIG, VERSION, [market(step)], nonce="1")
    judged = read_answer(rule.answer(question.user, question.schema), question)["AAPL"]
    assert judged.outcome == "answered", judged.problems
    assert judged.evidence == ("AAPL.rsi", "AAPL.trend")
    assert not judged.abstained
