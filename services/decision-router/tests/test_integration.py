"""The router on a real NATS server and both databases."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from decision_router.app import Router, build_service
from decision_router.settings import Settings
from signalbox.contracts.config import RouterConfig
from signalbox.contracts.events import VerdictReached
from signalbox.contracts.ids import verdict_id
from signalbox.contracts.payloads import Signal
from signalbox.contracts.values import Action, Outcome, Reason, SourceType
from signalbox.runtime.migrating import migrate
from signalbox.testing.desk import Desk, desk_on, running
from signalbox.testing.examples import NOON, a_bot, a_signal, raised
from signalbox.testing.servers import RunningNats

pytestmark = pytest.mark.integration

BY_HAND = a_bot(id="hand", account="paper-hand", approval="manual", symbols=("MSFT",))


def waits(own_id: str) -> Signal:
    # Every word from a source of its own, so that none outdates another.
    return a_signal(own_id=own_id, source_id=own_id, symbol="MSFT")


def router(home: Path, url: str | None) -> Router:
    migrate("decision-router", home=home, url=url)
    secret = SecretStr(url) if url else None
    return build_service(Settings(home=home, database_url=secret))


async def answered(desk: Desk, verb: str, signal: Signal, request_id: str) -> Any:
    which = str(verdict_id(signal.signal_id, "hand", 0))
    body = {"verdict_id": which, "user": "admin"}
    return await desk.ask("decision-router", verb, body, request_id=request_id)


def told(made: list[VerdictReached], bot: str) -> list[tuple[int | None, Outcome, Reason]]:
    return [(e.sequence, e.data.outcome, e.data.reason) for e in made if e.data.bot == bot]


async def test_the_router_on_real_servers(
    nats_server: RunningNats, database_url: str | None
) -> None:
    approved, declined, lapsing = waits("1"), waits("2"), waits("3")
    quant = a_signal(source_type=SourceType.QUANTCONNECT, action=Action.SELL)
    config = RouterConfig(bots=(a_bot(symbols=("AAPL",)), BY_HAND))
    async with desk_on(nats_server) as desk:
        await desk.configure("decision-router", config)
        async with running(router(nats_server.home, database_url)):
            await desk.say(*map(raised, (quant, a_signal(), approved, declined, lapsing)))
            await desk.hear(VerdictReached, 10, 30)
            first = await answered(desk, "approve", approved, "r1")
            assert (first["body"]["outcome"], first["body"]["reason"]) == ("accepted", "approved")
            assert await answered(desk, "approve", approved, "r1") == first
            again = await answered(desk, "decline", approved, "r2")
            assert again["problem"]["kind"] == "Conflict"

        # What waits, and every number, survives a restart.
        async with running(router(nats_server.home, database_url)):
            await answered(desk, "decline", declined, "r3")
            await desk.set_clock(NOON + timedelta(hours=1))
            made = list(await desk.hear(VerdictReached, 13, 30))

    by_hand = [e for e in made if e.data.signal.symbol == "MSFT"]
    assert told(by_hand, "hand") == [
        (1, Outcome.PENDING, Reason.AWAITS_APPROVAL),
        (2, Outcome.PENDING, Reason.AWAITS_APPROVAL),
        (3, Outcome.PENDING, Reason.AWAITS_APPROVAL),
        (4, Outcome.ACCEPTED, Reason.APPROVED),
        (5, Outcome.DECLINED, Reason.DECLINED),
        (6, Outcome.LAPSED, Reason.LAPSED),
    ]
    automatic = [e for e in made if e.data.signal.symbol == "AAPL"]
    assert told(automatic, "alpha") == [
        (1, Outcome.ACCEPTED, Reason.LEADS),
        (2, Outcome.SUPPRESSED, Reason.HELD_BY_HIGHER),
    ]
