"""A service on a real nats-server: order, redelivery, retries, dead letters, restarts, commands."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from nats.aio.msg import Msg
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from signalbox.contracts.commands import Command
from signalbox.contracts.config import RouterConfig
from signalbox.contracts.errors import Conflict, PermanentError, TransientError
from signalbox.contracts.events import (
    AlertRaised,
    Event,
    MessageDeadLettered,
    SignalRaised,
    VerdictReached,
)
from signalbox.contracts.subjects import subject
from signalbox.runtime import delivery, ledger, outbox, upkeep
from signalbox.runtime.bus import Receipt
from signalbox.runtime.db import Database, new_metadata
from signalbox.runtime.handlers import Handlers
from signalbox.runtime.moment import Moment, Outgoing
from signalbox.runtime.outbox import insert_rows, message_of
from signalbox.runtime.pump import PumpSubscriber
from signalbox.runtime.service import Service
from signalbox.runtime.settings import ServiceSettings
from signalbox.testing.desk import Desk, desk_on, running
from signalbox.testing.examples import a_moment, a_signal, a_verdict, raised
from signalbox.testing.servers import RunningNats
from signalbox.testing.wait import until

pytestmark = pytest.mark.integration
METADATA = new_metadata()
Rule = Callable[[SignalRaised, Moment[Any]], None]


def judging(rule: Rule = lambda _event, _moment: None) -> Handlers[dict[str, int]]:
    """Answers every signal with a verdict unless the rule raises."""
    handlers: Handlers[dict[str, int]] = Handlers(
        "SIGNALS", "decision-router", load=lambda *_: {}, save=lambda *_: None
    )

    @handlers.on(SignalRaised)
    def on_signal_raised(
        event: SignalRaised, state: dict[str, int], moment: Moment[Any]
    ) -> Iterator[Event]:
        rule(event, moment)
        yield moment.event(VerdictReached, a_verdict(event.data), cause=event, sequence=1)

    return handlers


@pytest.fixture
async def desk(nats_server: RunningNats) -> AsyncIterator[Desk]:
    async with desk_on(nats_server) as desk:
        await desk.configure("decision-router", RouterConfig())
        yield desk


def router(
    desk: Desk, handlers: Handlers[Any], monkeypatch: pytest.MonkeyPatch
) -> Service[RouterConfig]:
    """A service in the router's place, with nothing but the runtime's tables."""
    monkeypatch.setattr("signalbox.runtime.lifecycle.check_schema", lambda _sql, _service: None)
    home = desk.nats.home
    database = Database.open("decision-router", home=home, url=None)
    with database.begin() as sql:
        METADATA.create_all(sql)
    database.close()
    settings = ServiceSettings(home=home)
    service = Service(
        "decision-router", settings, config=RouterConfig, metadata=METADATA, fenced=True
    )
    service.consume(handlers)
    return service


def signals(count: int, **over: Any) -> list[SignalRaised]:
    return [raised(a_signal(own_id=str(n), symbol=f"S{n % 7}", **over)) for n in range(count)]


async def test_every_signal_gets_one_verdict_in_order(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = signals(300)
    async with running(router(desk, judging(), monkeypatch)):
        await desk.say(*sent)
        verdicts = await desk.hear(VerdictReached, 300)
    assert [v.causationid for v in verdicts] == [s.id for s in sent]


async def test_one_bad_message_delays_nothing_else(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rule(event: SignalRaised, _moment: Moment[Any]) -> None:
        if event.data.symbol == "S3":
            raise PermanentError("S3 is not for us")

    address = subject("signals", "strategy", "x", "AAPL")
    garbage = [
        Outgoing("g1", address, b"not json"),
        Outgoing("g2", address, b'{"type": "signalbox.SignalRaised.v9"}'),
        Outgoing("g3", address, b"\xff\xfe" * 1000),
        Outgoing("g4", address, raised().encode()),  # says another subject
    ]
    sent = signals(20)
    async with running(router(desk, judging(rule), monkeypatch)):
        await desk.say(*sent[:10], *garbage, *sent[10:])
        letters = await desk.hear(MessageDeadLettered, 7)
        verdicts = await desk.hear(VerdictReached, 17)
        await desk.hear(AlertRaised, 7)
    wanted = [s.id for s in sent if s.data.symbol != "S3"]
    assert [v.causationid for v in verdicts] == wanted
    reasons = [letter.data.reason for letter in letters]
    assert sum("S3 is not for us" in reason for reason in reasons) == 3
    assert len(letters) == 7


async def test_a_message_that_fails_for_now_is_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "DELAYS_S", (0.05,))
    left = {"S2": 3}

    def rule(event: SignalRaised, _moment: Moment[Any]) -> None:
        if left.get(event.data.symbol, 0) > 0:
            left[event.data.symbol] -= 1
            raise TransientError("not yet")

    sent = signals(5)
    async with running(router(desk, judging(rule), monkeypatch)):
        await desk.say(*sent)
        verdicts = await desk.hear(VerdictReached, 5)
    assert {v.causationid for v in verdicts} == {s.id for s in sent}
    assert not desk.of(MessageDeadLettered)


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(ZeroDivisionError("a bug"), id="a bug of ours"),
        pytest.param(
            IntegrityError("INSERT", {}, ValueError("a bug")), id="a row refused for ever"
        ),
    ],
)
async def test_a_message_that_never_works_is_set_aside_after_ten_attempts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    """A refusal that will be the same for ever is the message's fault, an absence is not."""
    monkeypatch.setattr(delivery, "DELAYS_S", (0.02,))
    tries = []

    def rule(event: SignalRaised, _moment: Moment[Any]) -> None:
        tries.append(event.id)
        raise failure

    async with running(router(desk, judging(rule), monkeypatch)):
        await desk.say(raised())
        (letter,) = await desk.hear(MessageDeadLettered)
    assert letter.data.attempts == delivery.MOST_ATTEMPTS == len(tries)
    assert "a bug" in letter.data.reason


async def test_what_was_committed_is_published_after_a_crash(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies between commit and publish; the next one publishes first, under the same
    ids.
    """
    service = router(desk, judging(), monkeypatch)
    service.open_database()
    assert service.db is not None

    sent = signals(3)
    with service.db.begin() as sql:
        ledger.handle(sql, METADATA, service.handlers[0], sent, a_moment(RouterConfig()))
    service.db.close()
    async with running(router(desk, judging(), monkeypatch)):
        await desk.say(*sent)  # what the server would deliver again
        verdicts = await desk.hear(VerdictReached, 3)
        await desk.say(raised(a_signal(own_id="extra")))
        await desk.hear(VerdictReached, 4)
    assert [v.causationid for v in verdicts] == [s.id for s in sent]
    assert len([i for i in desk.ids if i in {str(v.id) for v in verdicts}]) == 3


async def test_nothing_is_lost_or_doubled_when_the_server_is_killed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = router(desk, judging(), monkeypatch)
    async with running(service):
        sent = signals(200)
        strategies = await desk.bus("strategy-runner")
        for start in range(0, 200, 50):
            await desk.say(*sent[start : start + 50])
            await asyncio.to_thread(desk.nats.restart)
            await until(lambda: strategies.connected)
        assert await verdict_count(desk, 200) == 200


async def verdict_count(desk: Desk, wanted: int) -> int:
    """Messages in VERDICTS, once there are enough."""
    provision = await desk.nats.connect("provision")
    js = provision.jetstream()

    async def enough() -> int:
        state = (await js.stream_info("VERDICTS")).state
        return state.messages if state.messages >= wanted else 0

    found = await until(enough, 30)
    await provision.close()
    return found


async def test_a_newer_configuration_is_waited_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = raised(a_signal(), a_moment(version=2))
    seen: list[int] = []
    handlers = judging(lambda _event, moment: seen.append(moment.version))
    async with running(router(desk, handlers, monkeypatch)):
        await desk.say(ahead)
        await desk.configure("decision-router", RouterConfig(), version=2)
        await desk.hear(VerdictReached)
    assert seen == [2]


async def test_commands_answer_once_per_request_and_say_what_is_wrong(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    async def approve(command: Command) -> dict[str, Any]:
        if command.body.get("taken"):
            raise Conflict("it has moved on")
        calls.append(command.request_id)
        return {"n": len(calls)}

    service = router(desk, judging(), monkeypatch)
    service.command("approve", approve)
    async with running(service):
        first = await desk.ask("decision-router", "approve", {})
        again = await desk.ask("decision-router", "approve", {})
        other = await desk.ask("decision-router", "approve", {"verdict_id": "another"})
        conflict = await desk.ask("decision-router", "approve", {"taken": True}, request_id="r2")
        unknown = await desk.ask("decision-router", "dance", {})
        broken = await desk.ask("decision-router", "approve", {}, deadline="soon")
    assert first == again == {"body": {"n": 1}, "problem": None}
    assert other["problem"]["kind"] == "Conflict"
    assert "came with another body" in other["problem"]["message"]
    assert conflict["problem"] == {"kind": "Conflict", "message": "it has moved on"}
    assert "knows no command" in unknown["problem"]["message"]
    assert broken["problem"]["kind"] == "Malformed"


async def test_what_a_command_only_reads_is_read_again_and_not_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    async def look(command: Command) -> dict[str, Any]:
        calls.append(command.request_id)
        return {"n": len(calls)}

    service = router(desk, judging(), monkeypatch)
    service.command("look", look, reads=True)
    async with running(service):
        told = [await desk.ask("decision-router", "look", {"page": n}) for n in range(2)]
        assert service.db is not None
        kept = select(func.count()).select_from(METADATA.tables["answers"])
        assert await service.db.read(lambda sql: sql.scalar(kept)) == 0
    assert [one["body"] for one in told] == [{"n": 1}, {"n": 2}]


async def test_transact_publishes_after_the_commit_and_counts_it_as_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = router(desk, judging(), monkeypatch)
    table = METADATA.tables["outbox"]
    unsent = select(func.count()).select_from(table).where(table.c.sent.is_(False))
    async with running(service):
        made = await service.transact(lambda _sql, m: [m.event(VerdictReached, a_verdict())])
        heard = await desk.hear(VerdictReached)
        database = service.db
        assert database is not None
        await until(lambda: database.read(lambda sql: sql.scalar(unsent) == 0))
    assert [e.id for e in heard] == [e.id for e in made]


async def test_subscribers_are_pumps_that_decide_about_acknowledgement_themselves(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library's own defaults drop a message on its first error, or strand it."""
    service = router(desk, judging(), monkeypatch)
    async with running(service):
        (subscriber,) = service.bus.broker.subscribers
        assert type(subscriber) is PumpSubscriber
        assert subscriber.ack_policy.name == "MANUAL"
        assert subscriber.stream.declare is False
        assert subscriber.extra_options["inbox_prefix"] == b"_INBOX_decision-router."


async def test_a_cancelled_caller_does_not_keep_committed_events_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = router(desk, judging(), monkeypatch)
    async with running(service):
        begun, gone = threading.Event(), threading.Event()

        def work(_sql: Any, moment: Moment[Any]) -> list[Event]:
            begun.set()
            assert gone.wait(20)
            return [moment.event(VerdictReached, a_verdict())]

        task = asyncio.create_task(service.transact(work))
        await asyncio.to_thread(begun.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gone.set()
        assert len(await desk.hear(VerdictReached)) == 1


async def test_what_another_replica_left_behind_is_published(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_SWEEP_S", 0.05)
    service = router(desk, judging(), monkeypatch)
    async with running(service):
        assert service.db is not None
        event = a_moment(RouterConfig()).event(VerdictReached, a_verdict())
        await service.db.write(lambda sql: insert_rows(sql, METADATA, 1, [message_of(event)]))
        heard = await desk.hear(VerdictReached)
    assert [e.id for e in heard] == [event.id]


async def test_a_stop_waits_for_what_is_begun_but_not_for_ever(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signalbox.runtime.lifecycle._FINISH_S", 1.0)
    service, seen = router(desk, judging(), monkeypatch), []

    async def finish() -> None:
        """What is committed now is published still."""
        verdict = a_verdict(a_signal())
        await service.transact(lambda _sql, at: [at.event(VerdictReached, verdict, sequence=1)])
        seen.append("finished")

    async def endless() -> None:
        seen.append("begun")
        await asyncio.Event().wait()

    service.on_stop(finish)
    service.on_stop(endless)
    async with running(service):
        assert seen == []
    assert seen == ["finished", "begun"]
    await desk.hear(VerdictReached)


async def test_work_waits_while_the_streams_are_behind_and_the_server_is_told_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "_MOST_WAITING", 1)
    monkeypatch.setattr(delivery, "_KEEP_ALIVE_S", 0.05)
    may, kept, seen = asyncio.Event(), [], []

    async def keep(message: Msg) -> None:
        kept.append(message)

    monkeypatch.setattr(Msg, "in_progress", keep)
    service = router(desk, judging(lambda event, _: seen.append(event.data.symbol)), monkeypatch)
    async with running(service):
        confirmed = service.bus.confirmed

        async def late(receipt: Receipt) -> None:
            await may.wait()
            await confirmed(receipt)

        monkeypatch.setattr(service.bus, "confirmed", late)
        for number, symbol in enumerate("AB"):
            await desk.say(raised(a_signal(own_id=str(number), symbol=symbol)))
            await until(lambda: seen)
        await until(lambda: kept)
        monkeypatch.setattr(delivery, "_KEEP_ALIVE_S", 60.0)
        kept.clear()
        await until(lambda: kept)
        assert seen == ["A"]
        may.set()
        await desk.hear(VerdictReached, 2)
    assert seen == ["A", "B"]
