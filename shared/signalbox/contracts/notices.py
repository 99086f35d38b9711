"""What people are told: alerts, and messages that were set aside."""

from pydantic import Field

from signalbox.contracts.values import Name, Severity, Slug, UtcTime, Value

DEAD_LETTER = "dead_letter"  # the alert of a message that was set aside


class Alert(Value):
    """Something a person should know."""

    severity: Severity
    code: Slug
    about: Name  # what it is about, such as `quantconnect:demo` or `bot:alpha`
    message: str = Field(max_length=2000)  # what happened, why, what to do next
    service: Slug
    active: bool = True  # false when the trouble is over
    at: UtcTime  # wall time
    occurrence: str  # makes the id: the same occurrence alerts once


class DeadLetter(Value):
    """A message set aside for a person."""

    service: Slug
    stream: str
    stream_sequence: int
    original_subject: str
    message_id: str
    attempts: int
    reason: str
    original: str  # the body as text, undecodable bytes escaped, at most 200 kB
    at: UtcTime  # wall time


def about_letter(message_id: str) -> str:
    """What the alert of a message that was set aside is about."""
    return f"message:{message_id}"
