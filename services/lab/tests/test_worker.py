"""When the lab looks at what is due."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal as D
from typing import Any, cast

import pytest
from sqlalchemy import Connection

from lab.adapters import store
from lab.adapters.tables import metadata
from lab.domain.scoring import claim_of
from lab.handlers import build_handlers
from lab.worker import LIVE_DELAY, Lab, Scorer
from signalbox.contracts.errors import TransientError
from signalbox.contracts.events import Event, OutcomeScored
from signalbox.runtime.db import Database
from signalbox.runtime.moment import Moment
from signalbox.testing.examples import NOON, a_bar, a_moment, a_signal, raised
from signalbox.testing.runner import run

DUE = NOON + timedelta(minutes=1)
SECOND = timedelta(seconds=1)
BARS = [a_bar(opened_at=NOON + n * timedelta(minutes=1), close=D("210.60")) for n in (-1, 0)]


class FakeLab:
    """A service with a database in memory, whose clock and market the test sets."""

    def __init__(self) -> None:
        self.db = Database.in_memory(metadata)
        self.now, self.frozen, self.replay, self.answers = NOON, False, True, True
        self.made: list[Event] = []
        run(
            build_handlers(),
            self.db,
            metadata,
            [raised(a_signal(horizon_s=60, epoch=1))],
            a_moment(),
        )

    def moment(self) -> Moment[Any]:
        return a_moment(now=self.now, frozen=self.frozen, replay=self.replay)

    async def ask(self, _other: str, verb: str, *_: Any, **__: Any) -> dict[str, Any]:
        if not self.answers:
            raise TransientError("market-data is not running")
        if verb == "symbols":
            return {"symbols": [{"symbol": "AAPL", "interval": "1m"}]}
        return {"bars": [bar.model_dump(mode="json") for bar in BARS]}

    async def transact(
        self, work: Callable[[Connection, Moment[Any]], Iterable[Event]]
    ) -> list[Event]:
        with self.db.begin() as sql:
            made = list(work(sql, self.moment()))
        self.made += made
        return made

    def outcomes(self) -> list[OutcomeScored]:
        return [event for event in self.made if isinstance(event, OutcomeScored)]


@pytest.fixture
def service() -> FakeLab:
    return FakeLab()


async def look(service: FakeLab, scorer: Scorer | None = None) -> Scorer:
    scorer = scorer or Scorer(cast(Lab, service))
    await scorer.look()
    return scorer


@pytest.mark.parametrize(
    ("now", "replay", "scored"),
    [
        pytest.param(DUE, True, False, id="its last bar may not be published yet"),
        pytest.param(DUE + SECOND, True, True, id="a replay has published it"),
        pytest.param(DUE + LIVE_DELAY, False, False, id="a live feed comes late"),
        pytest.param(DUE + LIVE_DELAY + SECOND, False, True, id="a live feed has come"),
    ],
)
async def test_a_claim_is_looked_at_when_its_prices_are_there(
    service: FakeLab, now: datetime, replay: bool, scored: bool
) -> None:
    service.now, service.replay = now, replay
    await look(service)
    assert bool(service.outcomes()) is scored


async def test_nothing_is_scored_on_a_clock_that_stands_still(service: FakeLab) -> None:
    service.now, service.frozen = DUE + timedelta(hours=1), True
    await look(service)
    assert service.made == []


async def test_what_has_no_prices_now_waits_and_is_said_once(
    service: FakeLab, caplog: pytest.LogCaptureFixture
) -> None:
    service.now, service.answers = DUE + SECOND, False
    scorer = await look(service)
    await look(service, scorer)
    assert scorer.problem == "no prices: market-data is not running"
    assert len(caplog.records) == 1
    service.answers = True
    await look(service, scorer)
    assert scorer.problem is None
    assert len(service.outcomes()) == 1


async def test_what_is_scored_is_not_scored_again(service: FakeLab) -> None:
    service.now = DUE + SECOND
    scorer = await look(service)
    await look(service, scorer)
    assert [e.data.signal_id for e in service.outcomes()] == [claim_of(a_signal()).signal_id]
    with service.db.begin() as sql:
        assert store.counts(sql) == {("scored", ""): 1}
