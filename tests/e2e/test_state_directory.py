"""What is kept survives every way of ending, and is taken up where it was."""

import sqlite3
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chaos.documents import Documents
from chaos.evidence import gather
from chaos.invariants import OWN_TIME, complaints
from chaos.load import add_bot
from chaos.rest import Gateway, signed_in
from chaos.streams import quiet, stored
from chaos.system import System
from chaos.voices import Voices, raised, voices_in
from signalbox.contracts.events import BarClosed
from signalbox.contracts.payloads import Signal
from signalbox.contracts.values import Action
from signalbox.runtime.migrating import migrate
from signalbox.runtime.moment import Outgoing
from signalbox.runtime.outbox import message_of
from signalbox.testing.wait import until, until_sync
from tests.e2e.conftest import ADMIN_PASSWORD, OwnSystem
from tests.e2e.reading import holds, judged, settled

pytestmark = pytest.mark.e2e
SOURCES = [{"source_type": "strategy"}]
BEYOND = timedelta(weeks=52)  # a loop moves market time by a week or more
MIGRATIONS = Path(__file__).parents[2] / "services/gateway/gateway/migrations/versions"
MOMENT = timedelta(minutes=1)  # of market time: a second at the demo's speed
SOON = timedelta(minutes=20)  # of market time: twenty seconds at the demo's speed


@dataclass(slots=True)
class Visit:
    """Clients of a system between two of its starts."""

    gateway: Gateway
    voices: Voices
    documents: Documents


async def visit(stack: AsyncExitStack, system: System) -> Visit:
    """Sign in and listen."""
    gateway = await stack.enter_async_context(
        signed_in(lambda: system.url("gateway"), ADMIN_PASSWORD)
    )
    voices = await stack.enter_async_context(voices_in(system.home))
    documents = Documents()
    await documents.follow(voices)
    return Visit(gateway, voices, documents)


@dataclass(slots=True)
class Story:
    """What was said before, to be said again."""

    said: list[Signal] = field(default_factory=list)

    async def wait_in_line(self, at: Visit, name: str, **over: Any) -> Any:
        """A signal that waits for a person; returns its pending verdict."""
        signal = at.voices.signal("LINE", Action.BUY, name, source_id=name, **over)
        self.said.append(signal)
        await at.voices.speak(signal)
        return await until(lambda: judged(at.gateway, signal, "patient"), 15)

    async def repeat(self, at: Visit) -> None:
        """Say everything again, under ids that the streams have not seen."""
        for signal in self.said:
            event = message_of(raised(signal, "strategy-runner"))
            again = Outgoing(f"again-{event.id}", event.subject, event.body)
            await at.voices.say("strategy-runner", [again])


async def snapshot(gateway: Gateway) -> dict[str, Any]:
    """What must be the same after a restart."""
    positions = await gateway.every("/api/positions")
    marks = {"mark_price", "unrealised_pnl"}
    waiting = await gateway.every("/api/verdicts", outcome="pending", current=True)
    return {
        "positions": [{k: v for k, v in p.items() if k not in marks} for p in positions],
        "cash": {e["bot"]: e["cash"] for e in (await gateway.get("/api/equity/now"))["items"]},
        "waiting": {v["id"]: datetime.fromisoformat(v["valid_until"]) for v in waiting},
        "orders": len(await gateway.every("/api/orders")),
        "fills": len(await gateway.every("/api/trades")),
        "bots": (await gateway.get("/api/bots"))["items"],
        "market": await gateway.get("/api/market"),
    }


async def is_as_before(gateway: Gateway, before: dict[str, Any]) -> None:
    """All the same. The gateway may have read the clock before it heard that it was stopped, and
    never shows an earlier time then; the market's own clock was a moment behind. What waited and
    ends in that moment may have lapsed, and nothing else.
    """
    now = await snapshot(gateway)
    market, was = now["market"], before["market"]
    times = [datetime.fromisoformat(one["now"]) for one in (market, was)]
    assert abs(times[0] - times[1]) < MOMENT
    assert [market[k] for k in ("epoch", "speed")] == [was[k] for k in ("epoch", "speed")]
    lapsed = dict(before["waiting"].items() - now["waiting"].items())
    assert all(abs(ends - times[1]) < MOMENT for ends in lapsed.values())
    assert {**now, "market": was, "waiting": now["waiting"] | lapsed} == before


async def approve_after_router_restart(system: System, at: Visit, story: Story) -> None:
    """A round that waits can be released after the router was killed; its order is filled."""
    waiting = await story.wait_in_line(at, "to-approve")
    assert (waiting["outcome"], waiting["reason"]) == ("pending", "awaits_approval")
    await system.kill_and_wait("decision-router")
    path = f"/api/verdicts/{waiting['id']}/approve"
    key = {"Idempotency-Key": "k1"}
    answer = await at.gateway.post(path, headers=key)
    assert (answer["outcome"], answer["reason"]) == ("accepted", "approved")
    assert await at.gateway.post(path, headers=key) == answer
    assert (await at.gateway.send("POST", path)).status_code == 409
    order = await until(lambda: settled(at.gateway, story.said[-1], "patient"), 15)
    assert order["state"] == "filled"
    verdict = await until(lambda: judged(at.gateway, story.said[-1], "patient", round_=1), 15)
    assert verdict["decided_by"] == "admin"


async def decline_after_router_restart(system: System, at: Visit, story: Story) -> None:
    """A refused one is never traded."""
    waiting = await story.wait_in_line(at, "to-decline")
    await system.kill_and_wait("decision-router")
    answer = await at.gateway.post(f"/api/verdicts/{waiting['id']}/decline")
    assert (answer["outcome"], answer["reason"]) == ("declined", "declined")
    again = await at.gateway.send("POST", f"/api/verdicts/{waiting['id']}/approve")
    assert again.status_code == 409
    assert "declined by admin" in again.json()["detail"]


async def lapse_while_the_router_is_away(system: System, at: Visit, story: Story) -> None:
    """Time runs on while nobody watches; then it is over."""
    soon = at.voices.now + SOON
    waiting = await story.wait_in_line(at, "to-lapse", valid_until=soon)
    assert waiting["outcome"] == "pending"
    pid = system.kill("decision-router")
    await until(lambda: at.voices.now > soon, 60)
    await until(lambda: system.is_back("decision-router", pid), 60)
    verdict = await until(lambda: judged(at.gateway, story.said[-1], "patient", round_=1), 30)
    assert (verdict["outcome"], verdict["reason"]) == ("lapsed", "lapsed")


async def test_approvals_and_books_survive_restarts(own_system: OwnSystem) -> None:
    system, story = own_system(), Story()
    system.start()
    async with AsyncExitStack() as stack:
        at = await visit(stack, system)
        manual: dict[str, Any] = {"id": "patient", "sources": SOURCES, "approval": "manual"}
        await add_bot(at.gateway, symbols=["LINE"], **manual)
        await add_bot(at.gateway, id="owner", symbols=["KEPT"], sources=SOURCES)
        await at.voices.quote("LINE", "KEPT")
        await approve_after_router_restart(system, at, story)
        await decline_after_router_restart(system, at, story)
        await lapse_while_the_router_is_away(system, at, story)
        story.said.append(at.voices.signal("KEPT", Action.BUY, "kept"))
        await at.voices.speak(story.said[-1])
        order = await until(lambda: settled(at.gateway, story.said[-1], "owner"), 15)
        await until(lambda: holds(at.gateway, "owner", "KEPT", order["filled"]), 10)
        waiting = await story.wait_in_line(at, "across-restarts")
        # Algorithms are asked and models think while the market's time stands still: what they
        # say now changes nothing.
        await at.gateway.put("/api/flags", {"quantconnect": False, "llm": False})
        await at.gateway.put("/api/market", {"speed": 0})
        await at.gateway.post("/api/quantconnect/signals/fetch", {})  # what they ended before that
        await quiet(await at.voices.bus("provision"))
        before = await snapshot(at.gateway)
        assert waiting["id"] in before["waiting"]
    second = system.launch()
    assert second.wait(30) == 1
    assert f"already runs on {system.home} (process" in system.log()
    assert system.stop() == 0
    assert system.programs() == {}
    await taken_up_again(system, before, story)
    system.kill_all()
    await taken_up_again(system, before, story)
    async with AsyncExitStack() as stack:
        at = await visit(stack, system)
        await at.gateway.post(f"/api/verdicts/{waiting['id']}/approve")
        order = await until(lambda: settled(at.gateway, story.said[-1], "patient"), 15)
        assert order["state"] == "filled"
        evidence = await gather(at.voices, at.gateway, at.documents)
        assert not complaints(evidence, leave_out=OWN_TIME)


async def taken_up_again(system: System, before: dict[str, Any], story: Story) -> None:
    """Start once more; everything is as before, also after all is said again."""
    system.start()
    async with AsyncExitStack() as stack:
        at = await visit(stack, system)
        await quiet(await at.voices.bus("provision"))
        await is_as_before(at.gateway, before)
        await story.repeat(at)
        await quiet(await at.voices.bus("provision"))
        await is_as_before(at.gateway, before)


async def test_a_replay_loops_and_trading_goes_on(own_system: OwnSystem) -> None:
    """Short loops: time never goes back, and each loop's signals are its own."""
    system = own_system(SIGNALBOX_REPLAY_ROWS="30", SIGNALBOX_REPLAY_SPEED="0")
    system.start()
    async with AsyncExitStack() as stack:
        at = await visit(stack, system)
        await add_bot(at.gateway, id="looper", symbols=["LOOP"], sources=SOURCES)
        said: list[Signal] = []
        while at.voices.epoch < 2:
            action = Action.SELL if len(said) % 2 else Action.BUY
            later = at.voices.now + BEYOND
            name = f"loop-{len(said)}"
            said.append(at.voices.signal("LOOP", action, name, valid_until=later))
            await at.voices.speak(said[-1])
            await until(lambda: filled(at, said[-1]), 60)
            if len(said) == 1:
                await at.gateway.put("/api/market", {"speed": 300})  # six seconds for a loop
        await at.gateway.put("/api/market", {"speed": 0})
        evidence = await gather(at.voices, at.gateway, at.documents)
        assert not complaints(evidence, leave_out=OWN_TIME)
        assert {s.epoch for s in said} >= {0, 1}
        fed = [s.data for s in evidence.signals.values() if s.data.source_id != "tester"]
        assert {s.epoch for s in fed if s.symbol == "AAPL"} >= {0, 1}
        await time_went_forward(at)


async def filled(at: Visit, signal: Signal) -> Any:
    """The order of a signal once it is filled; prices are given until then, as a loop may end."""
    await at.voices.quote("LOOP")
    order = await settled(at.gateway, signal, "looper")
    assert order is None or order["state"] == "filled"
    return order


async def time_went_forward(at: Visit) -> None:
    """Bars of a symbol follow each other over all loops; within one loop none comes twice."""
    market = await stored_bars(at)
    for opened in market.values():
        assert opened == sorted(opened)
        assert len(opened) == len(set(opened))
    assert len(market["AAPL", "1m"]) > 50


async def stored_bars(at: Visit) -> dict[tuple[str, str], list[Any]]:
    """When the bars of each symbol and interval opened, in the order of the stream."""
    found: dict[tuple[str, str], list[Any]] = {}
    for one in await stored(await at.voices.bus("reader"), "MARKET"):
        if isinstance(one.event, BarClosed):
            bar = one.event.data
            found.setdefault((bar.symbol, bar.interval), []).append(bar.opened_at)
    return found


def test_an_older_schema_is_upgraded_and_a_newer_one_refused_in_words(
    own_system: OwnSystem,
) -> None:
    system = own_system()
    for target in ("up", "down"):
        migrate("gateway", home=system.home, url=None, target=target)
    system.process = system.launch()
    *_, before, newest = sorted(path.name[:4] for path in MIGRATIONS.glob("0*.py"))
    until_sync(lambda: f"tables of gateway: {before} -> {newest}" in system.log(), 30)
    assert system.stop() == 0
    set_schema(system.home, "9999")
    assert system.launch().wait(30) == 1
    assert "the database of gateway is at schema 9999, this code knows none newer" in system.log()


def set_schema(home: Path, version: str) -> None:
    """Pretend that other code has been here."""
    with closing(sqlite3.connect(home / "db" / "gateway.sqlite")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = ?", [version])
