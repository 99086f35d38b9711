"""What language models answered: lists, one answer whole, and asking them now."""

import asyncio
import csv
import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from signalbox.contracts import ids
from signalbox.contracts.assessments import LlmDecision
from signalbox.contracts.errors import TransientError
from signalbox.contracts.events import LlmDecisionMade, SignalRaised, VerdictReached
from signalbox.contracts.values import Action, Outcome, Reason, SourceType, Target
from signalbox.testing.examples import a_decision, a_moment, a_signal, a_verdict
from signalbox.testing.wait import until

DECISION = "/api/ai-trading/decision"
MODEL = {
    "id": "gpt",
    "provider": "openai",
    "api_key": "k",
    "model": "a-model",
    "symbols": ["AAPL", "MSFT"],
    "target": "sandbox",
}


def made(key: str, **over: Any) -> LlmDecisionMade:
    return a_moment().event(LlmDecisionMade, a_decision(trigger_key=key, **over))


def a_minute(number: int, **over: Any) -> LlmDecisionMade:
    wall_at = a_moment().wall + timedelta(minutes=number)
    return made(f"m{number}", wall_at=wall_at, **over)


async def items(web: Any, query: str) -> list[Any]:
    answer = await web.get(f"{DECISION}{query}")
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["items"]
    return found


@pytest.fixture
def several(gateway: Any) -> Any:
    """A buy, an abstention on another symbol, a refusal, a failure of a dry run."""
    gateway.feed(
        a_minute(0, reasoning="Momentum is 100% up."),
        a_minute(1, symbol="MSFT", action=Action.HOLD, abstained=True, not_traded="abstained"),
        a_minute(2, outcome="refused", action=None, confidence=None, error="No advice."),
        a_minute(3, outcome="failed", action=None, confidence=None, dry_run=True, config_id="b"),
    )
    return gateway


@pytest.mark.parametrize(
    ("query", "minutes"),
    [
        ("", [3, 2, 1, 0]),
        ("?config=gpt", [2, 1, 0]),
        ("?symbol=MSFT", [1]),
        ("?outcome=answered", [1, 0]),
        ("?action=buy", [0]),
        ("?dry_run=true", [3]),
        ("?dry_run=false", [2, 1, 0]),
        ("?processed=false", []),
        ("?model=a-model&prompt=standard@1", [3, 2, 1, 0]),
        ("?model=other", []),
        ("?q=MOMENTUM", [3, 2, 1, 0]),
        ("?q=100%25", [0]),
        ("?q=1_0", []),
        ("?from=2026-11-20T09:01:00Z&to=2026-11-20T09:03:00Z", [2, 1]),
    ],
)
async def test_filters(several: Any, query: str, minutes: list[int]) -> None:
    async with several() as web:
        found = await items(web, query)
    assert [int(one["created_at"][14:16]) for one in found] == minutes


async def test_the_list_comes_as_a_file_too(several: Any) -> None:
    async with several() as web:
        whole = (await web.get("/api/ai-trading/decisions.csv")).text
        answer = await web.get("/api/ai-trading/decisions.csv?symbol=MSFT")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert len(list(csv.DictReader(io.StringIO(whole)))) == 4
    assert (row["symbol"], row["action"], row["abstained"]) == ("MSFT", "hold", "true")
    assert (row["not_traded"], row["cost_usd"]) == ("abstained", "0.001")


async def test_pages_walk_the_list_without_gaps_or_repeats(gateway: Any) -> None:
    gateway.feed(*(a_minute(number // 3, symbol=f"S{number}") for number in range(10)))
    seen: list[str] = []
    following: str | None = ""
    async with gateway() as web:
        while following is not None:
            page = (await web.get(f"{DECISION}?limit=3{following}")).json()
            seen += [one["symbol"] for one in page["items"]]
            following = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
    assert sorted(seen) == sorted(f"S{number}" for number in range(10))
    assert len(seen) == 10


async def test_every_answer_says_what_became_of_it(several: Any) -> None:
    async with several() as web:
        failed, refused, held, bought = await items(web, "")
    assert failed["explanation"].startswith("There was no answer")
    assert refused["explanation"].endswith("No advice.")
    assert "saw no ground for a view" in held["explanation"]
    assert (bought["cost_usd"], bought["confidence"]) == ("0.001", "0.7")
    assert {one["target"] for one in (failed, refused, held, bought)} == {"sandbox"}


async def test_an_older_answer_is_labelled_by_its_config(gateway: Any) -> None:
    gateway.feed(a_minute(0, target=None), a_minute(1, target=None, config_id="gone"))
    async with gateway() as web:
        await web.post("/api/ai-trading/config", json=MODEL)
        unknown, known = await items(web, "")
    assert (known["target"], unknown["target"]) == ("sandbox", None)


def raised(key: str = "s") -> tuple[LlmDecision, SignalRaised]:
    """A decision that became a signal, and that signal."""
    own_id = str(a_decision(trigger_key=key).decision_id)
    signal = a_signal(
        source_type=SourceType.LLM, source_id="gpt", own_id=own_id, target=Target.SANDBOX
    )
    decision = a_decision(trigger_key=key, signal_id=signal.signal_id)
    return decision, a_moment().event(SignalRaised, signal)


def judged(signal: SignalRaised, *rounds: tuple[str, Outcome]) -> Iterator[VerdictReached]:
    for number, (bot, outcome) in enumerate(rounds, 1):
        pending = outcome is Outcome.PENDING
        verdict = a_verdict(
            signal.data,
            bot=bot,
            outcome=outcome,
            reason=Reason.AWAITS_APPROVAL if pending else Reason.LEADS,
        )
        yield a_moment().event(VerdictReached, verdict, cause=signal, sequence=number)


@pytest.mark.parametrize(
    ("rounds", "processed"),
    [
        pytest.param([], False, id="no verdict yet"),
        pytest.param([("alpha", Outcome.ACCEPTED)], True, id="settled"),
        pytest.param(
            [("alpha", Outcome.ACCEPTED), ("beta", Outcome.PENDING)], False, id="one waits"
        ),
    ],
)
@pytest.mark.parametrize("first", ["decision", "verdicts"])
async def test_processed_waits_for_every_bot(
    gateway: Any, rounds: list[tuple[str, Outcome]], processed: bool, first: str
) -> None:
    decision, signal = raised()
    answer = [a_moment().event(LlmDecisionMade, decision)]
    followed = [signal, *judged(signal, *rounds)]
    for events in (answer, followed) if first == "decision" else (followed, answer):
        gateway.feed(*events)
    async with gateway() as web:
        (found,) = await items(web, "")
    assert found["processed"] is processed


async def test_one_answer_whole(gateway: Any) -> None:
    decision, signal = raised()
    gateway.feed(
        a_moment().event(LlmDecisionMade, decision),
        signal,
        *judged(signal, ("a", Outcome.ACCEPTED)),
    )
    attempt = {
        "attempt": str(ids.derive("attempt")),
        "config_id": "gpt",
        "provider": "openai",
        "model": "a-model",
        "at": "2026-11-20T09:00:00Z",
        "request_id": "",
        "outcome": "rate_limited",
        "error": "",
        "reserved_usd": "0.01",
        "number": 1,
        "latency_ms": 20.0,
        "status": 429,
        "usage": {},
        "cost_usd": "0",
        "state": "released",
        "raw_text": "",
    }
    told = {"attempts": [attempt], "messages": {"system": "s", "user": "AAPL 210.50"}}
    gateway.service.answers["llm-decider", "attempts"] = told
    async with gateway() as web:
        found = (await web.get(f"{DECISION}/{decision.decision_id}")).json()
        missing = await web.get(f"{DECISION}/{ids.derive('nothing')}")
    assert found["market_data"] == {"price": "210.50"}
    assert found["messages"]["user"] == "AAPL 210.50"
    (call,) = found["calls"]
    assert (call["attempt_id"], call["status"], call["state"]) == (
        attempt["attempt"],
        429,
        "released",
    )
    assert found["chain"]["signal"]["id"] == found["signal_id"] == str(decision.signal_id)
    assert [v["outcome"] for v in found["chain"]["verdicts"]] == ["accepted"]
    assert missing.status_code == 404


async def test_an_answer_is_shown_while_llm_decider_is_away(gateway: Any) -> None:
    gateway.feed(a_minute(0))
    gateway.service.answers["llm-decider", "attempts"] = TransientError("it is not running")
    async with gateway() as web:
        (one,) = await items(web, "")
        found = (await web.get(f"{DECISION}/{one['id']}")).json()
    assert (found["calls"], found["calls_problem"]) == (None, "it is not running")
    assert found["reasoning"] == "Momentum is up."


def answering(gateway: Any, *symbols: str, at_once: bool = True) -> dict[str, str]:
    """llm-decider takes the question; its answers come at once, or never."""
    decisions = [a_decision(trigger_key="r", symbol=s, dry_run=True) for s in symbols]

    def decide(_body: Any) -> dict[str, Any]:
        if at_once:
            gateway.feed(*(a_moment().event(LlmDecisionMade, d) for d in decisions))
        return {
            "call_ids": ["c1"],
            "decision_ids": {d.symbol: str(d.decision_id) for d in decisions},
        }

    gateway.service.answers["llm-decider", "decide"] = decide
    return {d.symbol: str(d.decision_id) for d in decisions}


async def test_asking_answers_with_the_decisions(gateway: Any) -> None:
    asked = answering(gateway, "AAPL", "MSFT")
    async with gateway("trader") as web, gateway() as admin:
        await admin.post("/api/ai-trading/config", json=MODEL)
        answer = await web.post(DECISION, json={"config_id": "gpt", "dry_run": True})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["complete"], body["pending"], body["call_ids"]) == (True, {}, ["c1"])
    assert {one["symbol"]: one["id"] for one in body["items"]} == asked
    *_, (_, _, sent, by, _) = gateway.service.asked
    assert (sent, by) == ({"config_id": "gpt", "dry_run": True, "by": "trader"}, "trader")


async def test_what_is_not_there_in_time_is_named(gateway: Any) -> None:
    asked = answering(gateway, "AAPL", at_once=False)
    async with gateway() as web:
        await web.post("/api/ai-trading/config", json=MODEL)
        body = {"config_id": "gpt", "symbols": ["AAPL"]}
        answer = await web.post(f"{DECISION}?wait_s=0", json=body)
    assert answer.status_code == 202
    assert (answer.json()["complete"], answer.json()["pending"]) == (False, asked)


async def test_an_answer_that_comes_while_one_waits_is_there(gateway: Any) -> None:
    answering(gateway, "AAPL", at_once=False)

    async def answer_later() -> None:
        await until(lambda: any(verb == "decide" for _, verb, *_ in gateway.service.asked))
        gateway.feed(made("r", dry_run=True))

    async with gateway() as web:
        await web.post("/api/ai-trading/config", json=MODEL)
        body = {"config_id": "gpt", "dry_run": True}
        answer, _ = await asyncio.gather(web.post(DECISION, json=body), answer_later())
    assert (answer.status_code, len(answer.json()["items"])) == (200, 1)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"config_id": "gone"}, 404, "no LLM config 'gone'"),
        ({"config_id": "gpt", "symbols": ["IBM"]}, 422, "IBM is not one of this config's"),
        ({"config_id": "gpt", "symbols": []}, 422, "symbols: "),
        ({"config_id": "gpt"}, 409, "switched off"),
    ],
)
async def test_questions_that_are_not_asked(
    gateway: Any, body: dict[str, Any], status: int, words: str
) -> None:
    async with gateway() as web:
        await web.post("/api/ai-trading/config", json=MODEL | {"is_active": False})
        answer = await web.post(DECISION, json=body)
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
    assert not [verb for _, verb, *_ in gateway.service.asked if verb == "decide"]


async def test_the_same_key_is_one_question(gateway: Any) -> None:
    answering(gateway, "AAPL")
    async with gateway("admin", **{"idempotency-key": "k1"}) as web:
        await web.post("/api/ai-trading/config", json=MODEL)
        for _ in range(2):
            await web.post(DECISION, json={"config_id": "gpt"})
    requests = {request for _, verb, _, _, request in gateway.service.asked if verb == "decide"}
    assert len(requests) == 1


async def test_a_models_fill_carries_its_confidence(
    gateway: Any, story: Callable[..., Any]
) -> None:
    told = story()
    done = told.orders()[-1].data
    gateway.feed(told.order(done.state, done.fill, source_type=SourceType.LLM, source_id="gpt"))
    async with gateway() as web:
        (trade,) = (await web.get("/api/trades?source_type=llm")).json()["items"]
    assert D(trade["ai_confidence"]) == done.confidence
