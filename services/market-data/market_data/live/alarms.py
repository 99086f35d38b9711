"""What people were told is wrong, until they are told that it is over; restarts between or not."""

import asyncio
from collections.abc import Collection
from typing import Protocol

from pydantic import TypeAdapter

from market_data.handlers import Host
from signalbox.contracts.values import Severity
from signalbox.runtime.hosts import Alerts
from signalbox.runtime.topology import CLOCK_BUCKET

ALARMS_KEY = "alpaca-alarms"
_STORED = TypeAdapter(dict[str, str])


class LiveHost(Host, Alerts, Protocol):
    """What a live feed needs of the service that it runs in."""


class Alarms:
    """Of one feed, for all its loops: one after the other, so that none forgets another's. What
    fails to be told or stored is told with the next try, under the same id.
    """

    def __init__(self, host: LiveHost) -> None:
        self._host = host
        self._raised: dict[str, str] = {}  # by `code|about`: the occurrence that was told
        self._turn = asyncio.Lock()

    async def load(self, followed: Collection[str]) -> None:
        """Begin with what is stored. What is about nothing that is followed now is over.

        Raises:
            TransientError: that could not be told.
        """
        stored = await self._host.bucket_get(CLOCK_BUCKET, ALARMS_KEY)
        try:
            self._raised = _STORED.validate_json(stored or b"{}")
        except ValueError:
            self._raised = {}
        for key in list(self._raised):
            code, _, about = key.partition("|")
            if about not in followed:
                await self.over(code, about, "It is not followed any more.")

    def raised(self, code: str, about: str) -> str | None:
        """The occurrence that people were told of and that is not over."""
        return self._raised.get(f"{code}|{about}")

    async def tell(
        self,
        severity: Severity,
        code: str,
        about: str,
        message: str,
        *,
        occurrence: str,
        anew: bool = False,
    ) -> None:
        """Raise an alarm. One that stands is told again only `anew`, as another occurrence."""
        async with self._turn:
            standing = self.raised(code, about)
            if standing is None or (anew and standing != occurrence):
                await self._host.alert(severity, code, about, message, occurrence=occurrence)
                await self._keep({**self._raised, f"{code}|{about}": occurrence})

    async def over(self, code: str, about: str, message: str) -> None:
        """Say that it is over, if people were told of it."""
        async with self._turn:
            occurrence = self.raised(code, about)
            if occurrence is not None:
                told = (Severity.INFO, code, about, message)
                await self._host.alert(*told, occurrence=occurrence, active=False)
                key = f"{code}|{about}"
                await self._keep({name: one for name, one in self._raised.items() if name != key})

    async def _keep(self, raised: dict[str, str]) -> None:
        await self._host.bucket_put(CLOCK_BUCKET, ALARMS_KEY, _STORED.dump_json(raised))
        self._raised = raised
