"""One polling cycle of one config: read what QuantConnect has, remember it, and say what is new."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from sqlalchemy import Connection as Sql

from qc_ingest.adapters import store
from qc_ingest.adapters.quantconnect import QuantConnect
from qc_ingest.domain.answers import Doubtful, Loading, WrongCredentials
from qc_ingest.domain.deployments import Deployment
from qc_ingest.domain.frame import Frame
from qc_ingest.domain.judge import Known, Outcome, Status, judge, judge_all
from qc_ingest.domain.pages import PAGE, Cursor, Found, Kind, read_fills, read_insights
from qc_ingest.domain.wire import Json
from signalbox.contracts.config import IngestConfig, QuantConnectConfig
from signalbox.contracts.errors import PermanentError, TransientError
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

_PATIENCE = timedelta(hours=1)
_MOST_PENDING = 1000  # messages; a long list is read no faster than the streams take it
_LOOK_S = 0.01


class Backlog(Protocol):
    """What is committed and on its way to the streams."""

    @property
    def pending(self) -> int:
        """Messages that no stream has confirmed."""


class Host(Protocol):
    """What polling needs of the service that it lives in."""

    db: Database | None

    @property
    def relay(self) -> Backlog:
        """Where its messages wait."""

    def moment(self) -> Moment[IngestConfig]:
        """This instant."""

    def transact(self, work: Work) -> Awaitable[list[Event]]:
        """State change and events, all or none."""


def database_of(host: Host) -> Database:
    """The service's database.

    Raises:
        TransientError: it is not open yet.
    """
    if host.db is None:
        raise TransientError("the database is not open yet")
    return host.db


@dataclass(slots=True)
class Tally:
    """What one cycle did."""

    fetched: int = 0  # words that were not known before, or have changed
    raised: int = 0
    deployments: list[Deployment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what went wrong with a part of it

    def add(self, outcome: Outcome) -> None:
        """Count what one page changed, here and in the metrics."""
        self.fetched += len(outcome.words)
        self.raised += sum(isinstance(s, Signal) for s in outcome.said)
        count(outcome.turned)


def count(turned: Iterable[Known]) -> None:
    """Count what became of words."""
    for word in turned:
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
    moment: Moment[IngestConfig],
    config: QuantConnectConfig,
    project_id: int,
    deploy_id: str,
    *,
    history: bool = False,
    pushed: bool = False,
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
        history=history,
        pushed=pushed,
    )


class Cycle:
    """One pass over everything that a config follows. It may be cut off anywhere and repeated.

    `refused` remembers from one cycle to the next since when a project cannot be read.
    """

    def __init__(
        self,
        host: Host,
        config: QuantConnectConfig,
        client: QuantConnect,
        refused: dict[int, datetime],
    ) -> None:
        self._host = host
        self._config = config
        self._live = client.live
        self._refused = refused
        self.tally = Tally()

    async def run(self) -> Tally:
        """Read every deployment to its end.

        Raises:
            SignalboxError: the account, or the one project that is followed, cannot be read.
        """
        if self._config.project_id is not None:
            await self._project(self._config.project_id)
            return self.tally
        running = await self._live.running()
        followed = {project_id for project_id, _ in await self._open_lists()}
        for project_id in sorted({*running, *followed}):
            try:
                await self._project(project_id)
                self._refused.pop(project_id, None)
            except WrongCredentials:
                raise
            except PermanentError as error:
                self.tally.notes.append(f"project {project_id}: {error}")
                if project_id not in running:
                    await self._give_up(project_id)
        return self.tally

    async def _project(self, project_id: int) -> None:
        newest = await self._live.deployment(project_id)
        for owner, deploy_id in await self._open_lists():
            if owner == project_id and newest and deploy_id != newest.deploy_id:
                await self._rest(Deployment(project_id, deploy_id, "Stopped"))
        self.tally.deployments.append(newest or Deployment(project_id, "", "Undefined"))
        if newest is not None:
            await self._lists(newest)

    async def _rest(self, replaced: Deployment) -> None:
        """What a deployment still said before it was replaced, where QuantConnect tells."""
        try:
            await self._lists(replaced)
        except WrongCredentials:
            raise
        except (PermanentError, Doubtful) as error:
            log.info("the end of deployment %s cannot be read: %s", replaced.deploy_id, error)

    async def _lists(self, deployment: Deployment) -> None:
        for kind in Kind:
            try:
                await self._list(deployment, kind)
            except Loading as error:  # does not hold up the other list
                self.tally.notes.append(f"{kind} of project {deployment.project_id}: {error}")

    async def _give_up(self, project_id: int) -> None:
        """Ask no more for a project that does not run and could not be read for an hour."""
        config_id, wall = self._config.id, self._host.moment().wall
        if wall - self._refused.setdefault(project_id, wall) < _PATIENCE:
            return

        def work(sql: Sql, _moment: Moment[IngestConfig]) -> list[Event]:
            store.close_cursors(sql, config_id, project_id)
            return []

        await self._host.transact(work)
        del self._refused[project_id]

    async def _open_lists(self) -> list[tuple[int, str]]:
        config_id = self._config.id
        return await self._read(lambda sql: store.open_lists(sql, config_id))

    async def _list(self, deployment: Deployment, kind: Kind) -> None:
        """Read one list from where it may have changed to its end, page by page."""
        empty = Cursor(self._config.id, deployment.project_id, deployment.deploy_id, kind)
        cursor = await self._read(lambda sql: store.load_cursor(sql, empty))
        if cursor.closed and deployment.has_ended:
            return
        start, oldest_open = cursor.start, None
        while True:
            rows = await self._live.page(kind, deployment, start, start + PAGE)
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
            while self._host.relay.pending > _MOST_PENDING:  # noqa: ASYNC110 - bounds memory, and nobody tells
                await asyncio.sleep(_LOOK_S)
            cursor, start = after, start + PAGE

    async def _take(self, found: Sequence[Found], before: Cursor, after: Cursor) -> None:
        """One transaction for one page; none when the page says nothing new."""
        config_id, frame = self._config.id, self._frame(self._host.moment(), before)
        ids = [f.item.id for f in found]
        stored = await self._read(lambda sql: store.load_known(sql, config_id, ids))
        news = [f for f in found if _is_news(f, stored.get(f.item.id), frame)]
        if not news and before == after:
            return
        taken: list[Outcome] = []

        def work(sql: Sql, moment: Moment[IngestConfig]) -> list[Event]:
            known = store.load_known(sql, config_id, [f.item.id for f in news])
            outcome = judge_all(news, known, self._frame(moment, before))
            store.save_known(sql, outcome.words)
            if before.history:
                keep = after.deploy_id
                store.close_cursors(sql, after.config_id, after.project_id, keep=keep)
            store.save_cursor(sql, after)
            taken.append(outcome)
            return events_of(moment, outcome.said)

        await self._host.transact(work)
        self.tally.add(taken[-1])

    def _frame(self, moment: Moment[IngestConfig], cursor: Cursor) -> Frame:
        whose = (cursor.project_id, cursor.deploy_id)
        return frame_of(moment, self._config, *whose, history=cursor.history)

    async def _read(self, query: Callable[[Sql], T]) -> T:
        return await database_of(self._host).read(query)


def _read_page(kind: Kind, rows: Sequence[Json]) -> tuple[Sequence[Found], int | None]:
    return (read_insights(rows), None) if kind is Kind.INSIGHTS else read_fills(rows)


def _is_news(found: Found, known: Known | None, frame: Frame) -> bool:
    if known is not None and known.status is Status.HELD:
        return judge(found, known, frame).known is not None
    return known is None or known.digest != found.item.digest
