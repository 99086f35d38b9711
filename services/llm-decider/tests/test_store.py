"""The same promises on SQLite and on PostgreSQL."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from llm_decider.adapters import ledger, store
from llm_decider.adapters.store import Lease
from llm_decider.domain.attempts import Intent, State
from llm_decider.domain.shapes import Booking, Failure
from llm_decider.domain.triggers import decision_id
from signalbox.contracts.errors import Malformed
from signalbox.contracts.payloads import Position

pytestmark = pytest.mark.integration

Station = Any
D = Decimal
COST = D("0.0012")


async def test_a_bar_is_asked_about_once_by_one_replica(stored: Station) -> None:
    symbols = tuple(f"S{n}" for n in range(6))
    stored.configure(stored.config(symbols=symbols, cache_s=300))
    await stored.close_bars(*symbols)
    for process in (stored.process(), stored.process()):
        await process.work()
    assert {one.symbol for one in stored.decisions} == set(symbols)
    assert len(stored.model().asks) == 2
    assert sum(one.cost_usd for one in stored.decisions) == COST * 2
    assert (await stored.purse()).spent == COST * 2
    assert len(await stored.rows("cache")) == 2
    assert await stored.rows("intents") == []
    assert all(call.done for call in await stored.rows("calls"))


async def test_what_a_dead_replica_held_is_taken_up_when_its_lease_ends(stored: Station) -> None:
    await stored.killed()
    other = stored.process()
    stored.pass_time(9)
    await other.work()
    assert stored.decisions == []
    stored.pass_time(2)
    await other.work()
    (decision,) = stored.decisions
    assert (decision.outcome, decision.attempts) == ("answered", 2)
    purse = await stored.purse()
    assert purse.held + purse.spent == decision.cost_usd


@pytest.mark.parametrize(
    "text", ["\0", "\ud800", '{"a": "\\ud800"}', "\x1b[0m" + "x" * 70_000, "NaN", "[]", ""]
)
async def test_any_text_of_a_model_is_kept_and_decides_nothing(stored: Station, text: str) -> None:
    odd = stored.answer(text=text, served_model=text, request_id=text, detail=text)
    decision = (await stored.decide(odd, odd))["AAPL"]
    assert (decision.outcome, decision.action) == ("invalid", None)
    assert decision.cost_usd == COST * 2
    process = stored.process()
    found = await process.command("attempts", decision_id=str(decision.decision_id))
    assert len(found["attempts"]) == 2


async def test_calls_of_unknown_cost_are_read_in_pages_and_nobody_waits(stored: Station) -> None:
    process = stored.process()
    for pause_s in (0, 61, 61, 61, 61):  # two begin at the same time
        thinking, _ = await stored.killed()
        stored.pass_time(pause_s)
        await process.work()
        thinking.cancel()
    known = {one.call_id: str(one.decision_id) for one in stored.decisions}
    attempts = sorted(await stored.rows("llm_attempts"), key=lambda a: (a.at, a.attempt_id))
    assert attempts[0].at == attempts[1].at
    stored.host.write = None  # nothing is written
    pages: list[list[dict[str, Any]]] = []
    after = None
    while not pages or after:
        page = await process.command("unresolved", limit=2, after=after)
        pages.append(page["attempts"])
        after = page["next"]
    found = [one for page in pages for one in page]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [one["attempt"] for one in found] == [a.attempt_id for a in reversed(attempts)]
    assert [one["decisions"] for one in found] == [
        {"AAPL": known[UUID(a.call_id)]} for a in reversed(attempts)
    ]
    assert "raw_text" not in found[0]
    assert (await process.command("unresolved"))["next"] is None


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"limit": 201}, {"limit": "5"}, {"after": []}, {"after": [1 << 63, ""]}]
)
async def test_a_page_that_makes_no_sense(stored: Station, wrong: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        await stored.process().command("unresolved", **wrong)


async def test_counts_that_no_call_can_have_are_not_believed(stored: Station) -> None:
    huge = stored.usage(input_total=10**40, output_total=1)
    decision = (await stored.decide(stored.answer(stored.opinion("AAPL"), usage=huge)))["AAPL"]
    assert (decision.outcome, decision.cost_is_estimated) == ("answered", True)
    assert decision.cost_usd < 1


async def test_old_calls_are_forgotten_and_their_cost_is_not(stored: Station) -> None:
    await stored.decide()
    thinking, _ = await stored.killed()
    later = stored.host.wall + timedelta(days=1)
    await stored.host.write(lambda sql, _moment: store.forget(sql, later, timedelta(0)))
    assert len(await stored.rows("calls")) == len(await stored.rows("decisions")) == 1
    assert len(await stored.rows("llm_attempts")) == 1
    assert (await stored.purse()).spent == COST
    thinking.cancel()


async def test_what_somebody_may_still_settle_is_kept_until_its_month_is_over(
    stored: Station,
) -> None:
    lost = Failure("connection_lost", "It is lost.", Booking.HOLD)
    await stored.decide(lost)
    for last, kept in ((30, True), (31, False)):  # of a call on the 20th of November
        later = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=last, seconds=-1)
        await stored.host.write(lambda sql, _moment: store.forget(sql, later, timedelta(days=1)))  # noqa: B023 - runs within the round
        told = await stored.process().command("unresolved")
        assert (len(told["attempts"]), len(await stored.rows("calls"))) == (kept, kept)
    (month,) = await stored.rows("purses", scope="total", period="month")
    assert month.held > 0


async def test_of_two_words_about_a_position_the_newer_one_stands(stored: Station) -> None:
    def position(quantity: int, seconds: int) -> Position:
        at = stored.host.now + timedelta(seconds=seconds)
        return Position(
            bot="alpha", account="a", symbol="AAPL", quantity=D(quantity), realised_pnl=D(0),
            at=at, cause=str(quantity),
        )  # fmt: skip

    for quantity, seconds in ((1, 0), (2, 5), (3, 1)):
        heard = [position(quantity, seconds)]
        await stored.host.write(lambda sql, _moment: store.save_positions(sql, heard))  # noqa: B023 - runs within the round
    found = await stored.host.write(
        lambda sql, _moment: store.load_positions(sql, "alpha", ["AAPL"])
    )
    assert found["AAPL"].quantity == 2


async def test_an_intent_whose_decision_was_made_is_not_taken_again(stored: Station) -> None:
    await stored.close_bars("AAPL")
    await stored.process().work()
    (made,) = stored.decisions
    (call,) = await stored.rows("calls")
    intent = Intent(
        made.decision_id, "demo", "AAPL", "bar", call.trigger_key, stored.host.now, 1,
        stored.host.wall,
    )  # fmt: skip
    assert decision_id("demo", call.trigger_key, "AAPL") == made.decision_id
    await stored.host.write(lambda sql, _moment: store.add_intents(sql, [intent]))
    assert await stored.rows("intents") == []


async def test_a_lease_is_renewed_by_its_holder_alone(stored: Station) -> None:
    thinking, _ = await stored.killed()
    (call,) = await stored.rows("calls")
    (attempt,) = await stored.host.write(
        lambda sql, _moment: ledger.attempts_of(sql, UUID(call.call_id))
    )
    assert attempt.state is State.STARTED
    for holder, moved in (("somebody", False), (call.holder, True)):
        lease = Lease(holder, stored.host.wall, timedelta(hours=1))
        await stored.host.write(
            lambda sql, _moment: store.renew_leases(sql, [attempt.call_id], lease)  # noqa: B023 - as above
        )
        (now,) = await stored.rows("calls")
        assert (now.leased_until > call.leased_until) is moved
    thinking.cancel()
