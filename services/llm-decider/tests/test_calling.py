"""One call: what each kind of answer and failure becomes, and what it costs."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from llm_decider.domain.shapes import Booking, Ending, Failure, Usage
from signalbox.contracts.config import Budget
from signalbox.contracts.events import AlertRaised

Station = Any
D = Decimal
COST = D("0.0012")  # of one answer


def failure(kind: str, booking: Booking = Booking.RELEASE, **over: Any) -> Failure:
    return Failure(kind, f"It is {kind}.", booking, **over)


OVERLOADED = failure("overloaded", retry=True)
LOST = failure("connection_lost", Booking.HOLD, retry=True, once=True)


async def test_an_answer_becomes_a_decision_and_a_signal(station: Station) -> None:
    made = await station.decide()
    decision = made["AAPL"]
    assert (decision.outcome, decision.action, decision.confidence) == ("answered", "buy", D("0.7"))
    assert (decision.prompt_version, decision.served_model) == ("standard@3", "test-model-1")
    assert (decision.cost_usd, decision.tokens_in, decision.tokens_out) == (COST, 1000, 100)
    assert (decision.attempts, decision.cost_is_estimated) == (1, False)
    assert decision.snapshot["price"]
    (signal,) = station.signals
    assert decision.signal_id == signal.signal_id
    assert (signal.source_id, signal.own_id) == ("demo", str(decision.decision_id))
    assert (signal.action, signal.confidence, signal.price) == ("buy", D("0.7"), decision.price)
    assert signal.raised_at == decision.at == station.host.now
    assert signal.valid_until == station.host.now + timedelta(seconds=120)


async def test_the_worst_case_is_reserved_while_the_model_thinks(station: Station) -> None:
    seen: list[Any] = []

    async def think(ask: Any) -> Any:
        seen.append(await station.purse())
        return station.agree(ask)

    await station.decide(think)
    (during,) = seen
    system, user = (len(getattr(station.model().asks[0].question, n)) for n in ("system", "user"))
    assert during.spent == 0
    assert during.reserved > (system + user) * D("0.000001") + 2000 * D("0.000002")
    after = await station.purse()
    assert (after.reserved, after.spent, after.calls, after.tokens) == (0, COST, 1, 1100)
    assert (await station.purse("config:demo", "month")).spent == COST


@pytest.mark.parametrize(
    ("script", "outcome", "kind", "calls", "spent", "held"),
    [
        pytest.param([OVERLOADED] * 2, "answered", "", 3, COST, False, id="retried twice"),
        pytest.param([OVERLOADED] * 3, "failed", "overloaded", 3, 0, False, id="no fourth"),
        pytest.param([LOST], "answered", "", 2, COST, True, id="lost once"),
        pytest.param([LOST] * 2, "failed", "connection_lost", 2, 0, True, id="lost twice"),
        pytest.param([failure("bad_request")], "failed", "bad_request", 1, 0, False, id="400"),
        pytest.param(
            [failure("credentials", breaks=True)], "failed", "credentials", 1, 0, False, id="401"
        ),
        pytest.param(
            [failure("deadline", Booking.HOLD)], "failed", "deadline", 1, 0, True, id="late"
        ),
    ],
)
async def test_a_failure(
    station: Station, script: list[Failure], *, outcome: str, kind: str, calls: int, spent: Any,
    held: bool,
) -> None:  # fmt: skip
    decision = (await station.decide(*script))["AAPL"]
    assert (decision.outcome, decision.error_kind) == (outcome, kind)
    assert len(station.model().asks) == decision.attempts == calls
    purse = await station.purse()
    assert (purse.spent, purse.reserved, purse.held > 0) == (spent, 0, held)
    assert decision.cost_usd == purse.spent + purse.held
    assert decision.cost_is_estimated is held
    if outcome == "failed":
        assert decision.action is None
        assert decision.not_traded == "failed"
        assert station.signals == []


async def test_retry_after_is_kept_when_it_fits_the_deadline(station: Station) -> None:
    limited = failure("rate_limited", retry=True, retry_after_s=20.0)
    process = station.process()
    decision = (await station.decide(limited, process=process))["AAPL"]
    assert decision.outcome == "answered"
    assert process.pauses == [20.0]
    before = len(station.model().asks)
    limited = replace(limited, retry_after_s=300.0)
    decision = (await station.decide(limited, process=process))["AAPL"]
    assert (decision.outcome, decision.error_kind) == ("failed", "rate_limited")
    assert len(station.model().asks) == before + 1
    decision = (await station.decide(process=process))["AAPL"]
    assert decision.error_kind == "rate_limited"
    assert len(station.model().asks) == before + 1  # not even tried before the time


@pytest.mark.parametrize(("dice", "pauses"), [(1.0, [0.5, 1.0]), (0.5, [0.25, 0.5]), (0, [0, 0])])
async def test_pauses_grow_by_chance_and_never_pass_the_deadline(
    station: Station, dice: float, pauses: list[float]
) -> None:
    process = station.process(dice)
    station.configure(station.config(deadline_s=5))
    await station.decide(OVERLOADED, OVERLOADED, OVERLOADED, process=process)
    assert process.pauses == pauses
    assert [ask.timeout_s for ask in station.model().asks] == [
        5.0 - sum(pauses[:made]) for made in range(3)
    ]


async def test_a_refusal_is_paid_and_decides_nothing(station: Station) -> None:
    refused = replace(station.answer(), ending=Ending.REFUSED, text="", detail="policy")
    decision = (await station.decide(refused))["AAPL"]
    assert (decision.outcome, decision.action, decision.cost_usd) == ("refused", None, COST)
    assert "policy" in decision.error
    assert len(station.model().asks) == 1


async def test_a_truncated_answer_gets_room_for_twice_as_much_once(station: Station) -> None:
    cut = replace(station.answer(), ending=Ending.TRUNCATED)
    decision = (await station.decide(cut))["AAPL"]
    assert (decision.outcome, decision.cost_usd) == ("answered", COST * 2)
    assert [ask.max_tokens for ask in station.model().asks] == [2000, 4000]
    decision = (await station.decide(cut, cut))["AAPL"]
    assert (decision.outcome, decision.not_traded) == ("truncated", "truncated")
    assert "4000 tokens" in decision.error


async def test_an_answer_off_the_form_is_asked_for_once_more(station: Station) -> None:
    prose = replace(station.answer(), text="I would buy.")
    decision = (await station.decide(prose))["AAPL"]
    assert (decision.outcome, decision.cost_usd) == ("answered", COST * 2)
    assert "required form" in station.model().asks[1].question.user
    decision = (await station.decide(prose, prose))["AAPL"]
    assert (decision.outcome, decision.action, decision.cost_usd) == ("invalid", None, COST * 2)
    assert len(station.model().asks) == 4


@pytest.mark.parametrize("usage", [None, Usage(output_total=100), Usage(input_total=10**9)])
async def test_an_answer_that_nobody_counted_costs_its_worst_case(
    station: Station, usage: Usage | None
) -> None:
    decision = (await station.decide(replace(station.agreed("AAPL"), usage=usage)))["AAPL"]
    (attempt,) = await station.rows("llm_attempts")
    assert decision.outcome == "answered"
    assert decision.cost_is_estimated is True
    assert decision.cost_usd == attempt.reserved_usd == (await station.purse()).spent > COST


async def test_more_than_was_reserved_is_booked_as_it_is(station: Station) -> None:
    usage = Usage(input_total=10_000_000, output_total=0)
    await station.decide(replace(station.agreed("AAPL"), usage=usage))
    purse = await station.purse()
    assert (purse.spent, purse.reserved) == (10, 0)
    decision = (await station.decide())["AAPL"]
    assert decision.outcome == "over_budget"


async def test_a_budget_of_zero_allows_no_call(station: Station) -> None:
    station.configure(station.config(budget=Budget(day_usd=D(0), month_usd=None)))
    decision = (await station.decide())["AAPL"]
    assert (decision.outcome, decision.not_traded) == ("over_budget", "over_budget")
    assert "day's budget of demo (0 USD) allows no call" in decision.error
    assert station.model().asks == []
    assert decision.attempts == 0


async def test_a_refusal_names_scope_limit_spent_and_reserved(station: Station) -> None:
    budget = Budget(day_usd=None, month_usd=D("0.0125"))
    station.configure(station.config(budget=budget, price=station.price("1", "2")))
    outcomes = [(await station.decide())["AAPL"] for _ in range(6)]
    over = outcomes[-1]
    assert over.outcome == "over_budget"
    spent = (await station.purse("config:demo", "month")).spent
    for part in ("month's budget of demo", "0.0125 USD", f"{spent} are spent", "0 reserved"):
        assert part in over.error
    assert (await station.purse("total")).calls == len(station.model().asks) < 6


async def test_an_unknown_price_forbids_the_call(station: Station) -> None:
    station.configure(station.config(price=None, model="nobody-knows-me"))
    decision = (await station.decide())["AAPL"]
    assert (decision.outcome, decision.error_kind) == ("failed", "unknown_price")
    assert "Enter its price" in decision.error
    assert station.model().asks == []


async def test_a_fallback_answers_and_is_named(station: Station) -> None:
    second = station.config(id="second", provider="claude", model="other", symbols=("MSFT",))
    station.configure(station.config(fallback="second"), second)
    decision = (await station.decide(failure("credentials", breaks=True)))["AAPL"]
    assert (decision.outcome, decision.provider, decision.model) == ("answered", "claude", "other")
    assert (decision.config_id, decision.fallback_for) == ("demo", "demo")
    assert any("demo failed: It is credentials." in note for note in decision.notes)
    (signal,) = station.signals
    assert (signal.source_id, signal.details["fallback_for"]) == ("demo", "demo")
    for scope in ("total", "config:demo", "config:second"):
        assert (await station.purse(scope)).spent == COST


@pytest.mark.parametrize("ending", [Ending.REFUSED, Ending.TRUNCATED, Ending.UNREADABLE])
async def test_an_answer_that_is_no_decision_is_not_asked_of_the_fallback(
    station: Station, ending: Ending
) -> None:
    station.configure(station.config(fallback="second"), station.config(id="second"))
    odd = replace(station.answer(), ending=ending)
    decision = (await station.decide(odd, odd))["AAPL"]
    assert decision.outcome != "answered"
    assert decision.fallback_for is None
    assert station.model("second").asks == []


async def test_where_there_is_a_fallback_the_first_leaves_it_time(station: Station) -> None:
    station.configure(station.config(fallback="second"), station.config(id="second"))

    def slow(ask: Any) -> Failure:
        station.host.wall += timedelta(seconds=ask.timeout_s)
        return failure("deadline", Booking.HOLD)

    decision = (await station.decide(slow))["AAPL"]
    assert decision.outcome == "answered"
    assert station.model().asks[0].timeout_s == 36.0
    assert station.model("second").asks[0].timeout_s == 24.0


async def test_a_provider_in_trouble_is_left_alone_and_told_of_once(station: Station) -> None:
    process = station.process()
    for _ in range(3):
        await station.decide(failure("credentials", breaks=True), process=process)
    assert len(station.model().asks) == 1
    (down,) = station.host.of(AlertRaised)
    assert (down.code, down.about, down.active) == ("source_down", "llm:demo", True)
    assert "It is credentials." in down.message
    station.host.wall += timedelta(seconds=301)
    station.model().script.clear()
    assert (await station.decide(process=process))["AAPL"].outcome == "answered"
    assert [alert.active for alert in station.host.of(AlertRaised)] == [True, False]


async def test_a_new_key_is_tried_at_once(station: Station) -> None:
    process = station.process()
    await station.decide(failure("credentials", breaks=True), process=process)
    station.configure(station.config(key_sealed="another"))
    assert (await station.decide(process=process))["AAPL"].outcome == "answered"


async def test_a_successful_test_lets_the_next_call_try(station: Station) -> None:
    process = station.process()
    await station.decide(failure("credentials", breaks=True), process=process)
    found = await process.command("test", config_id="demo")
    assert (found["connected"], found["message"]) == (True, "fine")
    assert (await station.decide(process=process))["AAPL"].outcome == "answered"


async def test_a_key_that_does_not_open_is_told_in_words(station: Station) -> None:
    station.configure(station.config(key_sealed="shut"))
    decision = (await station.decide())["AAPL"]
    assert (decision.outcome, decision.error_kind) == ("failed", "credentials")
    assert "Enter it again" in decision.error
    assert station.host.of(AlertRaised)[0].code == "source_down"


async def test_twenty_calls_are_under_way_at_once(station: Station) -> None:
    station.configure(station.config(symbols=tuple(f"S{n}" for n in range(20)), symbols_per_call=1))
    everybody = asyncio.Barrier(20)

    async def meet(ask: Any) -> Any:
        async with asyncio.timeout(30):
            await everybody.wait()
        return station.agree(ask)

    made = await station.decide(*[meet] * 20)
    assert {one.outcome for one in made.values()} == {"answered"}


async def test_fifty_symbols_take_ten_calls_and_cost_exactly_their_sum(station: Station) -> None:
    symbols = tuple(f"S{n}" for n in range(50))
    station.configure(station.config(symbols=symbols))
    made = await station.decide()
    assert len(station.model().asks) == 10
    assert sorted(made) == sorted(symbols)
    assert len(station.signals) == 50
    assert sum(one.cost_usd for one in made.values()) == COST * 10 == (await station.purse()).spent
    assert sum(one.tokens_in for one in made.values()) == 10_000
