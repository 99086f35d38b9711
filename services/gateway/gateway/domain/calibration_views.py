"""What the REST interface answers about how often sources are right."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.domain.calibration import Bin, Calibration, Scores, Share, calibrate
from gateway.domain.views import Number, View

JudgedBy = Literal["model", "prompt", "symbol", "source"]


@dataclass(frozen=True, slots=True)
class Judged:
    """Whose signals are judged together."""

    source_type: str | None  # where sources are judged
    key: str  # model, prompt version, symbol, or the source's id


class ShareView(View):
    """How many were right, with the interval that holds the true rate 19 times of 20."""

    count: int
    hits: int
    hit_rate: Number | None
    low: Number | None
    high: Number | None

    @classmethod
    def of(cls, share: Share) -> "ShareView":
        """The same."""
        return cls(
            count=share.count,
            hits=share.hits,
            hit_rate=share.hit_rate,
            low=share.low,
            high=share.high,
        )


class BinView(View):
    """Signals of about the same confidence: one point of the reliability curve."""

    least: Number
    most: Number
    mean_confidence: Number
    share: ShareView

    @classmethod
    def of(cls, part: Bin) -> "BinView":
        """The same."""
        return cls(
            least=part.least,
            most=part.most,
            mean_confidence=part.mean_confidence,
            share=ShareView.of(part.share),
        )


class CalibrationView(View):
    """Whether a source is right as often as it says. Nothing is sized by it."""

    key: str
    source_type: str | None  # where sources are judged
    share: ShareView
    base_rate: Number | None  # right by always saying what came more often, up or down
    mean_confidence: Number | None
    mean_return: Number | None  # a fraction, before trading costs
    missing: int  # scores until a confidence can be judged; the rest is null until then
    brier: Number | None  # 0 is perfect, 0.25 what a coin gets
    brier_skill: Number | None  # against always saying the hit rate; above 0 is better
    expected_error: Number | None  # mean distance of confidence and hit rate
    bins: tuple[BinView, ...]

    @classmethod
    def of(cls, whom: Judged, found: Calibration) -> "CalibrationView":
        """What is known of one of them."""
        return cls(
            key=whom.key,
            source_type=whom.source_type,
            share=ShareView.of(found.share),
            base_rate=found.base_rate,
            mean_confidence=found.mean_confidence,
            mean_return=found.mean_return,
            missing=found.missing,
            brier=found.brier,
            brier_skill=found.brier_skill,
            expected_error=found.expected_error,
            bins=tuple(map(BinView.of, found.bins)),
        )


def judged(scores: Mapping[Judged, Iterable[Scores]]) -> tuple[CalibrationView, ...]:
    """Everybody, those with most scores first."""
    views = [CalibrationView.of(whom, calibrate(found)) for whom, found in scores.items()]
    return tuple(sorted(views, key=lambda v: (-v.share.count, v.source_type or "", v.key)))
