"""Messages that were set aside stand until a person has seen to them."""

from typing import Any

from signalbox.contracts.events import AlertRaised, MessageDeadLettered
from signalbox.contracts.notices import DEAD_LETTER, Alert, DeadLetter, about_letter
from signalbox.contracts.values import Severity
from signalbox.testing.examples import NOON, a_moment


def set_aside(service: str, message_id: str) -> list[Any]:
    """What a service says of a message."""
    letter = DeadLetter(
        service=service,
        stream="SIGNALS",
        stream_sequence=7,
        original_subject="sb.v1.signals.strategy.tester.EDGE",
        message_id=message_id,
        attempts=1,
        reason="body: no",
        original="{}",
        at=NOON,
    )
    alert = Alert(
        severity=Severity.CRITICAL,
        code=DEAD_LETTER,
        about=about_letter(message_id),
        message="It was set aside.",
        service=service,
        at=NOON,
        occurrence=message_id,
    )
    return [a_moment().event(MessageDeadLettered, letter), a_moment().event(AlertRaised, alert)]


async def test_settling_a_message_ends_the_alert_of_every_service(gateway: Any) -> None:
    gateway.feed(*set_aside("lab", "m1"), *set_aside("executor", "m1"), *set_aside("lab", "m2"))
    async with gateway("viewer") as web:
        letters = (await web.get("/api/dead-letters")).json()["items"]
        (one,) = [x for x in letters if (x["service"], x["message_id"]) == ("lab", "m1")]
        refused = await web.post(f"/api/dead-letters/{one['id']}/settle")
    assert refused.status_code == 403
    assert all(letter["active"] for letter in letters)
    async with gateway("trader") as web:
        settled = (await web.post(f"/api/dead-letters/{one['id']}/settle")).json()
        gateway.feed(*gateway.service.said)
        letters = (await web.get("/api/dead-letters")).json()["items"]
        alerts = (await web.get("/api/alerts?active=true")).json()["items"]
        await web.post(f"/api/dead-letters/{one['id']}/settle")
    assert settled == one | {"active": False}
    assert [letter["message_id"] for letter in letters if letter["active"]] == ["m2"]
    assert [alert["about"] for alert in alerts] == ["message:m2"]
    assert [event.data.service for event in gateway.service.said] == ["executor", "lab"]
