"""One polling cycle of one config: read what QuantConnect has, remember it, and say what is new."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from sqlalchemy import Connection as Sql

from qc_ingest.adapters import store
from qc_ingest.adapters.quantconnect import QuantConnect
from qc_ingest.domain.answers import Loading, WrongCredentials
from qc_ingest.domain.deployments import Deployment
from qc_ingest.domain.judge import Frame, Known, Status, judge_all
from qc_ingest.domain.pages import PAGE, Cursor, Found, Kind, read_fills, read_insights
from qc_ingest.domain.wire import Json
from signalbox.contracts.config import IngestConfig, QuantConnectConfig
from signalbox.contracts.errors import PermanentError
from signalbox.contracts.events import Event, SignalRaised, SignalWithdrawn
from signalbox.contracts.payloads import Signal, Withdrawal
from signalbox.contracts.values import SourceType
from signalbox.runtime import metrics
from signalbox.runtime.db import Database
from signalbox.runtime.moment import Moment, Outgoing

log = logging.getLogger(__name__)

T = TypeVar("T")
Said = Signal | Withdrawal
Work = Callable[[Sql, Moment[IngestConfig]], Iterable[Event | Outgoing]]


class Host(Protocol):
    """What polling needs of the service that it lives in."""

    db: Database | None

    def moment(self) -> Moment[IngestConfig]:
        """This instant."""

    def transact(self, work: Work) -> Awaitable[list[Event]]:
        """State change and events, all or none."""


@dataclass(slots=True)
class Tally:
    """What one cycle did."""

    fetched: int = 0  # words that were not known before
    raised: int = 0
    deployments: list[Deployment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what went wrong with a part of it

    def add(self, words: Sequence[Known], said: Sequence[Said]) -> None:
        """Count what one page or push changed, here and in the metrics."""
        self.fetched += len(words)
        self.raised += sum(isinstance(s, Signal) for s in said)
        count(words)


def count(words: Sequence[Known]) -> None:
    """Count words by what became of them."""
    for word in words:
        source_id = str(word.project_id)
        metrics.SIGNALS.labels(SourceType.QUANTCONNECT, source_id, word.status).inc()
        if word.status is Status.RAISED:
            metrics.LAST_SIGNAL.labels(source_id).set(word.seen_at.timestamp())
        elif word.status is Status.REFUSED:
            log.warning("a word of QuantConnect was refused: %s", word.reason)


def events_of(moment: Moment[IngestConfig], said: Iterable[Said]) -> list[Event]:
    """The events of what was said. Push and pull make the same ones, so nothing names its cause."""
    return [
        moment.event(SignalRaised if isinstance(s, Signal) else SignalWithdrawn, s) for s in said
    ]


def frame_of(
    moment: Moment[IngestConfig], config: QuantConnectConfig, project_id: int, deploy_id: str
) -> Frame:
    """Who speaks, and what time it is."""
    return Frame(
        config=config,
        project_id=project_id,
        deploy_id=deploy_id,
        now=moment.now,
        wall=moment.wall,
        epoch=moment.epoch,
        speed=moment.speed,
        replay=moment.replay,
    )


class Cycle:
    """One pass over everything that a config follows. It may be cut off anywhere and repeated."""

    def __init__(self, host: Host, config: QuantConnectConfig, client: QuantConnect) -> None:
        self._host = host
        self._config = config
        self._client = client
        self.tally = Tally()

    async def run(self) -> Tally:
        """Read every deployment to its end.

        Raises:
            SignalboxError: the account, or the one project that is followed, cannot be read.
        """
        for project_id in await self._projects():
            try:
                await self._project(project_id)
            except Loading as error:
                self.tally.notes.append(f"project {project_id}: {error}")
            except PermanentError as error:
                if isinstance(error, WrongCredentials) or self._config.project_id is not None:
                    raise
                self.tally.notes.append(f"project {project_id}: {error}")
        return self.tally

    async def _projects(self) -> list[int]:
        """The one project, or all that trade live or did so when they were last read."""
        config_id = self._config.id
        if self._config.project_id is not None:
            return [self._config.project_id]
        running = await self._client.running()
        lists = await self._read(lambda sql: store.open_lists(sql, config_id))
        return sorted({*running, *(project_id for project_id, _ in lists)})

    async def _project(self, project_id: int) -> None:
        deployment = await self._client.deployment(project_id)
        if deployment is None:
            self.tally.deployments.append(Deployment(project_id, "", "Undefined"))
            return
        self.tally.deployments.append(deployment)
        for kind in Kind:
            await self._list(deployment, kind)

    async def _list(self, deployment: Deployment, kind: Kind) -> None:
        """Read one list from where it may have changed to its end, page by page."""
        empty = Cursor(self._config.id, deployment.project_id, deployment.deploy_id, kind)
        cursor = await self._read(lambda sql: store.load_cursor(sql, empty))
        if cursor.closed and deployment.has_ended:
            return
        start, oldest_open = cursor.start, None
        while True:
            rows = await self._client.page(kind, deployment, start, start + PAGE)
            found, first_open = _read_page(kind, rows)
            if oldest_open is None and first_open is not None:
                oldest_open = start + first_open
            is_last = len(rows) < PAGE
            after = replace(
                cursor,
                next_index=max(cursor.next_index, start + len(rows)),
                history=cursor.history and not is_last,
                closed=is_last and deployment.has_ended,
            )
            if is_last:
                change_from = after.next_index if oldest_open is None else oldest_open
                after = replace(after, reread_from=change_from)
            await self._take(found, cursor, after)
            if is_last:
                return
            cursor, start = after, start + PAGE

    async def _take(self, found: Sequence[Found], before: Cursor, after: Cursor) -> None:
        """One transaction for one page; none when the page says nothing new."""
        keys = [(self._config.id, f.item.id) for f in found]
        stored = await self._read(lambda sql: store.load_known(sql, keys))
        news = [f for f, key in zip(found, keys, strict=True) if _is_news(f, stored.get(key))]
        if not news and before == after:
            return
        taken: list[tuple[Sequence[Known], Sequence[Said]]] = []

        def work(sql: Sql, moment: Moment[IngestConfig]) -> list[Event]:
            known = store.load_known(sql, keys)
            frame = frame_of(moment, self._config, after.project_id, after.deploy_id)
            frame = replace(frame, history=before.history)
            by_id = {own_id: word for (_, own_id), word in known.items()}
            outcome = judge_all(news, by_id, frame)
            store.save_known(sql, outcome.words)
            if before.history:
                keep = after.deploy_id
                store.close_cursors(sql, after.config_id, after.project_id, keep=keep)
            store.save_cursor(sql, after)
            taken.append((outcome.words, outcome.said))
            return events_of(moment, outcome.said)

        await self._host.transact(work)
        self.tally.add(*taken[-1])

    async def _read(self, query: Callable[[Sql], T]) -> T:
        if self._host.db is None:
            raise PermanentError("qc-ingest has no database")
        return await self._host.db.read(query)


def _read_page(kind: Kind, rows: Sequence[Json]) -> tuple[Sequence[Found], int | None]:
    return (read_insights(rows), None) if kind is Kind.INSIGHTS else read_fills(rows)


def _is_news(found: Found, known: Known | None) -> bool:
    return known is None or known.digest != found.item.digest
