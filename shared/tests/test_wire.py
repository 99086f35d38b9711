"""What goes below the client's public interface does what the client itself would do."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from nats.aio.client import Client

from signalbox.contracts.errors import TransientError
from signalbox.runtime import wire
from signalbox.runtime.bus import Bus
from signalbox.runtime.moment import Outgoing
from signalbox.runtime.wire import parse_headers, quickened

_OF_AN_EVENT = (
    b"Content-Type: application/cloudevents+json\r\n"
    b"Nats-Msg-Id: 3f0c2d0e-9d5c-5d4e-8f0a-0a8f5b3f1c11\r\n"
    b"traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01\r\n"
    b"Nats-Pin-Id: 7gGZJUeVTkYX9lCeMk0Uj4\r\n\r\n"
)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(_OF_AN_EVENT, id="of an event"),
        pytest.param(b"Name:value\r\nOther:\t two words \r\nEmpty:\r\n\r\n", id="white space"),
        pytest.param("Nats-Msg-Id: Zürich: x\r\n\r\n".encode(), id="another alphabet"),
        pytest.param(b"Broken\r\nNats-Msg-Id: \xff\xfe\r\n\r\n", id="broken"),
        pytest.param(b"\r\n", id="none"),
    ],
)
def test_headers_are_read_as_the_client_reads_them(raw: bytes) -> None:
    assert parse_headers(raw) == Client._parse_header_lines(raw)


async def test_a_client_that_is_quickened_uses_it() -> None:
    client = quickened(Client())
    found = await client._process_headers(b"NATS/1.0\r\n" + _OF_AN_EVENT)
    assert found == Client._parse_header_lines(_OF_AN_EVENT)
    assert client._parse_header_lines is parse_headers


def _stuck() -> Any:
    """A client whose server takes nothing."""
    full = SimpleNamespace(write=lambda _data: None, drain=asyncio.Event().wait)
    return SimpleNamespace(is_connected=True, _pending=[], _transport=full)


async def test_a_server_that_takes_nothing_is_as_good_as_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "_DRAIN_S", 0.01)
    with pytest.raises(TransientError, match="Timeout"):
        await wire.write(_stuck(), [b"PING\r\n"])


async def test_nothing_is_waited_for_of_what_could_not_be_written() -> None:
    bus = Bus("executor", "nats://127.0.0.1:9", None)
    bus._nc, bus._prefix = _stuck(), "_INBOX"
    sending = asyncio.create_task(bus.send(Outgoing("m", "sb.v1.orders.alpha.AAPL", b"{}", "")))
    await asyncio.sleep(0)
    assert bus._waiting
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert not bus._waiting
