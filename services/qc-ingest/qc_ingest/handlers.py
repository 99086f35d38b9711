"""Pushed insights: parsed to the same keys as polled ones, so that each counts once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection as Sql

from qc_ingest.adapters import store
from qc_ingest.domain.judge import PUSH_LIFE, Known, judge_all
from qc_ingest.domain.pushes import PushBody, parse_push
from qc_ingest.polling import count, events_of, frame_of
from signalbox.contracts.config import IngestConfig, QuantConnectConfig
from signalbox.contracts.errors import NotFound, PermanentError, TransientError
from signalbox.contracts.events import Event, PushReceived
from signalbox.runtime.handlers import Handlers
from signalbox.runtime.moment import Moment


@dataclass(slots=True)
class State:
    """A batch of pushes, and what is remembered of the words in them."""

    known: dict[store.Key, Known]
    changed: dict[store.Key, Known] = field(default_factory=dict)


def build_handlers() -> Handlers[State]:
    """The handlers of everything that the gateway hands on."""
    handlers: Handlers[State] = Handlers(
        "INGRESS", "qc-ingest", load=_load, save=_save, after=_after
    )

    @handlers.on(PushReceived)
    def on_push_received(
        event: PushReceived, state: State, moment: Moment[IngestConfig]
    ) -> Iterable[Event]:
        """Outcomes: a signal per new insight, a withdrawal per shortened one, nothing for the rest.

        Set aside: not the shape of a push, another project's, or of a config that is gone. Tried
        again while the market clock stands still.
        """
        if moment.frozen:
            raise TransientError("the market clock is not renewed; pushes wait")
        config, push = _parse(event, moment)
        frame = replace(frame_of(moment, config, push.project_id, push.deploy_id), life=PUSH_LIFE)
        mine = {own_id: word for (owner, own_id), word in state.known.items() if owner == config.id}
        outcome = judge_all(push.found, mine, frame)
        changed = {(word.config_id, word.own_id): word for word in outcome.words}
        state.known.update(changed)
        state.changed.update(changed)
        return events_of(moment, outcome.said)

    return handlers


def _parse(
    event: PushReceived, moment: Moment[IngestConfig]
) -> tuple[QuantConnectConfig, PushBody]:
    for config in moment.config.quantconnect:
        if config.id == event.data.config_id:
            return config, parse_push(event.data.body, config)
    raise NotFound(f"no QuantConnect config {event.data.config_id!r}")


def _load(sql: Sql, events: Sequence[Event], moment: Moment[IngestConfig]) -> State:
    """What is remembered of every word in these pushes; unreadable pushes hold none."""
    keys: list[store.Key] = []
    for event in events:
        if not isinstance(event, PushReceived):
            continue
        try:
            config, push = _parse(event, moment)
        except PermanentError:
            continue  # the handler says so
        keys.extend((config.id, found.item.id) for found in push.found)
    return State(store.load_known(sql, keys))


def _save(sql: Sql, state: State, _moment: Moment[IngestConfig]) -> None:
    store.save_known(sql, list(state.changed.values()))


def _after(state: State) -> None:
    count(list(state.changed.values()))
