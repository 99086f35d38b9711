"""The sandbox's models, asked through the real libraries with the service's own questions."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from llm_decider.adapters.lines import Line
from llm_decider.adapters.prices import price_call
from llm_decider.adapters.providers import Addresses, Providers
from llm_decider.domain.answer import read_answer
from llm_decider.domain.costs import Priced
from llm_decider.domain.question import build_question
from llm_decider.domain.rules import RULES
from llm_decider.domain.shapes import Ask, Ending, Failure, Market, Question, Reply
from sandbox.faults import Fault, Kind
from sandbox.llm.counting import tokens
from sandbox.serving import Served, serving
from signalbox.contracts.config import LlmConfig, PromptVersion
from signalbox.testing.examples import NOON, a_bar, a_quote

KEY = "sandbox-key"
MODELS = {"responses": "gpt-6-luna", "chat": "gpt-4o-mini", "messages": "claude-haiku-5-5"}
PATHS = {
    "responses": "openai/responses",
    "chat": "openai/chat/completions",
    "messages": "anthropic/v1/messages",
}
SYMBOLS = ("AAPL", "MSFT")
MINUTE = timedelta(minutes=1)
PROMPT = PromptVersion(
    prompt_id="p", version=1, name="P", system="Decide.", user="{{symbols}}\n{{market}}\n{{news}}"
)
wires = pytest.mark.parametrize("wire", ["responses", "chat", "messages"])


class Open:
    """Opens every sealed key as itself."""

    def open(self, sealed: str, *, config_id: str, field: str) -> str:
        assert (config_id, field) == ("m", "key")
        return sealed


def config(wire: str, **over: Any) -> LlmConfig:
    given = {
        "id": "m",
        "name": "M",
        "provider": "claude" if wire == "messages" else "openai",
        "wire": "chat" if wire == "chat" else "responses",
        "target": "sandbox",
        "key_sealed": KEY,
        "model": MODELS[wire],
        "prompt_id": "p",
        "symbols": SYMBOLS,
    }
    return LlmConfig.model_validate(given | over)


def market(symbol: str, step: str, now: datetime = NOON) -> Market:
    bars = tuple(
        a_bar(
            symbol=symbol,
            interval="1m",
            opened_at=now + timedelta(minutes=at - 80),
            **dict.fromkeys(("open", "high", "low", "close"), 100 + Decimal(step) * at),
        )
        for at in range(80)
    )
    price = bars[-1].close
    quote = a_quote(symbol=symbol, bid=price - Decimal("0.01"), ask=price, at=now)
    return Market(symbol, now, "1m", bars, quote)


def question(wire: str, aapl: str = "0.1", msft: str = "-0.1") -> Question:
    markets = [market("AAPL", aapl), market("MSFT", msft)]
    return build_question(config(wire), PROMPT, markets, nonce="0" * 32)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as found:
        yield found


@pytest.fixture
async def providers(served: Served) -> AsyncIterator[Providers]:
    found = Providers(Addresses("http://127.0.0.1:1", "http://127.0.0.1:1", served.url), Open())
    yield found
    await found.close()


async def said(line: Line, wire: str, **over: Any) -> Reply | Failure:
    asked = Ask(question(wire), MODELS[wire], max_tokens=2000, timeout_s=10.0)
    return await line.ask(replace(asked, **over))


@wires
async def test_its_answer_is_a_valid_decision_that_says_what_it_is(
    wire: str, providers: Providers
) -> None:
    made, asked = config(wire), question(wire)
    found = await providers.open(made).ask(Ask(asked, made.model, 2000, 10.0))
    assert isinstance(found, Reply), found
    assert (found.ending, found.served_model) == (Ending.COMPLETE, made.model)
    judged = read_answer(found.text, asked)
    assert [(name, one.problems) for name, one in judged.items()] == [(s, ()) for s in SYMBOLS]
    decisions = json.loads(found.text)["decisions"]
    assert all("sandbox" in one["reasoning"] for one in decisions)
    for one in decisions:
        rsi = re.search(rf"{one['symbol']}\.rsi: (\S+)", asked.user)
        assert rsi is not None
        assert rsi[1] in one["reasoning"], "decided by the prompt's own numbers"
    assert [one["action"] for one in decisions] == ["SELL", "BUY"], "100 and 0 are taken to turn"


@wires
async def test_what_two_different_questions_have_in_common_is_billed_as_cached(
    wire: str, providers: Providers
) -> None:
    made = config(wire)
    line = providers.open(made)
    first = await said(line, wire)
    later = [market("AAPL", "0.3", NOON + MINUTE), market("MSFT", "-0.2", NOON + MINUTE)]
    other = build_question(made, PROMPT, later, nonce="1" * 32)
    second = await said(line, wire, question=other)
    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    assert first.usage is not None
    assert second.usage is not None
    assert first.usage.cache_read == 0
    assert second.usage.cache_read > tokens(RULES) - 128, "the rules, in whole blocks"
    assert (first.usage.cache_write_5m > 0) is (wire != "chat")
    costs = [price_call(made, used, NOON) for used in (first.usage, second.usage)]
    assert isinstance(costs[0], Priced)
    assert isinstance(costs[1], Priced)
    assert costs[1].usd < costs[0].usd, "what is found again is cheaper"


@wires
async def test_a_wrong_key_and_an_unknown_model_are_refused(
    wire: str, providers: Providers
) -> None:
    found = await said(providers.open(config(wire, key_sealed="sk-wrong-0123456789")), wire)
    assert isinstance(found, Failure)
    assert (found.kind, found.breaks) == ("credentials", True)
    assert "sk-wrong" not in found.message
    line = providers.open(config(wire))
    found = await said(line, wire, model="gone-1")
    assert isinstance(found, Failure)
    assert found.kind == "unknown_model"
    checks = [await line.check(name) for name in (MODELS[wire], "gone-1")]
    assert [check.connected for check in checks] == [True, False]
    assert MODELS[wire] in checks[1].message


@wires
async def test_a_small_limit_truncates(wire: str, providers: Providers) -> None:
    found = await said(providers.open(config(wire)), wire, max_tokens=50)
    assert isinstance(found, Reply)
    assert (found.ending, found.usage is not None) == (Ending.TRUNCATED, True)
    assert found.usage is not None
    assert found.usage.output_total == 50


async def test_settings_that_a_model_does_not_take_are_refused_as_they_are_for_real(
    providers: Providers,
) -> None:
    line = providers.open(config("chat"))
    found = await said(line, "chat", effort="low", temperature=Decimal("0.1"))
    assert isinstance(found, Reply)
    assert found.notes == ("effort is left out: gpt-4o-mini does not take this level",)


FAULTS = [
    (Kind.LIMITED, "rate_limited"),
    (Kind.QUOTA, "exhausted"),
    (Kind.REVOKED, "credentials"),
    (Kind.BROKEN, "gateway"),
    (Kind.MAINTENANCE, "gateway"),
    (Kind.DOWN, "connection_lost"),
    (Kind.LOST, "connection_lost"),
    (Kind.TRUNCATED, "cut_off"),
    (Kind.HTML, "not_json"),
    (Kind.REFUSED, Ending.REFUSED),
    (Kind.LENGTH, Ending.TRUNCATED),
    (Kind.INVALID, Ending.COMPLETE),
    (Kind.NAN, Ending.COMPLETE),
    (Kind.STRANGE, Ending.COMPLETE),
    (Kind.UNCOUNTED, Ending.COMPLETE),
]


@wires
@pytest.mark.parametrize(("kind", "expected"), FAULTS)
async def test_faults(
    wire: str, kind: Kind, expected: str, served: Served, providers: Providers
) -> None:
    served.faults.active.append(Fault(kind=kind, path=PATHS[wire], count=1, seconds=7))
    line = providers.open(config(wire))
    found = await said(line, wire)
    assert (found.kind if isinstance(found, Failure) else found.ending) == expected
    if kind is Kind.LIMITED:
        assert isinstance(found, Failure)
        assert found.retry_after_s == 7
    if kind in {Kind.INVALID, Kind.NAN, Kind.STRANGE}:
        assert isinstance(found, Reply)
        judged = read_answer(found.text, question(wire))
        assert all(one.problems for one in judged.values())
    if kind is Kind.UNCOUNTED:
        assert isinstance(found, Reply)
        assert found.usage is None
    assert isinstance(await said(line, wire), Reply), "once only"


async def test_overload_has_each_providers_own_status(served: Served, providers: Providers) -> None:
    for wire, status in (("responses", 503), ("messages", 529)):
        served.faults.active.append(Fault(kind=Kind.OVERLOADED, path=PATHS[wire], count=1))
        found = await said(providers.open(config(wire)), wire)
        assert isinstance(found, Failure)
        assert (found.status, found.retry) == (status, True)


async def test_faults_without_a_path_are_not_of_models(
    served: Served, providers: Providers
) -> None:
    served.faults.active.append(Fault(kind=Kind.BROKEN))
    assert isinstance(await said(providers.open(config("chat")), "chat"), Reply)
