"""Signals flow, processes die, everything heals; what is left is the evidence."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count as rounds
from itertools import pairwise
from uuid import UUID

from chaos.documents import Documents
from chaos.evidence import Evidence, gather, rest
from chaos.invariants import OWN_TIME
from chaos.load import SYMBOLS, Flow, prepare
from chaos.outside import ACCOUNT, Outside
from chaos.rest import Gateway
from chaos.rules.records import everything_came_to_rest
from chaos.system import System
from chaos.voices import Voices
from signalbox.contracts.payloads import Signal
from signalbox.runtime.topology import SERVICES
from signalbox.testing.wait import until

NATS = "nats-server"
CORE = ("decision-router", "executor", "gateway", NATS)
EVERYTHING = (*CORE, *(name for name in SERVICES if name not in CORE))
_GROUP = 20  # signals published together
_PAUSES_S = (0.0, 0.0, 0.005, 0.02, 0.06)  # from what was said to the kill
_PATIENT = 0.7  # share of kills after which everything is back before the next
_CALM_S = 10.0
_HEAL_S = 60.0  # then every acknowledged signal has had its end
_TRADE_S = 120.0  # then no order is in doubt any more; looking for one takes half a minute
_CATCH_UP_S = 60.0  # then models and the lab have had theirs, too
_LATE = (*OWN_TIME, everything_came_to_rest)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of what."""

    signals: int = 1000
    kills: int = 12
    targets: Sequence[str] = CORE
    seed: int = 1


@dataclass(slots=True)
class Outcome:
    """What was done, and what it left."""

    killed: Counter[str] = field(default_factory=Counter)
    recoveries_s: list[float] = field(default_factory=list)
    acknowledged: set[UUID] = field(default_factory=set)
    repeats: int = 0  # publishing rounds done again
    heal_s: float = 0.0  # from the last kill's recovery to quiet
    evidence: Evidence | None = None

    @property
    def p95_s(self) -> float:
        """Of the recoveries."""
        ordered = sorted(self.recoveries_s)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))] if ordered else 0.0


class Storm:
    """One run on a system that is up."""

    def __init__(
        self, system: System, gateway: Gateway, voices: Voices, documents: Documents
    ) -> None:
        self._system = system
        self._gateway = gateway
        self._voices = voices
        self._documents = documents
        self._outside = Outside(lambda: system.url("sandbox"))
        self._coming_back: list[asyncio.Task[None]] = []
        self._dead: dict[str, int] = {}  # the process of each target that was killed last
        self.outcome = Outcome()

    async def run(self, plan: Plan, tell: Callable[[str], None] = lambda _line: None) -> Outcome:
        """Publish in bursts and kill in each; then heal and read everything."""
        dice = random.Random(plan.seed)  # noqa: S311 - a repeatable choice, nothing to guess
        flow = Flow(self._voices, plan.seed)
        await prepare(self._gateway, self._voices)
        await self._outside.open()
        strikes = schedule(dice, plan)
        for number, (targets, count) in enumerate(zip(strikes, shares(plan, strikes), strict=True)):
            await self._voices.quote(*SYMBOLS)
            await self._outside.doubt(number)
            await until(partial(self._are_ready, targets), _HEAL_S, every=0.05)
            burst = list(flow.next(count))
            middle = dice.randrange(min(_GROUP, count), count)
            await self._publish(burst[:middle])
            for target in targets:  # what was said last is being judged and traded right now
                await asyncio.sleep(dice.choice(_PAUSES_S))
                self._kill(target)
            tell(f"{number + 1} of {len(strikes)}: {' and '.join(targets)}")
            await self._publish(burst[middle:])
            if dice.random() < _PATIENT:
                await asyncio.gather(*self._coming_back)
        await asyncio.gather(*self._coming_back)
        self.outcome.evidence = await self._heal()
        return self.outcome

    def _are_ready(self, targets: Sequence[str]) -> bool:
        return all(self._system.is_back(name, self._dead.get(name, 0)) for name in targets)

    async def _publish(self, signals: Sequence[Signal]) -> None:
        for start in range(0, len(signals), _GROUP):
            some = signals[start : start + _GROUP]
            await self._voices.speak(*some)
            self.outcome.acknowledged.update(s.signal_id for s in some)

    def _kill(self, target: str) -> None:
        pid, began = self._system.kill(target), time.monotonic()
        self._dead[target] = pid
        self.outcome.killed[target] += 1

        async def back() -> None:
            await until(lambda: self._system.is_back(target, pid), _HEAL_S, every=0.02)
            self.outcome.recoveries_s.append(time.monotonic() - began)

        self._coming_back.append(asyncio.create_task(back()))

    async def _heal(self) -> Evidence:
        began = time.monotonic()
        await self._outside.calm()
        await until(self._system.all_ready, _HEAL_S, every=0.05)
        await self._voices.quote(*SYMBOLS)
        await self._gateway.put("/api/market", {"speed": 0})
        await until(self._stands_still, _CATCH_UP_S)
        await rest(await self._voices.bus("provision"), _HEAL_S)
        await until(self._has_traded, _TRADE_S, every=0.2)
        self.outcome.heal_s = time.monotonic() - began
        self.outcome.repeats = self._voices.repeats
        until_s = time.monotonic() + _CATCH_UP_S
        while True:
            seen = await self._look()
            if time.monotonic() > until_s or not any(list(rule(seen)) for rule in _LATE):
                return seen

    async def _has_traded(self) -> bool:
        """Whether no order is on its way to the broker any more."""
        await self._voices.quote(*SYMBOLS)
        found = await self._gateway.get("/api/orders", account=ACCOUNT, final=False)
        return not found["items"]

    def _stands_still(self) -> bool:
        reading = self._voices.clock.reading
        return reading is not None and not reading.speed

    async def _look(self) -> Evidence:
        return await gather(
            self._voices,
            self._gateway,
            self._documents,
            frozenset(self.outcome.acknowledged),
            within_s=_CALM_S,
            outside=self._outside,
        )


def shares(plan: Plan, strikes: Sequence[object]) -> list[int]:
    """The signals of each burst, nearly the same number in all."""
    cuts = [plan.signals * n // len(strikes) for n in range(len(strikes) + 1)]
    return [after - before for before, after in pairwise(cuts)]


def schedule(dice: random.Random, plan: Plan) -> list[tuple[str, ...]]:
    """Whom to kill, strike by strike: everybody once in each round, in an order of its own.

    Each death of nats-server takes one more along: what that one has committed and not published
    is then in its outbox and nowhere else.
    """
    others = [name for name in plan.targets if name != NATS]
    strikes: list[tuple[str, ...]] = []
    left = plan.kills
    for number in rounds():
        for name in dice.sample(list(plan.targets), len(plan.targets)):
            strike = (name, others[number % len(others)]) if name == NATS else (name,)
            strikes.append(strike[:left])
            left -= len(strikes[-1])
            if not left:
                return strikes
    raise AssertionError("there is always another round")
