"""Who polls what, when: one task per config, one replica per task, and what follows a failure."""

import asyncio
import logging
import zlib
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from qc_ingest.adapters import store
from qc_ingest.adapters.accounts import Accounts
from qc_ingest.adapters.quantconnect import QuantConnect
from qc_ingest.domain.answers import trouble_of
from qc_ingest.domain.health import Connection, clock_hint, explain
from qc_ingest.polling import Cycle, Host, Tally, database_of
from qc_ingest.reporting import Reporter
from signalbox.contracts.config import QuantConnectConfig
from signalbox.contracts.errors import PermanentError, RateLimited, TransientError

log = logging.getLogger(__name__)

_LOOK_S = 0.5  # how often the configuration is compared with what runs
_FROZEN_S = 1.0
_STAGGER_S = 10.0
_NOTED = timedelta(hours=24)
_LEASE = timedelta(seconds=10)  # renewed at half of it, however long a cycle or a pause takes


def stagger_s(config_id: str, poll_s: float) -> float:
    """Seconds before the first reading: several configs do not ask in the same second."""
    if poll_s < _STAGGER_S:
        return 0.0
    return zlib.crc32(config_id.encode()) % 1000 / 1000 * _STAGGER_S


@dataclass(slots=True)
class _Followed:
    """One config that is being polled here."""

    config: QuantConnectConfig
    task: asyncio.Task[None] | None = None
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_over(self) -> bool:
        """Whether its task has ended, which it never does by itself."""
        return self.task is not None and self.task.done()

    async def stop(self) -> None:
        """Cut the cycle off; the next one begins where the last page was stored."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait({self.task})


class Poller:
    """Polls every active config for as long as it holds the config's lease."""

    def __init__(self, host: Host, accounts: Accounts, holder: str) -> None:
        self._host = host
        self._accounts = accounts
        self._holder = holder
        self._reporter = Reporter(host)
        self._followed: dict[str, _Followed] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._leased_until: dict[str, datetime] = {}
        self._connections: dict[str, Connection] = {}
        self._refused: dict[str, dict[int, datetime]] = {}
        self._is_loaded = False

    async def run(self) -> None:
        """Follow the configuration until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await self._match(group)
                    await self._renew_leases()
                    await asyncio.sleep(_LOOK_S)
        finally:
            self._followed.clear()
            self._leased_until.clear()

    async def release(self) -> None:
        """Let another replica go on at once."""
        with suppress(TransientError):
            await database_of(self._host).write(lambda sql: store.drop_leases(sql, self._holder))

    def wake(self, config_id: str) -> None:
        """Poll now instead of after the pause."""
        if config_id in self._followed:
            self._followed[config_id].wake.set()

    async def turn(self, config: QuantConnectConfig) -> float:
        """One cycle if it is this replica's; returns the seconds to wait before the next."""
        if self._host.moment().frozen:
            return _FROZEN_S
        poll_s = self._accounts.poll_s(config)
        if not await self._lease(config.id):
            return min(poll_s, _LEASE.total_seconds() / 3)
        _, connection, pause_s = await self.cycle(config)
        return poll_s if connection.trouble is None else max(pause_s, poll_s)

    async def cycle(self, config: QuantConnectConfig) -> tuple[Tally, Connection, float]:
        """One cycle, whatever the lease says: what was done, how it was found, how long to wait."""
        async with self._locks.setdefault(config.id, asyncio.Lock()):
            before = (await self._known()).get(config.id)
            base = before or Connection(config.id)
            client, tally, pause_s = None, Tally(), 0.0
            try:
                client = self._accounts.open(config)
                cycle = Cycle(self._host, config, client, self._refused.setdefault(config.id, {}))
                tally = cycle.tally
                await cycle.run()
                note = await self._note(config, tally, client.skew_s)
                after = base.worked(self._host.moment().wall, note)
            except (PermanentError, TransientError) as error:
                after = self._failed(base, error, config, client)
                pause_s = error.retry_after_s if isinstance(error, RateLimited) else 0.0
            skew_s = client.skew_s if client else None
            after = replace(after, clock_skew_s=base.clock_skew_s if skew_s is None else skew_s)
            await self._reporter.report(
                config,
                before,
                after,
                limits=self._accounts.limits(config),
                deployments=tally.deployments,
            )
            self._connections[config.id] = after
            return tally, after, max(pause_s, after.pause_s())

    async def _follow(self, followed: _Followed) -> None:
        await asyncio.sleep(stagger_s(followed.config.id, self._accounts.poll_s(followed.config)))
        while True:
            followed.wake.clear()
            pause_s = await self.turn(followed.config)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await followed.wake.wait()

    async def _match(self, group: asyncio.TaskGroup) -> None:
        """Start what is configured, stop what no longer is; a changed config starts afresh."""
        wanted = {c.id: c for c in self._host.moment().config.quantconnect if c.active}
        for config_id, followed in list(self._followed.items()):
            if wanted.get(config_id) == followed.config and not followed.is_over:
                continue
            await followed.stop()
            del self._followed[config_id]
            self._leased_until.pop(config_id, None)
        for config_id in [i for i in await self._known() if i not in wanted]:
            await self._reporter.retire(config_id, self._connections.pop(config_id))
        for config_id, config in wanted.items():
            if config_id not in self._followed:
                followed = _Followed(config)
                followed.task = group.create_task(self._follow(followed))
                self._followed[config_id] = followed

    async def _renew_leases(self) -> None:
        for config_id in list(self._leased_until):
            await self._lease(config_id)

    async def _lease(self, config_id: str) -> bool:
        """Whether this replica may poll a config; nobody else can where the database is its own."""
        database, wall = database_of(self._host), self._host.moment().wall
        if database.exclusive:
            return True
        until = self._leased_until.get(config_id, wall)
        if until - wall > _LEASE / 2:
            return True
        mine = await database.write(
            lambda sql: store.take_lease(sql, config_id, self._holder, wall, _LEASE)
        )
        if not mine:
            self._leased_until.pop(config_id, None)
            return False
        self._leased_until[config_id] = wall + _LEASE
        if until <= wall:  # another replica may have polled meanwhile
            self._is_loaded = False
        return True

    async def _known(self) -> dict[str, Connection]:
        if not self._is_loaded:
            self._connections = await database_of(self._host).read(store.load_connections)
            self._is_loaded = True
        return self._connections

    async def _note(self, config: QuantConnectConfig, tally: Tally, skew_s: float | None) -> str:
        """What a person should know of a cycle that went through."""
        since = self._host.moment().wall - _NOTED
        not_taken = await database_of(self._host).read(
            lambda sql: store.load_not_taken(sql, config.id, since)
        )
        parts = ["; ".join(tally.notes), not_taken.words() if not_taken else ""]
        return " ".join([*filter(None, parts), clock_hint(skew_s).strip()]).strip()[:1000]

    def _failed(
        self,
        base: Connection,
        error: PermanentError | TransientError,
        config: QuantConnectConfig,
        client: QuantConnect | None,
    ) -> Connection:
        trouble = trouble_of(error)
        skew_s = client.skew_s if client else None
        message = explain(trouble, str(error), user_id=config.user_id, skew_s=skew_s)
        log.warning("polling failed: %s", message, extra={"config_id": config.id})
        return base.failed(trouble, message[:1000], self._host.moment().wall)
