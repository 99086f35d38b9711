"""From a signal to a verdict: the first round, and what a person or time makes of a pending one."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from decision_router.domain.checks import check, cool_down, stale
from decision_router.domain.policies import settle
from decision_router.domain.ruling import Ruling, accepted, refused
from decision_router.domain.situation import Situation
from decision_router.domain.state import State
from signalbox.contracts import ids
from signalbox.contracts.config import BotConfig, Policy
from signalbox.contracts.events import VerdictReached
from signalbox.contracts.payloads import LiveSignal, Signal, Verdict
from signalbox.contracts.values import Action, Outcome, Reason

NOBODY = "none"  # the bot of a signal that no bot listens to

NO_SUBSCRIBER = refused(Reason.NO_SUBSCRIBER, "no bot listens to the source", {})
DECLINED = Ruling(Outcome.DECLINED, Reason.DECLINED, "a person declined it")
WITHDRAWN = Ruling(Outcome.LAPSED, Reason.WITHDRAWN, "its source took it back")
NO_OPINION = refused(Reason.NO_OPINION, "a hold changes nothing", {})
ANY_CLOSE = accepted(Reason.LEADS, "a source may always close its own lots", {})


@dataclass(frozen=True, slots=True)
class Pending:
    """A round that waits for a person."""

    event: VerdictReached  # of round 0
    expires_at: datetime  # market clock
    epoch: int  # of that clock
    ended_by: Verdict | None = None  # round 1, once there is one

    @property
    def verdict(self) -> Verdict:
        """The verdict that waits."""
        return self.event.data

    def shortened(self, until: datetime) -> "Pending":
        """The same round, given up at `until` if not sooner."""
        return replace(self, expires_at=min(self.expires_at, until))

    def is_over(self, situation: Situation) -> bool:
        """Whether it may no longer be approved; also when its clock was exchanged for another."""
        exchanged = situation.epoch != self.epoch and situation.now < self.verdict.evaluated_at
        return exchanged or situation.now >= self.expires_at


def arbitrate(state: State, signal: Signal, bot: BotConfig, situation: Situation) -> Ruling:
    """Whether this signal may act for this bot now, and why.

    The checks come first. Then a hold changes nothing, a close always may, and a buy or sell is
    weighed against the live words of the other sources; one that may act may still have to wait
    until the side has cooled down. The order in which the live words are listed does not matter.
    """
    refusal = check(state, signal, bot, situation)
    if refusal is not None:
        return refusal
    if signal.action is Action.HOLD:
        return NO_OPINION
    if signal.action is Action.CLOSE:
        return ANY_CLOSE
    inputs = weighed(state, signal, bot, situation)
    ruling = settle(signal, inputs, bot.policy)
    if ruling.outcome is Outcome.ACCEPTED:
        ruling = cool_down(state, signal, bot, situation) or ruling
    return replace(ruling, inputs=inputs) if inputs else ruling


def weighed(
    state: State, signal: Signal, bot: BotConfig, situation: Situation
) -> tuple[LiveSignal, ...]:
    """The live words of the other sources that this bot acts on, sorted by signal id."""
    source = (signal.source_type, signal.source_id)
    live = state.others(source, situation.now, holds=bot.policy.hold == "block")
    words = [w for w in live if not situation.switched_off(bot, (w.source_type, w.source_id))]
    return tuple(sorted(words, key=lambda w: w.signal_id.int))


def as_heard(signal: Signal, policy: Policy) -> Signal:
    """The signal, expiring sooner where the policy lets a word of its source live shorter."""
    life_s = policy.times_to_live_s.get(signal.source_type)
    if life_s is None or signal.valid_until - signal.raised_at <= timedelta(seconds=life_s):
        return signal
    return signal.model_copy(update={"valid_until": signal.raised_at + timedelta(seconds=life_s)})


def first_round(state: State, signal: Signal, bot: BotConfig, situation: Situation) -> Verdict:
    """The bot's verdict on a new signal; pending where it would act and a person must agree.

    It names the signal as this bot heard it: with the expiry that the bot gives it.
    """
    signal = as_heard(signal, bot.policy)
    ruling = arbitrate(state, signal, bot, situation)
    if ruling.outcome is Outcome.ACCEPTED and bot.approval == "manual":
        ruling = replace(ruling, outcome=Outcome.PENDING, reason=Reason.AWAITS_APPROVAL)
    return _verdict(signal, ruling, situation.now, bot=bot.id, account=bot.account)


def unheard(signal: Signal, now: datetime) -> Verdict:
    """The verdict on a signal that no bot listens to."""
    return _verdict(signal, NO_SUBSCRIBER, now, bot=NOBODY, account="")


def approve(state: State, pending: Pending, situation: Situation, by: str) -> Verdict:
    """What an approval makes of a pending round: everything is checked and weighed again."""
    if pending.is_over(situation):
        return lapse(pending, situation.now)
    signal = pending.verdict.signal
    bot = situation.bot(pending.verdict.bot)
    voice = state.voice((signal.source_type, signal.source_id))
    if bot is None or bot.bound_version > pending.event.configversion:
        ruling = _config_changed(pending, bot)
    elif voice.newest != signal.signal_id:
        ruling = stale(signal, voice)
    else:
        ruling = arbitrate(state, signal, bot, situation)
    if ruling.outcome is Outcome.ACCEPTED:
        ruling = replace(ruling, reason=Reason.APPROVED)
    return second_round(pending.verdict, ruling, situation.now, by=by, bot=bot)


def decline(pending: Pending, now: datetime, by: str) -> Verdict:
    """What a person's no makes of a pending round."""
    return second_round(pending.verdict, DECLINED, now, by=by)


def lapse(pending: Pending, now: datetime) -> Verdict:
    """What becomes of a pending round that nobody answered in time."""
    numbers = {"expired_at": pending.expires_at.isoformat()}
    ruling = Ruling(Outcome.LAPSED, Reason.LAPSED, "nobody answered in time", numbers)
    return second_round(pending.verdict, ruling, now)


def withdraw(pending: Pending, now: datetime) -> Verdict:
    """What becomes of a pending round whose source takes its word back."""
    return second_round(pending.verdict, WITHDRAWN, now)


def second_round(
    first: Verdict,
    ruling: Ruling,
    now: datetime,
    *,
    by: str | None = None,
    bot: BotConfig | None = None,
) -> Verdict:
    """The verdict that ends a pending one."""
    account = first.account if bot is None else bot.account
    return _verdict(
        first.signal, ruling, now, bot=first.bot, account=account, round_=1, decided_by=by
    )


def _config_changed(pending: Pending, bot: BotConfig | None) -> Ruling:
    if bot is None:
        rule, bound = "the bot is gone", "0"
    else:
        rule, bound = "the bot's account or mode has changed since", str(bot.bound_version)
    numbers = {"bound_version": bound, "pending_version": str(pending.event.configversion)}
    return refused(Reason.CONFIG_CHANGED, rule, numbers)


def _verdict(
    signal: Signal,
    ruling: Ruling,
    now: datetime,
    *,
    bot: str,
    account: str,
    round_: int = 0,
    decided_by: str | None = None,
) -> Verdict:
    return Verdict(
        verdict_id=ids.verdict_id(signal.signal_id, bot, round_),
        signal=signal,
        bot=bot,
        account=account,
        round=round_,
        outcome=ruling.outcome,
        reason=ruling.reason,
        rule=ruling.rule,
        winner_id=ruling.winner_id,
        numbers=dict(ruling.numbers),
        inputs=ruling.inputs,
        decided_by=decided_by,
        evaluated_at=now,
    )
