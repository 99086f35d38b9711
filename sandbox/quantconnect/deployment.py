"""One live paper deployment."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.quantconnect.algorithm import Algorithm
from sandbox.quantconnect.formats import Json
from signalbox.contracts.payloads import Bar

MOST_INSIGHTS = 10_000  # then it is deployed anew, so that memory stays bounded
STARTING = ("InQueue", "LoggingIn", "Initializing", "History")
ALIVE = frozenset({*STARTING, "Running"})


@dataclass(frozen=True, slots=True)
class Target:
    """Where QuantConnect posts what happens, without the algorithm's doing."""

    address: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    events: frozenset[str] = frozenset()  # "insight", "orderEvent"


@dataclass(slots=True, kw_only=True)
class Deployment(Algorithm):
    """A starting, running or ended deployment."""

    project_id: int
    launched: datetime
    parameters: dict[str, str] = field(default_factory=dict)  # as they were when it was built
    node_id: str = ""
    epoch: int | None = None  # the loop of the market that it lives on
    status: str = "Running"
    stopped: datetime | None = None
    brokerage: Json = field(default_factory=dict)  # as it was asked for
    targets: tuple[Target, ...] = ()

    @property
    def deploy_id(self) -> str:
        """The name of this run in the API."""
        return self.run_id

    @property
    def is_alive(self) -> bool:
        """Whether it holds its node."""
        return self.status in ALIVE

    @property
    def is_running(self) -> bool:
        """Whether it thinks and trades."""
        return self.status == "Running"

    @property
    def is_full(self) -> bool:
        """Whether it holds as much as it may."""
        return len(self.insights) >= MOST_INSIGHTS

    def take(self, bars: Sequence[Bar]) -> None:
        """Bars that closed together, sorted by symbol; those before the start only warm it up."""
        if bars[0].closed_at <= self.launched or self.status in STARTING:
            self.warm_up(bars)
        elif self.is_running:
            self.think(bars)

    def stop(self, at: datetime, *, liquidate: bool = False) -> None:
        """End it; with `liquidate` every position is sold first."""
        if liquidate:
            self.sell_everything(at, "Liquidated")
        self.status = "Liquidated" if liquidate else "Stopped"
        self.stopped = at
        self.log(at, f"Algorithm {self.status.lower()}")

    def release(self) -> None:
        """Forget the long lists; what is left still stands in the list of deployments."""
        self.insights.clear()
        self.orders.clear()
        self.ledger.closed.clear()
        self.curve.points.clear()
