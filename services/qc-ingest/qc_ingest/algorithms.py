"""The algorithms of an account: listed, shown in detail, stopped; kept for ten minutes."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import JsonValue

from qc_ingest.adapters import job_store
from qc_ingest.adapters.accounts import Accounts
from qc_ingest.adapters.quantconnect import QuantConnect
from qc_ingest.adapters.quantconnect_live import MOST_LOG_LINES
from qc_ingest.asking import chosen_configs, config_of, integer, talking, text, time_left_s
from qc_ingest.domain.answers import OutcomeUnknown
from qc_ingest.domain.charts import thin
from qc_ingest.domain.deployments import Deployment
from qc_ingest.domain.hiding import HIDDEN, is_secret
from qc_ingest.domain.live import Listing, newest_of
from qc_ingest.domain.nodes import Nodes
from qc_ingest.domain.portfolio import Portfolio
from qc_ingest.domain.projects import Project
from qc_ingest.domain.statistics import Performance, parse_performance
from qc_ingest.domain.wire import parse_time_or_none
from qc_ingest.polling import Host, database_of
from signalbox.contracts.commands import Command
from signalbox.contracts.config import QuantConnectConfig
from signalbox.contracts.errors import NotFound, PermanentError, Refused, TransientError

T = TypeVar("T")
Row = dict[str, JsonValue]

_FRESH = timedelta(minutes=10)
_LOG_LINES = 50
_MOST_KEPT = 200


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was read for one config, while that config was the same."""

    config: QuantConnectConfig
    at: datetime
    rows: list[Row]


@dataclass(slots=True)
class Algorithms:
    """Answers about algorithms, from memory where that is fresh enough."""

    host: Host
    accounts: Accounts
    _kept: dict[tuple[str, int | None], _Kept] = field(default_factory=dict)
    _reading: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def algorithms(self, command: Command) -> dict[str, JsonValue]:
        """Every project with its live state: `{algorithms, problems}`.

        With several configs, one that cannot be read is a problem and hides no other.

        Raises:
            SignalboxError: the only config cannot be read.
        """
        configs = chosen_configs(self.host, command)
        found: list[JsonValue] = []
        problems: list[JsonValue] = []
        for config in configs:
            try:
                found.extend(await self._read(command, config, None))
            except (PermanentError, TransientError) as error:
                if len(configs) == 1:
                    raise
                problems.append({"config_id": config.id, "message": str(error)})
        return {"algorithms": found, "problems": problems}

    async def algorithm(self, command: Command) -> dict[str, JsonValue]:
        """One project with everything that is known of it, and how its deployments did.

        Raises:
            NotFound: no such config or project.
        """
        config = config_of(self.host, text(command, "config_id"))
        project_id = integer(command, "project_id")
        (row,) = await self._read(command, config, project_id)
        database = database_of(self.host)
        did = await database.read(
            lambda sql: job_store.load_performance(sql, config.id, project_id)
        )
        history: list[JsonValue] = [
            {"at": at.isoformat(), **performance.body()} for at, performance in thin(did)
        ]
        return {**row, "history": history}

    def forget(self, config_id: str) -> None:
        """Read anew next time."""
        for key in [key for key in self._kept if key[0] == config_id]:
            del self._kept[key]

    async def stop(self, command: Command) -> dict[str, JsonValue]:
        """Stop a deployment; its positions stay. Stopping twice does no harm."""
        return await self._end(command, liquidate=False)

    async def liquidate(self, command: Command) -> dict[str, JsonValue]:
        """Sell everything that a deployment holds, then stop it.

        Raises:
            Refused: `confirm` is not true.
        """
        if command.body.get("confirm") is not True:
            raise Refused(
                "Liquidating sells everything that the deployment holds and stops it. Send"
                " confirm: true if you mean it."
            )
        return await self._end(command, liquidate=True)

    async def _end(self, command: Command, *, liquidate: bool) -> dict[str, JsonValue]:
        config = config_of(self.host, text(command, "config_id"))
        project_id = integer(command, "project_id")
        async with talking(self.accounts, config, time_left_s(self.host, command)) as client:
            before = await client.live.deployment(project_id)
            if before is None:
                raise NotFound(f"Project {project_id} was never deployed.")
            if before.has_ended:
                return {"status": before.status, "deploy_id": before.deploy_id}
            live = client.live
            try:
                await (live.liquidate(project_id) if liquidate else live.stop(project_id))
            except OutcomeUnknown as error:
                after = await client.live.deployment(project_id)
                if after is not None and not after.has_ended:
                    raise TransientError(
                        f"no answer came, and the deployment is still {after.status}; try again,"
                        " a repeat does no harm"
                    ) from error
            after = await client.live.deployment(project_id)
        self.forget(config.id)
        return {"status": (after or before).status, "deploy_id": before.deploy_id}

    async def _read(
        self, command: Command, config: QuantConnectConfig, project_id: int | None
    ) -> list[Row]:
        key = (config.id, project_id)
        async with self._reading.setdefault(config.id, asyncio.Lock()):
            kept, wall = self._kept.get(key), self.host.moment().wall
            fresh = kept is not None and kept.config == config and wall - kept.at < _FRESH
            if kept is not None and fresh and command.body.get("refresh") is not True:
                return kept.rows
            async with talking(self.accounts, config, time_left_s(self.host, command)) as client:
                if project_id is None:
                    rows = await self._list(client, config)
                else:
                    rows = [await self._detail(client, config, project_id)]
            while len(self._kept) >= _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = _Kept(config, wall, rows)
            return rows

    async def _list(self, client: QuantConnect, config: QuantConnectConfig) -> list[Row]:
        projects = await client.projects.all()
        newest = newest_of(await client.live.all())
        did = await database_of(self.host).read(
            lambda sql: job_store.newest_performances(sql, config.id)
        )
        rows = []
        for project in projects:
            listing = newest.get(project.id)
            _, performance = did.get(project.id, (None, Performance()))
            if performance.is_empty and listing is not None:
                performance = Performance(equity=listing.equity)
            live = _live_of_listing(listing)
            rows.append(self._row(config, project, live, performance))
        return rows

    async def _detail(
        self, client: QuantConnect, config: QuantConnectConfig, project_id: int
    ) -> Row:
        project = await client.projects.read(project_id)
        deployment = await client.live.deployment(project_id)
        notes: list[str] = []
        files, nodes = await asyncio.gather(
            _part(notes, "files", client.projects.files(project_id), []),
            _part(notes, "nodes", client.resources.nodes(project.organization_id), Nodes()),
        )
        portfolio: Portfolio | None = None
        logs: tuple[str, ...] = ()
        if deployment is not None:
            portfolio, logs = await asyncio.gather(
                _part(notes, "portfolio", client.live.portfolio(project_id), None),
                _part(notes, "log", _last_lines(client, deployment), ()),
            )
        performance = parse_performance(deployment.statistics if deployment else {})
        live = _live_of_deployment(deployment)
        return {
            **self._row(config, project, live, performance),
            "description": project.description,
            "parameters": [
                {"key": key, "value": HIDDEN if is_secret(key) else value}
                for key, value in project.parameters.items()
            ],
            "files": [file.body() for file in files],
            "live": live,
            "portfolio": portfolio.body() if portfolio else None,
            "nodes": nodes.body(),
            "logs": list(logs),
            "notes": list(notes),
        }

    def _row(
        self,
        config: QuantConnectConfig,
        project: Project,
        live: Row | None,
        performance: Performance,
    ) -> Row:
        names = ("status", "deploy_id", "launched", "stopped", "brokerage")
        state = {name: (live or {}).get(name) for name in names}
        return {
            "project_id": project.id,
            "config_id": config.id,
            "name": project.name,
            "target": config.target.value,
            "language": project.language,
            "modified": project.modified.isoformat() if project.modified else None,
            **state,
            "performance": performance.body(),
            "fetched_at": self.host.moment().wall.isoformat(),
        }


async def _part(notes: list[str], what: str, reading: Awaitable[T], instead: T) -> T:
    """One part of the whole; what cannot be read is noted and hides nothing else."""
    try:
        return await reading
    except (PermanentError, TransientError) as error:
        notes.append(f"The {what} cannot be read: {error}")
        return instead


async def _last_lines(client: QuantConnect, deployment: Deployment) -> tuple[str, ...]:
    logs = await client.live.logs(deployment, 0, MOST_LOG_LINES)
    if logs.length > MOST_LOG_LINES:
        logs = await client.live.logs(deployment, logs.length - _LOG_LINES, logs.length)
    return logs.lines[-_LOG_LINES:]


def _live_of_deployment(deployment: Deployment | None) -> Row | None:
    if deployment is None:
        return None
    times = {"launched": deployment.launched, "stopped": deployment.stopped}
    parsed = {name: parse_time_or_none(said) for name, said in times.items()}
    return deployment.body() | {n: at.isoformat() if at else None for n, at in parsed.items()}


def _live_of_listing(listing: Listing | None) -> Row | None:
    if listing is None:
        return None
    launched, stopped = listing.launched, listing.stopped
    return {
        "status": listing.status,
        "deploy_id": listing.deploy_id or None,
        "launched": launched.isoformat() if launched else None,
        "stopped": stopped.isoformat() if stopped else None,
        "brokerage": listing.brokerage or None,
    }
