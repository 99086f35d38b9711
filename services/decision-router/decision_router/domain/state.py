"""What a bot remembers of one symbol: who said what last, and what it acted on.

A word is *live* when it is a source's newest unexpired buy or sell that passed the checks and was
not withdrawn, declined or lapsed. A hold is remembered beside it, for policies in which it blocks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from decision_router.domain.situation import Source
from signalbox.contracts.payloads import LiveSignal, Signal, Verdict, Withdrawal
from signalbox.contracts.values import Action, Outcome, Reason, UtcTime

MAX_SOURCES = 200  # remembered per bot and symbol; beyond it the longest silent is forgotten

# Verdicts on words that failed checks one to five: such a word never becomes live.
UNHEARD = frozenset(
    {
        Reason.BOT_DISABLED,
        Reason.SOURCE_DISABLED,
        Reason.REPLAY_FEED,
        Reason.SYMBOL_NOT_ALLOWED,
        Reason.WITHDRAWN,
        Reason.EXPIRED,
        Reason.STALE_WORD,
        Reason.LOW_CONFIDENCE,
    }
)
_OVER = frozenset({Outcome.DECLINED, Outcome.LAPSED})
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Voice:
    """What one source has said about the symbol."""

    newest: UUID | None = None  # its newest word, whatever came of it...
    spoke_at: UtcTime | None = None  # ...and the source's time of that
    word: LiveSignal | None = None  # its newest buy or sell that passed the checks
    hold: LiveSignal | None = None  # a hold that came after it
    withdrawn: UUID | None = None  # the signal it took back last...
    withdrawn_until: UtcTime | None = None  # ...and how long that one may still be acted on

    def says(self, now: datetime, *, holds: bool) -> LiveSignal | None:
        """Its newest unexpired word; a hold only where `holds` count."""
        if holds and self.hold is not None and now < self.hold.valid_until:
            return self.hold
        if self.word is not None and now < self.word.valid_until:
            return self.word
        return None

    def may_act_until(self, signal: Signal) -> datetime:
        """When the signal expires, be it by itself or because it was withdrawn before it came."""
        if self.withdrawn == signal.signal_id and self.withdrawn_until is not None:
            return min(signal.valid_until, self.withdrawn_until)
        return signal.valid_until

    def after(self, signal: Signal, *, heard: bool) -> "Voice":
        """The voice after one more word, which is `heard` when it passed the checks."""
        if self.spoke_at is not None and signal.raised_at < self.spoke_at:
            return self
        word, hold = self.word, self.hold
        if signal.action is Action.CLOSE:  # also a late one: the source says that it is flat
            word, hold = None, None
        elif heard and signal.action is Action.HOLD:
            hold = _live(signal, self.may_act_until(signal))
        elif heard:
            word, hold = _live(signal, self.may_act_until(signal)), None
        return Voice(
            newest=signal.signal_id,
            spoke_at=signal.raised_at,
            word=word,
            hold=hold,
            withdrawn=self.withdrawn,
            withdrawn_until=self.withdrawn_until,
        )

    def without(self, signal_id: UUID) -> "Voice":
        """The voice after its word of that id was declined or has lapsed."""
        if self.word is None or self.word.signal_id != signal_id:
            return self
        return replace(self, word=None)

    def withdrawing(self, signal_id: UUID, until: datetime) -> "Voice":
        """The voice whose word of that id ends at `until`, if not sooner."""
        return replace(
            self,
            word=_shortened(self.word, signal_id, until),
            hold=_shortened(self.hold, signal_id, until),
            withdrawn=signal_id,
            withdrawn_until=until,
        )


SILENT = Voice()


@dataclass(frozen=True, slots=True)
class State:
    """One bot's memory of one symbol."""

    sequence: int = 0  # of the last verdict; the first one is 1
    last_verdict: UUID | None = None
    evaluated_at: UtcTime | None = None  # market clock at the last verdict
    epoch: int = 0  # of that clock
    voices: dict[str, Voice] = field(default_factory=dict)  # by `voice_key`
    accepted_at: dict[Action, UtcTime] = field(default_factory=dict)  # by side; newest verdict

    def voice(self, source: Source) -> Voice:
        """What the source has said; a silent one when it has said nothing."""
        return self.voices.get(voice_key(source), SILENT)

    def others(self, source: Source, now: datetime, *, holds: bool) -> Iterator[LiveSignal]:
        """What every other source says, as far as it stands."""
        own = voice_key(source)
        for key, voice in self.voices.items():
            if key != own and (word := voice.says(now, holds=holds)) is not None:
                yield word

    def on_clock(self, now: datetime, epoch: int) -> "State":
        """The state under this market clock.

        A feed exchanged for one that runs earlier makes every remembered time meaningless: all is
        forgotten but the sequence.
        """
        if epoch == self.epoch or self.evaluated_at is None or now >= self.evaluated_at:
            return self
        return State(sequence=self.sequence, last_verdict=self.last_verdict)

    def after(self, verdict: Verdict, epoch: int) -> "State":
        """The state after a verdict. A second round changes no voice, unless it ends the word."""
        signal = verdict.signal
        key = voice_key((signal.source_type, signal.source_id))
        voice = self.voices.get(key, SILENT)
        if verdict.outcome in _OVER:
            voice = voice.without(signal.signal_id)
        elif verdict.round == 0 and verdict.reason is not Reason.NO_SUBSCRIBER:
            voice = voice.after(signal, heard=verdict.reason not in UNHEARD)
        accepted_at = self.accepted_at
        if verdict.outcome is Outcome.ACCEPTED and signal.action.opposite is not None:
            accepted_at = {**accepted_at, signal.action: verdict.evaluated_at}
        return State(
            sequence=self.sequence + 1,
            last_verdict=verdict.verdict_id,
            evaluated_at=verdict.evaluated_at,
            epoch=epoch,
            voices=self._with(key, voice),
            accepted_at=accepted_at,
        )

    def withdrawing(self, withdrawal: Withdrawal) -> "State":
        """The state after a source took its word back, or shortened it."""
        key = voice_key((withdrawal.source_type, withdrawal.source_id))
        voice = self.voices.get(key, SILENT)
        ended = voice.withdrawing(withdrawal.signal_id, withdrawal.valid_until)
        return replace(self, voices=self._with(key, ended))

    def _with(self, key: str, voice: Voice) -> dict[str, Voice]:
        voices = {**self.voices, key: voice}
        if len(voices) > MAX_SOURCES:
            others = (k for k in voices if k != key)
            del voices[min(others, key=lambda k: (voices[k].spoke_at or _LONG_AGO, k))]
        return voices


def voice_key(source: Source) -> str:
    """A source as one text; no type contains the separator."""
    return source[0] + "|" + source[1]


def _live(signal: Signal, valid_until: datetime) -> LiveSignal:
    return LiveSignal(
        signal_id=signal.signal_id,
        source_type=signal.source_type,
        source_id=signal.source_id,
        action=signal.action,
        confidence=signal.confidence,
        raised_at=signal.raised_at,
        valid_until=valid_until,
    )


def _shortened(word: LiveSignal | None, signal_id: UUID, until: datetime) -> LiveSignal | None:
    if word is None or word.signal_id != signal_id or word.valid_until <= until:
        return word
    return word.model_copy(update={"valid_until": until})
