"""One call: attempts at a provider under one deadline, then at the fallback, then none.

Before each attempt its worst case is reserved and the attempt is marked as started, in one
transaction; whatever kills the process afterwards, the money stays accounted for.
"""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from sqlalchemy import Connection as Sql

from llm_decider import reporting
from llm_decider.adapters import ledger, prices, store
from llm_decider.adapters.ledger import Ended
from llm_decider.domain.attempts import (
    MOST_ATTEMPTS,
    Attempt,
    Call,
    after_restart,
    attempt_id,
    pause_s,
    switched_off,
)
from llm_decider.domain.budget import Refusal
from llm_decider.domain.circuit import Circuit
from llm_decider.domain.costs import Unpriced, most_tokens_in
from llm_decider.domain.shapes import Ask, Booking, Failure, ModelCheck, Question, Reply
from llm_decider.patience import Host, store_paid
from llm_decider.turns import Answered, Turn, failed_end, read, settled_end
from signalbox.contracts.config import LlmConfig, LlmDeciderConfig
from signalbox.contracts.errors import PermanentError
from signalbox.contracts.events import Event
from signalbox.runtime import metrics
from signalbox.runtime.moment import Moment

log = logging.getLogger(__name__)

_PRIMARY_SHARE = 0.6  # of the time, where there is a fallback to leave the rest to
_LIMITED = (
    "The provider asked to wait for longer than the decision may take. Fewer symbols, a longer"
    " interval or a higher limit at the provider prevent this."
)
_LATE = (
    "There was no answer before the deadline. A longer deadline, less effort, fewer symbols per"
    " call or a faster model helps."
)


class Line(Protocol):
    """One model of one provider, asked with one key."""

    async def ask(self, ask: Ask) -> Reply | Failure:
        """Make one attempt."""

    async def check(self, model: str) -> ModelCheck:
        """Whether key and model are accepted; spends nothing."""


OpenLine = Callable[[LlmConfig], Line]


@dataclass(frozen=True, slots=True)
class Timing:
    """What tests put in the place of waiting and of chance."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    dice: Callable[[], float] = random.random  # noqa: S311 - spreads retries
    clock: Callable[[], float] = time.perf_counter


class Caller:
    """Asks models."""

    def __init__(self, host: Host, open_line: OpenLine, timing: Timing | None = None) -> None:
        self._host = host
        self._open = open_line
        self._timing = timing or Timing()
        self._circuits: dict[tuple[object, ...], Circuit] = {}

    def mend(self, config: LlmConfig) -> None:
        """Key and model are accepted: the next call may try at once."""
        self._circuits.pop(_place(config), None)

    async def answer(
        self, call: Call, config: LlmConfig, question: Question, *, made: Sequence[Attempt] = ()
    ) -> Answered:
        """Ask until there is an answer, a reason to stop, or no time. The attempts `made` before a
        restart count.
        """
        before = Counter(attempt.config_id for attempt in made)
        fallback = self._fallback(config, call)
        until = call.deadline
        if fallback is not None:
            until = call.created_at + (call.deadline - call.created_at) * _PRIMARY_SHARE
        most, asked = config.max_tokens, before[config.id]
        turn = Turn(call, config, (config.id,), question, until, most, asked)
        first = await self._turn(turn)
        if fallback is None or first.result.outcome != "failed":
            return first
        if not call.may_ask(self._find(config.id)):
            return first
        if first.last is not None:
            await self._store(call, first.last)
        payers = (config.id, fallback.id)
        most, asked = fallback.max_tokens, before[fallback.id]
        turn = Turn(call, fallback, payers, question, call.deadline, most, asked)
        turn.notes += [*first.result.notes, f"{config.id} failed: {first.result.message}"]
        return await self._turn(turn)

    def _fallback(self, config: LlmConfig, call: Call) -> LlmConfig | None:
        other = self._find(config.fallback)
        return other if other and other.id != config.id and call.may_ask(other) else None

    def _find(self, config_id: str | None) -> LlmConfig | None:
        """A config as it stands now."""
        return next((c for c in self._host.moment().config.models if c.id == config_id), None)

    async def _turn(self, turn: Turn) -> Answered:
        try:
            line = self._open(turn.config)
        except PermanentError as error:
            message = f"The key of {turn.config.id} cannot be used: {error}. Enter it again."
            failure = Failure("credentials", message, Booking.RELEASE, breaks=True)
            await self._host.transact(
                lambda sql, moment: reporting.failed(sql, moment, turn.config, failure, down=True)
            )
            return turn.ends("failed", failure.kind, failure.message)
        while True:
            blocked = await self._wait(turn)
            if blocked is not None:
                return turn.ends("failed", blocked.kind, blocked.message)
            begun = await self._begin(turn)
            if isinstance(begun, Answered):
                return begun
            said, taken_s = await self._ask(turn, line, begun)
            turn.made += 1
            if isinstance(said, Failure):
                ended = failed_end(begun, said, taken_s)
                if not await self._may_repeat(turn, said, ended):
                    return turn.ends("failed", said.kind, said.message, ended)
                continue
            ended = settled_end(turn.config, begun, said, taken_s)
            _count(turn.config, said, ended)
            found = read(turn, said)
            if found is not None:
                return Answered(found, ended)
            await self._store(turn.call, ended)

    async def _wait(self, turn: Turn) -> Failure | None:
        """Why no attempt may be made; None once one may."""
        while True:
            wall = self._host.moment().wall
            if not turn.call.may_ask(self._find(turn.config.id)):
                return switched_off()
            if wall >= turn.until:
                return Failure("deadline", _LATE, Booking.RELEASE)
            if turn.made >= MOST_ATTEMPTS:
                return after_restart(0)
            circuit = self._circuit(turn.config)
            trouble = circuit.blocks(wall)
            wait_s = circuit.wait_s(wall)
            if trouble is not None or not wait_s:
                return trouble
            if wall + timedelta(seconds=wait_s) >= turn.until:
                return Failure("rate_limited", _LIMITED, Booking.RELEASE)
            await self._timing.sleep(wait_s)

    def _circuit(self, config: LlmConfig) -> Circuit:
        return self._circuits.get(_place(config), Circuit())

    async def _begin(self, turn: Turn) -> Attempt | Answered:
        """Reserve and mark as started; no attempt where price or budget forbid one."""
        config, call = turn.config, turn.call
        wall = self._host.moment().wall
        most_in = most_tokens_in(turn.question)
        worst = prices.price_worst(config, most_in, turn.max_tokens, wall)
        if isinstance(worst, Unpriced):
            return turn.ends("failed", "unknown_price", worst.message)
        refusals: list[Refusal] = []
        attempts: list[Attempt] = []

        def work(sql: Sql, moment: Moment[LlmDeciderConfig]) -> Iterable[Event]:
            if not store.is_open(sql, call.call_id):
                return []  # it was taken for dead, and another replica has answered
            number = ledger.next_number(sql, call.call_id)
            attempt = Attempt(
                attempt_id=attempt_id(call.call_id, number),
                call_id=call.call_id,
                number=number,
                config_id=config.id,
                payers=turn.payers,
                provider=config.provider,
                model=config.model,
                at=moment.wall,
                reserved_usd=worst.usd,
            )
            refusal, crossings = ledger.begin(sql, moment.config, attempt)
            attempts.append(attempt)
            refusals.extend([refusal] if refusal else [])
            return reporting.budget_alerts(moment, crossings)

        await store_paid(self._host, work, until=turn.call.deadline, sleep=self._timing.sleep)
        if not attempts:
            return turn.ends("failed", "answered_elsewhere", "Another replica has answered.")
        if refusals:
            metrics.LLM_REFUSALS.labels(config.id).inc()
            return turn.ends("over_budget", "over_budget", str(refusals[0]))
        return attempts[0]

    async def _ask(self, turn: Turn, line: Line, attempt: Attempt) -> tuple[Reply | Failure, float]:
        config = turn.config
        left_s = (turn.until - self._host.moment().wall).total_seconds()
        ask = Ask(
            question=turn.question,
            model=config.model,
            max_tokens=turn.max_tokens,
            timeout_s=max(left_s, 0.1),
            temperature=config.temperature,
            effort=config.effort,
        )
        place, circuit = _place(config), self._circuit(config)
        self._circuits[place] = circuit.probing(attempt.at)
        started = self._timing.clock()
        said = await line.ask(ask)
        taken_s = self._timing.clock() - started
        if isinstance(said, Failure):
            self._circuits[place] = self._circuit(config).failed(said, self._host.moment().wall)
            kind = said.kind
        else:
            self._circuits[place] = self._circuit(config).worked()
            kind = said.ending.value
        metrics.LLM_CALLS.labels(config.provider, config.model, kind).inc()
        metrics.LLM_SECONDS.labels(config.provider, config.model).observe(taken_s)
        return said, taken_s

    async def _may_repeat(self, turn: Turn, failure: Failure, ended: Ended) -> bool:
        """Whether another attempt follows a failure; waits before it."""
        most = 2 if failure.once else MOST_ATTEMPTS
        wait_s = pause_s(failure, turn.made, self._timing.dice())
        wall = self._host.moment().wall
        late = wall + timedelta(seconds=wait_s) >= turn.until
        down = self._circuit(turn.config).trouble is not None
        again = failure.retry and turn.made < most and not late and not down

        def work(sql: Sql, moment: Moment[LlmDeciderConfig]) -> Iterable[Event]:
            crossings = ledger.end(sql, moment.config, ended) if again else []
            said = reporting.budget_alerts(moment, crossings)
            return said + reporting.failed(sql, moment, turn.config, failure, down=down)

        await self._host.transact(work)
        if again:
            await self._timing.sleep(wait_s)
        return again

    async def _store(self, call: Call, ended: Ended) -> None:
        def work(sql: Sql, moment: Moment[LlmDeciderConfig]) -> Iterable[Event]:
            return reporting.budget_alerts(moment, ledger.end(sql, moment.config, ended))

        await store_paid(self._host, work, until=call.deadline, sleep=self._timing.sleep)


def _place(config: LlmConfig) -> tuple[object, ...]:
    """What shares a circuit: the same provider, address, key and model."""
    where = (config.provider, config.wire, config.target, config.base_url)
    return (config.id, *where, config.key_sealed, config.model)


def _count(config: LlmConfig, reply: Reply, ended: Ended) -> None:
    if ended.cost_usd > ended.attempt.reserved_usd:
        metrics.LLM_OVERRUNS.labels(config.provider, config.model).inc()
        log.warning("a call cost more than its worst case", extra={"config_id": config.id})
    metrics.LLM_COST.labels(config.provider, config.model).inc(float(ended.cost_usd))
    if reply.usage is not None:
        count = metrics.LLM_TOKENS.labels
        count(config.provider, config.model, "input").inc(reply.usage.input_total)
        count(config.provider, config.model, "cached").inc(reply.usage.cache_read)
        count(config.provider, config.model, "output").inc(reply.usage.output_total)
