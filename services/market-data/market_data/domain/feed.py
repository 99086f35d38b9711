"""What the feed says of itself."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from pydantic import JsonValue

from market_data.domain.timeline import Series, Timeline
from signalbox.contracts.clock import ClockReading
from signalbox.contracts.config import MarketConfig


def speed_of(config: MarketConfig, initial: float) -> float:
    """The configured speed; the initial one while no document names a speed."""
    return initial if config.speed is None else config.speed


def refusals(series: Sequence[Series]) -> dict[str, Counter[str]]:
    """Refused lines by data set and reason."""
    counts: dict[str, Counter[str]] = {}
    for one in series:
        counts.setdefault(one.origin, Counter()).update(one.refused)
    return counts


def describe(
    timeline: Timeline, series: Sequence[Series], reading: ClockReading
) -> dict[str, JsonValue]:
    """The body of the feed's state: data sets with rows and refused lines, speed and epoch."""
    datasets: list[JsonValue] = []
    for origin, refused in refusals(series).items():
        own = [one for one in series if one.origin == origin]
        datasets.append(
            {
                "origin": origin,
                "series": [f"{one.symbol} {one.interval}" for one in own],
                "rows": sum(len(one.rows) for one in own),
                "refused": dict(refused),
                "from": _text(min((o.rows[0].true_opened_at for o in own if o.rows), default=None)),
                "to": _text(max((o.rows[-1].true_opened_at for o in own if o.rows), default=None)),
            }
        )
    shift = timeline.shift(reading.epoch)
    return {
        "feed": "replay",
        "datasets": datasets,
        "rows": sum(len(one.rows) for one in series),
        "refused": sum(sum(one.refused.values()) for one in series),
        "speed": reading.speed,
        "epoch": reading.epoch,
        "starts_at": (timeline.starts_at + shift).isoformat(),
        "ends_at": (timeline.ends_at + shift).isoformat(),
    }


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
