"""A sandbox in this process."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.app import assemble
from sandbox.history import example_days
from sandbox.quantconnect.desk import Desk
from sandbox.quantconnect.endpoints import Context, Pace
from sandbox.quantconnect.signature import Login
from sandbox.tests.bars import days, swinging
from sandbox.tests.client import AT, Client


@pytest.fixture
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    delay_s = getattr(request, "param", 0.0)
    desk = Desk()
    desk.begin(1, [*swinging(2000), *days(20)])
    clock = [float(AT)]
    context = Context(desk, lambda: clock[0], Pace(snapshot_s=delay_s), example_days())
    app = assemble(context, Login("123", "abc"))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
        yield Client(http, desk, context, clock)
    await context.close()
