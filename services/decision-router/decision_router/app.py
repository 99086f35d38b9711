"""Who is joined to whom."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection
from starlette.applications import Starlette

from decision_router.adapters import store
from decision_router.adapters.tables import metadata
from decision_router.handlers import (
    RouterMoment,
    approve,
    build_handlers,
    count,
    decline,
    lapse_due,
)
from decision_router.settings import Settings
from signalbox.contracts.commands import Command
from signalbox.contracts.config import RouterConfig
from signalbox.contracts.events import Event, VerdictReached
from signalbox.contracts.payloads import Verdict
from signalbox.contracts.values import Name, Value
from signalbox.runtime import metrics
from signalbox.runtime.service import Service

_LOOK_EVERY_S = 1.0  # wall time between looks at what is due

Router = Service[RouterConfig]
Act = Callable[[Connection, RouterMoment, UUID, str], list[VerdictReached]]


class Answer(Value):
    """What a person says to a waiting round."""

    verdict_id: UUID  # of the round that waits
    user: Name


def create_app() -> Starlette:
    """The router, ready to be served."""
    return build_service(Settings()).app()


def build_service(settings: Settings) -> Router:
    """The router with everything it does registered."""
    service: Router = Service(
        "decision-router", settings, config=RouterConfig, metadata=metadata, fenced=True
    )
    service.consume(build_handlers())
    service.command("approve", partial(answer, service, approve))
    service.command("decline", partial(answer, service, decline))
    service.task(partial(watch_the_clock, service))
    return service


async def answer(service: Router, act: Act, command: Command) -> dict[str, JsonValue]:
    """End a waiting round as a person says, and tell what came of it.

    Raises:
        Conflict: it does not wait; the message says why.
    """
    asked = Answer.model_validate(command.body)
    made = await service.transact(
        lambda sql, moment: act(sql, moment, asked.verdict_id, asked.user)
    )
    verdict = count_made(made)[0]
    return {
        "verdict_id": str(verdict.verdict_id),
        "outcome": verdict.outcome.value,
        "reason": verdict.reason.value,
    }


async def watch_the_clock(service: Router) -> None:
    """Let rounds lapse when the market clock has passed their expiry, as long as we live."""
    while True:
        await look(service)
        await asyncio.sleep(_LOOK_EVERY_S)


async def look(service: Router) -> None:
    """One look at what is due; it takes the writer only when something is."""
    if service.db is None:
        return
    moment = service.moment()
    metrics.PENDING_APPROVALS.set(await service.db.read(store.count_waiting))
    if await service.db.read(lambda sql: store.anything_to_do(sql, moment)):
        count_made(await service.transact(lapse_due))


def count_made(events: Sequence[Event]) -> list[Verdict]:
    """The verdicts among what a transaction made, once the metrics know them."""
    verdicts = [event.data for event in events if isinstance(event, VerdictReached)]
    count(verdicts)
    return verdicts
