"""Configuration changes while signals flow: each verdict is of one version, and none is lost."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

import pytest

from chaos.documents import Documents
from chaos.evidence import Evidence, gather
from chaos.invariants import OWN_TIME, complaints
from chaos.load import add_bot
from chaos.rest import Gateway
from chaos.rules.records import nothing_was_set_aside
from chaos.streams import backlog
from chaos.voices import Voices
from decision_router.domain.replay import replay
from signalbox.contracts.events import VerdictReached
from signalbox.contracts.payloads import Signal
from signalbox.contracts.values import Action, Reason, SourceType
from signalbox.testing.wait import until

pytestmark = pytest.mark.e2e
CHANGES = 32
BURST = 10  # signals that race each change
SYMBOLS = tuple(f"CFG{n}" for n in range(6))
SOURCES = [{"source_type": "strategy"}, {"source_type": "quantconnect"}]


async def change(gateway: Gateway, number: int) -> None:
    """One of four changes in turn; each is undone by the next of its kind."""
    there = number % 8 < 4
    match number % 4:
        case 0:
            await gateway.put("/api/flags", {"strategy": not there})
        case 1:
            policy = {"thresholds": {"strategy": "0.95" if there else "0.1"}}
            await gateway.post("/api/bots", {"id": "steered", "policy": policy})
        case 2:
            await gateway.post("/api/bots", {"id": "steered", "enabled": not there})
        case _:
            listens = SOURCES if there else SOURCES[:1]
            body = {"id": "guest", "symbols": list(SYMBOLS), "sources": listens}
            await gateway.post("/api/bots", body)


def flow(voices: Voices, number: int) -> Signal:
    """The next signal; every fifth is QuantConnect's."""
    kind = SourceType.STRATEGY if number % 5 else SourceType.QUANTCONNECT
    return voices.signal(
        SYMBOLS[number % len(SYMBOLS)],
        Action.BUY if number % 3 else Action.CLOSE,
        f"cfg-{number}",
        source_type=kind,
        source_id=f"cfg-{number % 7}",
        confidence=Decimal(number % 10) / 10,
    )


async def test_every_verdict_is_of_one_version_and_none_is_lost(
    gateway: Gateway, voices: Voices, documents: Documents
) -> None:
    await add_bot(gateway, id="steered", symbols=list(SYMBOLS), sources=SOURCES)
    await voices.quote(*SYMBOLS)
    began, said = documents.newest, list[Signal]()
    for number in range(CHANGES):
        burst = [flow(voices, number * BURST + n) for n in range(BURST)]
        said += burst
        await asyncio.gather(change(gateway, number), *(voices.speak(one) for one in burst))
        await until(lambda: all_judged(voices), 60)
    await gateway.put("/api/flags", {"strategy": True})
    await until(lambda: documents.newest - began >= CHANGES, 60)
    changes = documents.newest - began
    await gateway.put("/api/market", {"speed": 0})
    ids = frozenset(signal.signal_id for signal in said)
    try:
        evidence = await gather(voices, gateway, documents, ids)
    finally:
        await gateway.put("/api/market", {"speed": 60})
    assert not complaints(evidence, leave_out=[nothing_was_set_aside, *OWN_TIME])
    mine = [v for v in evidence.verdicts if v.data.signal.signal_id in ids]
    used = Counter(event.configversion for event in mine)
    assert len(used) >= 10, f"{changes} changes, and verdicts of {len(used)} versions"
    assert {Reason.SOURCE_DISABLED, Reason.LEADS} <= {event.data.reason for event in mine}
    assert not list(reached_otherwise(evidence, documents, mine))


async def all_judged(voices: Voices) -> bool:
    """Whether the router has handled every signal, so that the next change meets new ones."""
    return "SIGNALS.decision-router" not in await backlog(await voices.bus("provision"))


def reached_otherwise(
    evidence: Evidence, documents: Documents, verdicts: list[VerdictReached]
) -> Iterator[VerdictReached]:
    """Verdicts that the version they name, and what they store, would not lead to."""
    first = {
        (e.data.signal.signal_id, e.data.bot): e for e in evidence.verdicts if not e.data.round
    }
    for event in verdicts:
        verdict, config = event.data, documents.by_version[event.configversion]
        before = first[verdict.signal.signal_id, verdict.bot] if verdict.round else None
        again = replay(verdict, config, first=before)
        if again.model_dump_json() != verdict.model_dump_json():
            yield event
