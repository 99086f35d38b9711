"""The prompt that the gateway starts with is one that llm-decider takes."""

from decimal import Decimal as D

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
from signalbox.testing.examples import NOON, a_quote, a_series

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


@pytest.mark.parametrize("step", ["-0.05", "0", "0.05"])
def test_the_sandbox_reads_it_and_its_answer_fits(step: str) -> None:
    question = build_question(CONFIG, VERSION, [market(step)], nonce="1")
    judged = read_answer(rule.answer(question.user, question.schema), question)["AAPL"]
    assert judged.outcome == "answered", judged.problems
    assert judged.evidence == ("AAPL.rsi", "AAPL.trend")
    assert not judged.abstained
