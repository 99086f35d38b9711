"""Signals and withdrawals through the runtime's own transaction, on SQLite."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select

from decision_router.adapters.tables import metadata, states
from decision_router.handlers import build_handlers
from signalbox.contracts.config import BotConfig, Policy, RouterConfig, SourceRule
from signalbox.contracts.events import Event, VerdictReached
from signalbox.contracts.payloads import Signal
from signalbox.contracts.values import Action, Outcome, Reason, SourceType
from signalbox.runtime.db import Database
from signalbox.testing.examples import (
    NOON,
    a_bot,
    a_moment,
    a_signal,
    a_withdrawal,
    raised,
    withdrawn,
)
from signalbox.testing.runner import run

QC, LLM, STRATEGY = SourceType.QUANTCONNECT, SourceType.LLM, SourceType.STRATEGY


class Router:
    """A router on a database of its own."""

    def __init__(self, *bots: BotConfig) -> None:
        self.db = Database.in_memory(metadata)
        self.config = RouterConfig(bots=bots)

    def hears(self, *events: Event, **over: Any) -> list[VerdictReached]:
        moment = a_moment(self.config, **over)
        made = run(build_handlers(), self.db, metadata, events, moment)
        return [e for e in made if isinstance(e, VerdictReached)]


def summary(events: Sequence[VerdictReached]) -> list[tuple[str, Reason, int | None]]:
    return [(e.data.bot, e.data.reason, e.sequence) for e in events]


def bot(name: str, **over: Any) -> BotConfig:
    return a_bot(id=name, account=f"paper-{name}", **over)


def a_series(length: int) -> list[Signal]:
    """Signals of three sources on two symbols, each a second later."""
    kinds, sides = [QC, LLM, STRATEGY], [Action.BUY, Action.SELL, Action.CLOSE, Action.HOLD]
    return [
        a_signal(
            source_type=kinds[n % 3],
            own_id=str(n),
            symbol="AAPL" if n % 5 else "MSFT",
            action=sides[n * n % 4],
            raised_at=NOON - timedelta(seconds=length - n),
        )
        for n in range(length)
    ]


def test_every_listening_bot_reaches_its_own_verdict() -> None:
    llm_only = (SourceRule(source_type=LLM),)
    off = (SourceRule(source_type=STRATEGY, enabled=False),)
    router = Router(bot("a"), bot("b", sources=llm_only), bot("c", sources=off))
    made = router.hears(raised())
    assert summary(made) == [("a", Reason.LEADS, 1), ("c", Reason.SOURCE_DISABLED, 1)]
    assert [e.data.account for e in made] == ["paper-a", "paper-c"]


def test_a_signal_that_nobody_listens_to_gets_a_verdict_too() -> None:
    router = Router()
    assert summary(router.hears(raised())) == [("none", Reason.NO_SUBSCRIBER, 1)]
    assert summary(router.hears(raised(a_signal(own_id="2")))) == [
        ("none", Reason.NO_SUBSCRIBER, 2)
    ]


def test_a_verdict_carries_the_trace_of_its_signal() -> None:
    signal = raised()
    (made,) = Router(bot("a")).hears(signal, version=7)
    assert (made.correlationid, made.causationid) == (signal.correlationid, signal.id)
    assert made.configversion == 7
    assert made.subject == "sb.v1.verdicts.a.AAPL"
    assert made.data.evaluated_at == NOON


def test_a_signal_that_comes_again_adds_nothing() -> None:
    router, signal = Router(bot("a")), raised()
    assert len(router.hears(signal, signal)) == 1
    assert router.hears(signal) == []
    assert summary(router.hears(raised(a_signal(own_id="2")))) == [("a", Reason.LEADS, 2)]


def test_the_sequence_is_gapless_per_bot_and_symbol() -> None:
    router = Router(bot("a"), bot("b", sources=(SourceRule(source_type=QC),)))
    seen: dict[tuple[str, str], list[int | None]] = {}
    series = [raised(s) for s in a_series(40)]
    for start in range(0, 40, 7):
        for made in router.hears(*series[start : start + 7]):
            seen.setdefault((made.data.bot, made.data.signal.symbol), []).append(made.sequence)
    assert len(seen) == 4
    for numbers in seen.values():
        assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("size", [1, 3, 60])
def test_verdicts_do_not_depend_on_how_signals_are_batched(size: int) -> None:
    def verdicts(batch: int) -> list[bytes]:
        router = Router(bot("a", policy=Policy(cooldown_s=1)), bot("b"))
        series = [raised(s) for s in a_series(60)]
        cuts = [series[i : i + batch] for i in range(0, 60, batch)]
        return [made.encode() for cut in cuts for made in router.hears(*cut)]

    assert verdicts(size) == verdicts(20)


def test_signals_of_one_batch_act_in_order_on_the_evolving_state() -> None:
    quant = raised(a_signal(source_type=QC, action=Action.SELL))
    made = Router(bot("a")).hears(quant, raised(a_signal()))
    assert summary(made) == [("a", Reason.LEADS, 1), ("a", Reason.HELD_BY_HIGHER, 2)]
    assert made[1].data.winner_id == quant.id


def test_a_lower_source_acts_again_after_the_higher_word_was_withdrawn() -> None:
    router, quant = Router(bot("a")), a_signal(source_type=QC, action=Action.SELL)
    router.hears(raised(quant))
    assert summary(router.hears(raised(a_signal(own_id="1")))) == [("a", Reason.HELD_BY_HIGHER, 2)]
    assert router.hears(withdrawn(a_withdrawal(quant, valid_until=NOON))) == []
    # What was suppressed stays so; the lower source's next signal may act.
    assert summary(router.hears(raised(a_signal(own_id="2")))) == [("a", Reason.LEADS, 3)]


def test_a_withdrawal_may_overtake_its_signal() -> None:
    router, quant = Router(bot("a")), a_signal(source_type=QC)
    assert router.hears(withdrawn(a_withdrawal(quant, valid_until=NOON))) == []
    assert summary(router.hears(raised(quant))) == [("a", Reason.WITHDRAWN, 1)]


def test_a_withdrawal_that_nobody_listens_to_changes_nothing() -> None:
    router = Router()
    assert router.hears(withdrawn()) == []
    with router.db.begin() as sql:
        assert sql.execute(select(states)).all() == []


def test_words_of_an_exchanged_clock_lead_nobody() -> None:
    router, earlier = Router(bot("a")), NOON - timedelta(days=30)
    router.hears(raised(a_signal(source_type=QC, action=Action.SELL)))
    made = router.hears(raised(a_signal(raised_at=earlier)), now=earlier, epoch=2)
    assert summary(made) == [("a", Reason.LEADS, 2)]


def test_more_keys_than_one_query_takes_are_loaded() -> None:
    router = Router(bot("a"))
    for own_id in ("1", "2"):
        signals = [a_signal(own_id=f"{own_id}-{n}", symbol=f"S{n}") for n in range(900)]
        made = router.hears(*map(raised, signals))
        assert {e.sequence for e in made} == {int(own_id)}


def test_verdicts_are_counted() -> None:
    def counted(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0

    verdicts = {"source_type": "llm", "result": "suppressed", "reason": "held_by_higher"}
    conflicts = {"winner": "manual", "loser": "llm", "rule": "held_by_higher"}
    before = (
        counted("signalbox_decisions_total", **verdicts),
        counted("signalbox_conflicts_total", **conflicts),
    )
    above = a_signal(source_type=SourceType.MANUAL, action=Action.SELL)
    Router(bot("a")).hears(raised(above), raised(a_signal(source_type=LLM)))
    assert counted("signalbox_decisions_total", **verdicts) == before[0] + 1
    assert counted("signalbox_conflicts_total", **conflicts) == before[1] + 1


def test_the_time_from_signal_to_verdict_is_measured() -> None:
    def measured(name: str) -> float:
        labels = {"stage": "signal_to_decision"}
        return REGISTRY.get_sample_value(f"signalbox_order_stage_seconds_{name}", labels) or 0

    before = measured("count"), measured("sum")
    signal = raised()
    Router(bot("a"), bot("b")).hears(signal, wall=signal.time + timedelta(seconds=2))
    assert (measured("count"), measured("sum")) == (before[0] + 1, before[1] + 2)


def test_a_pending_verdict_is_no_conflict_and_no_acceptance() -> None:
    (made,) = Router(bot("a", approval="manual")).hears(raised())
    assert (made.data.outcome, made.data.round) == (Outcome.PENDING, 0)
    assert made.data.reason is Reason.AWAITS_APPROVAL
