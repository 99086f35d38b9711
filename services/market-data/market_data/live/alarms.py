"""What people were told is wrong, until they are told that it is over; restarts between or not."""

from collections.abc import Collection
from typing import Protocol

from pydantic import TypeAdapter

from market_data.handlers import Host
from signalbox.contracts.values import Severity
from signalbox.runtime.topology import CLOCK_BUCKET

ALARMS_KEY = "alpaca-alarms"
_STORED = TypeAdapter(dict[str, str])


class LiveHost(Host, Protocol):
    """What a live feed needs of the service that it runs in."""

    async def alert(
        self,
        severity: Severity,
        code: str,
        about: str,
        message: str,
        *,
        occurrence: str,
        active: bool = True,
    ) -> None:
        """Tell people; the same occurrence tells once."""


class Alarms:
    """Of one feed. What fails to be told or stored is told with the next try, under the same id."""

    def __init__(self, host: LiveHost) -> None:
        self._host = host
        self._raised: dict[str, str] = {}  # by `code|about`: the occurrence that was told

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
        self, severity: Severity, code: str, about: str, message: str, *, occurrence: str
    ) -> None:
        """Raise an alarm, unless this occurrence stands."""
        if self.raised(code, about) != occurrence:
            await self._host.alert(severity, code, about, message, occurrence=occurrence)
            await self._keep({**self._raised, f"{code}|{about}": occurrence})

    async def over(self, code: str, about: str, message: str) -> None:
        """Say that it is over, if people were told of it."""
        occurrence = self.raised(code, about)
        if occurrence is not None:
            told = (Severity.INFO, code, about, message)
            await self._host.alert(*told, occurrence=occurrence, active=False)
            key = f"{code}|{about}"
            await self._keep({name: one for name, one in self._raised.items() if name != key})

    async def _keep(self, raised: dict[str, str]) -> None:
        await self._host.bucket_put(CLOCK_BUCKET, ALARMS_KEY, _STORED.dump_json(raised))
        self._raised = raised
