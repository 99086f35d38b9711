"""Signals that programs and people hand in themselves."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from gateway.domain.views import View
from signalbox.contracts import ids
from signalbox.contracts.errors import Conflict, Malformed, NotFound
from signalbox.contracts.payloads import Signal
from signalbox.contracts.values import (
    Action,
    Confidence,
    Price,
    SourceType,
    Symbol,
    Target,
    UtcTime,
)

LIFE = timedelta(minutes=5)  # market time, where the sender names no end
LONGEST = timedelta(days=7)
LEAST_WALL_S = 120  # under replay a signal lives no shorter than this
REMEMBERED = timedelta(days=7)  # how long a repeat gets the answer of the first time

_Key = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_Text = Annotated[str, StringConstraints(max_length=500)]


class KeyReused(Conflict):
    """An idempotency key names another signal already."""

    advice = "Make a new key, such as a UUID, for each signal; repeat a key only with its own body."


class KeyMissing(Malformed):
    """A program did not say which signal this is."""

    advice = (
        "Send Idempotency-Key with each signal, such as a UUID of its own, so that it can be sent"
        " again after a time-out without being traded twice."
    )


class NotStored(NotFound):
    """Nothing is stored under an id, or not yet."""

    advice = (
        "Compare the id. What was handed in or decided just now can be read as soon as it is"
        " stored, usually within a second: ask again."
    )


class SignalBody(BaseModel):
    """One word on one symbol. Times are of the market clock, as everywhere."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    symbol: Symbol
    action: Action
    confidence: Confidence
    price: Price | None = None  # what the sender saw
    stop_price: Price | None = None
    target_price: Price | None = None
    horizon_s: Annotated[
        float | None, Field(gt=0, le=LONGEST.total_seconds(), allow_inf_nan=False)
    ] = None  # how long it stands; or else:
    valid_until: UtcTime | None = None
    reasoning: Annotated[str, StringConstraints(max_length=4000)] = ""
    details: Annotated[dict[_Key, _Text], Field(max_length=20)] = {}

    @model_validator(mode="after")
    def _one_end_at_most(self) -> Self:
        if self.horizon_s is not None and self.valid_until is not None:
            raise ValueError("name horizon_s or valid_until, not both")
        return self

    @model_validator(mode="after")
    def _levels_lie_around_the_price(self) -> Self:
        levels = [self.stop_price, self.price, self.target_price]
        if self.action is Action.SELL:
            levels.reverse()
        known = [level for level in levels if level is not None]
        if self.action in (Action.BUY, Action.SELL) and any(a >= b for a, b in pairwise(known)):
            order = "below" if self.action is Action.BUY else "above"
            raise ValueError(
                f"for a {self.action} the stop lies {order} the price, the target beyond it"
            )
        return self


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who hands a signal in."""

    source_type: SourceType
    source_id: str


@dataclass(frozen=True, slots=True)
class Market:
    """The instant at which a signal is handed in."""

    now: datetime  # market time
    epoch: int
    replay: bool
    speed: float  # market seconds per wall second


class SignalTaken(View):
    """A signal that was taken in. `/api/signals/{signal_id}` says what became of it."""

    signal_id: str
    source_type: str
    source_id: str
    raised_at: UtcTime  # market time
    valid_until: UtcTime


def digest(body: SignalBody) -> str:
    """What tells one body from another under the same key."""
    return hashlib.sha256(body.model_dump_json().encode()).hexdigest()


def signal_of(body: SignalBody, speaker: Speaker, key: str, at: Market) -> Signal:
    """The signal; `key` is the sender's own id for it.

    Raises:
        Malformed: it ends before it begins, or stands too long.
    """
    return Signal(
        signal_id=ids.signal_id(speaker.source_type, speaker.source_id, key),
        source_type=speaker.source_type,
        source_id=speaker.source_id,
        own_id=key,
        symbol=body.symbol,
        action=body.action,
        confidence=body.confidence,
        raised_at=at.now,
        valid_until=_end(body, at),
        target=Target.SANDBOX if at.replay else Target.REAL,
        epoch=at.epoch,
        price=body.price,
        stop_price=body.stop_price,
        target_price=body.target_price,
        horizon_s=body.horizon_s,
        reasoning=body.reasoning,
        details=body.details,
    )


def taken(signal: Signal) -> SignalTaken:
    """What its sender is answered."""
    return SignalTaken(
        signal_id=str(signal.signal_id),
        source_type=signal.source_type.value,
        source_id=signal.source_id,
        raised_at=signal.raised_at,
        valid_until=signal.valid_until,
    )


def _end(body: SignalBody, at: Market) -> datetime:
    life = timedelta(seconds=body.horizon_s) if body.horizon_s is not None else LIFE
    if body.valid_until is not None:
        life = body.valid_until - at.now
    if not timedelta(0) < life <= LONGEST:
        raise Malformed(
            f"valid_until must be after now and at most {LONGEST.days} days away; on the market"
            f" clock it is {at.now.isoformat(timespec='seconds')}"
        )
    if at.replay:
        life = max(life, timedelta(seconds=LEAST_WALL_S * max(at.speed, 1.0)))
    return at.now + life
