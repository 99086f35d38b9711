"""What a running service does in the background, whatever its business."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError

from signalbox.runtime import ledger, metrics
from signalbox.runtime.outbox import mark_sent, unsent

if TYPE_CHECKING:
    from signalbox.runtime.service import Service

RENEW_S = 1.0
_FLUSH_S = 0.5
_REREAD_S = 30.0
_LAG_S = 5.0
_PRUNE_S = 3600.0
_SWEEP_S = 5.0


class Upkeep:
    """The background loops; each runs for ever."""

    def __init__(self, service: "Service[Any]") -> None:
        self._service = service

    async def renew(self) -> None:
        """Extend the lease of the fence."""
        service = self._service
        while service.fence and service.db:
            await service.db.write(service.fence.renew)
            await asyncio.sleep(RENEW_S)

    async def flush(self) -> None:
        """Record what the streams have confirmed, many batches at once; a crash before that only
        sends them again, under the same ids.
        """
        service = self._service
        while True:
            await asyncio.sleep(_FLUSH_S)
            metrics.OUTBOX_PENDING.labels(service.name).set(service.relay.pending)
            if service.relay.finished:
                await self._record(tuple(service.relay.finished))

    async def _record(self, confirmed: Sequence[int]) -> None:
        service = self._service
        await service.write(lambda sql, _moment: mark_sent(sql, service.metadata, confirmed))
        del service.relay.finished[: len(confirmed)]

    async def sweep(self) -> None:
        """Publish what another replica committed and did not live to publish."""
        service = self._service
        while service.db is not None:
            await asyncio.sleep(_SWEEP_S)
            before_us = time.time_ns() // 1000 - int(_SWEEP_S * 1e6)
            left = await service.db.read(
                lambda sql: unsent(sql, service.metadata, before_us)  # noqa: B023 - runs before the next round
            )
            for batch, messages in left:
                if not service.relay.holds(batch):
                    service.relay.submit(batch, messages)

    async def prune(self) -> None:
        """Forget handled ids and sent events that are older than the streams keep theirs."""
        service = self._service
        keep_us = service.settings.retention_days * 86_400 * 1_000_000
        while True:
            before_us = time.time_ns() // 1000 - keep_us
            while await service.write(  # noqa: ASYNC110 - lets others write in between
                lambda sql, _moment: ledger.prune(sql, service.metadata, before_us)  # noqa: B023 - runs before the next round
            ):
                await asyncio.sleep(0)
            await asyncio.sleep(_PRUNE_S)

    async def reread(self) -> None:
        """Look at the configuration bucket; a change may have been missed."""
        while True:
            await asyncio.sleep(_REREAD_S)
            if self._service.bus.connected:
                await self._service.config.reread()

    async def measure(self) -> None:
        """Say how far behind the consumers are."""
        while True:
            with suppress(NatsError, JetStreamError):  # the server is away; readiness says so
                await self._measure_once()
            await asyncio.sleep(_LAG_S)

    async def _measure_once(self) -> None:
        for handlers in self._service.handlers:
            info = await self._service.bus.js.consumer_info(handlers.stream, handlers.durable)
            labels = (handlers.stream, handlers.durable)
            metrics.CONSUMER_PENDING.labels(*labels).set(info.num_pending or 0)
            metrics.CONSUMER_ACK_PENDING.labels(*labels).set(info.num_ack_pending or 0)
