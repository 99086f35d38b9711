"""The sandbox's QuantConnect account: projects, their deployments, and the bars they live on."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter

from sandbox.quantconnect.deployment import Deployment, hex32
from sandbox.quantconnect.rules import Breadth, Momentum, Rule
from signalbox.contracts.payloads import Bar

ORGANIZATION_ID = hex32("organization")
CREATED = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
_MOST_ENDED = 20  # ended deployments that are still listed
_READABLE_ENDED = 1  # of these, so many keep their lists
_SETTLE_S = 1.0  # wall seconds to wait for the other symbols of a bar time

BREADTH_SYMBOLS = ("CVX", "GE", "IBM", "JNJ", "JPM", "KO", "MSFT", "PG", "WMT", "XOM")


@dataclass(frozen=True, slots=True)
class Project:
    """A project, and what it runs when it is live."""

    id: int
    name: str
    description: str
    make_rule: Callable[[], Rule]


PROJECTS = (
    Project(
        23456781,
        "Momentum desk",
        "Sandbox: minute momentum on AAPL",
        lambda: Momentum("AAPL"),
    ),
    Project(
        23456782,
        "Breadth desk",
        "Sandbox: daily breadth of ten names",
        lambda: Breadth(BREADTH_SYMBOLS),
    ),
)


@dataclass(slots=True)
class _Waiting:
    """Bars that closed together, until the last symbol has come or the wait is over."""

    since: float
    bars: dict[str, Bar] = field(default_factory=dict)


class Desk:
    """Everything behind the API. It lives on bars alone, so that the same bars rebuild it."""

    def __init__(self, projects: Sequence[Project] = PROJECTS) -> None:
        self.projects = {project.id: project for project in projects}
        self.now = CREATED  # on the market clock, by the newest bar
        self.epoch: int | None = None
        self._deployments: dict[int, list[Deployment]] = {p.id: [] for p in projects}
        self._waiting: dict[tuple[int, datetime], _Waiting] = {}
        self._last: dict[tuple[str, str], Bar] = {}

    def series(self) -> list[tuple[str, str]]:
        """Symbol and interval of every list of bars that the algorithms follow."""
        rules = [project.make_rule() for project in self.projects.values()]
        return sorted({(symbol, rule.interval) for rule in rules for symbol in rule.symbols})

    def begin(self, epoch: int, bars: Iterable[Bar]) -> None:
        """Deploy everything anew on one loop of the market, and catch up with what it has seen."""
        own = [bar for bar in bars if bar.epoch == epoch]
        own.sort(key=attrgetter("closed_at", "interval", "symbol"))
        self.epoch = epoch
        self._waiting.clear()
        self._last = {(bar.symbol, bar.interval): bar for bar in own}
        launched = own[0].opened_at if own else self.now
        for project in self.projects.values():
            self._deploy(project, launched)
        for _, together in groupby(own, key=attrgetter("closed_at", "interval")):
            group = list(together)
            for project_id in self.projects:
                self._think(project_id, group)

    def is_gap(self, bar: Bar) -> bool:
        """Whether bars before this one may have been missed."""
        last = self._last.get((bar.symbol, bar.interval))
        return last is None or last.closed_at < bar.opened_at

    def after(self, symbol: str, interval: str) -> datetime | None:
        """When the newest bar of a series opened."""
        last = self._last.get((symbol, interval))
        return last.opened_at if last else None

    def take(self, bar: Bar, wall: float) -> None:
        """One more bar of the present loop; an old one is dropped."""
        last = self._last.get((bar.symbol, bar.interval))
        if bar.epoch != self.epoch or (last is not None and bar.opened_at <= last.opened_at):
            return
        self._last[bar.symbol, bar.interval] = bar
        for project_id in self.projects:
            deployment = self.newest(project_id)
            if deployment is None or not _follows(deployment, bar):
                continue
            self._settle_older(project_id, bar.closed_at)
            waiting = self._waiting.setdefault((project_id, bar.closed_at), _Waiting(wall))
            waiting.bars[bar.symbol] = bar
            if len(waiting.bars) == len(deployment.rule.symbols):
                self._release(project_id, bar.closed_at)

    def settle(self, wall: float) -> None:
        """Go on without symbols that have not come in time."""
        for (project_id, closed_at), waiting in sorted(self._waiting.items()):
            if wall - waiting.since >= _SETTLE_S:
                self._release(project_id, closed_at)

    def deployments(self, project_id: int) -> list[Deployment]:
        """Every deployment of a project, oldest first."""
        return self._deployments[project_id]

    def newest(self, project_id: int) -> Deployment | None:
        """The newest deployment of a project."""
        listed = self._deployments[project_id]
        return listed[-1] if listed else None

    def _settle_older(self, project_id: int, closed_at: datetime) -> None:
        for owner, at in sorted(self._waiting):
            if owner == project_id and at < closed_at:
                self._release(owner, at)

    def _release(self, project_id: int, closed_at: datetime) -> None:
        waiting = self._waiting.pop((project_id, closed_at))
        self._think(project_id, [waiting.bars[symbol] for symbol in sorted(waiting.bars)])

    def _think(self, project_id: int, bars: Sequence[Bar]) -> None:
        deployment = self._deployments[project_id][-1]
        mine = [bar for bar in bars if _follows(deployment, bar)]
        if not mine:
            return
        self.now = max(self.now, mine[0].closed_at)
        deployment.take(mine)
        if deployment.is_full:
            self._deploy(self.projects[project_id], mine[0].closed_at)

    def _deploy(self, project: Project, launched: datetime) -> None:
        """A new deployment; a project that was stopped by request stays stopped."""
        listed = self._deployments[project.id]
        if listed and not listed[-1].is_running:
            return
        if listed:
            listed[-1].stop(max(launched, listed[-1].launched))
        started = sum(deployment.epoch == self.epoch for deployment in listed)
        deploy_id = f"L-{hex32(project.id, self.epoch, started)}"
        deployment = Deployment(
            project.id, deploy_id, project.make_rule(), launched, epoch=self.epoch
        )
        deployment.log(launched, "Launching analysis")
        listed.append(deployment)
        for ended in listed[: -1 - _READABLE_ENDED]:
            ended.insights.clear()
            ended.orders.clear()
        del listed[: -1 - _MOST_ENDED]


def _follows(deployment: Deployment, bar: Bar) -> bool:
    return bar.interval == deployment.rule.interval and bar.symbol in deployment.rule.symbols
