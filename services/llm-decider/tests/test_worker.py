"""Who asks, what is shared, and what is too old to trade."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from llm_decider.domain.shapes import Booking, Failure
from signalbox.contracts.config import Budget
from signalbox.contracts.events import AlertRaised, StateChanged
from signalbox.contracts.values import Target
from signalbox.testing.wait import until

Station = Any
D = Decimal
COST = D("0.0012")


async def test_a_closed_bar_becomes_a_decision(station: Station) -> None:
    await station.close_bars("AAPL")
    process = station.process()
    await process.work()
    (decision,) = station.decisions
    assert (decision.trigger, decision.outcome) == ("bar", "answered")
    (signal,) = station.signals
    assert signal.epoch == 1
    await station.close_bars("AAPL")  # the same bar again
    await process.work()
    assert len(station.decisions) == len(station.model().asks) == 1


async def test_symbols_of_one_bar_wait_for_each_other_but_not_long(station: Station) -> None:
    station.configure(station.config(symbols=("AAPL", "MSFT", "IBM")))
    process = station.process()
    await station.close_bars("AAPL", "MSFT")
    await process.work()
    assert station.decisions == []
    station.pass_time(0.3)
    await process.work()
    assert [d.symbol for d in station.decisions] == ["AAPL", "MSFT"]
    assert len(station.model().asks) == 1
    station.pass_time(60)
    await station.close_bars("AAPL", "MSFT", "IBM")
    await process.work()
    assert len(station.decisions) == 5
    assert len(station.model().asks) == 2


async def test_a_config_that_is_switched_off_meanwhile_is_not_asked(station: Station) -> None:
    await station.close_bars("AAPL")
    station.configure(station.config(active=False))
    await station.process().work()
    assert station.model().asks == station.decisions == []
    assert (await station.decide())["AAPL"].outcome == "answered"  # a person may still ask


@pytest.mark.parametrize("gone", [True, False])
async def test_what_a_model_says_that_is_switched_off_by_then_is_kept_and_not_traded(
    station: Station, *, gone: bool
) -> None:
    def switch_off(_ask: Any) -> None:
        station.configure(*(() if gone else (station.config(active=False),)))

    station.model().script.append(switch_off)
    await station.close_bars("AAPL")
    await station.process().work()
    (decision,) = station.decisions
    assert (decision.outcome, decision.not_traded) == ("answered", "switched_off")
    assert (decision.cost_usd, decision.signal_id, station.signals) == (COST, None, [])


async def test_replicas_share_the_calls(station: Station) -> None:
    symbols = tuple(f"S{n}" for n in range(8))
    station.configure(station.config(symbols=symbols, symbols_per_call=1))
    await station.close_bars(*symbols)
    one, two = station.process(), station.process()
    await asyncio.gather(one.work(), two.work(), one.work(), two.work())
    assert len(station.model().asks) == len(station.decisions) == 8


async def test_a_request_that_is_repeated_is_the_same_decision(station: Station) -> None:
    process = station.process()
    answers = [
        await process.command("decide", config_id="demo", request_id="same") for _ in range(2)
    ]
    await process.work()
    again = await process.command("decide", config_id="demo", request_id="same")
    await process.work()
    assert answers[0] == answers[1] == again
    assert len(station.model().asks) == len(station.decisions) == 1


async def test_a_dry_run_is_recorded_and_never_traded(station: Station) -> None:
    decision = (await station.decide(dry_run=True))["AAPL"]
    assert (decision.outcome, decision.action, decision.dry_run) == ("answered", "buy", True)
    assert (decision.not_traded, decision.signal_id, decision.asked_by) == (
        "dry_run",
        None,
        "admin",
    )
    assert station.signals == []


@pytest.mark.parametrize(
    ("over", "not_traded", "signals"),
    [
        pytest.param({"action": "HOLD"}, "", 1, id="hold is said, so that a policy may block"),
        pytest.param({"action": "ABSTAIN"}, "abstained", 0, id="abstain"),
        pytest.param({"data_ok": False}, "abstained", 0, id="data not fit"),
        pytest.param({"suspicious_input": True}, None, 0, id="suspicious"),
        pytest.param({"action": "SELL"}, "", 1, id="sell"),
    ],
)
async def test_what_is_fit_to_trade(
    station: Station, over: Any, not_traded: str | None, signals: int
) -> None:
    decision = (await station.decide(station.answer(station.opinion("AAPL", **over))))["AAPL"]
    assert decision.outcome == "answered"
    assert len(station.signals) == signals
    assert not_traded is None or decision.not_traded == not_traded


@pytest.mark.parametrize(("action", "stop", "target"), [("BUY", 205, 220), ("SELL", 215.5, 200)])
async def test_the_answers_stop_and_target_go_with_the_signal(
    station: Station, action: str, stop: float, target: float
) -> None:
    said = station.opinion("AAPL", action=action, stop_loss=stop, take_profit=target)
    decision = (await station.decide(station.answer(said)))["AAPL"]
    (signal,) = station.signals
    for one in (decision, signal):
        assert (one.stop_price, one.target_price) == (D(str(stop)), D(str(target)))


async def test_one_bad_symbol_does_not_void_the_others(station: Station) -> None:
    station.configure(station.config(symbols=("AAPL", "IBM", "MSFT")))
    station.host.closes["IBM"] = D(0)  # no bars of it
    mixed = station.answer(station.opinion("AAPL"), station.opinion("MSFT", confidence=7))
    made = await station.decide(mixed)
    assert {s: (d.outcome, d.error_kind) for s, d in made.items()} == {
        "AAPL": ("answered", ""),
        "IBM": ("failed", "no_price"),
        "MSFT": ("invalid", "invalid"),
    }
    assert [signal.symbol for signal in station.signals] == ["AAPL"]
    assert sum(d.cost_usd for d in made.values()) == COST


@pytest.mark.parametrize(
    ("seconds", "replay", "epoch", "not_traded"),
    [
        pytest.param(55, False, 1, "", id="within the bar"),
        pytest.param(61, False, 1, "stale", id="a bar later"),
        pytest.param(119, True, 1, "", id="replay stands two minutes of wall time"),
        pytest.param(121, True, 1, "stale", id="replay has moved on"),
        pytest.param(1, True, 2, "stale", id="the loop is over"),
    ],
)
async def test_an_answer_is_traded_while_it_is_fresh(
    station: Station, seconds: int, *, replay: bool, epoch: int, not_traded: str
) -> None:
    station.configure(station.config(deadline_s=600))
    station.host.replay = replay

    def think(ask: Any) -> Any:
        station.pass_time(seconds)
        station.host.epoch = epoch
        return station.agree(ask)

    decision = (await station.decide(think))["AAPL"]
    assert (decision.outcome, decision.not_traded) == ("answered", not_traded)
    assert len(station.signals) == (0 if not_traded else 1)


async def test_an_answer_past_its_deadline_is_not_traded(station: Station) -> None:
    def think(ask: Any) -> Any:
        station.host.wall += timedelta(seconds=61)
        return station.agree(ask)

    assert (await station.decide(think))["AAPL"].not_traded == "stale"


@pytest.mark.parametrize("replay", [True, False])
async def test_the_signal_carries_where_it_may_trade(station: Station, *, replay: bool) -> None:
    station.host.replay = replay
    for target in Target:
        station.configure(station.config(target=target))
        await station.decide()
    real = Target.SANDBOX if replay else Target.REAL
    targets = [signal.target for signal in station.signals]
    assert targets == [real if t is Target.REAL else Target.SANDBOX for t in Target]


async def test_nothing_is_asked_while_the_clock_stands_still(station: Station) -> None:
    station.host.frozen = True
    station.configure(station.config(deadline_s=5))
    decision = (await station.decide())["AAPL"]
    assert (decision.outcome, decision.error_kind) == ("failed", "no_clock")
    assert station.model().asks == []


async def test_market_data_that_is_away_fails_in_words(station: Station) -> None:
    station.host.is_market_away = True
    decision = (await station.decide())["AAPL"]
    assert (decision.outcome, decision.error_kind) == ("failed", "no_question")
    assert "no price is known" in decision.error


async def test_a_prompt_that_is_gone_fails_in_words(station: Station) -> None:
    station.configure(station.config(prompt_id="gone"))
    decision = (await station.decide())["AAPL"]
    assert (decision.outcome, decision.error_kind) == ("failed", "no_question")
    assert "'gone', which has no active version" in decision.error


async def test_budget_alerts_and_states_are_told_once(station: Station) -> None:
    budget = Budget(day_usd=D("0.03"), month_usd=None)
    station.configure(station.config(budget=budget))
    process = station.process()
    while (await station.decide(process=process))["AAPL"].outcome == "answered":
        continue
    await station.decide(process=process)
    alerts = station.host.of(AlertRaised)
    codes = [alert.code for alert in alerts]
    assert (codes[0], codes[-1]) == ("budget_50", "budget_100")
    assert len(codes) == len(set(codes))
    assert {alert.about for alert in alerts} == {"budget:demo:day:2026-11-20"}
    await process.reporter.look()
    told = {(s.kind, s.id): s.body for s in station.host.of(StateChanged)}
    assert told["budget", "demo.day"]["limit_usd"] == "0.03"
    assert told["connection", "demo"]["connected"] is True
    assert told["connection", "demo"]["calls_today"] == len(station.model().asks)
    before = len(station.host.of(StateChanged))
    await process.reporter.look()
    assert len(station.host.of(StateChanged)) == before
    station.pass_time(31)
    await process.reporter.look()
    assert len(station.host.of(StateChanged)) > before


async def test_a_failure_is_shown_with_the_connection(station: Station) -> None:
    process = station.process()
    failure = Failure("credentials", "The key is wrong.", Booking.RELEASE, breaks=True)
    await station.decide(failure, process=process)
    await process.reporter.look()
    told = {(s.kind, s.id): s.body for s in station.host.of(StateChanged)}["connection", "demo"]
    assert (told["connected"], told["trouble"]) == (False, "credentials")
    assert told["last_error"] == "The key is wrong."


@pytest.mark.parametrize("gone", [True, False])
async def test_the_trouble_of_a_model_that_nobody_asks_any_more_is_over(
    station: Station, *, gone: bool
) -> None:
    process = station.process()
    failure = Failure("credentials", "The key is wrong.", Booking.RELEASE, breaks=True)
    await station.decide(failure, process=process)
    station.configure(*(() if gone else (station.config(active=False),)))
    for _ in range(2):
        await process.reporter.retire()
    assert [alert.active for alert in station.host.of(AlertRaised)] == [True, False]
    assert len(station.host.of(StateChanged)) == (1 if gone else 0)


async def test_a_key_is_checked_at_the_start_after_a_change_and_while_it_is_refused(
    station: Station,
) -> None:
    process = station.process()
    station.model().connected = False
    running = asyncio.create_task(process.reporter.run())
    await until(lambda: connection(station).get("last_error") == "The key is wrong.")
    station.model().connected = True
    station.pass_time(31)
    process.reporter.hurry()
    await until(lambda: connection(station).get("connected"))
    assert connection(station)["last_error"] is None
    station.model().connected = False
    station.configure(station.config(key_sealed="another"))
    process.reporter.hurry()
    await until(lambda: not connection(station)["connected"])
    running.cancel()
    await asyncio.wait({running})


def connection(station: Station) -> Any:
    """The model's connection as last told."""
    states = [state for state in station.host.of(StateChanged) if state.kind == "connection"]
    return states[-1].body if states else {}


async def test_an_unexpected_error_is_taken_up_again(
    station: Station, caplog: pytest.LogCaptureFixture
) -> None:
    process = station.process()
    await station.decide(RuntimeError("out of the blue"), process=process)
    assert station.decisions == []
    assert "a call failed and is taken up again" in caplog.text
    station.pass_time(11)
    await process.work()
    assert station.decisions[0].outcome == "answered"
    assert (await station.purse()).held > 0
