"""Changes the configuration of every service, and sees that the bucket holds the newest."""

import json

from sqlalchemy import Connection

from gateway.adapters import config_store, prompt_store
from gateway.adapters.config_store import Changed, Edit, Step
from gateway.domain.setup import Setup
from signalbox.contracts.config import GatewayConfig
from signalbox.contracts.errors import TransientError
from signalbox.runtime.clock import wall_now
from signalbox.runtime.moment import Moment, Outgoing
from signalbox.runtime.secrets import seal
from signalbox.runtime.service import Service
from signalbox.runtime.topology import CONFIG_BUCKET, KEYS_BUCKET


class Configuration:
    """The one place from which configuration goes out."""

    def __init__(self, service: Service[GatewayConfig]) -> None:
        self._service = service

    async def read(self) -> Setup:
        """All configuration as it is now."""
        db = self._service.db
        if db is None:
            raise TransientError("the gateway is still starting; try again")
        return await db.read(config_store.load)

    async def change(self, edit: Edit, *, author: str, first: Step | None = None) -> Changed:
        """Make the next version and put it out, all in one transaction; see `config_store`."""
        done: list[Changed] = []

        def work(sql: Connection, moment: Moment[GatewayConfig]) -> tuple[Outgoing, ...]:
            made = config_store.change(sql, edit, author=author, at=moment.wall, first=first)
            done.append(made)
            return done[-1].messages

        await self._service.transact(work)
        return done[-1]

    async def first_time(self, name: str, edit: Edit) -> bool:
        """Make a change once in this database's life; whether that was now."""
        done: list[bool] = []

        def work(sql: Connection, moment: Moment[GatewayConfig]) -> tuple[Outgoing, ...]:
            done.append(config_store.mark(sql, name, moment.wall))
            if not done[-1]:
                return ()
            return config_store.change(sql, edit, author="setup", at=moment.wall).messages

        await self._service.transact(work)
        return done[-1]

    async def restore(self) -> None:
        """Publish the first version, or the current one where the bucket holds an older or none."""
        at = wall_now()
        changed = await self.change(
            lambda setup, _version: setup,
            author="setup",
            first=lambda sql: prompt_store.ensure_standard(sql, at),
        )
        if changed.messages:
            return
        names = changed.setup.documents()
        behind = [name for name in names if await self._is_behind(name, changed.version)]
        if not behind:
            return

        def work(_sql: Connection, moment: Moment[GatewayConfig]) -> list[Outgoing]:
            again = f"|{moment.wall.isoformat()}"
            every = config_store.messages(changed.version, changed.setup, again)
            return [message for message in every if message.subject.rpartition(".")[2] in behind]

        await self._service.transact(work)

    async def _is_behind(self, name: str, version: int) -> bool:
        raw = await self._service.bucket_get(CONFIG_BUCKET, name)
        return raw is None or int(json.loads(raw)["version"]) < version

    async def seal(self, owner: str, *, config_id: str, field: str, secret: str) -> str:
        """Seal a secret to the service that needs it; nobody else opens it, the gateway neither.

        Raises:
            TransientError: the owner's public key is not there yet.
        """
        key = await self._service.bucket_get(KEYS_BUCKET, owner)
        if not key:
            raise TransientError(f"{owner} has no public key yet, so nothing can be sealed to it")
        return seal(key.decode().strip(), config_id=config_id, field=field, plaintext=secret)
