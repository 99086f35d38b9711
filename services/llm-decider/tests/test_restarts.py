"""What survives a kill, a stop, and a database that fails: every call, and every cent."""

import asyncio
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy.exc import OperationalError

from llm_decider.domain.shapes import Ending
from signalbox.testing.wait import until

Station = Any
D = Decimal
COST = D("0.0012")


async def test_a_killed_call_is_unknown_and_asked_again_with_its_own_money(
    station: Station,
) -> None:
    _, asked = await station.killed()
    (first,) = await station.rows("llm_attempts")
    assert (first.state, (await station.purse()).reserved) == ("started", first.reserved_usd)
    station.pass_time(11)
    await station.process().work()
    first, second = sorted(await station.rows("llm_attempts"), key=lambda a: a.number)
    assert (first.state, first.outcome) == ("unknown", "unknown_outcome")
    assert second.state == "settled"
    (decision,) = station.decisions
    assert str(decision.decision_id) == asked["decision_ids"]["AAPL"]
    assert (decision.outcome, decision.attempts) == ("answered", 2)
    assert decision.cost_usd == first.reserved_usd + COST
    assert decision.cost_is_estimated
    purse = await station.purse()
    assert (purse.reserved, purse.held, purse.spent) == (0, first.reserved_usd, COST)


async def test_a_killed_call_that_a_kept_answer_answers_still_tells_its_money(
    station: Station,
) -> None:
    station.configure(station.config(cache_s=300))
    _, asked = await station.killed()
    process = station.process()
    await station.decide(process=process)  # the same question, once more
    station.pass_time(11)
    await process.work()
    (lost,) = [a for a in await station.rows("llm_attempts") if a.state == "unknown"]
    decisions = {str(one.decision_id): one for one in station.decisions}
    repeated = decisions[asked["decision_ids"]["AAPL"]]
    assert (repeated.cached, repeated.attempts) == (True, 1)
    assert (repeated.cost_usd, repeated.cost_is_estimated) == (lost.reserved_usd, True)
    assert len(station.model().asks) == len(decisions) == 2
    purse = await station.purse()
    assert purse.spent + purse.held == sum(one.cost_usd for one in decisions.values())


async def test_a_killed_call_past_its_deadline_is_not_asked_again(station: Station) -> None:
    await station.killed()
    station.pass_time(61)
    await station.process().work()
    (decision,) = station.decisions
    assert (decision.outcome, decision.error_kind) == ("failed", "unknown_outcome")
    assert len(station.model().asks) == 1
    assert (await station.purse()).held > 0


async def test_a_call_that_kills_every_process_ends(station: Station) -> None:
    station.configure(station.config(deadline_s=600))
    await station.killed()
    for _ in range(2):
        station.pass_time(11)
        station.model().script.append(lambda _ask: asyncio.get_running_loop().create_future())
        asks = len(station.model().asks)
        await station.process().worker.look()
        await until(lambda: len(station.model().asks) > asks)  # noqa: B023 - runs within the round
    station.pass_time(11)
    await station.process().work()
    (decision,) = station.decisions
    assert (decision.outcome, decision.error_kind) == ("failed", "unknown_outcome")
    assert len(station.model().asks) == decision.attempts == 3


async def test_an_answer_that_comes_after_the_lease_settles_but_decides_nothing(
    station: Station,
) -> None:
    thinking, _ = await station.killed()
    station.pass_time(11)
    await station.process().work()
    thinking.set_result(station.agreed("AAPL"))
    await station.processes[0].worker.idle()
    assert len(station.decisions) == len(station.signals) == 1
    purse = await station.purse()
    assert (purse.held, purse.reserved, purse.spent) == (0, 0, COST * 2)


async def test_of_two_who_ask_the_first_answer_counts_and_the_other_is_paid(
    station: Station,
) -> None:
    first, _ = await station.killed()
    station.pass_time(11)
    second = asyncio.get_running_loop().create_future()
    station.model().script.append(lambda _ask: second)
    other = station.process()
    await other.worker.look()
    await until(lambda: len(station.model().asks) == 2)
    first.set_result(station.agreed("AAPL"))
    await station.processes[0].worker.idle()
    second.set_result(station.answer(station.opinion("AAPL", action="SELL")))
    await other.worker.idle()
    assert [one.action for one in station.decisions] == ["buy"]
    assert len(station.signals) == 1
    purse = await station.purse()
    assert (purse.held, purse.reserved, purse.spent) == (0, 0, COST * 2)


async def test_who_holds_a_call_goes_on_holding_it(station: Station) -> None:
    thinking, _ = await station.killed()
    running = asyncio.create_task(station.processes[0].worker.run())
    other = station.process()
    for _ in range(3):
        held = await station.rows("calls")
        station.pass_time(4)
        await until(lambda: leased_past(station, held[0].leased_until))  # noqa: B023 - as above
        await other.work()
    assert len(station.model().asks) == 1
    thinking.set_result(station.agreed("AAPL"))
    await until(lambda: station.decisions)
    running.cancel()
    await asyncio.wait({running})


async def leased_past(station: Station, before: Any) -> bool:
    return bool((await station.rows("calls"))[0].leased_until > before)


async def test_a_stopped_process_gives_its_calls_back_at_once(station: Station) -> None:
    await station.killed()
    running = asyncio.create_task(station.processes[0].worker.run())
    await asyncio.sleep(0)  # it begins
    running.cancel()
    await asyncio.wait({running})
    await station.process().work()
    assert station.decisions[0].outcome == "answered"


async def test_a_stop_waits_for_the_model_and_takes_nothing_new(station: Station) -> None:
    thinking, _ = await station.killed()
    process = station.processes[0]
    finishing = asyncio.create_task(process.worker.finish())
    await asyncio.sleep(0)  # it begins
    await process.command("decide", config_id="demo")
    await process.worker.look()
    assert not finishing.done()
    thinking.set_result(station.agreed("AAPL"))
    await finishing
    (attempt,) = await station.rows("llm_attempts")
    assert (attempt.state, attempt.cost_usd) == ("settled", COST)
    assert len(station.model().asks) == len(station.decisions) == 1
    await station.process().work()
    assert len(station.decisions) == 2  # the next process asks the other


@pytest.mark.parametrize("truncated", [False, True])
async def test_a_database_that_is_away_when_an_answer_comes_costs_no_second_one(
    station: Station, *, truncated: bool
) -> None:
    thinking, _ = await station.killed()
    real, failed = station.host.transact, 0

    async def transact(work: Any) -> Any:
        nonlocal failed
        failed += 1
        if failed <= 3:
            raise OperationalError("COMMIT", {}, OSError("away"))
        return await real(work)

    over = {"ending": Ending.TRUNCATED} if truncated else {}
    with patch.object(station.host, "transact", transact):
        thinking.set_result(station.answer(station.opinion("AAPL"), **over))
        await station.processes[0].worker.idle()
    asks = 2 if truncated else 1
    assert len(station.model().asks) == asks
    (decision,) = station.decisions
    assert (decision.outcome, decision.attempts) == ("answered", asks)
    assert (decision.cost_usd, decision.cost_is_estimated) == (COST * asks, False)
    purse = await station.purse()
    assert (purse.spent, purse.held, purse.reserved) == (COST * asks, 0, 0)


async def test_a_database_that_stays_away_leaves_the_call_to_the_next_process(
    station: Station,
) -> None:
    thinking, _ = await station.killed()

    async def transact(_work: Any) -> Any:
        raise OperationalError("COMMIT", {}, OSError("away"))

    with patch.object(station.host, "transact", transact):
        thinking.set_result(station.agreed("AAPL"))
        await station.processes[0].worker.idle()
    station.pass_time(11)
    await station.process().work()
    (decision,) = station.decisions
    assert (decision.outcome, decision.error_kind) == ("failed", "unknown_outcome")
    assert (await station.purse()).held == decision.cost_usd > 0


async def test_a_database_that_fails_for_a_moment_ends_no_call(station: Station) -> None:
    thinking, _ = await station.killed()
    worker, db = station.processes[0].worker, station.host.db
    with patch.object(db, "read", side_effect=OSError("away")), pytest.raises(OSError):  # noqa: PT011 - ours
        await worker.run()
    running = asyncio.create_task(worker.run())
    thinking.set_result(station.agreed("AAPL"))
    await until(lambda: station.decisions)
    assert (station.decisions[0].attempts, station.decisions[0].cost_is_estimated) == (1, False)
    running.cancel()
    await asyncio.wait({running})
