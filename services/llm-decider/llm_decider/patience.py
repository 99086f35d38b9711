"""What a provider was paid for is stored, also when the database is away for a moment."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection as Sql
from sqlalchemy.exc import InterfaceError, OperationalError

from signalbox.contracts.config import LlmDeciderConfig
from signalbox.contracts.events import Event
from signalbox.runtime.moment import Moment

log = logging.getLogger(__name__)

_AGAIN_S = 1.0


class Host(Protocol):
    """What is needed of the service."""

    def moment(self) -> Moment[LlmDeciderConfig]:
        """This instant."""

    async def transact(
        self, work: Callable[[Sql, Moment[LlmDeciderConfig]], Iterable[Event]]
    ) -> list[Event]:
        """One transaction with its events."""


async def store_paid(
    host: Host,
    work: Callable[[Sql, Moment[LlmDeciderConfig]], Iterable[Event]],
    *,
    until: datetime,
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    """One transaction with its events, tried again until a wall time: without it the same would be
    asked, and billed, once more. A repeat changes nothing.

    Raises:
        OperationalError, InterfaceError: the database is still away.
    """
    while True:
        try:
            await host.transact(work)
        except (OperationalError, InterfaceError) as error:
            if host.moment().wall >= until:
                raise
            log.warning("an answer waits for the database: %r", error)
            await sleep(_AGAIN_S)
        else:
            return
