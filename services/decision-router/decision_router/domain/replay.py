"""Reaching a stored verdict again from what is stored in it."""

from datetime import datetime

from decision_router.domain import arbitration
from decision_router.domain.arbitration import Pending
from decision_router.domain.situation import Situation
from decision_router.domain.state import State, Voice, voice_key
from signalbox.contracts.config import RouterConfig
from signalbox.contracts.events import VerdictReached
from signalbox.contracts.payloads import LiveSignal, Signal, Verdict
from signalbox.contracts.values import Action, Outcome, Reason


def replay(
    verdict: Verdict, config: RouterConfig, *, first: VerdictReached | None = None
) -> Verdict:
    """The verdict that these inputs lead to; the same bytes as long as no rule has changed.

    Args:
        verdict: as it was stored; used are its signal, inputs, `evaluated_at`, what its numbers
            say of the past, and for a second round what the person or the clock said.
        config: the configuration of the version that the verdict's event names.
        first: the event of round 0, needed for a second round.

    Raises:
        ValueError: a second round without its first.
    """
    numbers = verdict.numbers
    situation = Situation(
        bots=config.bots,
        flags=config.flags,
        now=verdict.evaluated_at,
        replay=numbers.get("feed") == "replay",
    )
    if verdict.round:
        return _second_round(verdict, situation, first)
    bot = situation.bot(verdict.bot)
    if bot is None:
        return arbitration.unheard(verdict.signal, situation.now)
    return arbitration.first_round(remembered(verdict), verdict.signal, bot, situation)


def _second_round(verdict: Verdict, situation: Situation, first: VerdictReached | None) -> Verdict:
    if first is None:
        raise ValueError(f"verdict {verdict.verdict_id} is a second round; its first is missing")
    expires_at = _time(verdict, "expired_at") or verdict.signal.valid_until
    pending = Pending(first, expires_at, epoch=situation.epoch)
    if verdict.outcome is Outcome.DECLINED:
        return arbitration.decline(pending, situation.now, verdict.decided_by or "")
    if verdict.reason is Reason.WITHDRAWN and verdict.outcome is Outcome.LAPSED:
        return arbitration.withdraw(pending, situation.now)
    if verdict.outcome is Outcome.LAPSED:
        return arbitration.lapse(pending, situation.now)
    return arbitration.approve(remembered(verdict), pending, situation, verdict.decided_by or "")


def remembered(verdict: Verdict) -> State:
    """As much of the bot's memory as had a part in the verdict."""
    signal = verdict.signal
    voices = {voice_key((w.source_type, w.source_id)): _voice_of(w) for w in verdict.inputs}
    voices[voice_key((signal.source_type, signal.source_id))] = _own_voice(verdict, signal)
    last = _time(verdict, "last_accepted_at")
    return State(voices=voices, accepted_at={} if last is None else {signal.action: last})


def _voice_of(word: LiveSignal) -> Voice:
    if word.action is Action.HOLD:
        return Voice(word.signal_id, word.raised_at, hold=word)
    return Voice(word.signal_id, word.raised_at, word=word)


def _own_voice(verdict: Verdict, signal: Signal) -> Voice:
    stale = verdict.reason is Reason.STALE_WORD
    until = _time(verdict, "withdrawn_until")
    return Voice(
        newest=None if stale or verdict.round == 0 else signal.signal_id,
        spoke_at=_time(verdict, "last_word_at"),
        withdrawn=None if until is None else signal.signal_id,
        withdrawn_until=until,
    )


def _time(verdict: Verdict, name: str) -> datetime | None:
    text = verdict.numbers.get(name)
    return None if text is None else datetime.fromisoformat(text)
