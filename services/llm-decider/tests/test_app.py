"""The whole service on a real server, with the sandbox's models behind the real SDKs."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nats.aio.msg import Msg

from llm_decider.app import build
from llm_decider.domain import attempts
from llm_decider.settings import Settings
from sandbox.faults import Kind
from sandbox.serving import Served, serving
from signalbox.contracts.config import Budget, LlmConfig, LlmDeciderConfig, PromptVersion
from signalbox.contracts.events import (
    AlertRaised,
    BarClosed,
    LlmDecisionMade,
    NewsPublished,
    PositionChanged,
    SignalRaised,
    StateChanged,
)
from signalbox.contracts.payloads import Bar, News, Position
from signalbox.contracts.subjects import PREFIX
from signalbox.contracts.values import Target
from signalbox.runtime.clock import wall_now
from signalbox.runtime.migrating import migrate
from signalbox.runtime.outbox import message_of
from signalbox.runtime.secrets import seal
from signalbox.testing.desk import Desk, desk_on, running
from signalbox.testing.examples import NOON, a_bar, a_signal, raised
from signalbox.testing.servers import RunningNats
from signalbox.testing.wait import until, within_a_day

pytestmark = pytest.mark.integration

D = Decimal
KEY = "sandbox-key"
PROMPT = PromptVersion(
    prompt_id="standard",
    version=1,
    name="Standard",
    system="You trade {{interval}} bars.",
    user="{{symbols}} at {{time}}.\n{{market}}\n{{bars}}\n{{position}}\n{{signals}}\n{{news}}",
)


def minute(symbol: str, number: int) -> Bar:
    """A minute of a falling price; the first hour lies before noon."""
    close = D(300) - D(number) / 2
    return a_bar(
        symbol=symbol, open=close, close=close, high=close + 1, low=close - 1,
        opened_at=NOON + timedelta(minutes=number - 60),
    )  # fmt: skip


class Place:
    """A desk that plays market-data and the gateway's configuration."""

    def __init__(self, desk: Desk, sandbox: Served) -> None:
        self.desk = desk
        self.sandbox = sandbox
        self.closed = 60  # minutes
        self.version = 0

    async def open(self) -> None:
        async def tell(message: Msg) -> None:
            body = json.loads(message.data)["body"]
            bars = [minute(body["symbol"], n) for n in range(self.closed)][-body["count"] :]
            found = [bar.model_dump(mode="json") for bar in bars]
            await message.respond(json.dumps({"body": {"bars": found}}).encode())

        market = await self.desk.bus("market-data")
        await market.nc.subscribe(f"{PREFIX}.cmd.market-data.bars", cb=tell)

    async def configure(self, *named: dict[str, Any], **over: Any) -> None:
        """Put these models in force, each with the sandbox's key."""
        public = await (await self.desk.bus("gateway")).bucket_get("KEYS", "llm-decider")
        assert public
        models = []
        for one in named:
            key = seal(public.decode(), config_id=one["id"], field="key", plaintext=KEY)
            fields: dict[str, Any] = {
                "name": one["id"], "provider": "openai", "model": "gpt-5.4-mini",
                "prompt_id": "standard", "target": Target.SANDBOX, "key_sealed": key,
                "symbols": ("AAPL",), "every": 1, "min_gap_s": 0, "cache_s": 0,
                "budget": Budget(day_usd=D(50), month_usd=None),
            }  # fmt: skip
            models.append(LlmConfig(**(fields | one)))
        self.version += 1
        document = LlmDeciderConfig(models=tuple(models), prompts=(PROMPT,), **over)
        await self.desk.configure("llm-decider", document, self.version)

    async def close_minute(self, *symbols: str) -> None:
        """The next minute of these has closed."""
        bars = [minute(symbol, self.closed) for symbol in symbols]
        self.closed += 1
        await self.desk.set_clock(bars[0].closed_at)
        events = [BarClosed.of(bar, source="market-data", time=wall_now()) for bar in bars]
        bus = await self.desk.bus("market-data")
        await bus.confirmed(await bus.send(*map(message_of, events)))  # all at once, as it does

    async def decide(self, config_id: str, request_id: str, **body: Any) -> Any:
        """What a request becomes, by symbol."""
        given = {"config_id": config_id} | body
        answer = await self.desk.ask("llm-decider", "decide", given, request_id=request_id)
        wanted = set(answer["body"]["decision_ids"].values())
        await until(lambda: wanted <= self.made, 20)
        decisions = (event.data for event in self.desk.of(LlmDecisionMade))
        return {d.symbol: d for d in decisions if str(d.decision_id) in wanted}

    @property
    def made(self) -> set[str]:
        return {str(event.data.decision_id) for event in self.desk.of(LlmDecisionMade)}


@asynccontextmanager
async def deciding(
    nats: RunningNats, home: Path, *, url: str | None = None, replicas: int = 1
) -> AsyncIterator[Place]:
    """llm-decider, active, with a market and models around it."""
    migrate("llm-decider", home=home, url=url)
    await within_a_day()  # budgets are read after what they paid for
    async with desk_on(nats) as desk, serving() as sandbox:
        place = Place(desk, sandbox)
        await place.open()
        await place.configure({"id": "demo"})
        settings = Settings(
            home=home,
            nats_url=nats.url,
            sandbox_url=sandbox.url,
            database_url=url,  # type: ignore[arg-type]  # pydantic wraps it
        )
        async with running(*(build(settings) for _ in range(replicas))):
            yield place


@pytest.fixture
async def place(nats_server: RunningNats) -> AsyncIterator[Place]:
    async with deciding(nats_server, nats_server.home) as found:
        yield found


async def test_a_bar_becomes_a_decision_and_a_signal(place: Place) -> None:
    await place.close_minute("AAPL")
    (event,) = await place.desk.hear(LlmDecisionMade)
    decision = event.data
    assert (decision.outcome, decision.action, decision.trigger) == ("answered", "buy", "bar")
    assert decision.reasoning.startswith("Answer of the sandbox's rule")
    assert (decision.served_model, decision.tokens_in > 500) == ("gpt-5.4-mini", True)
    assert 0 < decision.cost_usd < D("0.01")
    (told,) = await place.desk.hear(SignalRaised)
    assert told.data.signal_id == decision.signal_id
    assert (told.causationid, told.correlationid) == (event.id, event.correlationid)
    assert told.data.target is Target.SANDBOX
    cost = str(decision.cost_usd)
    await until(lambda: connection(place, "demo").get("cost_today_usd") == cost)
    body = connection(place, "demo")
    assert (body["connected"], body["target"], body["trouble"]) == (True, "sandbox", None)
    assert (body["calls_today"], body["tokens_today"] > 500) == (1, True)


def connection(place: Place, config_id: str) -> Any:
    """A model's connection as last told."""
    states = [e.data for e in place.desk.of(StateChanged) if e.data.kind == "connection"]
    return next((s.body for s in reversed(states) if s.id == config_id), {})


async def test_both_providers_and_every_wire_form_answer(place: Place) -> None:
    await place.configure(
        {"id": "responses"},
        {"id": "chat", "wire": "chat"},
        {"id": "claude", "provider": "claude", "model": "claude-haiku-4-5"},
    )
    for name in ("responses", "chat", "claude"):
        await until(lambda: connection(place, name).get("connected"))  # noqa: B023 - runs within the round
        decision = (await place.decide(name, name))["AAPL"]
        assert (decision.outcome, decision.action) == ("answered", "buy"), decision.error
        assert decision.cost_usd > 0


async def test_positions_and_other_sources_are_shown_when_wanted(place: Place) -> None:
    await place.configure({"id": "demo", "bot": "alpha", "show_signals": True, "every": None})
    data = Position(
        bot="alpha", account="paper", symbol="AAPL", quantity=D(7), average_price=D(250),
        realised_pnl=D(0), at=NOON, cause="fill-1",
    )  # fmt: skip
    await place.desk.say(PositionChanged.of(data, source="executor", time=wall_now()))
    valid_until = NOON + timedelta(hours=5)
    await place.desk.say(raised(a_signal(reasoning="Crossed above.", valid_until=valid_until)))

    async def shown() -> Any:
        place.version += 1
        made = await place.decide("demo", f"look-{place.version}")
        return shows(await asked(place, made["AAPL"]))

    await until(shown)


def shows(text: str) -> bool:
    return "7" in text and "Crossed above." in text


async def asked(place: Place, decision: Any) -> str:
    """The user part of what was asked."""
    body = {"decision_id": str(decision.decision_id)}
    answer = await place.desk.ask(
        "llm-decider", "attempts", body, request_id=f"a-{decision.decision_id}"
    )
    return str(answer["body"]["messages"]["user"])


async def test_commands_answer(place: Place) -> None:
    async def ask(verb: str, **body: Any) -> Any:
        place.version += 1
        return await place.desk.ask("llm-decider", verb, body, request_id=f"c{place.version}")

    tested = (await ask("test", config_id="demo"))["body"]
    assert (tested["connected"], tested["model"]["id"]) == (True, "gpt-5.4-mini")
    assert tested["left_out"] == ["temperature"]
    assert (await ask("test", config_id="none"))["problem"]["kind"] == "NotFound"
    assert (await ask("decide", config_id="demo", symbols=["XOM"]))["problem"][
        "kind"
    ] == "Malformed"
    bad = (await ask("check_prompt", system="{{news}}", user="{{symbols}} {{nope}}"))["body"]
    assert {problem["part"] for problem in bad["problems"]} == {"system", "user"}
    assert all(problem["line"] == 1 and problem["column"] for problem in bad["problems"])
    names = {one["name"] for one in (await ask("variables"))["body"]["variables"]}
    assert {"symbols", "market", "news"} <= names
    shown = (await ask("preview", prompt_id="standard", config_id="demo"))["body"]
    assert "AAPL.price" in shown["user"]
    assert 0 < D(shown["cost_usd_estimated"]) < D(shown["cost_usd_worst"])
    decision = (await place.decide("demo", "one"))["AAPL"]
    found = (await ask("attempts", decision_id=str(decision.decision_id)))["body"]
    (attempt,) = found["attempts"]
    assert (attempt["outcome"], attempt["state"]) == ("complete", "settled")
    assert D(attempt["cost_usd"]) == decision.cost_usd < D(attempt["reserved_usd"])
    assert json.loads(attempt["raw_text"])["decisions"][0]["symbol"] == "AAPL"
    budgets = (await ask("budgets"))["body"]["budgets"]
    day = next(b for b in budgets if (b["scope"], b["period"]) == ("demo", "day"))
    assert D(day["spent_usd"]) == decision.cost_usd == 50 - D(day["left_usd"])
    refused = await ask("settle", attempt_id=attempt["attempt"], cost_usd="0")
    assert refused["problem"]["kind"] == "Conflict"


async def test_an_unknown_outcome_is_settled_by_command(place: Place) -> None:
    place.sandbox.switch(Kind.LOST, path="openai/")
    decision = (await place.decide("demo", "lost"))["AAPL"]
    assert (decision.outcome, decision.error_kind) == ("failed", "connection_lost")
    assert (decision.attempts, decision.cost_is_estimated) == (2, True)
    body = {"decision_id": str(decision.decision_id)}
    found = await place.desk.ask("llm-decider", "attempts", body, request_id="x")
    open_ones = await place.desk.ask("llm-decider", "unresolved", {}, request_id="u")
    unresolved = open_ones["body"]["attempts"]
    assert {one["attempt"] for one in unresolved} == {
        one["attempt"] for one in found["body"]["attempts"]
    }
    assert unresolved[0]["decisions"] == {"AAPL": str(decision.decision_id)}
    for number, attempt in enumerate(found["body"]["attempts"]):
        assert attempt["state"] == "unknown"
        body = {"attempt_id": attempt["attempt"], "cost_usd": "0.001"}
        await place.desk.ask("llm-decider", "settle", body, request_id=f"s{number}")
    open_ones = await place.desk.ask("llm-decider", "unresolved", {}, request_id="v")
    assert open_ones["body"]["attempts"] == []
    answer = await place.desk.ask("llm-decider", "budgets", {}, request_id="y")
    for budget in answer["body"]["budgets"]:
        assert (D(budget["spent_usd"]), D(budget["reserved_usd"])) == (D("0.002"), D(0))


async def test_a_provider_that_refuses_the_key_is_told_of_and_comes_back(place: Place) -> None:
    place.sandbox.switch(Kind.REVOKED, path="openai/")
    decision = (await place.decide("demo", "one"))["AAPL"]
    assert decision.error_kind == "credentials"
    (alert,) = await place.desk.hear(AlertRaised)
    assert (alert.data.code, alert.data.about) == ("source_down", "llm:demo")
    place.sandbox.clear()
    tested = await place.desk.ask("llm-decider", "test", {"config_id": "demo"}, request_id="t")
    assert tested["body"]["connected"] is True
    assert (await place.decide("demo", "two"))["AAPL"].outcome == "answered"
    assert (await place.desk.hear(AlertRaised, 2))[1].data.active is False


async def test_a_restart_makes_no_second_call_for_a_decision_that_is_made(
    nats_server: RunningNats,
) -> None:
    async with deciding(nats_server, nats_server.home) as place:
        await place.close_minute("AAPL")
        await place.desk.hear(LlmDecisionMade)
    async with deciding(nats_server, nats_server.home) as place:
        place.closed = 60
        await place.close_minute("AAPL")  # the same bar once more
        place.sandbox.switch(Kind.BROKEN, path="openai/")  # whoever asks is noticed
        assert (await place.decide("demo", "another"))["AAPL"].outcome == "failed"
        assert len(place.made) == 1


async def test_what_was_said_while_it_was_away_is_shown(nats_server: RunningNats) -> None:
    async with desk_on(nats_server) as desk:
        live = NOON + timedelta(hours=5)
        await desk.say(raised(a_signal(reasoning="Said in between.", valid_until=live)))
        news = News(news_id="1", symbol="AAPL", headline="Old news", published_at=NOON)
        await desk.say(NewsPublished.of(news, source="market-data", time=wall_now()))
    async with deciding(nats_server, nats_server.home) as place:
        await place.configure({"id": "demo", "show_signals": True, "every": None})

        async def is_shown() -> bool:
            place.version += 1
            made = await place.decide("demo", f"look-{place.version}")
            text = await asked(place, made["AAPL"])
            return "Said in between." in text and "Old news" in text

        await until(is_shown)


async def test_a_stop_waits_for_the_answer_and_publishes_it(nats_server: RunningNats) -> None:
    async with deciding(nats_server, nats_server.home) as station:
        desk = station.desk
        station.sandbox.switch(Kind.SLOW, path="openai/responses", count=1, seconds=1)
        await desk.ask("llm-decider", "decide", {"config_id": "demo"}, request_id="slow")
        await until(lambda: not station.sandbox.faults.active)  # the model has been asked
    (event,) = desk.of(LlmDecisionMade)
    assert (event.data.outcome, event.data.cost_is_estimated) == ("answered", False)


async def test_replicas_on_postgresql_share_what_is_due(
    nats_server: RunningNats, fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "GATHER", timedelta(seconds=30))  # a bar's symbols come together
    symbols = tuple(f"S{n}" for n in range(50))
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(
            deciding(nats_server, nats_server.home, url=fresh_database, replicas=2)
        )
        await place.configure({"id": "wide", "symbols": symbols})
        await place.close_minute(*symbols)
        events = await place.desk.hear(LlmDecisionMade, 50, 30)
        assert {event.data.symbol for event in events} == set(symbols)
        assert {event.data.outcome for event in events} == {"answered"}
        calls = {event.data.call_id for event in events}
        assert len(calls) == 10  # though each replica has read some of the bar's symbols
        assert len(await place.desk.hear(SignalRaised, 50)) == 50
