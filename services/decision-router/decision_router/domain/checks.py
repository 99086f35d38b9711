"""The checks that a signal passes before it is weighed against others, and the cooldown after."""

from datetime import timedelta

from decision_router.domain.ruling import Ruling, refused, seconds
from decision_router.domain.situation import Situation
from decision_router.domain.state import State, Voice
from signalbox.contracts.config import BotConfig
from signalbox.contracts.ids import plain
from signalbox.contracts.payloads import Signal
from signalbox.contracts.values import Action, Reason, Target


def check(state: State, signal: Signal, bot: BotConfig, situation: Situation) -> Ruling | None:
    """The first check that refuses the signal, or none.

    In this order: the bot and the source may act, the symbol is allowed, the word has not expired,
    it is no older than the source's last one, and it is confident enough. A `close` skips the last:
    it can only reduce what the source itself holds.
    """
    source = (signal.source_type, signal.source_id)
    voice = state.voice(source)
    return (
        _may_act(signal, bot, situation)
        or _symbol_is_allowed(signal, bot)
        or _is_in_time(signal, voice, bot, situation)
        or _is_newest(signal, voice)
        or _is_confident(signal, bot)
    )


def cool_down(state: State, signal: Signal, bot: BotConfig, situation: Situation) -> Ruling | None:
    """The refusal of a side that was accepted on this symbol too short a while ago, or none."""
    last = state.accepted_at.get(signal.action)
    span = timedelta(seconds=bot.policy.cooldown_s)
    if last is None or situation.now - last >= span:
        return None
    numbers = {
        "cooldown_s": str(bot.policy.cooldown_s),
        "last_accepted_at": last.isoformat(),
        "elapsed_s": seconds(situation.now - last),
    }
    rule = f"the last {signal.action} was accepted less than {bot.policy.cooldown_s} s ago"
    return refused(Reason.COOLDOWN, rule, numbers)


def _may_act(signal: Signal, bot: BotConfig, situation: Situation) -> Ruling | None:
    if not bot.enabled:
        return refused(Reason.BOT_DISABLED, "the bot is switched off", {})
    off = situation.switched_off(bot, (signal.source_type, signal.source_id))
    if off:
        return refused(Reason.SOURCE_DISABLED, off, {})
    if situation.replay and signal.target is Target.REAL:
        rule = "a real signal is not traded on replayed prices"
        return refused(Reason.REPLAY_FEED, rule, {"target": "real", "feed": "replay"})
    return None


def _symbol_is_allowed(signal: Signal, bot: BotConfig) -> Ruling | None:
    if not bot.symbols or signal.symbol in bot.symbols:
        return None
    numbers = {"allowed": str(len(bot.symbols))}
    return refused(Reason.SYMBOL_NOT_ALLOWED, f"the bot does not trade {signal.symbol}", numbers)


def _is_in_time(
    signal: Signal, voice: Voice, bot: BotConfig, situation: Situation
) -> Ruling | None:
    until = voice.may_act_until(signal)
    if situation.now < until:
        return None
    late = {"late_s": seconds(situation.now - until)}
    if until < signal.valid_until:
        numbers = {"withdrawn_until": until.isoformat(), **late}
        return refused(Reason.WITHDRAWN, "its source had taken it back", numbers)
    numbers = {"valid_until": until.isoformat(), **late}
    life_s = bot.policy.times_to_live_s.get(signal.source_type)
    if life_s is not None and until - signal.raised_at == timedelta(seconds=life_s):
        rule = f"the bot lets a word of {signal.source_type} live for {life_s} s"
        return refused(Reason.EXPIRED, rule, {"time_to_live_s": str(life_s), **numbers})
    return refused(Reason.EXPIRED, "not acted on at or after its expiry", numbers)


def _is_newest(signal: Signal, voice: Voice) -> Ruling | None:
    # Two words of one instant are taken as they come: the clock may stand still between them.
    if voice.spoke_at is None or signal.raised_at >= voice.spoke_at:
        return None
    return stale(signal, voice)


def stale(signal: Signal, voice: Voice) -> Ruling:
    """The refusal of a word that its source has spoken past."""
    numbers = {"raised_at": signal.raised_at.isoformat()}
    if voice.spoke_at is not None:
        numbers["last_word_at"] = voice.spoke_at.isoformat()
    return refused(Reason.STALE_WORD, "its source has said something newer", numbers)


def _is_confident(signal: Signal, bot: BotConfig) -> Ruling | None:
    threshold = bot.policy.thresholds.get(signal.source_type)
    if threshold is None or signal.confidence >= threshold or signal.action is Action.CLOSE:
        return None
    numbers = {"confidence": plain(signal.confidence), "threshold": plain(threshold)}
    rule = f"below the threshold of {signal.source_type}"
    return refused(Reason.LOW_CONFIDENCE, rule, numbers)
