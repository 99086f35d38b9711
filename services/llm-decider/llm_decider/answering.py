"""One call from its question to its result: read the market, ask, and store what came of it with
everything that follows from it, in one transaction.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol, TypeVar

from pydantic import JsonValue
from sqlalchemy import Connection as Sql

from llm_decider import reporting
from llm_decider.adapters import ledger, store
from llm_decider.adapters.ledger import Ended
from llm_decider.calling import Caller
from llm_decider.domain import deciding
from llm_decider.domain.attempts import Attempt, Call, after_restart, switched_off, totals
from llm_decider.domain.deciding import Asked, Result
from llm_decider.domain.question import build_question
from llm_decider.domain.shapes import Booking
from llm_decider.domain.signals import Now
from llm_decider.patience import store_paid
from llm_decider.reading import Reader
from llm_decider.turns import Answered
from signalbox.contracts.assessments import LlmDecision
from signalbox.contracts.config import LlmConfig, LlmDeciderConfig, PromptVersion
from signalbox.contracts.errors import PermanentError
from signalbox.contracts.events import Event, LlmDecisionMade, SignalRaised
from signalbox.contracts.values import SourceType
from signalbox.runtime import metrics
from signalbox.runtime.db import Database
from signalbox.runtime.moment import Moment

log = logging.getLogger(__name__)

T = TypeVar("T")
At = Moment[LlmDeciderConfig]
Answers = Mapping[str, LlmDecision]  # by symbol

_FROZEN_S = 0.2


class Host(Protocol):
    """What is needed of the service."""

    db: Database | None

    def moment(self) -> At:
        """This instant."""

    async def write(self, work: Callable[[Sql, At], T]) -> T:
        """One transaction without events."""

    async def transact(self, work: Callable[[Sql, At], Iterable[Event]]) -> list[Event]:
        """One transaction with its events."""


@dataclass(slots=True)
class Answerer:
    """Answers calls that this replica holds."""

    host: Host
    reader: Reader
    caller: Caller
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _asking: dict[str, asyncio.Future[Answers | None]] = field(default_factory=dict)

    async def answer(self, call: Call, made: Sequence[Attempt] = ()) -> None:
        """See a call through, at which attempts were made by a process that has died since. Nothing
        more is asked for a config that is gone or switched off.
        """
        config = _find(self.host.moment().config, call.config_id)
        if config is None or not call.may_ask(config):
            await self._end_unwanted(call, config, made)
            return
        asked = Asked(config, call, call.at)
        late = self._too_late(call, made)
        if late:
            await self._finish(asked, Answered(deciding.failed(config, *late)))
            return
        more = "more " if made else ""
        while self.host.moment().frozen:
            if self.host.moment().wall >= call.deadline:
                why = f"The market clock stood still, so nothing {more}could be asked in time."
                await self._finish(asked, Answered(deciding.failed(config, "no_clock", why)))
                return
            await self.sleep(_FROZEN_S)
        try:
            asked = await self._question(asked)
        except PermanentError as error:
            result = deciding.failed(config, "no_question", f"{error}. Nothing {more}was asked.")
            await self._finish(asked, Answered(result))
            return
        await self._ask_or_repeat(asked, made)

    async def _end_unwanted(
        self, call: Call, config: LlmConfig | None, made: Sequence[Attempt]
    ) -> None:
        """What was asked, and may be billed, ends in a decision; what was not is nobody's."""
        if not made:
            await self.host.write(lambda sql, _moment: store.finish_call(sql, call.call_id))
            log.info("not asked: the model is gone or switched off", extra={"call": call.call_id})
            return
        asked = Asked(config, call, call.at) if config else deciding.of_deleted(call, made)
        why = switched_off()
        await self._finish(asked, Answered(deciding.failed(asked.config, why.kind, why.message)))

    def _too_late(self, call: Call, made: Sequence[Attempt]) -> tuple[str, str] | None:
        left_s = (call.deadline - self.host.moment().wall).total_seconds()
        if left_s > 0:
            return None
        if any(attempt.is_unknown for attempt in made):
            failure = after_restart(left_s)
            return failure.kind, failure.message
        again = " again" if made else ""
        return "deadline", f"The deadline was over before the model could be asked{again}."

    async def _question(self, asked: Asked) -> Asked:
        """Read the market and render the prompt.

        Raises:
            PermanentError: there is no such prompt, or it cannot be rendered.
        """
        config = asked.config
        prompt = _prompt(self.host.moment().config, config)
        since = asked.call.at if self.host.moment().epoch == asked.call.epoch else None
        markets = await self.reader.markets(config, asked.call.symbols, since=since)
        question = build_question(config, prompt, markets, nonce=secrets.token_hex(8))
        messages: dict[str, JsonValue] = {"system": question.system, "user": question.user}
        return replace(
            asked,
            at=max(market.now for market in markets),
            prompt_version=f"{prompt.prompt_id}@{prompt.version}",
            question=question,
            messages=messages,
        )

    async def _ask_or_repeat(self, asked: Asked, made: Sequence[Attempt]) -> None:
        """The same question is asked once at a time, and not again while its answer is fresh."""
        config, question = asked.config, asked.question
        if question is None:
            return
        key = deciding.cache_key(asked, question)
        shared = await self._shared(asked, key)
        if shared is not None:
            await self._repeat(asked, shared)
            return
        mine = self._asking[key] = asyncio.get_running_loop().create_future()  # no await since
        answers: Answers | None = None
        try:
            answers = await self._kept(asked, key)
            if answers is not None:
                await self._repeat(asked, answers)
                return
            found = await self.caller.answer(asked.call, config, question, made=made)
            answers = await self._finish(asked, found, key)
        finally:
            mine.set_result(answers)
            if self._asking.get(key) is mine:
                del self._asking[key]

    async def _shared(self, asked: Asked, key: str) -> Answers | None:
        """Wait while others ask the same; their answer, if they get one before it is too late."""
        while (other := self._asking.get(key)) is not None:
            left_s = (asked.call.deadline - self.host.moment().wall).total_seconds()
            await asyncio.wait({other}, timeout=max(left_s, 0))
            if not other.done():
                return None
            if other.result() is not None:
                return other.result()
        return None

    async def _kept(self, asked: Asked, key: str) -> Answers | None:
        """The answer that the same question got not long ago."""
        database, wall = self.host.db, self.host.moment().wall
        if not asked.config.cache_s or database is None:
            return None
        body = await database.read(lambda sql: store.cached(sql, key, wall))
        if body is None:
            return None
        return {symbol: LlmDecision.model_validate(one) for symbol, one in body.items()}

    async def _repeat(self, asked: Asked, known: Answers) -> None:
        metrics.LLM_CACHE_HITS.labels(asked.config.id).inc()

        def work(sql: Sql, moment: At) -> Iterable[Event]:
            if not store.is_open(sql, asked.call.call_id):
                return []
            used = totals(ledger.attempts_of(sql, asked.call.call_id))
            made = deciding.repeated(asked, known, used, _now(moment))
            return _publish(sql, moment, asked, made, known)[0]

        await self.host.transact(work)

    async def _finish(
        self, asked: Asked, answered: Answered, key: str | None = None
    ) -> Answers | None:
        """Settle, decide, publish; the answers if they may be repeated."""
        stored: list[LlmDecision] = []

        def work(sql: Sql, moment: At) -> Iterable[Event]:
            stored.clear()
            is_open = store.is_open(sql, asked.call.call_id)
            said = _settle(sql, moment, answered.last)
            if not is_open:  # it was taken for dead, and another replica was faster
                return said
            result = answered.result
            used = totals(ledger.attempts_of(sql, asked.call.call_id))
            made = deciding.decisions(asked, result, used, _now(moment))
            events, judged = _publish(sql, moment, asked, made)
            stored.extend(judged)
            if _is_good(result, answered.last):
                said += reporting.worked(sql, moment, result.answering)
            _keep(sql, moment, asked, key, judged)
            return said + events

        await store_paid(self.host, work, until=asked.call.deadline, sleep=self.sleep)
        for one in stored:
            action = one.action.value if one.action else "none"
            metrics.LLM_DECISIONS.labels(asked.config.id, one.outcome, action).inc()
        return {one.symbol: one for one in stored} if _may_repeat(stored) else None


def _settle(sql: Sql, moment: At, last: Ended | None) -> list[Event]:
    if last is None:
        return []
    return reporting.budget_alerts(moment, ledger.end(sql, moment.config, last))


def _publish(
    sql: Sql,
    moment: At,
    asked: Asked,
    made: Iterable[LlmDecision],
    repeated: Answers | None = None,
) -> tuple[list[Event], list[LlmDecision]]:
    """The decisions, each followed by its signal if it is fit to trade; the call is done."""
    events: list[Event] = []
    judged: list[LlmDecision] = []
    config = _find(moment.config, asked.config.id)
    off = config is None or not asked.call.may_ask(config)  # since it was asked
    for one in made:
        first = repeated[one.symbol] if repeated else None
        decision, signal = deciding.judge(asked, one, _now(moment), first=first, off=off)
        judged.append(decision)
        told = moment.event(LlmDecisionMade, decision)
        events.append(told)
        if signal is not None:
            events.append(moment.event(SignalRaised, signal, cause=told))
            metrics.SIGNALS.labels(SourceType.LLM, signal.source_id, "raised").inc()
            metrics.LAST_SIGNAL.labels(signal.source_id).set(moment.wall.timestamp())
    events += reporting.suspicions(moment, asked.config, judged)
    store.finish_call(sql, asked.call.call_id, asked.messages)
    return events, judged


def _keep(sql: Sql, moment: At, asked: Asked, key: str | None, made: Iterable[LlmDecision]) -> None:
    """Remember a whole answer for the next time that the same is asked."""
    answers = list(made)
    if key is None or not asked.config.cache_s or not _may_repeat(answers):
        return
    body: dict[str, JsonValue] = {one.symbol: one.model_dump(mode="json") for one in answers}
    store.keep_answer(sql, key, body, moment.wall + timedelta(seconds=asked.config.cache_s))


def _may_repeat(made: Collection[LlmDecision]) -> bool:
    """Whether these may answer the same question of another config: all symbols are answered, and
    by the model that was asked, not by its fallback.
    """
    whole = all(one.outcome == "answered" and one.fallback_for is None for one in made)
    return bool(made) and whole


def _is_good(result: Result, last: Ended | None) -> bool:
    """Whether the provider has answered, whatever the answer is worth."""
    return last is not None and last.booking is Booking.SETTLE and result.outcome != "failed"


def _now(moment: At) -> Now:
    return Now(moment.now, moment.wall, moment.epoch, moment.replay, moment.speed)


def _find(config: LlmDeciderConfig, config_id: str) -> LlmConfig | None:
    return next((model for model in config.models if model.id == config_id), None)


def _prompt(document: LlmDeciderConfig, config: LlmConfig) -> PromptVersion:
    for prompt in document.prompts:
        if prompt.prompt_id == config.prompt_id:
            return prompt
    raise PermanentError(
        f"{config.name} uses the prompt {config.prompt_id!r}, which has no active version"
    )
