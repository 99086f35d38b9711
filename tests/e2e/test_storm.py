"""Processes are killed while signals flow: nothing is lost or done twice, and the books agree."""

import os

import pytest

from chaos.documents import Documents
from chaos.invariants import complaints
from chaos.rest import signed_in
from chaos.storm import EVERYTHING, Outcome, Plan, Storm
from chaos.system import System
from chaos.voices import voices_in
from signalbox.contracts.events import OutcomeScored
from signalbox.contracts.values import Outcome as Verdict
from tests.e2e.conftest import ADMIN_PASSWORD, OwnSystem

pytestmark = pytest.mark.e2e
SLOWEST_S = 30.0  # of a recovery; some come while several are down


async def storm(system: System, plan: Plan) -> Outcome:
    """A run on a system that is up."""
    documents = Documents()
    async with (
        voices_in(system.home) as voices,
        signed_in(lambda: system.url("gateway"), ADMIN_PASSWORD) as gateway,
    ):
        await documents.follow(voices)
        return await Storm(system, gateway, voices, documents).run(plan)


def figures(outcome: Outcome) -> str:
    """What happened, in one line."""
    evidence = outcome.evidence
    fills = sum(1 for _ in evidence.fills()) if evidence else 0
    there = len(evidence.broker.names) if evidence and evidence.broker else 0
    return (
        f"\n{len(outcome.acknowledged)} signals, {fills} fills, kills {dict(outcome.killed)},"
        f" {there} orders at the broker,"
        f" recovery p95 {outcome.p95_s:.1f} s, longest {max(outcome.recoveries_s):.1f} s,"
        f" quiet after {outcome.heal_s:.1f} s, {outcome.repeats} publishing rounds repeated"
    )


def was_real(outcome: Outcome, plan: Plan) -> None:
    """The run was about something: everybody died, most of it traded, verdicts of every kind; the
    broker, the model and the lab had work.
    """
    evidence = outcome.evidence
    assert evidence
    assert sum(outcome.killed.values()) == plan.kills
    assert set(outcome.killed) == set(plan.targets)
    assert len(outcome.acknowledged) == plan.signals
    assert sum(1 for _ in evidence.fills()) >= plan.signals / 4
    outcomes = {event.data.outcome for event in evidence.verdicts}
    assert {Verdict.ACCEPTED, Verdict.SUPPRESSED, Verdict.PENDING, Verdict.REFUSED} <= outcomes
    assert max(outcome.recoveries_s) < SLOWEST_S
    assert evidence.broker
    assert len(evidence.broker.names) >= plan.signals / 100
    assert evidence.stands_at
    assert evidence.decisions
    assert evidence.asked
    assert len(evidence.events(OutcomeScored)) >= plan.signals / 50


async def test_a_storm_of_kills_loses_and_doubles_nothing(
    own_system: OwnSystem, capsys: pytest.CaptureFixture[str]
) -> None:
    system, plan = own_system(), Plan(signals=1000, kills=20, targets=EVERYTHING, seed=7)
    system.start()
    outcome = await storm(system, plan)
    with capsys.disabled():
        os.write(1, f"{figures(outcome)}\n".encode())
    was_real(outcome, plan)
    assert outcome.evidence
    assert not complaints(outcome.evidence)
    assert "Violation" not in (system.home / "logs" / "nats-server.jsonl").read_text()


async def test_a_storm_on_postgres(
    fresh_database: str, own_system: OwnSystem, capsys: pytest.CaptureFixture[str]
) -> None:
    system = own_system(SIGNALBOX_DATABASE_URL=fresh_database)
    plan = Plan(signals=200, kills=4, targets=("decision-router", "executor"), seed=77)
    system.start()
    outcome = await storm(system, plan)
    with capsys.disabled():
        os.write(1, f"{figures(outcome)}\n".encode())
    was_real(outcome, plan)
    assert outcome.evidence
    assert not complaints(outcome.evidence)
    assert not list((system.home / "db").glob("*.sqlite")), "PostgreSQL was to hold everything"
