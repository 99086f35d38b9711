"""A service without a database keeps no books of its own: what it cannot publish comes again."""

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from signalbox.contracts.errors import PermanentError, TransientError
from signalbox.contracts.events import (
    AlertRaised,
    Event,
    MessageDeadLettered,
    SignalRaised,
    VerdictReached,
)
from signalbox.runtime.delivery import DELAYS_S, MOST_ATTEMPTS, Delivery
from signalbox.runtime.handlers import Handlers
from signalbox.runtime.moment import Moment
from signalbox.testing.examples import a_moment, a_signal, a_verdict, raised
from signalbox.testing.wait import until

AWAY = TransientError("the stream does not answer")


class Message:
    """One delivery of a message, and what the server was told of it."""

    headers = None

    def __init__(self, event: Event | None, delivered: int = 1) -> None:
        self.data = event.encode() if event else b"not json"
        self.subject = event.subject if event else "sb.v1.signals.strategy.x.AAPL"
        self.metadata = SimpleNamespace(num_delivered=delivered, sequence=SimpleNamespace(stream=7))
        self.reply = "_INBOX.ack"
        self.told: list[Any] = []

    async def nak(self, delay: float) -> None:
        self.told.append(delay)

    async def term(self) -> None:
        self.told.append("term")


class Service:
    """A service without a database. Publishing fails while there is something in `failures`."""

    name = "strategy-runner"
    db = None

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.published: list[Event] = []
        self.written: list[bytes] = []
        self.config = SimpleNamespace(version=1, wait_for=self._wait_for)
        self.relay = SimpleNamespace(full=False)
        self.bus = SimpleNamespace(nc=SimpleNamespace(is_closed=False))

    async def _wait_for(self, _version: int, _timeout_s: float) -> bool:
        return True

    def moment(self) -> Moment[Any]:
        return a_moment()

    async def publish(self, events: Iterable[Event]) -> None:
        made = list(events)
        if made and self.failures:
            raise self.failures.pop(0)
        self.published += made


def judging(problem: Exception | None = None) -> Handlers[None]:
    handlers: Handlers[None] = Handlers("SIGNALS", "strategy-runner")

    @handlers.on(SignalRaised)
    def on_signal_raised(event: SignalRaised, _state: None, moment: Moment[Any]) -> Iterator[Event]:
        if problem:
            raise problem
        yield moment.event(VerdictReached, a_verdict(event.data), cause=event, sequence=1)

    return handlers


SIGNAL = raised(a_signal())


@pytest.mark.parametrize("failure", [AWAY, OSError("the connection is gone")])
@pytest.mark.parametrize(
    ("event", "delivered", "problem"),
    [
        pytest.param(None, 1, None, id="no event"),
        pytest.param(SIGNAL, 1, PermanentError("not for us"), id="refused"),
        pytest.param(SIGNAL, MOST_ATTEMPTS, TransientError("not yet"), id="too often"),
    ],
)
async def test_a_dead_letter_that_cannot_be_published_comes_again(
    event: Event | None, delivered: int, problem: Exception | None, failure: Exception
) -> None:
    service: Any = Service(failure)
    way: Any = Delivery(service, judging(problem))
    first, again = Message(event, delivered), Message(event, delivered)
    await way.receive([first])
    assert (first.told, service.published) == ([DELAYS_S[-1]], [])
    await way.receive([again])
    assert again.told == ["term"]
    assert [type(one) for one in service.published] == [MessageDeadLettered, AlertRaised]


async def test_one_that_cannot_be_set_aside_holds_up_no_other() -> None:
    service: Any = Service(AWAY)
    bad, good = Message(None), Message(SIGNAL)
    way: Any = Delivery(service, judging())
    await way.receive([bad, good])
    assert bad.told == [DELAYS_S[-1]]
    assert [type(one) for one in service.published] == [VerdictReached]


async def test_what_a_handler_made_and_could_not_publish_is_made_again() -> None:
    service: Any = Service(AWAY, AWAY, AWAY)  # the batch, and each of the two alone
    way: Any = Delivery(service, judging())
    other = raised(a_signal(own_id="other"))
    sent = [Message(SIGNAL), Message(other)]
    await way.receive(sent)
    assert [message.told for message in sent] == [[DELAYS_S[0]], [DELAYS_S[0]]]
    sent = [Message(SIGNAL, 2), Message(other, 2)]
    await way.receive(sent)
    assert [one.causationid for one in service.published] == [SIGNAL.id, other.id]
    assert [message.told for message in sent] == [[], []]
    await until(lambda: not vars(way)["_acks"])
