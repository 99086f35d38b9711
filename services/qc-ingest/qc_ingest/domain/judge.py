"""Which of QuantConnect's words become signals, and which are only remembered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from qc_ingest.domain.frame import Frame
from qc_ingest.domain.insights import Insight
from qc_ingest.domain.orders import OrderEvent
from qc_ingest.domain.pages import Bad, Found, Kind
from qc_ingest.domain.signals import Word, action_of, id_of, make_signal, spoken_at, valid_until
from qc_ingest.domain.symbols import canonical_symbol
from qc_ingest.domain.wire import Json
from signalbox.contracts.errors import Malformed
from signalbox.contracts.payloads import Signal, Withdrawal
from signalbox.contracts.values import SourceType

_EARLY = timedelta(minutes=5)  # a word from further ahead means that a clock is wrong


class Status(StrEnum):
    """What became of one word."""

    RAISED = "raised"
    WITHDRAWN = "withdrawn"
    SEEN = "seen"  # too old, already over, or from before we looked
    HELD = "held"  # not now: judged again whenever it is seen again
    IGNORED = "ignored"  # never meant as a signal here
    REFUSED = "refused"  # cannot be read, or cannot be traded


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of one word, so that it is never counted twice."""

    config_id: str
    own_id: str  # insight id, order event id, or made of the bytes of an unreadable item
    kind: Kind
    project_id: int
    deploy_id: str
    digest: str
    status: Status
    reason: str
    seen_at: datetime  # wall time
    body: Json
    symbol: str = ""
    direction: str = ""
    valid_until: datetime | None = None  # on the market clock; set once it was raised


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one word changes: nothing, or what is remembered and at most one thing to say."""

    known: Known | None = None
    signal: Signal | None = None
    withdrawal: Withdrawal | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a page or a push changes."""

    words: tuple[Known, ...] = ()
    said: tuple[Signal | Withdrawal, ...] = ()
    turned: tuple[Known, ...] = ()  # what became of words: each new status once


def judge_all(page: Iterable[Found], known: Mapping[str, Known], frame: Frame) -> Outcome:
    """Judge the words of one deployment in their order; a word that comes twice counts once."""
    words: dict[str, Known] = {}
    said: list[Signal | Withdrawal] = []
    turned: list[Known] = []
    for found in page:
        own_id = found.item.id
        before = words.get(own_id) or known.get(own_id)
        judgement = judge(found, before, frame)
        if judgement.known is not None:
            words[own_id] = judgement.known
            if before is None or before.status is not judgement.known.status:
                turned.append(judgement.known)
        said.extend(s for s in (judgement.signal, judgement.withdrawal) if s is not None)
    return Outcome(tuple(words.values()), tuple(said), tuple(turned))


def judge(found: Found, known: Known | None, frame: Frame) -> Judgement:
    """What to make of one word, given what is remembered of it. Never raises."""
    if known is None:
        return _judge_new(found, frame)
    is_same = known.digest == found.item.digest
    if known.status is Status.HELD:
        judged = _judge_new(found, frame)
        is_held = judged.known is not None and judged.known.status is Status.HELD
        return Judgement() if is_same and is_held else judged
    if is_same:
        return Judgement()
    if known.status is Status.REFUSED:
        return _judge_new(found, frame)
    return _again(found.item, known, frame)


def _judge_new(found: Found, frame: Frame) -> Judgement:
    item = found.item
    fresh = _remember(found, frame)
    if isinstance(item, Bad):
        return Judgement(replace(fresh, status=Status.REFUSED, reason=item.reason))
    try:
        symbol = canonical_symbol(item.symbol_id, item.ticker)
    except Malformed as error:
        return Judgement(replace(fresh, status=Status.REFUSED, reason=str(error)))
    status, reason = _standing(item, frame)
    if status is not Status.RAISED:
        return Judgement(replace(fresh, symbol=symbol, status=status, reason=reason))
    signal = make_signal(item, symbol, frame)
    known = replace(fresh, symbol=symbol, valid_until=signal.valid_until)
    return Judgement(known, signal=signal)


def _remember(found: Found, frame: Frame) -> Known:
    item = found.item
    return Known(
        config_id=frame.config.id,
        own_id=item.id,
        kind=Kind.FILLS if isinstance(item, OrderEvent) else Kind.INSIGHTS,
        project_id=frame.project_id,
        deploy_id=frame.deploy_id,
        digest=item.digest,
        status=Status.RAISED,
        reason="",
        seen_at=frame.wall,
        body=found.raw,
        direction="" if isinstance(item, Bad) else action_of(item).value,
    )


def _standing(item: Word, frame: Frame) -> tuple[Status, str]:
    """What is to be done with a word that can be read and traded."""
    kind = Kind.FILLS if isinstance(item, OrderEvent) else Kind.INSIGHTS
    if isinstance(item, Insight) and item.is_volatility:
        return Status.IGNORED, "a volatility forecast has no side"
    if isinstance(item, OrderEvent) and item.is_assignment:
        return Status.IGNORED, "an assignment is nobody's decision"
    if not frame.config.active:
        return Status.IGNORED, "this connection was switched off"
    if frame.config.signals_from != kind:
        return Status.IGNORED, f"signals are taken from {frame.config.signals_from}"
    if frame.history:
        return Status.SEEN, "it was there before this deployment was followed"
    return _timely(item, frame)


def _timely(item: Word, frame: Frame) -> tuple[Status, str]:
    """Whether a word comes neither too early nor too late."""
    at, own_now = spoken_at(item), frame.now - frame.shift
    if at > own_now + max(_EARLY, frame.floor):
        return Status.HELD, f"its time {at.isoformat()} has not come yet; a clock is wrong"
    if isinstance(item, Insight) and item.closes_at <= own_now:
        return Status.SEEN, "it was over when it was first seen"
    if own_now - at > frame.max_age:
        return Status.SEEN, f"it was older than {frame.max_age.total_seconds():g} s when first seen"
    if valid_until(item, frame) <= frame.now:
        life = f"it stands for {frame.life.total_seconds():g} s, which had passed"
        if frame.pushed:  # reading gives it longer, and may come yet
            return Status.HELD, f"{life} when it was pushed"
        return Status.SEEN, life
    return Status.RAISED, ""


def _again(item: Word | Bad, known: Known, frame: Frame) -> Judgement:
    """A word that is known has changed: QuantConnect keeps the id and shortens the close time."""
    if not isinstance(item, Insight):
        return Judgement()
    turned = known.direction != action_of(item).value
    changed = replace(known, digest=item.digest)
    until = frame.now if turned else item.closes_at + frame.shift
    ends = known.valid_until
    if ends is None or ends <= frame.now or until >= ends:
        return Judgement(changed)
    reason = "the algorithm turned it round" if turned else "the algorithm ended it early"
    withdrawal = Withdrawal(
        signal_id=id_of(known.own_id, known.project_id),
        source_type=SourceType.QUANTCONNECT,
        source_id=str(known.project_id),
        symbol=known.symbol,
        valid_until=until,
        reason=reason,
    )
    changed = replace(changed, status=Status.WITHDRAWN, reason=reason, valid_until=until)
    return Judgement(changed, withdrawal=withdrawal)
