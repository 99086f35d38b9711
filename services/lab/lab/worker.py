"""Looks for claims whose horizon has passed, and says what became of them."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection

from lab.adapters import store
from lab.domain.scoring import WORDS, Claim, Why, score
from lab.prices import Prices
from signalbox.contracts.assessments import OutcomeScore
from signalbox.contracts.commands import Command
from signalbox.contracts.config import LabConfig
from signalbox.contracts.errors import NotFound, SignalboxError
from signalbox.contracts.events import Event, OutcomeScored, StateChanged
from signalbox.contracts.payloads import State
from signalbox.contracts.values import Value
from signalbox.runtime import metrics
from signalbox.runtime.moment import Moment
from signalbox.runtime.service import Service

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0  # wall time
MOST_AT_ONCE = 500  # claims that are ended in one transaction
LIVE_DELAY = timedelta(seconds=15)  # until a live feed has published the bar that closed
TELL_EVERY = timedelta(seconds=5)  # wall time: how often changed counts are told

Lab = Service[LabConfig]
Ended = tuple[Claim, OutcomeScore | Why]


class SignalNamed(Value):
    """The body of the command `outcome`."""

    signal_id: UUID


class Scorer:
    """Works through what is due, soonest first; nothing is lost when it stops."""

    def __init__(self, service: Lab) -> None:
        self._service = service
        self._prices = Prices(service)
        self._told: dict[str, JsonValue] = {}
        self._told_at: datetime | None = None
        self.problem: str | None = None

    async def run(self) -> None:
        """Score for ever."""
        while True:
            full = await self.look()
            if not full:
                await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> bool:
        """One look at what is due; whether there may be more at once."""
        moment, db = self._service.moment(), self._service.db
        if moment.frozen or db is None:
            return False
        # The bar that closes at this very instant may not be published yet, so the instant itself
        # waits for the next look.
        before = moment.now if moment.replay else moment.now - LIVE_DELAY
        claims = await db.read(lambda sql: store.due(sql, before, MOST_AT_ONCE))
        ended = await self._ended(claims)
        if ended:
            await self._service.transact(lambda sql, now: _end(sql, ended, now))
            _count(ended)
        await self._tell()
        return len(ended) == MOST_AT_ONCE

    async def outcome(self, command: Command) -> dict[str, JsonValue]:
        """Answer `outcome`: what became of one signal, and why it has no score."""
        asked = SignalNamed.model_validate(command.body)
        db = self._service.db
        row = await db.read(lambda sql: store.one(sql, asked.signal_id)) if db else None
        if row is None:
            raise NotFound(f"the lab knows no signal {asked.signal_id}")
        return {
            "state": row.state,
            "why": row.why,
            "words": WORDS[Why(row.why)] if row.why else "",
            "due_at": row.due_at.isoformat(),
            "forward_return": row.forward_return,
        }

    async def _ended(self, claims: Sequence[Claim]) -> list[Ended]:
        """What became of claims; those whose prices cannot be had now wait on."""
        ended: list[Ended] = []
        problem = None
        for some in _by_symbol(claims):
            try:
                bars = await self._prices.around(some)
            except SignalboxError as error:
                problem = f"no prices: {error}"
                break
            ended += [(claim, score(claim, bars[claim])) for claim in some]
        if problem and not self.problem:
            log.warning(problem)
        self.problem = problem
        return ended

    async def _tell(self) -> None:
        """Tell how many signals wait, are scored and are not, when that has changed."""
        moment, db = self._service.moment(), self._service.db
        if db is None or (self._told_at and moment.wall - self._told_at < TELL_EVERY):
            return
        counts = await db.read(store.counts)
        body: dict[str, JsonValue] = {
            "waiting": counts.get((store.WAITING, ""), 0),
            "scored": counts.get((store.SCORED, ""), 0),
            "unscored": {
                why: count
                for (state, why), count in sorted(counts.items())
                if state == store.UNSCORED
            },
            "problem": self.problem or "",
        }
        metrics.OUTCOMES_WAITING.set(counts.get((store.WAITING, ""), 0))
        self._told_at = moment.wall
        if body != self._told:
            await self._service.transact(lambda sql, now: _say(sql, body, now))
            self._told = body


def _end(sql: Connection, ended: Sequence[Ended], moment: Moment[LabConfig]) -> list[Event]:
    return [moment.event(OutcomeScored, made) for made in store.end(sql, ended, moment)]


def _say(sql: Connection, body: dict[str, JsonValue], moment: Moment[LabConfig]) -> list[Event]:
    store.forget(sql, moment)
    state = State(service=moment.service, kind="scoring", id="signals", body=body, at=moment.wall)
    return [moment.event(StateChanged, state)]


def _by_symbol(claims: Iterable[Claim]) -> list[list[Claim]]:
    grouped: dict[str, list[Claim]] = {}
    for claim in claims:
        grouped.setdefault(claim.symbol, []).append(claim)
    return list(grouped.values())


def _count(ended: Iterable[Ended]) -> None:
    for claim, result in ended:
        word = result.value if isinstance(result, Why) else "scored"
        metrics.OUTCOMES.labels(claim.source_type, word).inc()
