"""A stored verdict is reached again from what is stored in it, byte for byte."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from decision_router.domain import arbitration
from decision_router.domain.arbitration import Pending
from decision_router.domain.replay import replay
from decision_router.domain.situation import Situation
from decision_router.domain.state import State
from signalbox.contracts.config import BotConfig, Policy, RouterConfig
from signalbox.contracts.payloads import Signal, Verdict
from signalbox.contracts.values import Action, Outcome, Reason, SourceType, Target
from signalbox.testing.examples import NOON, a_bot, a_signal, a_withdrawal, reached

MINUTE = timedelta(minutes=1)
QC, LLM = SourceType.QUANTCONNECT, SourceType.LLM
SIGNAL = a_signal(source_type=LLM, raised_at=NOON)
BOT = a_bot()


def says(source_type: SourceType, action: Action, minute: int = -1, **over: Any) -> Signal:
    at = NOON + minute * MINUTE
    return a_signal(source_type=source_type, own_id="x", action=action, raised_at=at, **over)


def bot(**policy: Any) -> BotConfig:
    return a_bot(policy=Policy(**policy))


def before(bot: BotConfig, *signals: Signal) -> State:
    state = State()
    for signal in signals:
        situation = Situation((bot,), {}, now=signal.raised_at)
        verdict = arbitration.first_round(state, signal, bot, situation)
        state = state.after(verdict, epoch=0)
    return state


def same_bytes(verdict: Verdict, bot: BotConfig, *, first: Verdict | None = None) -> bool:
    stored = verdict.model_dump_json()
    again = Verdict.model_validate_json(stored)
    event = reached(first) if first else None
    config = RouterConfig(bots=(bot,))
    return replay(again, config, first=event).model_dump_json() == stored


FIRST_ROUNDS: tuple[tuple[BotConfig, list[Signal], Signal, Reason], ...] = (
    (BOT, [], SIGNAL, Reason.LEADS),
    (a_bot(approval="manual"), [], SIGNAL, Reason.AWAITS_APPROVAL),
    (BOT, [says(QC, Action.BUY)], SIGNAL, Reason.LED_BY_HIGHER),
    (BOT, [says(QC, Action.SELL)], SIGNAL, Reason.HELD_BY_HIGHER),
    (BOT, [says(LLM, Action.SELL, source_id="two")], SIGNAL, Reason.HELD_BY_EQUAL),
    (bot(add_on_agreement=True), [says(QC, Action.BUY)], SIGNAL, Reason.AGREES),
    (bot(hold="block"), [says(QC, Action.HOLD)], SIGNAL, Reason.BLOCKED_BY_HOLD),
    (bot(kind="veto"), [says(SourceType.STRATEGY, Action.SELL)], SIGNAL, Reason.VETOED),
    (bot(kind="consensus"), [says(QC, Action.SELL)], SIGNAL, Reason.NO_CONSENSUS),
    (bot(kind="weighted"), [says(QC, Action.SELL)], SIGNAL, Reason.OUTWEIGHED),
    (bot(cooldown_s=600), [says(LLM, Action.BUY)], SIGNAL, Reason.COOLDOWN),
    (BOT, [says(LLM, Action.BUY, 1)], SIGNAL, Reason.STALE_WORD),
    (BOT, [], says(LLM, Action.BUY, -5), Reason.EXPIRED),
    (bot(times_to_live_s={LLM: 30}), [], says(LLM, Action.BUY), Reason.EXPIRED),
    (bot(times_to_live_s={LLM: 90}), [], says(LLM, Action.BUY), Reason.LEADS),
    (BOT, [], says(LLM, Action.BUY, confidence=Decimal("0.10")), Reason.LOW_CONFIDENCE),
    (BOT, [], says(LLM, Action.BUY, target=Target.REAL), Reason.REPLAY_FEED),
    (BOT, [], says(LLM, Action.HOLD), Reason.NO_OPINION),
    (a_bot(enabled=False), [], SIGNAL, Reason.BOT_DISABLED),
    (a_bot(strategy_source="traditional"), [], SIGNAL, Reason.SOURCE_DISABLED),
    (a_bot(symbols=("MSFT",)), [], SIGNAL, Reason.SYMBOL_NOT_ALLOWED),
)
APPROVALS: tuple[tuple[dict[str, Any], list[Signal], Reason], ...] = (
    ({}, [], Reason.APPROVED),
    ({}, [says(QC, Action.SELL, 0)], Reason.HELD_BY_HIGHER),
    ({}, [says(LLM, Action.SELL, 0)], Reason.STALE_WORD),
    ({"bound_version": 9}, [], Reason.CONFIG_CHANGED),
    ({"enabled": False}, [], Reason.BOT_DISABLED),
)
# Those of the tests below that are about one reason each.
OTHERS = {Reason.WITHDRAWN, Reason.NO_SUBSCRIBER, Reason.DECLINED, Reason.LAPSED}


def named(value: object) -> str:
    return value.value if isinstance(value, Reason) else ""


def test_every_reason_is_reached_here() -> None:
    assert {row[-1] for row in (*FIRST_ROUNDS, *APPROVALS)} | OTHERS == set(Reason)


@pytest.mark.parametrize(("bot", "words", "signal", "reason"), FIRST_ROUNDS, ids=named)
def test_a_first_round(bot: BotConfig, words: list[Signal], signal: Signal, reason: Reason) -> None:
    situation = Situation((bot,), {}, now=NOON, replay=True)
    verdict = arbitration.first_round(before(bot, *words), signal, bot, situation)
    assert verdict.reason is reason
    assert same_bytes(verdict, bot)


def test_a_signal_that_was_withdrawn_before_it_came() -> None:
    state = State().withdrawing(a_withdrawal(SIGNAL, valid_until=NOON))
    verdict = arbitration.first_round(state, SIGNAL, BOT, Situation((BOT,), {}, now=NOON))
    assert verdict.reason is Reason.WITHDRAWN
    assert same_bytes(verdict, BOT)


def test_a_signal_that_nobody_listens_to() -> None:
    verdict = arbitration.unheard(SIGNAL, NOON)
    assert verdict.reason is Reason.NO_SUBSCRIBER
    assert same_bytes(verdict, BOT)


@pytest.mark.parametrize(("changed", "words", "reason"), APPROVALS, ids=named)
def test_an_approval(changed: dict[str, Any], words: list[Signal], reason: Reason) -> None:
    manual = a_bot(approval="manual")
    now = a_bot(approval="manual").model_copy(update=changed)
    state = before(manual, SIGNAL, *words)
    first = arbitration.first_round(State(), SIGNAL, manual, Situation((manual,), {}, now=NOON))
    pending = Pending(reached(first), SIGNAL.valid_until, epoch=0)
    situation = Situation((now,), {}, now=NOON + MINUTE)
    verdict = arbitration.approve(state, pending, situation, "admin")
    assert (verdict.reason, verdict.decided_by) == (reason, "admin")
    assert same_bytes(verdict, now, first=first)


def test_what_ends_a_round_without_an_approval() -> None:
    manual = a_bot(approval="manual")
    first = arbitration.first_round(State(), SIGNAL, manual, Situation((manual,), {}, now=NOON))
    pending = Pending(reached(first), SIGNAL.valid_until, epoch=0)
    late = replace(pending, expires_at=NOON + MINUTE)
    ended = [
        arbitration.decline(pending, NOON + MINUTE, "admin"),
        arbitration.withdraw(pending, NOON + MINUTE),
        arbitration.lapse(late, NOON + MINUTE),
    ]
    assert [v.outcome for v in ended] == [Outcome.DECLINED, Outcome.LAPSED, Outcome.LAPSED]
    assert [v.reason for v in ended] == [Reason.DECLINED, Reason.WITHDRAWN, Reason.LAPSED]
    assert all(same_bytes(v, manual, first=first) for v in ended)


def test_a_second_round_needs_its_first() -> None:
    manual = a_bot(approval="manual")
    first = arbitration.first_round(State(), SIGNAL, manual, Situation((manual,), {}, now=NOON))
    verdict = arbitration.decline(Pending(reached(first), NOON, epoch=0), NOON, "admin")
    with pytest.raises(ValueError, match="its first is missing"):
        replay(verdict, RouterConfig(bots=(manual,)))
