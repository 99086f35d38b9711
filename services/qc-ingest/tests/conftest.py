"""A poller on a database of its own, and a real sandbox on the other side of real HTTP."""

import itertools
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from qc_ingest.adapters import tables
from qc_ingest.adapters.accounts import Accounts, Place
from qc_ingest.adapters.limiter import Pace
from qc_ingest.adapters.transport import Http, Timing, open_http
from qc_ingest.backtests import Backtester
from qc_ingest.deploying import Deployer
from qc_ingest.domain.jobs import Kind as JobKind
from qc_ingest.job_commands import JobCommands
from qc_ingest.jobs import Worker
from qc_ingest.worker import Poller
from sandbox.quantconnect.desk import Desk
from sandbox.serving import Served, serving
from signalbox.contracts.commands import Command
from signalbox.contracts.config import IngestConfig, QuantConnectConfig
from signalbox.contracts.events import Event, StateChanged
from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Target
from signalbox.runtime.db import Database
from signalbox.runtime.migrating import migrate
from signalbox.runtime.moment import Moment
from signalbox.runtime.secrets import SecretBox, new_key_pair, seal
from signalbox.testing.examples import NOON, a_bar

MOMENTUM = 23456781
_PATIENCE = timedelta(seconds=20)
_PRIVATE, _PUBLIC = new_key_pair()


class Host:
    """Stands for the service: a database, a clock that the test sets, and ears for what is said."""

    def __init__(self, db: Database) -> None:
        self.db: Database | None = db
        self.configs: tuple[QuantConnectConfig, ...] = ()
        self.now = NOON
        self.wall = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
        self.frozen = False
        self.replay = True
        self.speed = 600.0  # so that whatever happened within twenty hours is fresh
        self.said: list[Event] = []
        self.commits = 0
        self.pending = 0  # nothing waits: what is said has arrived
        self.fail_next: Exception | None = None

    @property
    def relay(self) -> "Host":
        """It is its own outbox."""
        return self

    def moment(self) -> Moment[IngestConfig]:
        return Moment(
            service="qc-ingest",
            now=self.now,
            wall=self.wall,
            config=IngestConfig(quantconnect=self.configs),
            version=1,
            epoch=1,
            speed=self.speed,
            replay=self.replay,
            frozen=self.frozen,
        )

    async def transact(self, work: Callable[..., Any]) -> list[Event]:
        assert self.db
        moment, error = self.moment(), self.fail_next
        self.fail_next = None

        def run(sql: Any) -> list[Event]:
            made = list(work(sql, moment))
            if error:
                raise error
            return made

        made = await self.db.write(run)
        self.commits += 1
        self.said += made
        return made

    def of(self, *kinds: type[Event]) -> list[Any]:
        """What was said of these kinds."""
        return [event for event in self.said if isinstance(event, kinds)]


class Killed(BaseException):
    """The process dies here."""


class Axe:
    """Kills the process at one point: before or after a commit, before or after a request."""

    def __init__(self, blow: int) -> None:
        self.blow = blow
        self.points = 0

    def point(self) -> None:
        """A place where a process may die."""
        self.points += 1
        if self.points == self.blow:
            raise Killed

    def over(self, transact: Callable[..., Any]) -> Callable[..., Any]:
        """Commits that may be the last thing that happens."""

        async def cut(work: Callable[..., Any]) -> Any:
            self.point()
            made = await transact(work)
            self.point()
            return made

        return cut

    def http(self) -> Http:
        """Requests that may never be sent, or whose answer nobody hears."""
        axe = self

        class Cut(httpx.AsyncHTTPTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                axe.point()
                response = await super().handle_async_request(request)
                await response.aread()
                axe.point()
                return response

        return httpx.AsyncClient(transport=Cut())


@dataclass
class Station:
    """Everything that a polling test needs."""

    host: Host
    sandbox: Served
    pollers: list[Poller] = field(default_factory=list)
    accounts: list[Accounts] = field(default_factory=list)
    names: Any = field(default_factory=itertools.count)
    behind_s: float = 0.0  # how far this machine's clock is behind QuantConnect's

    def clock(self) -> float:
        """What this machine takes for the time when it signs."""
        return time.time() - self.behind_s

    def opened(
        self,
        http: Callable[[], Http] = open_http,
        *,
        targets: Mapping[Target, Place] | None = None,
    ) -> Accounts:
        """The way to the sandbox, in a hurry unless other places are named."""
        timing = Timing(wall=self.clock, sleep=_hurry, dice=lambda: 0.0)
        place = Place(f"{self.sandbox.url}/api/v2", Pace(600_000, 10_000), 2.0, look_s=0.25)
        targets = targets or {Target.SANDBOX: place}
        self.accounts.append(Accounts(targets, http, SecretBox(_PRIVATE), timing=timing))
        return self.accounts[-1]

    def poller(self, targets: Mapping[Target, Place] | None = None) -> Poller:
        """One more replica, or the same service after a restart."""
        accounts = self.opened(targets=targets)
        self.pollers.append(Poller(self.host, accounts, f"replica-{next(self.names)}"))
        return self.pollers[-1]

    def worker(self, http: Callable[[], Http] = open_http) -> Worker:
        """The same for work that takes minutes; its pauses pass at once."""

        async def pass_time(seconds: float) -> None:
            self.host.wall += timedelta(seconds=seconds)

        deployer = Deployer(SecretBox(_PRIVATE), lambda _config_id: None)
        steps = {JobKind.DEPLOY: deployer.step, JobKind.BACKTEST: Backtester().step}
        holder = f"replica-{next(self.names)}"
        return Worker(self.host, self.opened(http), holder, steps, sleep=pass_time)

    def jobs(self) -> JobCommands:
        """Commands about work that takes minutes."""
        return JobCommands(self.host, self.opened(), self._seal, lambda: None)

    def ask(self, request_id: str = "r", **body: Any) -> Command:
        """A command that somebody waits for."""
        fields = {"request_id": request_id, "by": "admin", "deadline": self.host.wall + _PATIENCE}
        return Command.model_validate({**fields, "body": body})

    async def start(self, request_id: str = "r", **over: Any) -> str:
        """Ask for a backtest; its id."""
        asked = {"config_id": "demo", "project_id": MOMENTUM, "name": "Try"} | over
        answer = await self.jobs().backtest(self.ask(request_id, **asked))
        return str(answer["backtest_id"])

    def told(self, kind: str, id_: str) -> list[dict[str, Any]]:
        """What was published about one thing, in order."""
        states = [event.data for event in self.host.of(StateChanged)]
        return [state.body for state in states if (state.kind, state.id) == (kind, id_)]

    @property
    def backtests(self) -> list[Any]:
        """The backtests that QuantConnect has."""
        return list(self.sandbox.context.runner.backtests.values())

    async def killed_at(self, blow: int) -> bool:
        """Work until the axe falls at that point; whether it did."""
        axe, transact = Axe(blow), self.host.transact
        self.host.transact = axe.over(transact)  # type: ignore[method-assign]  # for one life
        try:
            await self.work(self.worker(axe.http))
        except Killed:
            return True
        finally:
            self.host.transact = transact  # type: ignore[method-assign]  # and back
        return False

    async def work(self, worker: Worker, most: int = 200) -> None:
        """Go on with every job until none is open, or so many rounds have passed."""
        for _ in range(most):
            for job_id in await worker.take():
                await worker.drive(job_id)
            if not [row for row in await self.rows("jobs") if row.due_at is not None]:
                return
            self.host.wall += timedelta(seconds=5)

    @staticmethod
    async def _seal(owner_id: str, field: str, text: str) -> str:
        return seal(_PUBLIC, config_id=owner_id, field=field, plaintext=text)

    def config(self, key: str = "abc", **over: Any) -> QuantConnectConfig:
        """A config of the sandbox's account, put in force."""
        id_ = over.pop("id", "demo")
        sealed = seal(_PUBLIC, config_id=id_, field="token", plaintext=key)
        fields: dict[str, Any] = {
            "name": "Demo",
            "user_id": "123",
            "target": Target.SANDBOX,
            "project_id": MOMENTUM,
            "token_sealed": sealed,
        }
        config = QuantConnectConfig(id=id_, **(fields | over))
        self.host.configs = (*(c for c in self.host.configs if c.id != id_), config)
        return config

    def bars(self, count: int, *, epoch: int = 1) -> list[Bar]:
        """Minutes of AAPL that swing, so that insights come and are ended early."""
        swing = [100, 101, 102, 103, 104, 105, 106, 107, 106, 103, 102, 100, 98, 97, 97, 97, 97, 97]
        return [
            a_bar(
                close=swing[n % len(swing)],
                high=1000,
                low=1,
                opened_at=NOON + timedelta(minutes=n) + timedelta(weeks=epoch - 1),
                epoch=epoch,
            )
            for n in range(count)
        ]

    def begin(self, count: int, *, epoch: int = 1) -> None:
        """The sandbox deploys on a loop of the market and has seen so many minutes."""
        self.sandbox.desk.begin(epoch, self.bars(count, epoch=epoch))
        self.host.now = self.sandbox.desk.now

    def go_on(self, first: int, last: int, *, epoch: int = 1) -> None:
        """These minutes pass."""
        for bar in self.bars(last, epoch=epoch)[first:]:
            self.sandbox.desk.take(bar, 0.0)
        self.host.now = self.sandbox.desk.now

    @property
    def insights(self) -> list[dict[str, Any]]:
        """What the momentum deployment has said."""
        newest = self.sandbox.desk.newest(MOMENTUM)
        return newest.insights if newest else []

    def say(self, count: int) -> list[dict[str, Any]]:
        """The deployment says so much at once, good for two hours."""
        at, first = self.host.now.timestamp(), len(self.insights)
        for n in range(first, first + count):
            insight = {
                "id": f"{n:032x}",
                "generatedTime": at,
                "closeTime": at + 7200,
                "symbol": "AAPL R735QTJ8XC9X",
                "ticker": "AAPL",
                "direction": ("up", "flat", "down")[n % 3],
                "confidence": "0.75",
            }
            self.insights.append(insight)
        return self.insights[first:]

    async def rows(self, table: str, **where: Any) -> list[Any]:
        """Rows of one of qc-ingest's tables."""
        found = tables.metadata.tables[table]
        query = select(found).filter_by(**where)
        assert self.host.db
        return await self.host.db.read(lambda sql: list(sql.execute(query)))


async def _hurry(_seconds: float) -> None:
    """Waits that would only slow the test down."""


@pytest.fixture
async def station(tmp_path: Path) -> AsyncIterator[Station]:
    """A host, a sandbox, and pollers as asked for."""
    migrate("qc-ingest", home=tmp_path, url=None)
    db = Database.open("qc-ingest", home=tmp_path, url=None)
    async with serving(Desk()) as sandbox:
        made = Station(Host(db), sandbox)
        yield made
        for accounts in made.accounts:
            await accounts.close()
    db.close()
