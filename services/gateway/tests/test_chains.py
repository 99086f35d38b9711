"""The whole chain by the id of any of its parts."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from signalbox.contracts.assessments import OutcomeScore
from signalbox.contracts.events import OutcomeScored, VerdictReached
from signalbox.contracts.values import Outcome, Reason
from signalbox.testing.examples import NOON, a_moment, a_verdict

PARTS: dict[str, Callable[[Any], str]] = {
    "signal": lambda told: str(told.signal.signal_id),
    "verdict": lambda told: str(told.verdicts()[0].data.verdict_id),
    "order": lambda told: told.order_id,
    "fill": lambda told: told.opening().fill_id,
    "lot": lambda told: str(told.lot_id),
}


@pytest.mark.parametrize("part", PARTS)
async def test_every_part_leads_to_the_whole(
    gateway: Any, story: Callable[..., Any], part: str
) -> None:
    told = story()
    gateway.feed(*told.all(), told.exit())
    async with gateway() as web:
        chain = (await web.get(f"/api/chains/{PARTS[part](told)}")).json()
    assert chain["signal"]["id"] == str(told.signal.signal_id)
    assert {v["bot"] for v in chain["verdicts"]} == {"alpha", "beta"}
    assert [o["id"] for o in chain["orders"]] == [told.order_id]
    assert [lot["realised_pnl"] for lot in chain["lots"]] == ["98"]


async def test_an_order_without_a_signal_stands_alone_with_its_lots(
    gateway: Any, story: Callable[..., Any]
) -> None:
    told = story()
    sold = told.exit()
    gateway.feed(*told.all(), sold)
    async with gateway() as web:
        chain = (await web.get(f"/api/chains/{sold.data.order_id}")).json()
        unknown = await web.get("/api/chains/nobody")
    assert (chain["signal"], chain["verdicts"]) == (None, [])
    assert [o["id"] for o in chain["orders"]] == [sold.data.order_id]
    assert [lot["open"] for lot in chain["lots"]] == [False]
    assert unknown.status_code == 404


@pytest.mark.parametrize("part", ["signal", "verdict", "order"])
async def test_what_has_come_before_its_signal_is_shown_without_it(
    gateway: Any, story: Callable[..., Any], part: str
) -> None:
    told = story()
    gateway.feed(*told.verdicts(), *told.orders())
    signal_id = str(told.signal.signal_id)
    async with gateway() as web:
        chain = (await web.get(f"/api/chains/{PARTS[part](told)}")).json()
        signal = await web.get(f"/api/signals/{signal_id}")
    assert chain["signal"] is None
    assert [v["signal_id"] for v in chain["verdicts"]] == [signal_id] * 2
    assert [o["id"] for o in chain["orders"]] == [told.order_id]
    assert signal.status_code == 404


async def test_what_a_suppressed_signal_would_have_earned_is_shown(
    gateway: Any, story: Callable[..., Any]
) -> None:
    told = story()
    leader = story(own_id="q2", minute=1)
    passed_over = a_verdict(told.signal, outcome=Outcome.SUPPRESSED, reason=Reason.HELD_BY_HIGHER)
    gateway.feed(
        told.raised(),
        a_moment().event(VerdictReached, passed_over, cause=told.raised(), sequence=1),
        *leader.all(),
        scored(told, 3600, "211", "0.055"),
        scored(told, 300, "190", "-0.05"),
        scored(leader, 300, "201", "0.005"),
    )
    async with gateway() as web:
        chains = [
            (await web.get(f"/api/{path}")).json()
            for path in (f"signals/{told.signal.signal_id}", f"chains/{passed_over.verdict_id}")
        ]
        traded = (await web.get(f"/api/signals/{leader.signal.signal_id}")).json()
    for chain in chains:
        assert [v["outcome"] for v in chain["verdicts"]] == ["suppressed"]
        assert chain["orders"] == []
        assert chain["outcomes"] == [
            {
                "horizon_s": horizon_s,
                "entry_price": "200",
                "exit_price": price,
                "forward_return": earned,
                "at": "2026-08-03T16:00:00Z",
            }
            for horizon_s, price, earned in ((300, "190", "-0.05"), (3600, "211", "0.055"))
        ]
    assert [one["forward_return"] for one in traded["outcomes"]] == ["0.005"]


def scored(told: Any, horizon_s: int, price: str, earned: str) -> OutcomeScored:
    """What a story's signal would have earned, bought at 200 and sold after so long."""
    signal = told.signal
    score = OutcomeScore(
        signal_id=signal.signal_id,
        source_type=signal.source_type,
        source_id=signal.source_id,
        symbol=signal.symbol,
        action=signal.action,
        confidence=signal.confidence,
        horizon_s=horizon_s,
        entry_price=Decimal(200),
        exit_price=Decimal(price),
        forward_return=Decimal(earned),
        at=NOON,
    )
    return a_moment().event(OutcomeScored, score)


@pytest.mark.parametrize("path", ["signals", "chains"])
async def test_what_is_not_stored_yet_is_said_to_come(gateway: Any, path: str) -> None:
    async with gateway() as web:
        answer = await web.get(f"/api/{path}/unknown")
    assert answer.status_code == 404
    assert "usually within a second: ask again" in answer.json()["advice"]
