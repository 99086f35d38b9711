"""A strategy's opinion as the signal it is."""

from datetime import datetime, timedelta

from signalbox.contracts import ids
from signalbox.contracts.config import StrategyInstance
from signalbox.contracts.intervals import interval_length
from signalbox.contracts.payloads import Bar, Signal
from signalbox.contracts.values import SourceType, Target
from strategy_runner.domain.strategy import Opinion, kind_named

LEAST_WALL_S = 120  # under replay a signal lives no shorter than this


def signal_of(
    instance: StrategyInstance, bar: Bar, opinion: Opinion, *, replay: bool, speed: float
) -> Signal:
    """The signal of one instance at the close of one bar; a repeat is the same signal.

    Its time is the bar's close. `speed` is market seconds per wall second.
    """
    own_id = f"{bar.epoch}|{bar.symbol}|{bar.interval}|{bar.opened_at.isoformat()}"
    parameters = {**kind_named(instance.strategy).defaults, **instance.parameters}
    return Signal(
        signal_id=ids.signal_id(SourceType.STRATEGY, instance.id, own_id),
        source_type=SourceType.STRATEGY,
        source_id=instance.id,
        own_id=own_id,
        symbol=bar.symbol,
        action=opinion.action,
        confidence=opinion.confidence,
        raised_at=bar.closed_at,
        valid_until=expiry(bar, replay=replay, speed=speed),
        target=Target.SANDBOX if replay else Target.REAL,
        epoch=bar.epoch,
        price=bar.close,
        horizon_s=interval_length(bar.interval).total_seconds(),
        reasoning=opinion.reasoning,
        details={
            "strategy": instance.strategy,
            **{name: ids.plain(value) for name, value in sorted(parameters.items())},
            **opinion.values,
        },
    )


def expiry(bar: Bar, *, replay: bool, speed: float) -> datetime:
    """One bar after the close; under replay not before two minutes of wall time have passed."""
    life = interval_length(bar.interval)
    if replay:
        life = max(life, timedelta(seconds=LEAST_WALL_S * speed))
    return bar.closed_at + life
