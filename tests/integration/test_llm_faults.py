"""Every way in which a model's server misbehaves, through llm-decider whole and the providers' own
libraries: what was decided, where the money is, and what the page says.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from nats.aio.msg import Msg

from gateway.domain.llm_words import explain
from llm_decider.app import build
from llm_decider.settings import Settings
from signalbox.contracts.config import (
    Budget,
    LlmConfig,
    LlmDeciderConfig,
    PromptVersion,
    TokenPrice,
)
from signalbox.contracts.events import LlmDecisionMade
from signalbox.contracts.subjects import PREFIX
from signalbox.contracts.values import Target
from signalbox.runtime.migrating import migrate
from signalbox.runtime.secrets import seal
from signalbox.testing.bodies import claude_error, completion, message, openai_error, response
from signalbox.testing.desk import Desk, desk_on, running
from signalbox.testing.examples import NOON, a_bar
from signalbox.testing.scripted import How, Script, Seen, Step, scripted
from signalbox.testing.servers import RunningNats
from signalbox.testing.wait import until, within_a_day

pytestmark = pytest.mark.integration

D = Decimal
KEY = "sk-canary-41d7a9c06e25"
LIMIT = D(50)
PROMPT = PromptVersion(
    prompt_id="p", version=1, name="P", system="Decide.", user="{{symbols}}\n{{market}}"
)
Body = dict[str, Any]
GOOD: Mapping[str, Callable[..., Body]] = {
    "responses": response,
    "chat": completion,
    "messages": message,
}
TRUNCATED: Mapping[str, Body] = {
    "responses": {
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
    },
    "chat": {"finish_reason": "length"},
    "messages": {"stop_reason": "max_tokens"},
}
REFUSED: Mapping[str, Body] = {
    "responses": {
        "output": [{"type": "message", "content": [{"type": "refusal", "refusal": "I will not."}]}]
    },
    "chat": {"message": {"content": None, "refusal": "I will not."}},
    "messages": {
        "stop_reason": "refusal",
        "content": [],
        "stop_details": {"type": "refusal", "explanation": "I will not."},
    },
}


@dataclass(frozen=True, slots=True)
class Case:
    """What the server does, and how it ends."""

    steps: Callable[[str], list[Step]]  # by wire form; the last one for ever
    outcome: str
    kind: str
    states: str  # of the attempts: settled, unknown, released
    words: str  # that the page says, among others


def say(**over: Any) -> str:
    """A buy of AAPL."""
    opinion = {
        "symbol": "AAPL",
        "data_ok": True,
        "suspicious_input": False,
        "reasoning": "The trend is up.",
        "evidence": [],
        "action": "BUY",
        "confidence": 0.7,
        "horizon_minutes": 30,
        "stop_loss": None,
        "take_profit": None,
        "invalidation": None,
    } | over
    return json.dumps({"schema_version": "1", "decisions": [opinion]})


def good(wire: str) -> Step:
    return Step(body=GOOD[wire](say()))


def always(status: int, text: str = "No.", **headers: str) -> Callable[[str], list[Step]]:
    """An error of the provider's own, again and again."""

    def steps(wire: str) -> list[Step]:
        body = claude_error("api_error", text) if wire == "messages" else openai_error(text)
        return [Step(status, body, {name.replace("_", "-"): v for name, v in headers.items()})]

    return steps


def answers(text: str) -> Callable[[str], list[Step]]:
    """A whole answer of this text."""
    return lambda wire: [Step(body=GOOD[wire](text))]


def limited(wire: str) -> list[Step]:
    return [*always(429, retry_after="1")(wire), good(wire)]


CASES: dict[str, Case] = {
    "good": Case(lambda wire: [good(wire)], "answered", "", "s", "dry run"),
    "429-wait": Case(limited, "answered", "", "rs", "dry run"),
    "429-long": Case(
        always(429, retry_after="300"), "failed", "rate_limited", "r", "limits how often"
    ),
    "429-bare": Case(always(429), "failed", "rate_limited", "rrr", "limits how often"),
    "529": Case(always(529), "failed", "overloaded", "rrr", "is overloaded"),
    "drip": Case(
        lambda wire: [Step(body=GOOD[wire](say()), how=How.DRIP)],
        "failed", "deadline", "u", "did not answer in time",
    ),
    "dropped": Case(
        lambda _: [Step(how=How.DROP_BEFORE)],
        "failed", "connection_lost", "uu", "broke off",
    ),
    "cut": Case(
        lambda wire: [Step(body=json.dumps(GOOD[wire](say())).encode()[:-9])],
        "failed", "cut_off", "uu", "arrived incomplete",
    ),
    "html": Case(
        lambda _: [Step(body=b"<html>Sign in</html>", headers={"content-type": "text/html"})],
        "failed", "not_json", "u", "perhaps a login page",
    ),
    "html-502": Case(
        lambda _: [Step(502, b"<html>Bad gateway</html>", {"content-type": "text/html"})],
        "failed", "gateway", "uuu", "answered in its place (HTTP 502)",
    ),
    "nan": Case(
        answers(say(confidence=float("nan"))),
        "invalid", "invalid", "ss", "confidence is NaN, not a finite number",
    ),
    "1e999": Case(
        answers(say().replace("0.7", "1e999")),
        "invalid", "invalid", "ss", "confidence is ",
    ),
    "symbol": Case(
        answers(say(symbol="TSLA")),
        "invalid", "invalid", "ss", "no decision on AAPL",
    ),
    "prose": Case(answers("I would buy."), "invalid", "invalid", "ss", "not pass the checks"),
    "empty": Case(answers(""), "invalid", "invalid", "ss", "The answer is empty"),
    "refusal": Case(
        lambda wire: [Step(body=GOOD[wire]() | GOOD[wire](**REFUSED[wire]))],
        "refused", "refused", "s", "I will not",
    ),
    "truncated": Case(
        lambda wire: [Step(body=GOOD[wire](say(), **TRUNCATED[wire]))],
        "truncated", "truncated", "ss", "Raise max_tokens",
    ),
    "no-usage": Case(
        lambda wire: [Step(body=GOOD[wire](say(), usage={}))],
        "answered", "", "s", "dry run",
    ),
    "wrong-key": Case(
        always(401, f"Incorrect API key provided: {KEY}."),
        "failed", "credentials", "r", "does not accept the API key. Enter a valid key",
    ),
    "retired": Case(
        always(404, f"The model has been retired for {KEY}."),
        "failed", "unknown_model", "r", "may have been retired: choose",
    ),
}  # fmt: skip
STATES = {"s": "settled", "u": "unknown", "r": "released"}
wires = pytest.mark.parametrize("wire", ["responses", "chat", "messages"])


@asynccontextmanager
async def answering(nats: RunningNats, wire: str) -> AsyncIterator[Desk]:
    """llm-decider with one model per case; the case is the first part of its server's path."""
    scripts = {name: Script([*case.steps(wire)]) for name, case in CASES.items()}

    def step(seen: Seen) -> Step:
        found = scripts[seen.path.split("/")[1]].next(seen)
        assert isinstance(found, Step)
        return found

    migrate("llm-decider", home=nats.home, url=None)
    async with desk_on(nats) as desk, scripted(step) as script:
        await market(desk)
        await desk.configure("llm-decider", await document(desk, script.url, wire))
        async with running(build(Settings(home=nats.home, nats_url=nats.url))):
            yield desk


async def market(desk: Desk) -> None:
    """Every symbol has had one bar."""
    bar = a_bar(opened_at=NOON)

    async def tell(message: Msg) -> None:
        await message.respond(
            json.dumps({"body": {"bars": [bar.model_dump(mode="json")]}}).encode()
        )

    bus = await desk.bus("market-data")
    await bus.nc.subscribe(f"{PREFIX}.cmd.market-data.bars", cb=tell)
    await desk.set_clock(bar.closed_at)


async def document(desk: Desk, url: str, wire: str) -> LlmDeciderConfig:
    """One model for each case, asked on request only."""
    public = await (await desk.bus("gateway")).bucket_get("KEYS", "llm-decider")
    assert public
    end = "" if wire == "messages" else "/v1"
    models = [
        LlmConfig(
            id=name,
            name=name,
            provider="claude" if wire == "messages" else "openai",
            wire="chat" if wire == "chat" else "responses",
            base_url=f"{url}/{name}{end}",
            key_sealed=seal(public.decode(), config_id=name, field="key", plaintext=KEY),
            target=Target.REAL,
            model="some-model",
            prompt_id="p",
            symbols=("AAPL",),
            active=False,
            deadline_s=6 if name == "drip" else 30,  # that one shall pass it, and no other
            price=TokenPrice(input_usd=D(1), output_usd=D(2)),
            budget=Budget(day_usd=LIMIT, month_usd=None),
        )
        for name in CASES
    ]
    return LlmDeciderConfig(models=tuple(models), prompts=(PROMPT,))


async def ask(desk: Desk, verb: str, **body: Any) -> Any:
    """What llm-decider answers."""
    request = "|".join([verb, *map(str, body.values())])
    return (await desk.ask("llm-decider", verb, body, request_id=request))["body"]


@wires
async def test_every_fault_ends_as_it_should(
    nats_server: RunningNats, wire: str, capfd: pytest.CaptureFixture[str]
) -> None:
    await within_a_day(90)  # budgets are read after what they paid for
    async with answering(nats_server, wire) as desk:
        asking = (ask(desk, "decide", config_id=name, dry_run=True) for name in CASES)
        asked = await asyncio.gather(*asking)
        await until(lambda: len(desk.of(LlmDecisionMade)) == len(CASES), 60)
        made = {event.data.config_id: event.data for event in desk.of(LlmDecisionMade)}
        budgets = (await ask(desk, "budgets"))["budgets"]
        purses = {one["scope"]: one for one in budgets if one["period"] == "day"}
        charged = D(0)
        for name, answer in zip(CASES, asked, strict=True):
            (decision_id,) = answer["decision_ids"].values()
            attempts = (await ask(desk, "attempts", decision_id=decision_id))["attempts"]
            _check_words(name, made[name], attempts)
            charged += _check_money(name, made[name], attempts, purses[name])
        total = purses["total"]
        assert D(total["spent_usd"]) + D(total["reserved_usd"]) == charged
        assert KEY not in repr(desk.heard)
    kept = [path.read_bytes() for path in nats_server.home.rglob("*") if path.is_file()]
    assert any(b"llm_attempts" in content for content in kept)
    assert not any(KEY.encode() in content for content in kept)
    assert KEY not in "".join(capfd.readouterr())


def _check_words(name: str, made: Any, attempts: list[Any]) -> None:
    """The outcome, apart from any action, and why in words."""
    case = CASES[name]
    states = [attempt["state"] for attempt in attempts]
    assert (name, made.outcome, made.error_kind) == (name, case.outcome, case.kind)
    assert (name, states) == (name, [STATES[one] for one in case.states])
    assert case.words in explain(made), (name, explain(made))
    assert (made.action is None) == (case.outcome != "answered"), name
    assert KEY not in json.dumps(attempts), name


def _check_money(name: str, made: Any, attempts: list[Any], purse: Body) -> Decimal:
    """What is settled is spent, what is unknown stays set aside, and nothing else is."""
    settled = sum((D(one["cost_usd"]) for one in attempts if one["state"] == "settled"), D(0))
    unknown = sum((D(one["reserved_usd"]) for one in attempts if one["state"] == "unknown"), D(0))
    found = [D(purse[f"{of}_usd"]) for of in ("spent", "reserved", "unknown", "left")]
    assert (name, found) == (name, [settled, unknown, unknown, LIMIT - settled - unknown])
    assert made.cost_usd == settled + unknown, name
    assert made.cost_is_estimated == (bool(unknown) or name == "no-usage"), name
    assert all(D(one["cost_usd"]) <= D(one["reserved_usd"]) for one in attempts), name
    return settled + unknown
