"""Whether sources are right as often as they say, as the REST interface answers it."""

from datetime import timedelta
from typing import Any

import pytest

from signalbox.contracts import ids
from signalbox.contracts.assessments import OutcomeScore
from signalbox.contracts.events import Event, LlmDecisionMade, OutcomeScored
from signalbox.contracts.values import Action, SourceType, Target
from signalbox.testing.examples import NOON, D, a_decision, a_moment

PATH = "/api/calibration"


def score(source: str, key: str, moved: str, **over: Any) -> OutcomeScored:
    """What came of one word of a source; `llm:gpt` is a language model."""
    kind, _, name = source.partition(":")
    fields: dict[str, Any] = {
        "signal_id": ids.signal_id(kind, name, key),
        "source_type": SourceType(kind),
        "source_id": name,
        "symbol": "AAPL",
        "action": Action.BUY,
        "confidence": D("0.7"),
        "horizon_s": 3600,
        "entry_price": D(200),
        "exit_price": D(201),
        "forward_return": D(moved),
        "at": NOON,
    }
    return a_moment().event(OutcomeScored, OutcomeScore(**(fields | over)))


def answer(key: str, **over: Any) -> LlmDecisionMade:
    """The decision behind a word of `llm:gpt`."""
    signal_id = ids.signal_id("llm", "gpt", key)
    made = a_decision(trigger_key=key, signal_id=signal_id, **over)
    return a_moment().event(LlmDecisionMade, made)


@pytest.fixture
def scored(gateway: Any) -> Any:
    """Three words of a model, one of them by another one, and two of a strategy."""
    later = {"at": NOON + timedelta(days=1), "symbol": "MSFT"}
    events: list[Event] = [
        score("llm:gpt", "a", "0.02"),
        score("llm:gpt", "b", "-0.01"),
        score("llm:gpt", "c", "0.01", **later),
        score("strategy:sma", "d", "0"),
        score("strategy:sma", "e", "0.03", action=Action.SELL),
        score("strategy:sma", "f", "0.03", action=Action.CLOSE),
        answer("a"),
        answer("b"),
        answer("c", model="b-model", prompt_version="standard@2", target=Target.REAL),
    ]
    gateway.feed(*events)
    return gateway


@pytest.mark.parametrize(
    ("query", "shares"),
    [
        ("", {("llm", "gpt"): (3, 2), ("strategy", "sma"): (2, 1)}),
        ("?by=symbol", {(None, "AAPL"): (4, 2), (None, "MSFT"): (1, 1)}),
        ("?by=model", {(None, "a-model"): (2, 1), (None, "b-model"): (1, 1)}),
        ("?by=prompt", {(None, "standard@1"): (2, 1), (None, "standard@2"): (1, 1)}),
        ("?source_type=strategy", {("strategy", "sma"): (2, 1)}),
        ("?source_id=gpt&symbol=MSFT", {("llm", "gpt"): (1, 1)}),
        ("?model=b-model", {("llm", "gpt"): (1, 1)}),
        ("?prompt=standard@1", {("llm", "gpt"): (2, 1)}),
        ("?by=model&target=real", {(None, "b-model"): (1, 1)}),
        ("?from=2026-08-04T00:00:00Z", {("llm", "gpt"): (1, 1)}),
        ("?to=2026-08-01T00:00:00Z", {}),
    ],
)
async def test_who_is_judged_by_what(
    scored: Any, query: str, shares: dict[tuple[str | None, str], tuple[int, int]]
) -> None:
    async with scored() as web:
        response = await web.get(f"{PATH}{query}")
    assert response.status_code == 200, response.text
    found = {
        (one["source_type"], one["key"]): (one["share"]["count"], one["share"]["hits"])
        for one in response.json()["items"]
    }
    assert found == shares


async def test_few_scores_show_counts_and_no_curve(scored: Any) -> None:
    async with scored() as web:
        first, _ = (await web.get(PATH)).json()["items"]
    assert (first["share"]["hit_rate"], first["mean_return"]) == ("0.6667", "0.006667")
    assert (first["missing"], first["brier"], first["bins"]) == (197, None, [])


async def test_many_scores_show_the_curve(gateway: Any) -> None:
    """Half of them are sure and always wrong, half are unsure and right one time in two."""
    sure = [score("strategy:s", f"s{n}", "-0.01", confidence=D("0.9")) for n in range(100)]
    unsure = [
        score("strategy:s", f"u{n}", "0.01" if n % 2 else "-0.01", confidence=D("0.5"))
        for n in range(100)
    ]
    gateway.feed(*sure, *unsure)
    async with gateway() as web:
        (one,) = (await web.get(PATH)).json()["items"]
    assert (one["missing"], one["share"]["hit_rate"], one["brier"]) == (0, "0.25", "0.53")
    curve = [(b["mean_confidence"], b["share"]["hit_rate"]) for b in one["bins"]]
    assert curve == [("0.5", "0.5"), ("0.9", "0")]
    assert one["expected_error"] == "0.45"
    assert one["brier_skill"].startswith("-")
