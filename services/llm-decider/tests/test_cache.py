"""Identical questions get one answer while it is fresh, and its cost once."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from llm_decider.domain.shapes import Booking, Failure
from signalbox.testing.wait import until

Station = Any
D = Decimal
COST = D("0.0012")


async def test_the_same_question_gets_the_same_answer_while_it_is_fresh(station: Station) -> None:
    station.configure(station.config(cache_s=300))
    process = station.process()
    first = (await station.decide(process=process))["AAPL"]
    second = (await station.decide(process=process))["AAPL"]
    assert (second.cached, second.cached_from, second.cost_usd) == (True, first.decision_id, 0)
    assert (second.action, second.confidence) == (first.action, first.confidence)
    assert (second.attempts, second.tokens_in) == (0, 0)
    assert second.not_traded == "cached"  # its signal was raised already
    assert len(station.signals) == len(station.model().asks) == 1
    station.host.wall += timedelta(seconds=301)
    third = (await station.decide(process=process))["AAPL"]
    assert not third.cached
    station.host.closes["AAPL"] = D(211)
    assert not (await station.decide(process=process))["AAPL"].cached


async def test_an_answer_that_was_not_traded_is_when_it_repeats(station: Station) -> None:
    station.configure(station.config(cache_s=300))
    await station.decide(dry_run=True)
    second = (await station.decide())["AAPL"]
    assert second.cached
    assert second.signal_id == station.signals[0].signal_id


@pytest.mark.parametrize("change", [{"model": "b"}, {"max_tokens": 999}, {"effort": "low"}])
async def test_another_model_or_setting_is_another_question(station: Station, change: Any) -> None:
    station.configure(station.config(cache_s=300))
    await station.decide()
    station.configure(station.config(cache_s=300, **change))
    assert not (await station.decide())["AAPL"].cached


async def test_a_fallbacks_answer_is_not_given_for_the_model_itself(station: Station) -> None:
    first = station.config(cache_s=300, fallback="other")
    station.configure(first, station.config(id="other"), station.config(id="twin", cache_s=300))
    failure = Failure("bad_request", "No.", Booking.RELEASE)
    assert (await station.decide(failure))["AAPL"].fallback_for == "demo"
    assert not (await station.decide(config_id="twin"))["AAPL"].cached


async def test_an_answer_without_a_symbol_is_not_one_about_it(station: Station) -> None:
    """What is asked is the same: of the second symbol no price is known."""
    station.host.closes["MSFT"] = D(0)
    both = station.config(id="both", cache_s=300, symbols=("AAPL", "MSFT"))
    station.configure(station.config(cache_s=300), both)
    await station.decide()
    made = await station.decide(config_id="both")
    assert [one.outcome for one in made.values()] == ["answered", "failed"]


async def test_failures_and_half_answers_are_never_repeated(station: Station) -> None:
    station.configure(station.config(cache_s=300, symbols=("AAPL", "MSFT")))
    half = station.answer(station.opinion("AAPL"))
    failure = Failure("bad_request", "No.", Booking.RELEASE)
    for script in (failure, half, replace(half, text="prose"), None):
        made = await station.decide(*([script, script] if script else []))
        station.model().script.clear()
        assert not any(one.cached for one in made.values())


@pytest.mark.parametrize("cache_s", [0, 300])
async def test_identical_questions_at_the_same_time_share_one_call(
    station: Station, cache_s: int
) -> None:
    station.configure(station.config(cache_s=cache_s), station.config(id="twin", cache_s=cache_s))
    process = station.process()
    thinking = asyncio.get_running_loop().create_future()
    station.model().script.append(lambda _ask: thinking)
    await process.command("decide", config_id="demo")
    await process.worker.look()
    await until(lambda: station.model().asks)
    for config_id in ("demo", "twin"):
        await process.command("decide", config_id=config_id)
    await process.worker.look()
    thinking.set_result(station.agreed("AAPL"))
    await process.worker.idle()
    assert len(station.model().asks) + len(station.model("twin").asks) == 1
    assert sorted(one.cached for one in station.decisions) == [False, True, True]
    assert (await station.purse()).spent == COST
    assert {signal.source_id for signal in station.signals} == {"demo", "twin"}


@pytest.mark.parametrize("late_s", [0, 60])
async def test_of_those_who_waited_in_vain_one_asks_at_a_time(
    station: Station, late_s: int
) -> None:
    station.configure(station.config(cache_s=300))
    process = station.process()
    first, second = (asyncio.get_running_loop().create_future() for _ in range(2))
    station.model().script += [lambda _ask: first, lambda _ask: second]
    for _ in range(4):
        await process.command("decide", config_id="demo")
    await process.worker.look()
    await until(lambda: station.model().asks)
    station.host.wall += timedelta(seconds=late_s)
    first.set_result(Failure("bad_request", "No.", Booking.RELEASE))
    await until(lambda: len(station.model().asks) == 2 or len(station.decisions) == 4)
    second.set_result(station.agreed("AAPL"))
    await process.worker.idle()
    kinds = sorted(one.error_kind for one in station.decisions)
    assert len(station.model().asks) == (1 if late_s else 2)
    assert kinds == ["bad_request", *(["deadline"] * 3)] if late_s else ["", "", "", "bad_request"]
    assert not process.worker._running
