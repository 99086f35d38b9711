"""How one attempt is made: through which client, within which time, with which settings."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from pydantic import JsonValue

from llm_decider.domain import models, pace, wires
from llm_decider.domain.outcomes import (
    Answer,
    Broken,
    broken,
    judge_error,
    read_problem,
    unreadable,
)
from llm_decider.domain.pace import Need
from llm_decider.domain.shapes import Ask, Booking, Failure, ModelCheck, Reply
from llm_decider.domain.wires import Body, Setting
from signalbox.contracts.errors import PermanentError

_CHECK_S = 10.0
_LEAST_SECRET = 8  # a shorter key, such as a local server's, is none
_MOST_REQUESTS = 4  # within one attempt, each with one more setting left out
_LOOK_S = 0.5  # an answer gives back what its call did not use
_FOR_ANSWER = 0.25  # of an attempt's time: a call that begins later is likely cut off, and billed


class Client(Protocol):
    """A provider's library."""

    async def send(self, wire: str, body: dict[str, Any]) -> Answer | Broken:
        """Ask the model."""

    async def model(self, model: str) -> Answer | Broken:
        """The provider's record of a model."""

    async def models(self) -> Answer | Broken:
        """The first page of the models."""

    async def close(self) -> None:
        """Close every connection."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one key is asked by this process; none: as its provider tells."""

    in_flight: int = 20
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


class Access:
    """One key at one address: what all configs with it share."""

    def __init__(self, build: Callable[[], Awaitable[Client]], key: str, limits: Limits) -> None:
        self._slots = asyncio.Semaphore(limits.in_flight)
        self.pace = pace.pace_of(limits.requests_per_minute, limits.tokens_per_minute)
        self.refused: defaultdict[str, set[Setting]] = defaultdict(set)  # by model
        self.flying = 0  # calls that have begun
        self._build = build
        self._key = key
        self._client: Client | None = None
        self._turn = asyncio.Lock()

    async def client(self) -> Client:
        """The client, made at the first call.

        Raises:
            PermanentError: the address is none.
        """
        async with self._turn:
            if self._client is None:
                self._client = await self._build()
            return self._client

    @asynccontextmanager
    async def turn(self, model: str, need: Need, until: float) -> AsyncIterator[None]:
        """Wait until a model may be asked for so much and a slot is free, and take both. Who waits
        for a model holds no slot: others may be asked meanwhile.

        Raises:
            TimeoutError: that is not before `until`, by the loop's clock.
        """
        while True:
            while (wait_s := self.pace.wait_s(model, need, _now())) > 0:
                if _now() >= until or (not self.flying and _now() + wait_s >= until):
                    raise TimeoutError
                await asyncio.sleep(min(wait_s, _LOOK_S))
            async with self._slots:
                if self.pace.wait_s(model, need, _now()) > 0:
                    continue  # another was faster while this one waited for the slot
                self.pace = self.pace.take(model, need, _now())
                yield
                return

    def scrub(self, text: str) -> str:
        """The text without the key."""
        return text.replace(self._key, "***") if len(self._key) >= _LEAST_SECRET else text

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()


class Line:
    """An access in one wire form: what a config asks through."""

    def __init__(self, access: Access, provider: str, wire: str) -> None:
        self._access = access
        self._provider = provider
        self._wire = wires.wire_of(provider, wire)
        self._wire_name = wire

    def notes(self, ask: Ask) -> tuple[str, ...]:
        """The settings that the model does not take, as far as is known without asking."""
        out = self._out(ask)
        return wires.notes(ask.model, out, temperature=ask.temperature, effort=ask.effort)

    async def ask(self, ask: Ask) -> Reply | Failure:
        """Make one attempt, within `ask.timeout_s` all in all. Raises nothing but cancellation.

        A request that is refused for a setting is sent again without it: a refusal is not billed.
        """
        access, begun, until = self._access, False, _now() + ask.timeout_s
        latest = until - _FOR_ANSWER * ask.timeout_s
        try:
            async with asyncio.timeout_at(latest) as patience:
                client = await access.client()
                async with access.turn(ask.model, need := pace.need_of(ask), latest):
                    patience.reschedule(until)
                    begun = True
                    result = await self._send(client, ask, need)
        except TimeoutError:
            result = broken(self._provider, Broken.DEADLINE if begun else Broken.NO_SLOT)
        except PermanentError:
            result = broken(self._provider, Broken.BAD_ADDRESS)
        scrub = self._access.scrub
        if isinstance(result, Failure):
            return replace(result, message=scrub(result.message))
        return replace(result, text=scrub(result.text), detail=scrub(result.detail))

    async def _send(self, client: Client, ask: Ask, need: Need) -> Reply | Failure:
        access = self._access
        access.flying += 1
        try:
            for _ in range(_MOST_REQUESTS):
                out = self._out(ask)
                answer = await client.send(self._wire_name, _keywords(self._wire.build(ask, out)))
                result, setting = self._judge(answer, out)
                if setting is None:
                    break
                access.refused[ask.model].add(setting)
        finally:
            access.flying -= 1
        if isinstance(result, Failure) and result.booking is Booking.RELEASE:
            access.pace = access.pace.give_back(ask.model, need, _now())
        elif isinstance(result, Reply) and result.usage is not None:
            access.pace = access.pace.used(need, result.usage, _now())
        if isinstance(answer, Answer):
            others = access.flying > 0
            access.pace = access.pace.heard(ask.model, answer.headers, _now(), others=others)
        return replace(result, notes=self.notes(ask)) if isinstance(result, Reply) else result

    def _judge(
        self, answer: Answer | Broken, out: frozenset[Setting]
    ) -> tuple[Reply | Failure, Setting | None]:
        """The result, and the setting without which it would be another."""
        if isinstance(answer, Broken):
            return broken(self._provider, answer), None
        body = _json(answer.content)
        if answer.status // 100 != 2:
            failure = judge_error(self._provider, answer, body)
            refused = failure.kind == "bad_request"
            return failure, wires.named(self._wire, read_problem(body), out) if refused else None
        if body is None:
            return unreadable(self._provider, answer), None
        return self._wire.read(body, answer.request_id), None

    async def check(self, model: str) -> ModelCheck:
        """Whether key and model are accepted; spends nothing."""
        try:
            async with asyncio.timeout(_CHECK_S):
                found = await self._check(await self._access.client(), model)
        except TimeoutError:
            found = self._unchecked(broken(self._provider, Broken.NOT_SENT))
        except PermanentError:
            found = self._unchecked(broken(self._provider, Broken.BAD_ADDRESS))
        return replace(found, message=self._access.scrub(found.message))

    async def _check(self, client: Client, model: str) -> ModelCheck:
        answer = await client.model(model)
        if isinstance(answer, Answer) and answer.status == 200:
            record = _json(answer.content)
            if isinstance(record, dict) and record.get("id"):
                self._access.refused[model] |= models.refused(record)
                return models.found(self._provider, model, record, datetime.now(UTC))
            return self._unchecked(broken(self._provider, Broken.NOT_JSON))
        if isinstance(answer, Answer) and answer.status in {404, 405}:
            answer = await client.models()
            if isinstance(answer, Answer) and answer.status == 200:
                return models.listed(self._provider, model, _json(answer.content))
        if isinstance(answer, Broken):
            return self._unchecked(broken(self._provider, answer))
        body = _json(answer.content)
        return self._unchecked(judge_error(self._provider, answer, body))

    @staticmethod
    def _unchecked(failure: Failure) -> ModelCheck:
        return ModelCheck(connected=False, message=failure.message)

    async def close(self) -> None:
        """Let go of the connections, also those of the access's other lines."""
        await self._access.close()

    def _out(self, ask: Ask) -> frozenset[Setting]:
        refused = self._access.refused[ask.model]
        return wires.left_out(self._wire, ask.model, ask.effort, refused)


def _now() -> float:
    """Seconds of the loop's clock, which does not jump."""
    return asyncio.get_running_loop().time()


def _keywords(body: Body) -> dict[str, Any]:
    """A body as the libraries take it: JSON knows no decimals."""
    return {k: float(v) if isinstance(v, Decimal) else v for k, v in body.items()}


def _json(content: bytes) -> JsonValue:
    """The body; None where it is not JSON, which no useful body is either."""
    try:
        found: JsonValue = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found
