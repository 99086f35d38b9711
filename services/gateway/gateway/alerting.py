"""Shows Prometheus which alerts were raised of late: its rules wake people who see no page."""

import asyncio
from datetime import timedelta

from gateway.adapters.views import notices
from signalbox.contracts.config import GatewayConfig
from signalbox.contracts.errors import TransientError
from signalbox.runtime import metrics
from signalbox.runtime.service import Service

_SHOWN_FOR = timedelta(minutes=15)  # many alerts have no end that anybody would tell
_EVERY_S = 5.0


async def show_alerts(service: Service[GatewayConfig]) -> None:
    """Count what was raised within a quarter of an hour.

    Raises:
        TransientError: the database is not open.
    """
    if service.db is None:
        raise TransientError("the database is not open")
    since = service.moment().wall - _SHOWN_FOR
    found = await service.db.read(lambda sql: notices.count_alerts(sql, since))
    metrics.ALERTS_RECENT.clear()
    for labels, count in found.items():
        metrics.ALERTS_RECENT.labels(*labels).set(count)


async def run(service: Service[GatewayConfig]) -> None:
    """Go on showing them."""
    while True:
        await show_alerts(service)
        await asyncio.sleep(_EVERY_S)
