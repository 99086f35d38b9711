"""When to act: closed bars make models due, fills tell what bots hold. No model is asked here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection as Sql

from llm_decider.adapters import store
from llm_decider.domain import triggers
from llm_decider.domain.attempts import Intent
from llm_decider.domain.triggers import Watch
from signalbox.contracts.config import LlmDeciderConfig
from signalbox.contracts.events import BarClosed, Event, PositionChanged
from signalbox.contracts.payloads import Position
from signalbox.runtime import metrics
from signalbox.runtime.handlers import Handlers
from signalbox.runtime.moment import Moment


@dataclass(slots=True)
class Due:
    """What configs have seen of the symbols in a batch of bars, and what is to be asked."""

    watches: dict[store.WatchKey, Watch]
    changed: dict[store.WatchKey, Watch] = field(default_factory=dict)
    wanted: list[Intent] = field(default_factory=list)


def build_handlers(wake: Callable[[], None]) -> Handlers[Due]:
    """Everything that happens when a bar closes; `wake` hurries whoever asks the models."""

    def after(state: Due) -> None:
        for intent in state.wanted:
            metrics.LLM_TRIGGERS.labels(intent.config_id, intent.trigger).inc()
        if state.wanted:
            wake()

    handlers: Handlers[Due] = Handlers("MARKET", "llm-decider", load=_load, save=_save, after=after)

    @handlers.on(BarClosed)
    def on_bar_closed(event: BarClosed, state: Due, moment: Moment[LlmDeciderConfig]) -> None:
        """Outcomes: a question is due for every config whose schedule or move the bar completes;
        otherwise the bar is only counted. Nothing for a bar that came before, is older than one
        that came, that no config hears, or while the market is closed.
        """
        bar = event.data
        for config in moment.config.models:
            if not triggers.hears(config, bar):
                continue
            key = (config.id, bar.symbol)
            watch, trigger = triggers.hear(
                state.watches[key], config, bar, now=moment.now, speed=moment.speed
            )
            state.watches[key] = state.changed[key] = watch
            if trigger is None:
                continue
            trigger_key = triggers.bar_key(bar)
            intent = Intent(
                decision_id=triggers.decision_id(config.id, trigger_key, bar.symbol),
                config_id=config.id,
                symbol=bar.symbol,
                trigger=trigger,
                trigger_key=trigger_key,
                at=bar.closed_at,
                epoch=bar.epoch,
                created_at=moment.wall,
            )
            state.wanted.append(intent)

    return handlers


def build_book_handlers() -> Handlers[list[Position]]:
    """What bots hold, for the prompts that show it."""
    handlers: Handlers[list[Position]] = Handlers(
        "BOOKS",
        "llm-decider",
        load=lambda _sql, _events, _moment: [],
        save=lambda sql, heard, _moment: store.save_positions(sql, heard),
    )

    @handlers.on(PositionChanged)
    def on_position_changed(
        event: PositionChanged, heard: list[Position], _moment: Moment[LlmDeciderConfig]
    ) -> None:
        """Outcome: the position is remembered, unless a newer one is."""
        heard.append(event.data)

    return handlers


def _load(sql: Sql, events: Sequence[Event], moment: Moment[LlmDeciderConfig]) -> Due:
    """What is known of every symbol in these bars, for each config that hears them."""
    bars = [event.data for event in events if isinstance(event, BarClosed)]
    keys = [
        (config.id, bar.symbol)
        for config in moment.config.models
        for bar in bars
        if triggers.hears(config, bar)
    ]
    return Due(store.lock_watches(sql, keys))


def _save(sql: Sql, state: Due, _moment: Moment[LlmDeciderConfig]) -> None:
    store.save_watches(sql, list(state.changed.values()))
    store.add_intents(sql, state.wanted)
