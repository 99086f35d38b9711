"""What every route works with, found on the application."""

from collections.abc import Callable
from typing import Annotated, TypeVar
from uuid import uuid4

from fastapi import Depends, Header, Request
from pydantic import JsonValue
from sqlalchemy import Connection

from gateway.adapters.config_store import Changed, Edit, Step
from gateway.adapters.configuration import Configuration
from gateway.adapters.hub import Hub
from gateway.adapters.passwords import Passwords
from gateway.adapters.signal_intake import SignalIntake
from gateway.adapters.webhooks import Webhooks
from gateway.domain.roles import Person
from signalbox.contracts import ids
from signalbox.contracts.config import GatewayConfig
from signalbox.contracts.errors import Malformed, TransientError
from signalbox.runtime.db import Database
from signalbox.runtime.service import Service

T = TypeVar("T")

_TIMEOUT_S = 5.0


class Context:
    """The gateway as its routes see it."""

    def __init__(
        self, service: Service[GatewayConfig], *, private_model_servers: bool = False
    ) -> None:
        self.service = service
        self.private_model_servers = private_model_servers  # whether keys may be sent to them
        self.hub = Hub()
        self.passwords = Passwords()
        self.configuration = Configuration(service)
        self.webhooks = Webhooks(service)
        self.intake = SignalIntake(service)
        self.ready = False  # set once users and configuration are there

    @property
    def db(self) -> Database:
        """The database.

        Raises:
            TransientError: the gateway is still starting.
        """
        if not self.ready or self.service.db is None:
            raise TransientError("the gateway is still starting; try again in a moment")
        return self.service.db

    async def read(self, look: Callable[[Connection], T]) -> T:
        """Look into the database."""
        return await self.db.read(look)

    async def configure(self, edit: Edit, person: Person, first: Step | None = None) -> Changed:
        """Change the configuration in a person's name; `first` writes what belongs to it.

        Raises:
            TransientError: the gateway is still starting.
        """
        _ = self.db
        changed = await self.configuration.change(edit, author=person.username, first=first)
        if changed.messages:
            self.hub.announce_configuration(changed.version)
        return changed

    async def ask(
        self,
        other: str,
        verb: str,
        body: dict[str, JsonValue],
        *,
        by: Person,
        key: str | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> dict[str, JsonValue]:
        """Ask another service; the same idempotency key of the same person acts once, and is
        refused with another body.
        """
        request_id = str(ids.derive(by.username, verb, key) if key else uuid4())
        return await self.service.ask(
            other, verb, body, by=by.username, request_id=request_id, timeout_s=timeout_s
        )


def get_context(request: Request) -> Context:
    """The context of this application."""
    context: Context = request.app.state.context
    return context


def get_key(
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=64,
            description="The same key acts once and gets the same answer; not with another body.",
        ),
    ] = None,
) -> str | None:
    """The caller's idempotency key."""
    if idempotency_key is not None and not idempotency_key.isprintable():
        raise Malformed("Idempotency-Key may hold printable characters only")
    return idempotency_key


GetContext = Annotated[Context, Depends(get_context)]
GetKey = Annotated[str | None, Depends(get_key)]
