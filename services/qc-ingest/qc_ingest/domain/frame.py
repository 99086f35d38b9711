"""Who speaks, and what time it is, for whoever judges."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from signalbox.contracts.config import QuantConnectConfig
from signalbox.contracts.values import Target

_PULL_LIFE = timedelta(minutes=20)
_PUSH_LIFE = timedelta(minutes=5)
_REPLAY_LIFE_S = 120  # wall seconds a signal stands at least while prices are replayed


@dataclass(frozen=True, slots=True)
class Frame:
    """One deployment at one instant."""

    config: QuantConnectConfig
    project_id: int
    deploy_id: str
    now: datetime  # on the market clock
    wall: datetime
    epoch: int
    speed: float
    replay: bool
    history: bool = False  # first contact: what is there already is seen, never raised
    pushed: bool = False  # it came by itself, so it should be fresh

    @property
    def life(self) -> timedelta:
        """How long a word stands at most, from when it was spoken."""
        return _PUSH_LIFE if self.pushed else _PULL_LIFE

    @property
    def shift(self) -> timedelta:
        """From the source's clock to the market clock: real deployments live in wall time."""
        apart = self.replay and self.config.target is Target.REAL
        return self.now - self.wall if apart else timedelta(0)

    @property
    def floor(self) -> timedelta:
        """How long a signal stands at least; a replay would outrun every reader otherwise."""
        wall_s = _REPLAY_LIFE_S if self.replay else 0
        return timedelta(seconds=wall_s * max(self.speed, 1.0))

    @property
    def max_age(self) -> timedelta:
        """Older words are not raised."""
        own = timedelta(seconds=self.config.max_age_s)
        return own if self.config.target is Target.REAL else max(own, self.floor)
