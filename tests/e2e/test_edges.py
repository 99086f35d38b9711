"""Bad input on a live system: each piece is set aside or refused once, and good signals flow on."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from chaos.load import add_bot
from chaos.rest import Gateway
from chaos.streams import last_sequence, stored
from chaos.system import System
from chaos.voices import Voices, raised
from signalbox.contracts.events import SignalRaised, VerdictReached
from signalbox.contracts.subjects import subject
from signalbox.contracts.values import Action
from signalbox.runtime.bus import Credentials, PublishFailed
from signalbox.runtime.clock import wall_now
from signalbox.runtime.moment import Outgoing
from signalbox.runtime.outbox import message_of
from signalbox.testing.wait import until
from tests.e2e.reading import judged

pytestmark = pytest.mark.e2e
ON_SIGNALS = {"decision-router", "gateway", "lab"}  # who reads that stream
ON_VERDICTS = {"executor", "gateway"}
LATE_S = 15.0


def whole(voices: Voices, name: str) -> dict[str, Any]:
    """A good event as it travels, to be spoilt."""
    event = raised(voices.signal("EDGE", Action.HOLD, name), "strategy-runner")
    body: dict[str, Any] = json.loads(event.encode())
    return body


def spoilt(voices: Voices) -> dict[str, tuple[str, bytes]]:
    """What is wrong, by name: who says it, and the bytes."""
    version = whole(voices, "bad-version") | {"type": "signalbox.SignalRaised.v9"}
    lacking = whole(voices, "bad-lacking")
    del lacking["data"]["symbol"]
    elsewhere = whole(voices, "bad-elsewhere")
    elsewhere["subject"] = subject("signals", "strategy", "tester", "OTHER")
    number = whole(voices, "bad-number")
    number["data"]["confidence"] = "NaN"
    return {
        "bad-json": ("strategy-runner", b'{"bad-json": '),
        "bad-text": ("strategy-runner", b"bad-text \xff\xfe\x00"),
        "bad-version": ("strategy-runner", json.dumps(version).encode()),
        "bad-lacking": ("strategy-runner", json.dumps(lacking).encode()),
        "bad-elsewhere": ("strategy-runner", json.dumps(elsewhere).encode()),
        "bad-number": ("strategy-runner", json.dumps(number).encode()),
        "bad-verdict": ("decision-router", b'{"bad-verdict": 1}'),
    }


def where(user: str) -> str:
    """A subject that the user may speak on."""
    if user == "decision-router":
        return subject("verdicts", "edge", "EDGE")
    return subject("signals", "strategy", "tester", "EDGE")


async def set_aside(gateway: Gateway, names: set[str]) -> Any:
    """Who set what aside, once every name is there with all its readers."""
    letters = await gateway.every("/api/dead-letters")
    found = Counter(
        (name, letter["service"])
        for letter in letters
        for name in re.findall(r"bad-[a-z]+", letter["original"])[:1]
        if name in names
    )
    expected = sum(map(len, map(readers, names)))
    return found if len(found) >= expected else None


def readers(name: str) -> set[str]:
    """Whose business a bad message is."""
    return ON_VERDICTS if name == "bad-verdict" else ON_SIGNALS


async def reached(voices: Voices, wanted: Collection[UUID]) -> Any:
    """The verdicts of bot `edge` on these signals, once all are there."""
    found = await stored(await voices.bus("reader"), "VERDICTS")
    mine = [
        one.event
        for one in found
        if isinstance(one.event, VerdictReached)
        and one.event.data.bot == "edge"
        and one.event.data.signal.signal_id in wanted
    ]
    return mine if len(mine) >= len(wanted) else None


async def test_each_bad_message_is_set_aside_once_and_delays_nobody(
    gateway: Gateway, voices: Voices
) -> None:
    await add_bot(gateway, id="edge", symbols=["EDGE"], sources=[{"source_type": "strategy"}])
    bad, said = spoilt(voices), dict[UUID, datetime]()
    for name, (user, body) in bad.items():
        signals = [voices.signal("EDGE", Action.HOLD, f"good-{name}-{n}") for n in range(10)]
        said |= {signal.signal_id: wall_now() for signal in signals}
        await voices.speak(*signals[:5])
        await voices.say(user, [Outgoing(name, where(user), body)])
        await voices.speak(*signals[5:])
    verdicts = await until(lambda: reached(voices, said), 15)
    assert Counter(v.data.signal.signal_id for v in verdicts) == Counter(list(said))
    waits_s = [(v.time - said[v.data.signal.signal_id]).total_seconds() for v in verdicts]
    assert max(waits_s) < LATE_S
    letters = await until(lambda: set_aside(gateway, set(bad)), 15)
    assert letters == Counter([(name, who) for name in bad for who in readers(name)])
    await until(lambda: is_told(gateway, len(letters)), 15)


async def is_told(gateway: Gateway, letters: int) -> bool:
    """Whether at least so many alerts tell of something that was set aside."""
    alerts = await gateway.every("/api/alerts", active=True, severity="critical")
    return len([alert for alert in alerts if alert["code"] == "dead_letter"]) >= letters


async def test_a_repeat_is_judged_once_under_whatever_message_id(
    gateway: Gateway, voices: Voices
) -> None:
    await add_bot(gateway, id="edge", symbols=["EDGE"], sources=[{"source_type": "strategy"}])
    signal = voices.signal("EDGE", Action.HOLD, "repeated")
    event = message_of(raised(signal, "strategy-runner"))
    disguised = Outgoing("another-id", event.subject, event.body)
    for message in (event, event, disguised, event, disguised):
        await voices.say("strategy-runner", [message])
    after = voices.signal("EDGE", Action.HOLD, "after-repeated")
    await voices.speak(after)
    ids = {signal.signal_id: wall_now(), after.signal_id: wall_now()}
    verdicts = await until(lambda: reached(voices, ids), 15)
    assert [v.data.signal.signal_id for v in verdicts] == [signal.signal_id, after.signal_id]
    copies = await stored(await voices.bus("reader"), "SIGNALS")
    mine = [
        c for c in copies if isinstance(c.event, SignalRaised) and c.event.id == signal.signal_id
    ]
    assert len(mine) == 2, "the stream drops repeats of an id, and cannot know of the disguise"
    await until(lambda: judged(gateway, after, "edge"), 10)
    chain = await gateway.get(f"/api/signals/{signal.signal_id}")
    assert [v["round"] for v in chain["verdicts"] if v["bot"] == "edge"] == [0]


async def test_what_is_too_large_for_a_stream_is_refused_and_not_stored(voices: Voices) -> None:
    bus, reader = await voices.bus("strategy-runner"), await voices.bus("reader")
    before = await last_sequence(reader, "SIGNALS")
    message = Outgoing("large", where("strategy-runner"), b"x" * 300_000)
    with pytest.raises(PublishFailed, match="maximum"):
        await bus.confirmed(await bus.send(message))
    since = await stored(reader, "SIGNALS", first=before + 1)  # the demo may have spoken
    assert not any(len(one.body) >= 300_000 for one in since)


async def test_a_mebibyte_ends_the_connection_that_sends_it_and_no_other(
    house: System, voices: Voices
) -> None:
    await voices.speak(voices.signal("EDGE", Action.HOLD, "before-large"))
    login = Credentials.read(house.home, "strategy-runner")
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port("nats-server"))
    connect = {"user": login.user, "pass": login.password, "verbose": False, "pedantic": False}
    writer.write(f"CONNECT {json.dumps(connect)}\r\n".encode())
    writer.write(f"PUB {where('strategy-runner')} {1 << 20}\r\n".encode())
    async with asyncio.timeout(10):
        said = await reader.read()
    writer.close()
    assert b"Maximum Payload Violation" in said
    await voices.speak(voices.signal("EDGE", Action.HOLD, "after-large"))
    assert (await voices.bus("strategy-runner")).nc.stats["reconnects"] == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b'{"id": "x", "name": "' + b"x" * (1 << 20) + b'"}', 413, id="a mebibyte"),
        pytest.param(b'{"id": ', {400, 422}, id="no json"),
        pytest.param(b"\xff\xfe", {400, 422}, id="no text"),
        pytest.param(b'{"id": "x", "what": 1}', 422, id="unknown field"),
        pytest.param(b'{"id": "../x"}', 422, id="bad id"),
        pytest.param(b'{"id": "x", "sizing": {"notional": "NaN"}}', 422, id="not a number"),
        pytest.param(b"[" * 10_000, {400, 422}, id="deep"),
        pytest.param(b"null", 422, id="null"),
    ],
)
async def test_a_bad_request_is_refused_in_words_and_changes_nothing(
    gateway: Gateway, body: bytes, status: int | set[int]
) -> None:
    before = await gateway.get("/api/bots")
    headers = {"Content-Type": "application/json"}
    answer = await gateway.send("POST", "/api/bots", content=body, headers=headers)
    assert answer.status_code in (status if isinstance(status, set) else {status})
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["detail"]
    assert await gateway.get("/api/bots") == before
