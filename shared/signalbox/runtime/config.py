"""The configuration document, watched: reloaded between two batches, never within one."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from nats.aio.msg import Msg
from pydantic import ValidationError

from signalbox.contracts.config import Versioned
from signalbox.runtime import metrics
from signalbox.runtime.bus import Bus
from signalbox.runtime.topology import CONFIG_BUCKET

log = logging.getLogger(__name__)

D = TypeVar("D")


class ConfigWatch(Generic[D]):
    """The newest document; `version` is 0 until the first one has come."""

    def __init__(self, service: str, kind: type[D]) -> None:
        self.service = service
        self.kind = kind
        self.document: D = kind()
        self.version = 0
        self.changed: list[Callable[[], None]] = []  # called after every change, on the event loop
        self._changed = asyncio.Condition()

    async def start(self, bus: Bus) -> None:
        """Listen for changes, then read what is there."""
        self._bus = bus
        await bus.nc.subscribe(f"$KV.{CONFIG_BUCKET}.{self.service}", cb=self._on_message)
        bus.reconnected.append(self.reread)
        await self.reread()

    async def reread(self) -> None:
        """Read the bucket; a change may have been missed while the connection was away."""
        raw = await self._bus.bucket_get(CONFIG_BUCKET, self.service)
        if raw:
            await self.take(raw)

    async def _on_message(self, message: Msg) -> None:
        if message.data:
            await self.take(message.data)

    async def take(self, raw: bytes) -> None:
        """Adopt a document if it is newer; one that does not fit is refused, the old one stays."""
        try:
            found: Versioned[Any] = Versioned[self.kind].model_validate_json(raw)  # type: ignore[name-defined]  # a class made at run time
        except ValidationError as error:
            log.error("configuration refused, the old one stays: %s", error)
            return
        if found.version <= self.version:
            return
        self.document, self.version = found.document, found.version
        metrics.CONFIG_VERSION.labels(self.service).set(found.version)
        log.info("configuration %d is in force", found.version)
        for call in self.changed:
            call()
        async with self._changed:
            self._changed.notify_all()

    async def wait_for(self, version: int, timeout_s: float | None) -> bool:
        """Wait until at least `version` is in force; false when time is up."""
        if self.version >= version:
            return True
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(lambda: self.version >= version)
        except TimeoutError:
            return False
        return True
