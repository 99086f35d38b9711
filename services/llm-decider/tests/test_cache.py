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
