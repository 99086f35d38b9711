"""What is committed first is stored first, also when the server dies in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from signalbox.contracts.events import VerdictReached
from signalbox.runtime.bus import Bus, Credentials
from signalbox.runtime.outbox import Relay, message_of
from signalbox.testing.examples import a_signal, a_verdict, reached
from signalbox.testing.servers import RunningNats
from signalbox.testing.wait import until

pytestmark = pytest.mark.integration


@pytest.fixture
async def bus(nats_server: RunningNats) -> AsyncIterator[Bus]:
    """The router's connection."""
    credentials = Credentials.read(nats_server.home, "decision-router")
    made = Bus("decision-router", nats_server.url, credentials)
    await made.connect()
    yield made
    await made.close()


@pytest.fixture
async def relay(bus: Bus) -> AsyncIterator[Relay]:
    """The router's relay, running."""
    made = Relay(bus)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def a_batch(number: int) -> list[VerdictReached]:
    first = number * 10 + 1
    return [
        reached(a_verdict(a_signal(own_id=str(n))), sequence=n) for n in range(first, first + 10)
    ]


async def stored_sequences(nats_server: RunningNats) -> list[int]:
    reader = Bus("reader", nats_server.url, Credentials.read(nats_server.home, "reader"))
    await reader.connect()
    last = (await reader.js.stream_info("VERDICTS")).state.last_seq
    found = [await reader.js.get_msg("VERDICTS", n, direct=True) for n in range(1, last + 1)]
    await reader.close()
    return [VerdictReached.model_validate_json(one.data or b"").sequence or 0 for one in found]


async def test_nothing_overtakes_what_was_lost_with_the_connection(
    nats_server: RunningNats, bus: Bus, relay: Relay
) -> None:
    """Batches are on their way when the server dies; others come once it is back."""
    for number in range(60):
        relay.submit(number, [message_of(event) for event in a_batch(number)])
    await until(lambda: len(bus._waiting) > 300, every=0)
    nats_server.server.kill()
    await until(lambda: not bus.connected)
    await asyncio.to_thread(nats_server.restart)
    await until(lambda: bus.connected, 10, every=0)
    for number in range(60, 70):
        relay.submit(number, [message_of(event) for event in a_batch(number)])
    await relay.drain(20)
    assert await stored_sequences(nats_server) == list(range(1, 701))
