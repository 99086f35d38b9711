"""What a bot remembers of a symbol: which words live, and for how long."""

from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import TypeAdapter

from decision_router.domain.arbitration import arbitrate, first_round, weighed
from decision_router.domain.situation import Situation
from decision_router.domain.state import MAX_SOURCES, State
from signalbox.contracts.config import BotConfig, Policy
from signalbox.contracts.payloads import Signal, Verdict
from signalbox.contracts.values import Action, Outcome, Reason, SourceType
from signalbox.testing.examples import NOON, a_bot, a_signal, a_verdict, a_withdrawal

QC, LLM, STRATEGY = SourceType.QUANTCONNECT, SourceType.LLM, SourceType.STRATEGY
MINUTE = timedelta(minutes=1)
BLOCKS = a_bot(policy=Policy(hold="block"))
ASKING = a_signal(source_type=STRATEGY, own_id="asking", action=Action.BUY)


def at(now: datetime = NOON, bot: BotConfig | None = None) -> Situation:
    return Situation(bots=(bot or a_bot(),), flags={}, now=now, epoch=1)


def heard(*signals: Signal, bot: BotConfig | None = None) -> State:
    bot, state = bot or a_bot(), State()
    for signal in signals:
        state = state.after(first_round(state, signal, bot, at(signal.raised_at, bot)), epoch=1)
    return state


def standing(state: State, now: datetime = NOON, bot: BotConfig | None = None) -> list[Action]:
    bot = bot or a_bot()
    return [w.action for w in weighed(state, ASKING, bot, at(now, bot))]


def quant(action: Action, minute: int = 0, confidence: str = "0.7") -> Signal:
    return a_signal(
        source_type=QC,
        source_id="123",
        own_id=f"{action}{minute}",
        action=action,
        confidence=Decimal(confidence),
        raised_at=NOON + minute * MINUTE,
    )


def test_a_word_lives_until_its_expiry() -> None:
    state = heard(quant(Action.BUY))
    assert standing(state, NOON + 4 * MINUTE) == [Action.BUY]
    assert standing(state, NOON + 5 * MINUTE) == []


def test_a_sources_newest_word_replaces_its_older_one() -> None:
    assert standing(heard(quant(Action.BUY), quant(Action.SELL, 1))) == [Action.SELL]


def test_a_close_ends_a_word() -> None:
    assert standing(heard(quant(Action.BUY), quant(Action.CLOSE, 1))) == []


def test_a_close_has_no_side_that_could_cool_down() -> None:
    assert heard(quant(Action.CLOSE)).accepted_at == {}
    assert heard(quant(Action.SELL)).accepted_at == {Action.SELL: NOON}


def test_a_close_that_comes_too_late_still_ends_a_word() -> None:
    late = quant(Action.CLOSE, 1).model_copy(update={"valid_until": NOON + MINUTE})
    state = heard(quant(Action.BUY), late)
    assert standing(state, NOON + MINUTE) == []


def test_a_hold_leaves_the_word_before_it() -> None:
    assert standing(heard(quant(Action.BUY), quant(Action.HOLD, 1))) == [Action.BUY]


def test_a_hold_stands_where_it_blocks_until_the_source_speaks_again() -> None:
    state = heard(quant(Action.BUY), quant(Action.HOLD, 1))
    assert standing(state, NOON + MINUTE, BLOCKS) == [Action.HOLD]
    assert arbitrate(state, ASKING, BLOCKS, at(bot=BLOCKS)).reason is Reason.BLOCKED_BY_HOLD
    again = heard(quant(Action.BUY), quant(Action.HOLD, 1), quant(Action.SELL, 2))
    assert standing(again, NOON + 2 * MINUTE, BLOCKS) == [Action.SELL]
    flat = heard(quant(Action.HOLD), quant(Action.CLOSE, 1))
    assert standing(flat, NOON + MINUTE, BLOCKS) == []


def test_a_word_that_failed_a_check_never_lives() -> None:
    unsure = a_signal(source_type=LLM, confidence=Decimal("0.1"))
    assert standing(heard(unsure)) == []
    fail_closed = heard(quant(Action.BUY), unsure)
    assert standing(fail_closed) == [Action.BUY]


def test_a_suppressed_word_lives() -> None:
    held = a_signal(source_type=LLM, action=Action.SELL)
    assert set(standing(heard(quant(Action.BUY), held))) == {Action.BUY, Action.SELL}


def test_a_withdrawn_word_ends_at_its_new_expiry() -> None:
    word = quant(Action.BUY)
    state = heard(word).withdrawing(a_withdrawal(word, valid_until=NOON + MINUTE))
    assert standing(state, NOON) == [Action.BUY]
    assert standing(state, NOON + MINUTE) == []


def test_a_withdrawal_never_lengthens_a_word() -> None:
    word = quant(Action.BUY)
    state = heard(word).withdrawing(a_withdrawal(word, valid_until=NOON + 60 * MINUTE))
    assert standing(state, NOON + 5 * MINUTE) == []


def test_withdrawing_an_older_word_leaves_the_newer_one() -> None:
    state = heard(quant(Action.BUY), quant(Action.SELL, 1))
    state = state.withdrawing(a_withdrawal(quant(Action.BUY), valid_until=NOON))
    assert standing(state, NOON + MINUTE) == [Action.SELL]


def test_a_declined_or_lapsed_word_ends() -> None:
    word = quant(Action.BUY)
    for outcome in (Outcome.DECLINED, Outcome.LAPSED):
        over = a_verdict(word, round=1, outcome=outcome, reason=Reason(outcome.value))
        assert standing(heard(word).after(over, epoch=1)) == []


def test_a_second_round_leaves_what_the_source_said_since() -> None:
    old = quant(Action.BUY)
    for new in (quant(Action.SELL, 1), quant(Action.SELL)):  # later, or at the same instant
        for outcome in (Outcome.DECLINED, Outcome.ACCEPTED, Outcome.REFUSED):
            over = a_verdict(old, round=1, outcome=outcome, reason=Reason.APPROVED)
            assert standing(heard(old, new).after(over, epoch=1), NOON + MINUTE) == [Action.SELL]


def test_words_of_a_source_that_was_switched_off_since_count_no_more() -> None:
    state, bot = heard(quant(Action.SELL)), a_bot()
    off = Situation(bots=(bot,), flags={QC: False}, now=NOON, epoch=1)
    assert arbitrate(state, ASKING, bot, off).reason is Reason.LEADS


def test_the_memory_is_bounded() -> None:
    state = State()
    for n in range(MAX_SOURCES + 5):
        signal = a_signal(source_id=f"s{n}", raised_at=NOON + n * timedelta(seconds=1))
        state = state.after(a_verdict(signal), epoch=1)
    assert len(state.voices) == MAX_SOURCES
    assert "strategy|s4" not in state.voices
    assert "strategy|s5" in state.voices
    assert state.sequence == MAX_SOURCES + 5


def test_nothing_but_the_sequence_survives_an_exchange_of_the_clock() -> None:
    state = heard(quant(Action.BUY))
    assert state.on_clock(NOON - 60 * MINUTE, epoch=1) is state  # the same clock
    assert state.on_clock(NOON + 60 * MINUTE, epoch=2) is state  # the replay goes round
    fresh = state.on_clock(NOON - 60 * MINUTE, epoch=2)
    assert (fresh.sequence, fresh.voices, fresh.accepted_at) == (1, {}, {})


def test_the_state_comes_back_from_its_json_as_it_was() -> None:
    word = quant(Action.BUY, confidence="0.70")
    state = heard(word, quant(Action.HOLD, 1), a_signal(source_type=LLM))
    state = state.withdrawing(a_withdrawal(word))
    adapter = TypeAdapter(State)
    raw = adapter.dump_json(state, exclude_none=True)
    again = adapter.validate_json(raw)
    assert again == state
    assert adapter.dump_json(again, exclude_none=True) == raw


def test_a_verdict_at_the_end_of_a_state_is_its_last() -> None:
    verdict: Verdict = a_verdict()
    state = State(sequence=7).after(verdict, epoch=3)
    assert (state.sequence, state.last_verdict, state.epoch) == (8, verdict.verdict_id, 3)
