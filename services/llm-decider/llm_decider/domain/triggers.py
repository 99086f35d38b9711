"""When a model is asked without anybody asking for it: on a schedule of bars, or when the price has
moved.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

from signalbox.contracts import ids
from signalbox.contracts.config import LlmConfig
from signalbox.contracts.intervals import interval_length
from signalbox.contracts.payloads import Bar

Trigger = Literal["bar", "move", "request"]

SLACK_WALL_S = 2  # how long a bar may be on its way before the next one counts as out


@dataclass(frozen=True, slots=True)
class Watch:
    """What one config has seen of one symbol. Times are market times."""

    config_id: str
    symbol: str
    epoch: int = 0
    last_opened_at: datetime | None = None  # of the newest bar that was counted
    bars: int | None = None  # counted since the last question; none: never asked
    asked_at: datetime | None = None
    asked_price: Decimal | None = None  # what a move is measured from


def hears(config: LlmConfig, bar: Bar) -> bool:
    """Whether a bar concerns a config."""
    return config.active and config.interval == bar.interval and bar.symbol in config.symbols


def hear(
    watch: Watch, config: LlmConfig, bar: Bar, *, now: datetime, speed: float
) -> tuple[Watch, Trigger | None]:
    """Count a bar; say whether and why the model is to be asked now.

    A bar counts once and in order. Bars while the market is closed do not count, and what an outage
    has held back is counted but only its newest bar is asked about. A new loop of a replay begins
    afresh. The first bar of all is asked about, if there is a schedule.
    """
    if watch.epoch != bar.epoch:
        watch = Watch(watch.config_id, watch.symbol, bar.epoch, bars=watch.bars)
    if watch.last_opened_at is not None and bar.opened_at <= watch.last_opened_at:
        return watch, None
    if not bar.session_open and not config.interval.endswith("d"):
        return replace(watch, last_opened_at=bar.opened_at), None
    counted = replace(
        watch,
        last_opened_at=bar.opened_at,
        bars=None if watch.bars is None else watch.bars + 1,
        asked_price=watch.asked_price or bar.close,
    )
    if not _is_newest(bar, now, speed) or _is_too_soon(watch, config, bar):
        return counted, None
    trigger = _trigger(counted, config, bar)
    return (asked(counted, bar.closed_at, bar.close), trigger) if trigger else (counted, None)


def asked(watch: Watch, at: datetime, price: Decimal) -> Watch:
    """After a question at a market time and price."""
    return replace(watch, bars=0, asked_at=at, asked_price=price)


def decision_id(config_id: str, trigger_key: str, symbol: str) -> UUID:
    """The id of what one question about one symbol becomes; a repeat is the same decision."""
    return ids.derive("llm", config_id, trigger_key, symbol)


def call_id(config_id: str, trigger_key: str, symbols: tuple[str, ...]) -> UUID:
    """The id of the call that answers for these symbols."""
    return ids.derive("llm-call", config_id, trigger_key, *symbols)


def bar_key(bar: Bar) -> str:
    """The trigger key of a bar."""
    return f"{bar.epoch}|{bar.interval}|{bar.opened_at.isoformat()}"


def _trigger(watch: Watch, config: LlmConfig, bar: Bar) -> Trigger | None:
    if config.every is not None and (watch.bars is None or watch.bars >= config.every):
        return "bar"
    if config.move is not None and watch.asked_price:
        moved = abs(bar.close / watch.asked_price - 1)
        return "move" if moved >= config.move else None
    return None


def _is_newest(bar: Bar, now: datetime, speed: float) -> bool:
    slack = timedelta(seconds=SLACK_WALL_S * max(speed, 1.0))
    return now < bar.closed_at + interval_length(bar.interval) + slack


def _is_too_soon(watch: Watch, config: LlmConfig, bar: Bar) -> bool:
    gap = timedelta(seconds=config.min_gap_s)
    return watch.asked_at is not None and bar.closed_at - watch.asked_at < gap
