"""Pushed words: parsed to the same keys as polled ones, so that each counts once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Connection as Sql

from qc_ingest.adapters import store
from qc_ingest.domain.judge import Known, judge_all
from qc_ingest.domain.pushes import PushBody, parse_push
from qc_ingest.polling import count, events_of, frame_of
from signalbox.contracts.config import IngestConfig, QuantConnectConfig
from signalbox.contracts.errors import NotFound, PermanentError, RateLimited
from signalbox.contracts.events import Event, PushReceived
from signalbox.runtime.handlers import Handlers
from signalbox.runtime.moment import Moment

_FROZEN_S = 5.0

Read = tuple[QuantConnectConfig, PushBody]


@dataclass(slots=True)
class State:
    """A batch of pushes, read, and what is remembered of the words in them."""

    read: dict[UUID, Read | PermanentError]
    known: dict[str, dict[str, Known]]  # by config id and own id
    changed: dict[tuple[str, str], Known] = field(default_factory=dict)
    turned: list[Known] = field(default_factory=list)  # to be counted


def build_handlers() -> Handlers[State]:
    """The handlers of everything that the gateway hands on."""
    handlers: Handlers[State] = Handlers(
        "INGRESS", "qc-ingest", load=_load, save=_save, after=_after
    )

    @handlers.on(PushReceived)
    def on_push_received(
        event: PushReceived, state: State, moment: Moment[IngestConfig]
    ) -> Iterable[Event]:
        """Outcomes: a signal per new word, a withdrawal per shortened one, nothing for the rest.

        Set aside: not the shape of a push, another project's, or of a connection that is gone.
        Tried again for as long as the market clock stands still.
        """
        if moment.frozen:
            raise RateLimited("the market clock stands still; pushes wait", retry_after_s=_FROZEN_S)
        read = state.read[event.id]
        if isinstance(read, PermanentError):
            raise read
        config, push = read
        frame = frame_of(moment, config, push.project_id, push.deploy_id, pushed=True)
        known = state.known[config.id]
        outcome = judge_all(push.found, known, frame)
        for word in outcome.words:
            known[word.own_id] = state.changed[word.config_id, word.own_id] = word
        state.turned += outcome.turned
        return events_of(moment, outcome.said)

    return handlers


def _load(sql: Sql, events: Sequence[Event], moment: Moment[IngestConfig]) -> State:
    """What is remembered of every word in these pushes; unreadable pushes hold none."""
    read: dict[UUID, Read | PermanentError] = {}
    own_ids: dict[str, list[str]] = {}
    for event in events:
        if isinstance(event, PushReceived):
            read[event.id] = found = _read(event, moment)
            if not isinstance(found, PermanentError):
                config, push = found
                own_ids.setdefault(config.id, []).extend(word.item.id for word in push.found)
    return State(read, {i: store.load_known(sql, i, ids) for i, ids in own_ids.items()})


def _read(event: PushReceived, moment: Moment[IngestConfig]) -> Read | PermanentError:
    config_id = event.data.config_id
    for config in moment.config.quantconnect:
        if config.id == config_id:
            try:
                return config, parse_push(event.data.body, config)
            except PermanentError as error:
                return error
    return NotFound(f"a push came for the QuantConnect connection {config_id!r}, which is gone")


def _save(sql: Sql, state: State, _moment: Moment[IngestConfig]) -> None:
    store.save_known(sql, list(state.changed.values()))


def _after(state: State) -> None:
    count(state.turned)
