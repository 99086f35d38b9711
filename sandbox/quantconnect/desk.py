"""The sandbox's QuantConnect account: projects, their deployments, and the bars they live on."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from uuid import uuid4

from sandbox.quantconnect.algorithm import Heard
from sandbox.quantconnect.deployment import Deployment
from sandbox.quantconnect.formats import hex32
from sandbox.quantconnect.project import CREATED, Project, demo_projects
from sandbox.quantconnect.rules import Rule, RuleError, make_rule
from signalbox.contracts.payloads import Bar

LIVE_NODES = tuple(f"LN-{hex32('live node', n)}" for n in range(1, 5))
_MOST_ENDED = 20  # ended deployments that are still listed
_READABLE_ENDED = 1  # of these, so many keep their lists
_SETTLE_S = 1.0  # wall seconds to wait for the other symbols of a bar time
_WARM_UP_BARS = 120  # of every series, for what is deployed later

Listener = Callable[[Deployment], Heard]


@dataclass(slots=True)
class _Waiting:
    """Bars that closed together, until the last symbol has come or the wait is over."""

    since: float
    bars: dict[str, Bar] = field(default_factory=dict)


class Desk:
    """What is live. It lives on bars alone: the same bars rebuild the demo's deployments."""

    def __init__(self, projects: Iterable[Project] | None = None) -> None:
        chosen = demo_projects() if projects is None else projects
        self.projects = {project.id: project for project in chosen}
        self.now = CREATED  # on the market clock, by the newest bar
        self.epoch: int | None = None
        self.changes = 0  # of what is deployed, so that the market can follow other series
        self.listener: Listener | None = None
        self._deployments: dict[int, list[Deployment]] = {id_: [] for id_ in self.projects}
        self._started: dict[int, int] = {}  # deployments of a project in this loop
        self._waiting: dict[tuple[int, datetime], _Waiting] = {}
        self._recent: dict[tuple[str, str], deque[Bar]] = {}
        self._catching_up = False

    def series(self) -> list[tuple[str, str]]:
        """Symbol and interval of every list of bars that the algorithms follow."""
        rules = [d.rule for d in self.alive()]
        new = [p for p in self.projects.values() if not self._deployments.get(p.id)]
        rules += filter(None, map(_demo_rule, new))
        return sorted({(symbol, rule.interval) for rule in rules for symbol in rule.symbols})

    def begin(self, epoch: int, bars: Iterable[Bar]) -> None:
        """Deploy everything anew on one loop of the market, and catch up with what it has seen."""
        own = [bar for bar in bars if bar.epoch == epoch]
        own.sort(key=attrgetter("closed_at", "interval", "symbol"))
        if epoch != self.epoch:
            self._started.clear()
        self.epoch = epoch
        self._catching_up = True  # what happened meanwhile is told to nobody
        self._waiting.clear()
        self._recent.clear()
        for bar in own:
            self._keep(bar)
        launched = own[0].opened_at if own else self.now
        for project_id in [*self.projects]:
            self._redeploy(project_id, launched)
        for _, together in groupby(own, key=attrgetter("closed_at", "interval")):
            group = list(together)
            for project_id in self.projects:
                self._think(project_id, group)
        self._catching_up = False
        for deployment in self.alive():
            self._listen(deployment)

    def is_gap(self, bar: Bar) -> bool:
        """Whether bars before this one may have been missed."""
        last = self._last(bar.symbol, bar.interval)
        return last is None or last.closed_at < bar.opened_at

    def after(self, symbol: str, interval: str) -> datetime | None:
        """When the newest bar of a series opened."""
        last = self._last(symbol, interval)
        return last.opened_at if last else None

    def take(self, bar: Bar, wall: float) -> None:
        """One more bar of the present loop; an old one is dropped."""
        last = self._last(bar.symbol, bar.interval)
        if bar.epoch != self.epoch or (last is not None and bar.opened_at <= last.opened_at):
            return
        self._keep(bar)
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
        return self._deployments.setdefault(project_id, [])

    def newest(self, project_id: int) -> Deployment | None:
        """The newest deployment of a project."""
        listed = self._deployments.get(project_id)
        return listed[-1] if listed else None

    def alive(self) -> list[Deployment]:
        """Whatever holds a node, by project."""
        newest = [self.newest(project_id) for project_id in self.projects]
        return [d for d in newest if d is not None and d.is_alive]

    def deploy(self, deployment: Deployment) -> None:
        """Take up a deployment by request, warmed up on the bars in hand."""
        rule = deployment.rule
        bars = [b for s in rule.symbols for b in self._recent.get((s, rule.interval), ())]
        bars.sort(key=attrgetter("closed_at", "symbol"))
        for _, together in groupby(bars, key=attrgetter("closed_at")):
            deployment.warm_up(list(together))
        self._add(deployment)

    def forget(self, project_id: int) -> None:
        """Delete a project and everything of it."""
        newest = self.newest(project_id)
        if newest is not None and newest.is_alive:
            newest.stop(self.now)
        self.projects.pop(project_id, None)
        self._deployments.pop(project_id, None)
        self._waiting = {key: held for key, held in self._waiting.items() if key[0] != project_id}
        self.changes += 1

    def _last(self, symbol: str, interval: str) -> Bar | None:
        recent = self._recent.get((symbol, interval))
        return recent[-1] if recent else None

    def _keep(self, bar: Bar) -> None:
        empty: deque[Bar] = deque(maxlen=_WARM_UP_BARS)
        self._recent.setdefault((bar.symbol, bar.interval), empty).append(bar)

    def _settle_older(self, project_id: int, closed_at: datetime) -> None:
        for owner, at in sorted(self._waiting):
            if owner == project_id and at < closed_at:
                self._release(owner, at)

    def _release(self, project_id: int, closed_at: datetime) -> None:
        waiting = self._waiting.pop((project_id, closed_at))
        self._think(project_id, [waiting.bars[symbol] for symbol in sorted(waiting.bars)])

    def _think(self, project_id: int, bars: Sequence[Bar]) -> None:
        deployment = self.newest(project_id)
        mine = [bar for bar in bars if deployment is not None and _follows(deployment, bar)]
        if deployment is None or not mine:
            return
        self.now = max(self.now, mine[0].closed_at)
        deployment.take(mine)
        if deployment.is_running and deployment.is_full:
            self._redeploy(project_id, mine[0].closed_at)

    def _redeploy(self, project_id: int, launched: datetime) -> None:
        """A new deployment of what is alive; what was stopped by request stays stopped."""
        old, project = self.newest(project_id), self.projects[project_id]
        rule = _demo_rule(project) if old is None else make_rule(old.parameters)
        if rule is None or (old is not None and not old.is_alive):
            return
        number = self._started.get(project_id, 0)
        self._started[project_id] = number + 1
        deploy_id = f"L-{hex32(project_id, self.epoch, number)}"
        new = Deployment(
            deploy_id if project.is_demo else new_deploy_id(),
            rule,
            project_id=project_id,
            launched=launched,
            parameters=dict(project.parameters) if old is None else old.parameters,
            node_id=(self.free_nodes() or [""])[0] if old is None else old.node_id,
        )
        if old is not None:
            old.stop(max(launched, old.launched))
            new.brokerage, new.targets = old.brokerage, old.targets
        self._add(new)

    def free_nodes(self) -> list[str]:
        """Live nodes that nothing runs on."""
        busy = {deployment.node_id for deployment in self.alive()}
        return [node for node in LIVE_NODES if node not in busy]

    def _listen(self, deployment: Deployment) -> None:
        if self.listener is not None and not self._catching_up:
            deployment.heard = self.listener(deployment)

    def _add(self, deployment: Deployment) -> None:
        listed = self.deployments(deployment.project_id)
        deployment.epoch = self.epoch
        deployment.log(deployment.launched, f"Launching analysis for {deployment.run_id}")
        deployment.log(
            deployment.launched, f"The sandbox runs {deployment.rule.model}, not the project's code"
        )
        deployment.begin(deployment.launched)
        self._listen(deployment)
        listed.append(deployment)
        for ended in listed[: -1 - _READABLE_ENDED]:
            ended.release()
        del listed[: -1 - _MOST_ENDED]
        self.changes += 1


def new_deploy_id() -> str:
    """A deploy id that was never used."""
    return f"L-{uuid4().hex}"


def _demo_rule(project: Project) -> Rule | None:
    try:
        return make_rule(project.parameters) if project.is_demo else None
    except RuleError:
        return None  # the parameters were changed to what no rule can be made of


def _follows(deployment: Deployment, bar: Bar) -> bool:
    return bar.interval == deployment.rule.interval and bar.symbol in deployment.rule.symbols
