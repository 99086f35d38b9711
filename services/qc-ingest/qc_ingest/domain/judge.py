"""Which of QuantConnect's words become signals, and which are only remembered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal
from uuid import UUID

from qc_ingest.domain.insights import Direction, Insight
from qc_ingest.domain.orders import OrderEvent
from qc_ingest.domain.pages import Bad, Found, Kind
from qc_ingest.domain.symbols import canonical_symbol
from qc_ingest.domain.wire import Json
from signalbox.contracts.config import QuantConnectConfig
from signalbox.contracts.errors import Malformed
from signalbox.contracts.ids import plain, signal_id
from signalbox.contracts.payloads import Signal, Withdrawal
from signalbox.contracts.values import Action, SourceType, Target

PULL_LIFE = timedelta(minutes=20)
PUSH_LIFE = timedelta(minutes=5)
REPLAY_LIFE_S = 120  # wall seconds a signal stands at least while prices are replayed
_EARLY = timedelta(minutes=5)  # a word from further ahead means that a clock is wrong
_ACTIONS = {Direction.UP: Action.BUY, Direction.DOWN: Action.SELL, Direction.FLAT: Action.CLOSE}
_ZERO, _ONE = Decimal(0), Decimal(1)


class Status(StrEnum):
    """What became of one word."""

    RAISED = "raised"
    WITHDRAWN = "withdrawn"
    SEEN = "seen"  # too old, already over, or from before we looked
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
class Frame:
    """Who speaks, and what time it is, for whoever judges."""

    config: QuantConnectConfig
    project_id: int
    deploy_id: str
    now: datetime  # on the market clock
    wall: datetime
    epoch: int
    speed: float
    replay: bool
    history: bool = False
    life: timedelta = PULL_LIFE

    @property
    def shift(self) -> timedelta:
        """From the source's clock to the market clock: real deployments live in wall time."""
        apart = self.replay and self.config.target is Target.REAL
        return self.now - self.wall if apart else timedelta(0)

    @property
    def floor(self) -> timedelta:
        """How long a signal stands at least; a replay would outrun every reader otherwise."""
        return (
            timedelta(seconds=REPLAY_LIFE_S * max(self.speed, 1.0)) if self.replay else timedelta(0)
        )

    @property
    def max_age(self) -> timedelta:
        """Older words are not raised."""
        own = timedelta(seconds=self.config.max_age_s)
        return own if self.config.target is Target.REAL else max(own, self.floor)


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


def judge_all(page: Iterable[Found], known: Mapping[str, Known], frame: Frame) -> Outcome:
    """Judge the words of one deployment in their order; a word that comes twice counts once."""
    words: dict[str, Known] = {}
    said: list[Signal | Withdrawal] = []
    for found in page:
        own_id = found.item.id
        judgement = judge(found, words.get(own_id) or known.get(own_id), frame)
        if judgement.known is not None:
            words[own_id] = judgement.known
        said.extend(s for s in (judgement.signal, judgement.withdrawal) if s is not None)
    return Outcome(tuple(words.values()), tuple(said))


def judge(found: Found, known: Known | None, frame: Frame) -> Judgement:
    """What to make of one word, given what is remembered of it. Never raises."""
    item = found.item
    if known is not None and known.status is not Status.REFUSED:
        return _again(item, known, frame) if known.digest != item.digest else Judgement()
    if known is not None and known.digest == item.digest:
        return Judgement()
    fresh = _remember(found, frame)
    if isinstance(item, Bad):
        return Judgement(replace(fresh, status=Status.REFUSED, reason=item.reason))
    try:
        fresh = replace(fresh, symbol=canonical_symbol(item.symbol_id, item.ticker))
    except Malformed as error:
        return Judgement(replace(fresh, status=Status.REFUSED, reason=str(error)))
    status, reason = _standing(item, frame)
    if status is not Status.RAISED:
        return Judgement(replace(fresh, status=status, reason=reason))
    signal = _signal(item, fresh.symbol, frame)
    return Judgement(replace(fresh, valid_until=signal.valid_until), signal=signal)


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
        direction=_action(item).value if not isinstance(item, Bad) else "",
    )


def _standing(item: Insight | OrderEvent, frame: Frame) -> tuple[Status, str]:
    """What is to be done with a word that can be read and traded."""
    kind = Kind.FILLS if isinstance(item, OrderEvent) else Kind.INSIGHTS
    if isinstance(item, Insight) and item.is_volatility:
        return Status.IGNORED, "a volatility forecast has no side"
    if isinstance(item, OrderEvent) and item.is_assignment:
        return Status.IGNORED, "an assignment is nobody's decision"
    if frame.config.signals_from != kind:
        return Status.IGNORED, f"signals are taken from {frame.config.signals_from}"
    if frame.history:
        return Status.SEEN, "it was there before this deployment was followed"
    return _timely(item, frame)


def _timely(item: Insight | OrderEvent, frame: Frame) -> tuple[Status, str]:
    """Whether a word comes neither too early nor too late."""
    at, own_now = _spoken_at(item), frame.now - frame.shift
    if at > own_now + max(_EARLY, frame.floor):
        return Status.REFUSED, f"its time {at.isoformat()} has not come yet; a clock is wrong"
    if isinstance(item, Insight) and item.closes_at <= own_now:
        return Status.SEEN, "it was over when it was first seen"
    if own_now - at > frame.max_age:
        return Status.SEEN, f"it was older than {frame.max_age.total_seconds():g} s when first seen"
    if _valid_until(item, frame) <= frame.now:
        return Status.SEEN, f"it stands for {frame.life.total_seconds():g} s, which had passed"
    return Status.RAISED, ""


def _again(item: Insight | OrderEvent | Bad, known: Known, frame: Frame) -> Judgement:
    """A word that is known has changed: QuantConnect keeps the id and shortens the close time."""
    if not isinstance(item, Insight):
        return Judgement()
    turned = known.direction != _action(item).value
    changed = replace(known, digest=item.digest)
    until = frame.now if turned else item.closes_at + frame.shift
    ends = known.valid_until
    if ends is None or ends <= frame.now or until >= ends:
        return Judgement(changed)
    reason = "the algorithm turned it round" if turned else "the algorithm ended it early"
    withdrawal = Withdrawal(
        signal_id=_signal_id(known.own_id, known.project_id),
        source_type=SourceType.QUANTCONNECT,
        source_id=str(known.project_id),
        symbol=known.symbol,
        valid_until=until,
        reason=reason,
    )
    changed = replace(changed, status=Status.WITHDRAWN, reason=reason, valid_until=until)
    return Judgement(changed, withdrawal=withdrawal)


def _signal(item: Insight | OrderEvent, symbol: str, frame: Frame) -> Signal:
    confidence, origin = _confidence(item, frame.config)
    price = item.reference if isinstance(item, Insight) else item.fill_price
    horizon_s = (_ends_at(item, frame) - _spoken_at(item)).total_seconds()
    return Signal(
        signal_id=_signal_id(item.id, frame.project_id),
        source_type=SourceType.QUANTCONNECT,
        source_id=str(frame.project_id),
        own_id=item.id,
        symbol=symbol,
        action=_action(item),
        confidence=confidence,
        confidence_origin=origin,
        raised_at=min(_spoken_at(item) + frame.shift, frame.now),
        valid_until=_valid_until(item, frame),
        target=frame.config.target,
        epoch=frame.epoch,
        price=price if price and price > 0 else None,
        horizon_s=horizon_s if horizon_s > 0 and isinstance(item, Insight) else None,
        reasoning=_reasoning(item),
        details={k: v for k, v in _details(item, frame).items() if v},
    )


def _ends_at(item: Insight | OrderEvent, frame: Frame) -> datetime:
    return item.closes_at if isinstance(item, Insight) else item.at + frame.max_age


def _valid_until(item: Insight | OrderEvent, frame: Frame) -> datetime:
    ends = min(_ends_at(item, frame), _spoken_at(item) + frame.life) + frame.shift
    return max(ends, frame.now + frame.floor)


def _signal_id(own_id: str, project_id: int) -> UUID:
    return signal_id(SourceType.QUANTCONNECT, str(project_id), own_id)


def _spoken_at(item: Insight | OrderEvent) -> datetime:
    return item.generated_at if isinstance(item, Insight) else item.at


def _action(item: Insight | OrderEvent) -> Action:
    if isinstance(item, Insight):
        return _ACTIONS[item.direction]
    return Action.BUY if item.fill_quantity > 0 else Action.SELL


def _confidence(
    item: Insight | OrderEvent, config: QuantConnectConfig
) -> tuple[Decimal, Literal["source", "default"]]:
    """Never made of weight or magnitude: those are size and expected return."""
    if isinstance(item, OrderEvent):
        return _ONE, "default"  # they did it
    if item.confidence is None:
        return config.default_confidence, "default"
    return min(max(item.confidence, _ZERO), _ONE), "source"


def _reasoning(item: Insight | OrderEvent) -> str:
    if isinstance(item, OrderEvent):
        return f"The algorithm filled {plain(item.fill_quantity)}."
    model = item.source_model or "The algorithm"
    return f"{model} expects {item.direction} until {item.closes_at:%Y-%m-%d %H:%M} UTC."


def _details(item: Insight | OrderEvent, frame: Frame) -> dict[str, str]:
    details = {
        "configId": frame.config.id,
        "deployId": frame.deploy_id,
        "symbolId": item.symbol_id,
        "time": _spoken_at(item).isoformat(),
    }
    if isinstance(item, OrderEvent):
        return {**details, "orderEventId": item.id, "fillQuantity": plain(item.fill_quantity)}
    return {
        **details,
        "insightId": item.id,
        "closeTime": item.closes_at.isoformat(),
        "sourceModel": item.source_model,
        "tag": item.tag,
        "weight": "" if item.weight is None else plain(item.weight),
        "magnitude": "" if item.magnitude is None else plain(item.magnitude),
    }
