"""Acknowledgements are left out only where a number proves what they would have said."""

from collections.abc import AsyncIterator

import pytest

from signalbox.contracts.subjects import MAX_MESSAGE_BYTES
from signalbox.runtime.bus import Bus, Credentials, PublishFailed
from signalbox.runtime.counting import Line, checks
from signalbox.runtime.moment import Outgoing
from signalbox.runtime.topology import written_alone
from signalbox.testing.servers import RunningNats

ORDERS = "sb.v1.orders.alpha.AAPL"


def message(number: int, subject: str = ORDERS, body: bytes = b"{}") -> Outgoing:
    return Outgoing(f"m{number}", subject, body, "")


def test_streams_with_one_writer_are_known() -> None:
    assert set(written_alone("executor")) == {"orders", "books"}
    assert written_alone("decision-router") == ("verdicts",)
    assert written_alone("strategy-runner") == ()  # signals have many writers


def test_only_the_last_of_each_stream_is_acknowledged_once_numbers_are_known() -> None:
    lines = {"orders": Line(sent=7, offset=3), "books": Line()}
    subjects = [ORDERS, "sb.v1.books.alpha", ORDERS, "sb.v1.alerts.info", "sb.v1.books.alpha"]
    sent = [message(n, subject) for n, subject in enumerate(subjects)]
    assert [due for _, _, due in checks(lines, sent)] == [False, True, True, True, True]
    assert lines["orders"].sent == 9


@pytest.mark.parametrize(
    ("acknowledgement", "holds"),
    [
        (b'{"stream":"ORDERS","seq":12}', True),
        (b'{"stream":"ORDERS","seq":11}', False),  # one is missing
        (b'{"stream":"ORDERS","seq":13}', False),  # somebody else has written
        (b'{"stream":"ORDERS","seq":12,"duplicate":true}', False),
    ],
)
def test_a_number_that_does_not_fit_is_noticed(acknowledgement: bytes, holds: bool) -> None:
    line = Line(sent=7, offset=3)
    *_, (_, check, _) = checks({"orders": line}, [message(1), message(2)])
    assert check is not None
    assert check.holds(acknowledgement) is holds


def test_a_repeat_teaches_nothing() -> None:
    line = Line()
    [(_, check, _)] = checks({"orders": line}, [message(1)])
    assert check is not None
    line.offset = 7
    assert check.holds(b'{"stream":"ORDERS","seq":40,"duplicate":true}')
    assert line.offset is None
    assert check.holds(b'{"stream":"ORDERS","seq":41}')
    assert line.offset == 40


@pytest.mark.integration
async def test_one_message_alone_may_be_a_repeat(bus: Bus) -> None:
    for _ in range(3):
        await bus.confirmed(await bus.send(message(1), counted=True))
    await bus.confirmed(await bus.send(message(2), message(3), counted=True))


@pytest.fixture
async def bus(nats_server: RunningNats) -> AsyncIterator[Bus]:
    bus = Bus("executor", nats_server.url, Credentials.read(nats_server.home, "executor"))
    await bus.connect()
    yield bus
    await bus.close()


async def stored(nats_server: RunningNats) -> int:
    nc = await nats_server.connect("provision")
    info = await nc.jetstream().stream_info("ORDERS")
    await nc.close()
    return int(info.state.messages)


@pytest.mark.integration
async def test_what_a_stream_leaves_out_fails_the_whole_batch(
    bus: Bus, nats_server: RunningNats
) -> None:
    await bus.confirmed(await bus.send(message(1), counted=True))
    ok = await bus.send(*(message(n) for n in range(2, 100)), counted=True)
    assert len(ok.tokens) == 1
    await bus.confirmed(ok)
    too_large = message(101, body=b"x" * (MAX_MESSAGE_BYTES + 1))
    batch = [message(100), too_large, message(102)]
    with pytest.raises(PublishFailed, match="did not take every message"):
        await bus.confirmed(await bus.send(*batch, counted=True))
    again = await bus.send(message(100), message(101), message(102), counted=True)
    assert len(again.tokens) == 3  # from now on each is acknowledged, until numbers are known
    await bus.confirmed(again)
    assert await stored(nats_server) == 102


@pytest.mark.integration
async def test_a_repeat_after_a_failure_is_stored_once(bus: Bus, nats_server: RunningNats) -> None:
    await bus.confirmed(await bus.send(message(1), counted=True))
    first = await bus.send(message(2), message(3), counted=True)
    second = await bus.send(
        message(3), message(4), counted=True
    )  # the stream drops the first of them
    await bus.confirmed(first)
    with pytest.raises(PublishFailed):
        await bus.confirmed(second)
    await bus.confirmed(await bus.send(message(3), message(4), counted=True))
    assert await stored(nats_server) == 4
