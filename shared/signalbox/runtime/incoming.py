"""Messages as they come in, and what is said of one that is set aside."""

import hashlib
from dataclasses import dataclass
from typing import Any

from nats.aio.msg import Msg

from signalbox.contracts.errors import PermanentError
from signalbox.contracts.events import AlertRaised, Event, MessageDeadLettered, decode
from signalbox.contracts.ids import derive
from signalbox.contracts.notices import DEAD_LETTER, Alert, DeadLetter, about_letter
from signalbox.contracts.values import Severity
from signalbox.runtime.logs import redact
from signalbox.runtime.moment import Moment

_ORIGINAL_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it came, and the event in it when there is one."""

    message: Msg
    id: str
    event: Event | None
    problem: str = ""


def parse(message: Msg) -> Incoming:
    """Read a message; what does not fit its contract gets an id from its own content."""
    try:
        event = decode(message.data)
    except PermanentError as error:
        digest = hashlib.sha256(message.data).hexdigest()
        given = (message.headers or {}).get("Nats-Msg-Id", "")
        return Incoming(
            message, str(derive("raw", message.subject, given, digest)), None, str(error)
        )
    if event.subject != message.subject:
        problem = f"the event says subject {event.subject}, it came on {message.subject}"
        digest = hashlib.sha256(message.data).hexdigest()
        return Incoming(message, str(derive("raw", message.subject, digest)), None, problem)
    return Incoming(message, str(event.id), event)


def notes_of(
    item: Incoming, stream: str, reason: str, attempts: int, moment: Moment[Any]
) -> list[Event]:
    """The dead letter of a message, and the alert that tells people."""
    letter = DeadLetter(
        service=moment.service,
        stream=stream,
        stream_sequence=item.message.metadata.sequence.stream,
        original_subject=item.message.subject,
        message_id=item.id,
        attempts=attempts,
        reason=redact(reason)[:2000],
        original=item.message.data[:_ORIGINAL_BYTES].decode("utf-8", "backslashreplace"),
        at=moment.wall,
    )
    alert = Alert(
        severity=Severity.CRITICAL,
        code=DEAD_LETTER,
        about=about_letter(item.id),
        message=f"{moment.service} set a message aside: {letter.reason}"[:1900]
        + ". Read it under dead letters and settle it there; its sender may have to send again.",
        service=moment.service,
        at=moment.wall,
        occurrence=item.id,
    )
    return [
        moment.event(MessageDeadLettered, letter, cause=item.event),
        moment.event(AlertRaised, alert, cause=item.event),
    ]
