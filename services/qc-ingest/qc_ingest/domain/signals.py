"""How an insight or a fill is said as a signal."""

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from qc_ingest.domain.frame import Frame
from qc_ingest.domain.insights import Direction, Insight
from qc_ingest.domain.orders import OrderEvent
from signalbox.contracts.config import QuantConnectConfig
from signalbox.contracts.ids import plain, signal_id
from signalbox.contracts.payloads import Signal
from signalbox.contracts.values import Action, SourceType

Word = Insight | OrderEvent

_ACTIONS = {Direction.UP: Action.BUY, Direction.DOWN: Action.SELL, Direction.FLAT: Action.CLOSE}
_ZERO, _ONE = Decimal(0), Decimal(1)


def make_signal(word: Word, symbol: str, frame: Frame) -> Signal:
    """The signal of a word that is to be acted on; by push and by pull it has the same id."""
    confidence, origin = _confidence(word, frame.config)
    price = word.reference if isinstance(word, Insight) else word.fill_price
    horizon_s = (_ends_at(word, frame) - spoken_at(word)).total_seconds()
    return Signal(
        signal_id=id_of(word.id, frame.project_id),
        source_type=SourceType.QUANTCONNECT,
        source_id=str(frame.project_id),
        own_id=word.id,
        symbol=symbol,
        action=action_of(word),
        confidence=confidence,
        confidence_origin=origin,
        raised_at=min(spoken_at(word) + frame.shift, frame.now),
        valid_until=valid_until(word, frame),
        target=frame.config.target,
        epoch=frame.epoch,
        price=price if price and price > 0 else None,
        horizon_s=horizon_s if horizon_s > 0 and isinstance(word, Insight) else None,
        reasoning=_reasoning(word),
        details={k: v for k, v in _details(word, frame).items() if v},
    )


def id_of(own_id: str, project_id: int) -> UUID:
    """The id of the signal that a word becomes."""
    return signal_id(SourceType.QUANTCONNECT, str(project_id), own_id)


def spoken_at(word: Word) -> datetime:
    """When it was said, on the source's clock."""
    return word.generated_at if isinstance(word, Insight) else word.at


def valid_until(word: Word, frame: Frame) -> datetime:
    """How long it stands, on the market clock."""
    ends = min(_ends_at(word, frame), spoken_at(word) + frame.life) + frame.shift
    return max(ends, frame.now + frame.floor)


def action_of(word: Word) -> Action:
    """What it asks for."""
    if isinstance(word, Insight):
        return _ACTIONS[word.direction]
    return Action.BUY if word.fill_quantity > 0 else Action.SELL


def _ends_at(word: Word, frame: Frame) -> datetime:
    return word.closes_at if isinstance(word, Insight) else word.at + frame.max_age


def _confidence(
    word: Word, config: QuantConnectConfig
) -> tuple[Decimal, Literal["source", "default"]]:
    """Never made of weight or magnitude: those are size and expected return."""
    if isinstance(word, OrderEvent):
        return _ONE, "default"  # they did it
    if word.confidence is None:
        return config.default_confidence, "default"
    return min(max(word.confidence, _ZERO), _ONE), "source"


def _reasoning(word: Word) -> str:
    if isinstance(word, OrderEvent):
        return f"The algorithm filled {plain(word.fill_quantity)}."
    model = word.source_model or "The algorithm"
    return f"{model} expects {word.direction} until {word.closes_at:%Y-%m-%d %H:%M} UTC."


def _details(word: Word, frame: Frame) -> dict[str, str]:
    details = {
        "configId": frame.config.id,
        "deployId": frame.deploy_id,
        "symbolId": word.symbol_id,
        "time": spoken_at(word).isoformat(),
    }
    if isinstance(word, OrderEvent):
        return {**details, "orderEventId": word.id, "fillQuantity": plain(word.fill_quantity)}
    return {
        **details,
        "insightId": word.id,
        "closeTime": word.closes_at.isoformat(),
        "sourceModel": word.source_model,
        "tag": word.tag,
        "weight": "" if word.weight is None else plain(word.weight),
        "magnitude": "" if word.magnitude is None else plain(word.magnitude),
    }
