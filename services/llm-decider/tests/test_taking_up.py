"""What changes between the death of a process and the next one: whatever it is, each attempt ends
in a decision that tells its money, and no money stays set aside for a call that is over.
"""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from llm_decider.domain.shapes import Booking, Failure
from signalbox.contracts.config import Budget, PromptVersion
from signalbox.testing.wait import until

Station = Any
D = Decimal
COST = D("0.0012")  # of one answer
NEW_PROMPT = PromptVersion(
    prompt_id="standard", version=4, name="New", system="", user="{{market}}"
)
OVERLOADED = Failure("overloaded", "It is overloaded.", Booking.RELEASE, retry=True)


async def killed_by_a_bar(station: Station) -> None:
    """A process dies while the model thinks about a bar."""
    await station.close_bars("AAPL")
    await dies(station)


async def dies(station: Station, config_id: str = "demo") -> None:
    """Another process looks, and dies while the model of a config thinks."""
    before = len(station.model(config_id).asks)
    thinking = asyncio.get_running_loop().create_future()
    station.model(config_id).script.append(lambda _ask: thinking)
    await station.process().worker.look()
    await until(lambda: len(station.model(config_id).asks) > before)


async def taken_up(station: Station) -> Any:
    """The one decision that the next process makes of it. No attempt is open, and the budget holds
    what the decision says that the call has cost.
    """
    station.pass_time(11)
    await station.process().work()
    (decision,) = station.decisions
    (call,) = await station.rows("calls")
    attempts = await station.rows("llm_attempts")
    assert call.done
    assert "started" not in {attempt.state for attempt in attempts}
    assert decision.attempts == len(attempts)
    for period in ("day", "month"):
        purse = await station.purse("total", period)
        assert purse.reserved == 0
        assert purse.spent + purse.held == decision.cost_usd
    return decision


CHANGES: list[Any] = [
    pytest.param(
        lambda s: s.configure(s.config(active=False)), "failed", "switched_off", id="switched off"
    ),
    pytest.param(lambda s: s.configure(), "failed", "switched_off", id="deleted"),
    pytest.param(
        lambda s: s.configure(s.config(key_sealed="shut")), "failed", "credentials", id="no key"
    ),
    pytest.param(
        lambda s: s.configure(s.config(), prompts=()), "failed", "no_question", id="no prompt"
    ),
    pytest.param(
        lambda s: s.configure(s.config(prompt_id="gone")), "failed", "no_question", id="no version"
    ),
    pytest.param(
        lambda s: s.configure(s.config(price=None)), "failed", "unknown_price", id="no price"
    ),
    pytest.param(
        lambda s: s.configure(s.config(budget=Budget(day_usd=D(0)))),
        "over_budget", "over_budget", id="no budget",
    ),
    pytest.param(
        lambda s: s.configure(s.config(), budget=Budget(day_usd=D("0.001"))),
        "over_budget", "over_budget", id="less for all than is reserved",
    ),
    pytest.param(
        lambda s: setattr(s.host, "epoch", 2), "answered", "", id="another loop of the replay"
    ),
    pytest.param(
        lambda s: s.configure(s.config(), prompts=(NEW_PROMPT,)), "answered", "", id="new prompt"
    ),
    pytest.param(
        lambda s: s.configure(s.config(model="other")), "answered", "", id="another model"
    ),
    pytest.param(
        lambda s: s.configure(s.config(symbols=("MSFT",))), "answered", "", id="other symbols"
    ),
    pytest.param(lambda s: s.configure(s.config(bot="deleted")), "answered", "", id="no bot"),
    pytest.param(lambda s: s.pass_time(60), "failed", "unknown_outcome", id="too late"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "outcome", "kind"), CHANGES)
async def test_whatever_has_changed_the_call_ends_with_its_money(
    station: Station, change: Callable[[Any], None], outcome: str, kind: str
) -> None:
    await killed_by_a_bar(station)
    change(station)
    decision = await taken_up(station)
    assert (decision.outcome, decision.error_kind) == (outcome, kind)
    assert len(station.model().asks) == (2 if outcome == "answered" else 1)
    (lost,) = [one for one in await station.rows("llm_attempts") if one.state == "unknown"]
    assert (lost.model, decision.cost_is_estimated) == ("test-model", True)
    assert decision.cost_usd == lost.reserved_usd + (COST if outcome == "answered" else 0)
    assert "othing was asked" not in decision.error
    told = await station.processes[-1].command("unresolved")
    assert [one["decisions"] for one in told["attempts"]] == [{"AAPL": str(decision.decision_id)}]
    await station.processes[-1].command("settle", attempt_id=lost.attempt_id, cost_usd="0.0005")
    purse = await station.purse()
    assert (purse.held, purse.reserved) == (0, 0)
    assert purse.spent == D("0.0005") + (COST if outcome == "answered" else 0)


async def test_a_deleted_model_is_named_as_far_as_its_attempts_tell(station: Station) -> None:
    await station.killed(dry_run=True)
    station.configure()
    decision = await taken_up(station)
    assert (decision.config_id, decision.provider, decision.model) == (
        "demo", "openai", "test-model",
    )  # fmt: skip
    assert (decision.target, decision.trigger, decision.dry_run) == (None, "request", True)
    assert "deleted" in decision.error


async def test_a_person_who_asks_a_model_that_is_off_gets_the_answer(station: Station) -> None:
    await station.killed()
    station.configure(station.config(active=False))
    assert (await taken_up(station)).outcome == "answered"


async def test_what_a_deleted_model_was_never_asked_is_no_decision(station: Station) -> None:
    await station.close_bars("AAPL")
    station.configure()
    station.pass_time(1)
    await station.process().work()
    (call,) = await station.rows("calls")
    assert (call.done, station.decisions, await station.rows("purses")) == (True, [], [])


async def test_a_process_that_dies_between_two_attempts_leaves_nothing_unknown(
    station: Station,
) -> None:
    await station.close_bars("AAPL")
    station.model().script.append(OVERLOADED)
    process = station.process()
    pausing = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        pausing.set()
        await asyncio.get_running_loop().create_future()

    vars(process.caller)["_timing"] = type(vars(process.caller)["_timing"])(sleep=sleep)
    await process.worker.look()
    await pausing.wait()
    station.pass_time(60)
    decision = await taken_up(station)
    assert (decision.error_kind, decision.cost_usd) == ("deadline", 0)
    assert not decision.cost_is_estimated


@pytest.mark.parametrize("off", [True, False])
async def test_a_model_that_is_switched_off_is_not_asked_again(
    station: Station, *, off: bool
) -> None:
    def switch_off(_ask: Any) -> Failure:
        changed = station.config(active=False, fallback="second")
        station.configure(*([changed] if off else []), second)
        return OVERLOADED

    second = station.config(id="second", every=None)
    station.configure(station.config(fallback="second"), second)
    station.model().script.append(switch_off)
    await station.close_bars("AAPL")
    await station.process().work()
    (decision,) = station.decisions
    assert (decision.error_kind, decision.fallback_for) == ("switched_off", None)
    assert (len(station.model().asks), station.model("second").asks) == (1, [])
    assert (await station.purse("config:demo")).reserved == 0


async def test_a_model_that_is_switched_off_stands_in_for_none(station: Station) -> None:
    second = station.config(id="second", active=False)
    station.configure(station.config(fallback="second"), second)
    decision = (await station.decide(Failure("bad_request", "No.", Booking.RELEASE)))["AAPL"]
    assert (decision.error_kind, decision.fallback_for) == ("bad_request", None)
    assert station.model("second").asks == []


async def test_a_call_that_kills_every_process_at_the_fallback_ends(station: Station) -> None:
    first = station.config(fallback="second", key_sealed="shut", deadline_s=600)
    station.configure(first, station.config(id="second", every=None))
    await station.close_bars("AAPL")
    for _ in range(3):
        await dies(station, "second")
        station.pass_time(11)
    decision = await taken_up(station)
    assert (decision.error_kind, decision.fallback_for) == ("unknown_outcome", "demo")
    assert len(station.model("second").asks) == 3


async def test_who_was_taken_for_dead_does_not_ask_again_once_it_is_answered(
    station: Station,
) -> None:
    thinking, _ = await station.killed()
    station.pass_time(11)
    await station.process().work()
    thinking.set_result(OVERLOADED)
    await station.processes[0].worker.idle()
    assert len(station.model().asks) == 2
    assert len(station.decisions) == 1
    purse = await station.purse()
    assert (purse.held, purse.reserved, purse.spent) == (0, 0, COST)
