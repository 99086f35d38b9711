"""The checks before arbitration, each reason at least once, and the cooldown after."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from decision_router.domain.arbitration import arbitrate, first_round, unheard
from decision_router.domain.ruling import Ruling, seconds
from decision_router.domain.situation import Situation
from decision_router.domain.state import State
from signalbox.contracts.config import BotConfig, Policy, SourceRule
from signalbox.contracts.payloads import Signal
from signalbox.contracts.values import Action, Outcome, Reason, SourceType, Target
from signalbox.testing.examples import NOON, a_bot, a_signal, a_withdrawal

D = Decimal
LLM, STRATEGY = SourceType.LLM, SourceType.STRATEGY
MINUTE = timedelta(minutes=1)


def situation(bot: BotConfig, *, now: datetime = NOON, **over: Any) -> Situation:
    return replace(Situation(bots=(bot,), flags={}, now=now, epoch=1), **over)


def judged(signal: Signal, *before: Signal, bot: BotConfig | None = None, **over: Any) -> Ruling:
    """What becomes of `signal` after those before it were heard, each at its own time."""
    bot, state = bot or a_bot(), State()
    for earlier in before:
        at = situation(bot, now=earlier.raised_at)
        state = state.after(first_round(state, earlier, bot, at), epoch=1)
    return arbitrate(state, signal, bot, situation(bot, **over))


def rules(*given: tuple[str | None, bool]) -> tuple[SourceRule, ...]:
    return tuple(SourceRule(source_type=STRATEGY, source_id=i, enabled=e) for i, e in given)


def test_a_signal_without_rivals_leads() -> None:
    ruling = judged(a_signal())
    assert (ruling.outcome, ruling.reason, ruling.inputs) == (Outcome.ACCEPTED, Reason.LEADS, ())


def test_a_disabled_bot_refuses() -> None:
    assert judged(a_signal(), bot=a_bot(enabled=False)).reason is Reason.BOT_DISABLED


def test_a_feature_flag_switches_a_source_type_off() -> None:
    ruling = judged(a_signal(), flags={STRATEGY: False})
    assert (ruling.outcome, ruling.reason) == (Outcome.REFUSED, Reason.SOURCE_DISABLED)
    assert ruling.rule == "the feature flag of strategy is off"
    assert judged(a_signal(), flags={STRATEGY: True, LLM: False}).reason is Reason.LEADS


@pytest.mark.parametrize(
    ("given", "acts"),
    [
        pytest.param(rules((None, True)), True, id="its type"),
        pytest.param(rules((None, False)), False, id="its type is off"),
        pytest.param(rules(("sma-cross", False)), False, id="itself is off"),
        pytest.param(rules((None, True), ("sma-cross", False)), False, id="named beats type"),
        pytest.param(rules((None, False), ("sma-cross", True)), True, id="named beats type, on"),
        pytest.param(rules(("sma-cross", True), ("sma-cross", False)), False, id="in doubt off"),
        pytest.param(rules(("other", True)), False, id="not listed"),
    ],
)
def test_a_rule_switches_a_source_off(given: tuple[SourceRule, ...], acts: bool) -> None:
    ruling = judged(a_signal(), bot=a_bot(sources=given))
    assert ruling.reason is (Reason.LEADS if acts else Reason.SOURCE_DISABLED)


@pytest.mark.parametrize("source_type", SourceType)
@pytest.mark.parametrize("chosen", ["traditional", "quantconnect", "llm", "hybrid"])
def test_the_strategy_source_filters_but_never_manual_and_external(
    source_type: SourceType, chosen: str
) -> None:
    bot = BotConfig.model_validate(a_bot().model_dump() | {"strategy_source": chosen})
    spoken = "traditional" if source_type is STRATEGY else source_type.value
    passes = chosen in {"hybrid", spoken} or spoken in {"manual", "external"}
    ruling = judged(a_signal(source_type=source_type), bot=bot)
    assert ruling.reason is (Reason.LEADS if passes else Reason.SOURCE_DISABLED)


def test_a_real_signal_is_not_traded_on_replayed_prices() -> None:
    real = a_signal(target=Target.REAL)
    assert judged(real, replay=True).reason is Reason.REPLAY_FEED
    assert judged(real, replay=False).reason is Reason.LEADS
    assert judged(a_signal(), replay=True).reason is Reason.LEADS


def test_a_symbol_outside_the_list_is_refused() -> None:
    assert judged(a_signal(), bot=a_bot(symbols=("MSFT",))).reason is Reason.SYMBOL_NOT_ALLOWED
    assert judged(a_signal(), bot=a_bot(symbols=("MSFT", "AAPL"))).reason is Reason.LEADS


def test_a_signal_is_not_acted_on_at_its_expiry() -> None:
    signal = a_signal(valid_until=NOON + MINUTE)
    ruling = judged(signal, now=NOON + MINUTE)
    assert (ruling.reason, ruling.numbers["late_s"]) == (Reason.EXPIRED, "0")
    last_instant = NOON + MINUTE - timedelta(microseconds=1)
    assert judged(signal, now=last_instant).reason is Reason.LEADS


def test_a_word_older_than_its_sources_last_is_stale() -> None:
    last = a_signal(own_id="last", raised_at=NOON)
    ruling = judged(a_signal(own_id="late", raised_at=NOON - MINUTE), last)
    assert ruling.reason is Reason.STALE_WORD
    assert ruling.numbers["last_word_at"] == NOON.isoformat()


def test_a_refused_word_makes_an_older_one_stale_too() -> None:
    unsure = a_signal(source_type=LLM, own_id="unsure", confidence=D("0.1"))
    older = a_signal(source_type=LLM, own_id="older", raised_at=NOON - MINUTE)
    assert judged(older, unsure).reason is Reason.STALE_WORD


def test_a_word_of_the_same_instant_is_taken_as_it_comes() -> None:
    ruling = judged(a_signal(own_id="2", action=Action.SELL), a_signal(own_id="1"))
    assert ruling.reason is Reason.LEADS


@pytest.mark.parametrize(
    ("confidence", "action", "reason"),
    [
        ("0.59", Action.BUY, Reason.LOW_CONFIDENCE),
        ("0.6", Action.BUY, Reason.LEADS),
        ("0.59", Action.HOLD, Reason.LOW_CONFIDENCE),
        ("0", Action.CLOSE, Reason.LEADS),  # it can only reduce
    ],
)
def test_the_threshold_of_a_source_type(confidence: str, action: Action, reason: Reason) -> None:
    signal = a_signal(source_type=LLM, confidence=D(confidence), action=action)
    assert judged(signal).reason is reason


def test_a_hold_changes_nothing() -> None:
    ruling = judged(a_signal(action=Action.HOLD))
    assert (ruling.outcome, ruling.reason) == (Outcome.REFUSED, Reason.NO_OPINION)


def test_a_close_passes_whoever_leads() -> None:
    above = a_signal(source_type=SourceType.MANUAL, action=Action.BUY)
    hold = a_signal(source_type=SourceType.QUANTCONNECT, action=Action.HOLD)
    bot = a_bot(policy=Policy(hold="block", cooldown_s=600))
    ruling = judged(a_signal(action=Action.CLOSE), above, hold, bot=bot)
    assert (ruling.outcome, ruling.reason) == (Outcome.ACCEPTED, Reason.LEADS)


def test_a_signal_that_was_taken_back_before_it_came_is_refused() -> None:
    signal, bot = a_signal(), a_bot()
    state = State().withdrawing(a_withdrawal(signal, valid_until=NOON - MINUTE))
    ruling = arbitrate(state, signal, bot, situation(bot))
    assert (ruling.outcome, ruling.reason) == (Outcome.REFUSED, Reason.WITHDRAWN)
    later = State().withdrawing(a_withdrawal(signal, valid_until=NOON + 60 * MINUTE))
    expired = arbitrate(later, signal, bot, situation(bot, now=signal.valid_until))
    assert expired.reason is Reason.EXPIRED  # a withdrawal never lengthens
    other = a_signal(own_id="2")
    assert arbitrate(state, other, bot, situation(bot)).reason is Reason.LEADS


@pytest.mark.parametrize(
    ("action", "after_s", "reason"),
    [
        pytest.param(Action.BUY, 59, Reason.COOLDOWN, id="same side, too soon"),
        pytest.param(Action.BUY, 60, Reason.LEADS, id="same side, cooled down"),
        pytest.param(Action.SELL, 1, Reason.LEADS, id="other side"),
        pytest.param(Action.CLOSE, 1, Reason.LEADS, id="close"),
    ],
)
def test_cooldown(action: Action, after_s: int, reason: Reason) -> None:
    now = NOON + timedelta(seconds=after_s)
    bot = a_bot(policy=Policy(cooldown_s=60))
    ruling = judged(
        a_signal(own_id="2", action=action, raised_at=now), a_signal(), bot=bot, now=now
    )
    assert ruling.reason is reason


def test_cooldown_counts_for_every_source_and_says_since_when() -> None:
    now, bot = NOON + MINUTE, a_bot(policy=Policy(cooldown_s=90, add_on_agreement=True))
    ruling = judged(a_signal(source_id="ema"), a_signal(), bot=bot, now=now)
    assert (ruling.outcome, ruling.reason) == (Outcome.REFUSED, Reason.COOLDOWN)
    assert ruling.numbers == {
        "cooldown_s": "90",
        "last_accepted_at": NOON.isoformat(),
        "elapsed_s": "60",
    }
    assert len(ruling.inputs) == 1


def test_a_suppressed_verdict_starts_no_cooldown() -> None:
    quant = a_signal(
        source_type=SourceType.QUANTCONNECT, action=Action.SELL, valid_until=NOON + MINUTE
    )
    now, bot = NOON + MINUTE, a_bot(policy=Policy(cooldown_s=3600))
    ruling = judged(a_signal(own_id="2", raised_at=now), quant, a_signal(), bot=bot, now=now)
    assert ruling.reason is Reason.LEADS


def test_nobody_listens() -> None:
    verdict = unheard(a_signal(), NOON)
    assert (verdict.bot, verdict.account) == ("none", "")
    assert (verdict.outcome, verdict.reason) == (Outcome.REFUSED, Reason.NO_SUBSCRIBER)


def test_the_first_failing_check_decides() -> None:
    bot = a_bot(enabled=False, symbols=("MSFT",))
    old = a_signal(source_type=LLM, confidence=D(0), target=Target.REAL, valid_until=NOON)
    steps = [
        (bot, {LLM: False}, Reason.BOT_DISABLED),
        (a_bot(symbols=("MSFT",)), {LLM: False}, Reason.SOURCE_DISABLED),
        (a_bot(symbols=("MSFT",)), {}, Reason.REPLAY_FEED),
    ]
    for given, flags, reason in steps:
        assert judged(old, bot=given, flags=flags, replay=True).reason is reason
    assert judged(old, bot=a_bot(symbols=("MSFT",))).reason is Reason.SYMBOL_NOT_ALLOWED
    newer = a_signal(source_type=LLM, own_id="newer", raised_at=NOON + MINUTE)
    assert judged(old, newer).reason is Reason.EXPIRED
    alive = old.model_copy(update={"valid_until": NOON + MINUTE})
    assert judged(alive, newer).reason is Reason.STALE_WORD
    assert judged(alive).reason is Reason.LOW_CONFIDENCE


def test_seconds_keep_every_digit() -> None:
    assert seconds(timedelta(seconds=3, microseconds=250)) == "3.00025"


def test_a_bot_may_let_a_word_live_shorter_than_it_says_itself() -> None:
    bot, signal = a_bot(policy=Policy(times_to_live_s={STRATEGY: 60})), a_signal()
    at = [situation(bot, now=NOON + timedelta(seconds=s)) for s in (59, 60)]
    young, old = (first_round(State(), signal, bot, one) for one in at)
    assert young.outcome is Outcome.ACCEPTED
    assert young.signal.valid_until == NOON + MINUTE  # nor may an order of it wait longer
    assert (old.reason, old.numbers["time_to_live_s"]) == (Reason.EXPIRED, "60")
    assert old.rule == "the bot lets a word of strategy live for 60 s"


def test_a_bot_lets_no_word_live_longer_than_it_says_itself() -> None:
    bot = a_bot(policy=Policy(times_to_live_s={STRATEGY: 3600}))
    late = first_round(State(), a_signal(), bot, situation(bot, now=NOON + 5 * MINUTE))
    assert late.reason is Reason.EXPIRED
    assert "time_to_live_s" not in late.numbers


def test_a_word_that_has_outlived_the_bots_patience_leads_nobody() -> None:
    policy = Policy(times_to_live_s={SourceType.QUANTCONNECT: 60})
    higher = a_signal(source_type=SourceType.QUANTCONNECT, action=Action.SELL)
    for seconds_later, reason in ((59, Reason.HELD_BY_HIGHER), (60, Reason.LEADS)):
        at = NOON + timedelta(seconds=seconds_later)
        lower = a_signal(own_id="2", raised_at=at)
        assert judged(lower, higher, bot=a_bot(policy=policy), now=at).reason is reason
