"""How the router answers commands and watches the clock, without a server."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from prometheus_client import REGISTRY
from pydantic import ValidationError
from sqlalchemy import Connection
from starlette.applications import Starlette

from decision_router.adapters.tables import metadata
from decision_router.app import Router, answer, create_app, look
from decision_router.handlers import RouterMoment, approve, build_handlers, decline
from signalbox.contracts.commands import Command
from signalbox.contracts.config import RouterConfig
from signalbox.contracts.errors import Conflict
from signalbox.contracts.events import Event
from signalbox.contracts.ids import verdict_id
from signalbox.runtime.db import Database
from signalbox.testing.examples import NOON, a_bot, a_moment, a_signal, raised
from signalbox.testing.runner import run

SIGNAL = a_signal()
WAITING = verdict_id(SIGNAL.signal_id, "alpha", 0)
LATER = datetime(2100, 1, 1, tzinfo=NOON.tzinfo)


class FakeService:
    """A service as far as the router's own functions use it; one round waits."""

    def __init__(self) -> None:
        self.db = Database.in_memory(metadata)
        self.config = RouterConfig(bots=(a_bot(approval="manual"),))
        self.now = NOON
        self.transactions = 0
        run(build_handlers(), self.db, metadata, [raised(SIGNAL)], self.moment())

    def moment(self) -> RouterMoment:
        return a_moment(self.config, now=self.now)

    async def transact(
        self, work: Callable[[Connection, RouterMoment], Iterable[Event]]
    ) -> list[Event]:
        self.transactions += 1
        moment = self.moment()
        return await self.db.write(lambda sql: list(work(sql, moment)))


def asked(**body: Any) -> Command:
    return Command(request_id="r1", by="gateway", deadline=LATER, body=body)


async def test_approve_tells_what_came_of_it() -> None:
    command = asked(verdict_id=str(WAITING), user="admin")
    assert await answer(cast("Router", FakeService()), approve, command) == {
        "verdict_id": str(verdict_id(SIGNAL.signal_id, "alpha", 1)),
        "outcome": "accepted",
        "reason": "approved",
    }


async def test_decline_tells_what_came_of_it_and_is_a_conflict_afterwards() -> None:
    service = cast("Router", FakeService())
    command = asked(verdict_id=str(WAITING), user="admin")
    told = await answer(service, decline, command)
    assert (told["outcome"], told["reason"]) == ("declined", "declined")
    with pytest.raises(Conflict, match="declined by admin"):
        await answer(service, approve, command)


@pytest.mark.parametrize("body", [{}, {"verdict_id": "x", "user": "admin"}])
async def test_a_command_that_does_not_fit_is_refused(body: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        await answer(cast("Router", FakeService()), approve, asked(**body))


async def test_a_look_takes_the_writer_only_when_something_is_due() -> None:
    fake = FakeService()
    await look(cast("Router", fake))
    assert fake.transactions == 0
    assert REGISTRY.get_sample_value("signalbox_pending_approvals") == 1
    fake.now = SIGNAL.valid_until + timedelta(seconds=1)
    await look(cast("Router", fake))
    await look(cast("Router", fake))
    assert fake.transactions == 1
    assert REGISTRY.get_sample_value("signalbox_pending_approvals") == 0


def test_the_app_can_be_made() -> None:
    assert isinstance(create_app(), Starlette)
