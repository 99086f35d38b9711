"""What a part of a service needs of the service that it runs in; tests play it."""

from typing import Protocol

from pydantic import JsonValue

from signalbox.contracts.values import Severity


class Asks(Protocol):
    """Other services can be asked."""

    async def ask(
        self,
        other: str,
        verb: str,
        body: dict[str, JsonValue] | None = None,
        *,
        by: str,
        timeout_s: float,
    ) -> dict[str, JsonValue]:
        """Ask another service."""


class Alerts(Protocol):
    """People can be told."""

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
