"""From the text of an answer to judged decisions."""

import json
from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_decider.domain.answer import Judged, read_answer
from llm_decider.domain.rules import ACTIONS, BAND, KEYS, MAX_REASONING_CHARS, wire_schema
from llm_decider.domain.shapes import Question
from llm_decider.domain.strict_json import MAX_CHARS
from signalbox.contracts.values import Action

QUESTION = Question(
    symbols=("AAPL", "MSFT"),
    system="",
    user="",
    schema=wire_schema(("AAPL", "MSFT")),
    prices={"AAPL": D("210.50"), "MSFT": D("400")},
    evidence=frozenset({"AAPL.rsi", "MSFT.rsi", "AAPL.news.1"}),
    snapshots={},
    horizon_s=3600,
    hash="0" * 64,
)


def decision(symbol: str = "AAPL", **over: Any) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "data_ok": True,
        "suspicious_input": False,
        "reasoning": "RSI has room.",
        "evidence": ["AAPL.rsi"],
        "action": "BUY",
        "confidence": 0.62,
        "horizon_minutes": 30,
        "stop_loss": 209.5,
        "take_profit": 212.25,
        "invalidation": "A close below 209.",
    } | over


def answer(*decisions: Any, **over: Any) -> str:
    return json.dumps({"schema_version": "1", "decisions": [*decisions]} | over)


def judge(**over: Any) -> Judged:
    """What becomes of AAPL's part."""
    return read_answer(answer(decision(**over), decision("MSFT", action="HOLD")), QUESTION)["AAPL"]


def test_a_good_answer_is_taken_as_it_is() -> None:
    judged = judge()
    assert judged == Judged(
        "answered",
        action=Action.BUY,
        confidence=D("0.6200"),
        reasoning="RSI has room.",
        horizon_s=1800,
        stop=D("209.5"),
        target=D("212.25"),
        evidence=("AAPL.rsi",),
        invalidation="A close below 209.",
    )


@pytest.mark.parametrize(
    ("said", "action", "abstained"),
    [
        ("BUY", Action.BUY, False),
        ("CLOSE", Action.CLOSE, False),
        ("HOLD", Action.HOLD, False),
        ("ABSTAIN", Action.HOLD, True),
    ],
)
def test_actions_mean_what_they_say(said: str, action: Action, abstained: bool) -> None:
    judged = judge(action=said, invalidation=None)
    assert (judged.outcome, judged.action, judged.abstained) == ("answered", action, abstained)


@pytest.mark.parametrize("over", [{"data_ok": False}, {"suspicious_input": True}])
def test_a_doubt_about_the_data_becomes_an_abstention(over: dict[str, bool]) -> None:
    judged = judge(**over)
    assert (judged.outcome, judged.action, judged.abstained) == ("answered", Action.HOLD, True)
    assert judged.suspicious is ("suspicious_input" in over)
    assert (judged.stop, judged.target) == (None, None)
    assert "The model said 'BUY'" in judged.notes[0]


@pytest.mark.parametrize(
    ("over", "problem"),
    [
        ({"action": "buy"}, "action is 'buy'"),
        ({"action": None}, "action is None, not a text"),
        ({"action": ["BUY"]}, "action is a list"),
        ({"confidence": 62}, "confidence is 62, not from 0 to 1"),
        ({"confidence": -0.01}, "not from 0 to 1"),
        ({"confidence": "0.6"}, "not a finite number"),
        ({"confidence": True}, "confidence is True, not a finite number"),
        ({"confidence": float("nan")}, "confidence is NaN, not a finite number"),
        ({"confidence": None}, "not a finite number"),
        ({"horizon_minutes": 0}, "not a whole number from 1"),
        ({"horizon_minutes": 2.5}, "not a whole number from 1"),
        ({"horizon_minutes": float("inf")}, "not a finite number"),
        ({"data_ok": 1}, "data_ok is 1, neither true nor false"),
        ({"suspicious_input": "no"}, "neither true nor false"),
        ({"reasoning": 1}, "reasoning is 1, not a text"),
        ({"invalidation": []}, "invalidation is a list, not a text"),
        ({"evidence": "AAPL.rsi"}, "not a list of texts"),
        ({"evidence": [1]}, "not a list of texts"),
        ({"evidence": ["AAPL.rsi", "AAPL.news.2"]}, "names 'AAPL.news.2', which was not shown"),
        ({"evidence": ["aapl.rsi"]}, "was not shown"),
        ({"stop_loss": 210.5}, "not below the price 210.50"),
        ({"stop_loss": 211}, "not below the price 210.50"),
        ({"stop_loss": 210.499}, "not below the price 210.50"),  # after rounding
        ({"take_profit": 210}, "not above the price 210.50"),
        ({"stop_loss": 21.05}, "over 25 per cent from 210.50"),
        ({"take_profit": 2122.5}, "over 25 per cent"),
        ({"take_profit": -1}, "over 25 per cent"),
        ({"stop_loss": "209.5"}, "stop_loss is '209.5', not a finite number"),
        ({"action": "SELL"}, "not above the price"),
        ({"size": 100}, "'size' is not asked for"),
    ],
)
def test_what_does_not_fit_is_invalid_and_says_why(over: dict[str, Any], problem: str) -> None:
    judged = judge(**over)
    assert (judged.outcome, judged.action) == ("invalid", None)
    assert problem in " ".join(judged.problems)


@pytest.mark.parametrize("key", KEYS[1:])
def test_a_missing_key_is_invalid(key: str) -> None:
    part = decision()
    del part[key]
    judged = read_answer(answer(part), QUESTION)["AAPL"]
    assert f"{key} is missing." in judged.problems


@pytest.mark.parametrize(
    "text",
    [
        "",
        "BUY",
        "null",
        "[]",
        '"BUY"',
        "{",
        answer(decision()) + " I hope this helps",
        "```json\n" + answer(decision()) + "\n```",
        "Here it is: " + answer(decision()),
        answer(decision())[:-3],
        answer(decision()) * 2,
        "[" * 100_000,
        '{"a":' * 20_000,
        "<html><body>BUY</body></html>",
        answer(decision(), schema_version="2"),
        answer(decision(), schema_version=1),
        answer(decision(), extra=1),
        '{"schema_version": "1"}',
        '{"decisions": [], "decisions": [], "schema_version": "1"}',
        answer(decisions={"AAPL": decision()}),
        answer(decision(reasoning="x" * MAX_CHARS)),
    ],
)
def test_what_is_not_the_one_object_makes_every_symbol_invalid(text: str) -> None:
    judged = read_answer(text, QUESTION)
    assert [one.outcome for one in judged.values()] == ["invalid", "invalid"]
    assert all(one.problems for one in judged.values())


def test_each_symbol_stands_on_its_own() -> None:
    bad = decision("AAPL", confidence=7)
    good = decision("MSFT", stop_loss=None, take_profit=None, evidence=["MSFT.rsi"])
    stray = decision("TSLA")
    judged = read_answer(answer(stray, bad, good, "BUY"), QUESTION)
    assert judged["AAPL"].outcome == "invalid"
    assert judged["MSFT"].action is Action.BUY
    assert "'TSLA', which was not asked" in " ".join(judged["MSFT"].notes)


def test_a_symbol_that_is_missing_or_twice_there_has_no_decision() -> None:
    judged = read_answer(answer(decision(), decision()), QUESTION)
    assert judged["AAPL"].problems == ("The answer holds 2 decisions on AAPL.",)
    assert judged["MSFT"].problems == ("The answer holds no decision on MSFT.",)


def test_a_key_twice_in_one_decision_voids_that_one_alone() -> None:
    doubled = json.dumps(decision())[:-1] + ', "action": "SELL"}'
    held = json.dumps(decision("MSFT", action="HOLD"))
    text = f'{{"schema_version": "1", "decisions": [{doubled}, {held}]}}'
    judged = read_answer(text, QUESTION)
    assert judged["AAPL"].problems == ("'action' stands there twice.",)
    assert judged["MSFT"].outcome == "answered"


@pytest.mark.parametrize("number", ["1e999", "1E+999999999999999999999", "-1e999", "1" * 5000])
@pytest.mark.parametrize("key", ["confidence", "horizon_minutes", "stop_loss", "take_profit"])
def test_numbers_beyond_any_measure_do_no_harm(key: str, number: str) -> None:
    text = answer(decision() | {key: 12345}).replace("12345", number)
    judged = read_answer(text, QUESTION)["AAPL"]
    if judged.outcome == "answered":  # a horizon may be as long as it likes: it is cut
        assert (key, judged.horizon_s) == ("horizon_minutes", 3600)


def test_too_long_a_horizon_is_cut_with_a_note() -> None:
    judged = judge(horizon_minutes=600)
    assert judged.horizon_s == 3600
    assert judged.notes == ("A horizon of 600 minutes was cut to 3600 s.",)


def test_exits_are_rounded_as_the_price_is() -> None:
    judged = judge(stop_loss=209.123456)
    assert judged.stop == D("209.12")
    assert judged.notes == ("stop_loss: 209.123456 was rounded to 209.12.",)


def test_exits_without_a_trade_are_left_out() -> None:
    judged = judge(action="HOLD", stop_loss=1, take_profit=10**9)
    assert (judged.outcome, judged.stop, judged.target) == ("answered", None, None)
    assert judged.notes == ("Stop and target go with a buy or sell, so they were left out.",)


def test_words_are_cleaned_and_cut() -> None:
    judged = judge(reasoning="<b>Up</b>\u202e \ud800" + "x" * 2000 + "\0")
    assert judged.reasoning.startswith("Up x")
    assert len(judged.reasoning) <= MAX_REASONING_CHARS
    judged.reasoning.encode()
    assert "reasoning: it was cut." in judged.notes


def test_suspicion_about_one_symbol_is_told_to_the_others() -> None:
    text = answer(decision(suspicious_input=True), decision("MSFT", action="HOLD"))
    judged = read_answer(text, QUESTION)
    assert judged["AAPL"].suspicious
    assert not judged["MSFT"].suspicious
    assert "instructions in what it was shown about AAPL" in " ".join(judged["MSFT"].notes)


def within_limits(judged: Judged, price: D) -> None:
    """Nothing that may be acted on lies outside what was asked."""
    if judged.outcome == "invalid":
        assert judged.problems
        assert (judged.action, judged.stop, judged.target) == (None, None, None)
        return
    assert judged.action is not None
    assert judged.confidence is not None
    assert D(0) <= judged.confidence <= D(1)
    assert judged.horizon_s is not None
    assert 60 <= judged.horizon_s <= QUESTION.horizon_s
    assert {*judged.evidence} <= QUESTION.evidence
    if judged.suspicious:
        assert judged.abstained
    if judged.abstained:
        assert judged.action is Action.HOLD
    low, high = price * (100 - BAND) / 100, price * (100 + BAND) / 100
    below, above = judged.stop, judged.target
    if judged.action is Action.SELL:
        below, above = above, below
    assert below is None or low <= below < price
    assert above is None or price < above <= high


NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0.5, 1, 0, 30, 209, 212, 1e308, -0.0]),
    st.floats(150, 270),
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=20) | st.sampled_from(ACTIONS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=6,
)
LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "symbol": st.sampled_from(["AAPL", "MSFT", "TSLA"]),
    "data_ok": st.booleans(),
    "suspicious_input": st.booleans(),
    "action": st.sampled_from(ACTIONS),
    "confidence": NUMBERS,
    "horizon_minutes": NUMBERS,
    "stop_loss": st.none() | NUMBERS,
    "take_profit": st.none() | NUMBERS,
    "evidence": st.lists(st.sampled_from([*sorted(QUESTION.evidence), "made.up"]), max_size=20),
}
DECISIONS = st.fixed_dictionaries(
    {}, optional={key: LIKELY.get(key, st.text(max_size=20)) | ANYTHING for key in KEYS}
)
FULL = st.fixed_dictionaries({key: LIKELY.get(key, st.text(max_size=20)) for key in KEYS})


@given(st.text() | st.lists(DECISIONS | FULL | ANYTHING, max_size=4).map(lambda d: answer(*d)))
def test_any_text_whatever_gives_an_outcome_within_the_limits(text: str) -> None:
    judged = read_answer(text, QUESTION)
    assert [*judged] == ["AAPL", "MSFT"]
    for symbol, one in judged.items():
        within_limits(one, QUESTION.prices[symbol])


PRICES = st.decimals(min_value=D("1E-29"), max_value=D("1E+29"), allow_nan=False).filter(bool)


@given(FULL, PRICES)
def test_any_price_whatever_keeps_the_limits(part: dict[str, Any], price: D) -> None:
    question = replace(QUESTION, prices=dict.fromkeys(QUESTION.symbols, price))
    given_exits = {"stop_loss": float(price) * 0.99, "take_profit": float(price) * 1.01}
    for symbol, one in read_answer(answer(part | given_exits), question).items():
        within_limits(one, question.prices[symbol])


@given(st.integers(0, 10**6), st.integers(0, 255))
def test_an_answer_damaged_at_any_place_does_no_harm(place: int, byte: int) -> None:
    good = answer(decision(), decision("MSFT", action="SELL", stop_loss=410, take_profit=390))
    text = good[: place % len(good)] + chr(byte) + good[place % len(good) + 1 :]
    for symbol, one in read_answer(text, QUESTION).items():
        within_limits(one, QUESTION.prices[symbol])
