"""Messages that were set aside, and what a person says who has seen to one."""

from datetime import datetime

from signalbox.contracts.notices import DEAD_LETTER, Alert, about_letter
from signalbox.contracts.values import Severity


def seen_to(message_id: str, service: str, *, by: str, at: datetime) -> Alert:
    """The end of its alert, in the name of the service that raised it; `at` is wall time."""
    return Alert(
        severity=Severity.INFO,
        code=DEAD_LETTER,
        about=about_letter(message_id),
        message=f"{by} has seen to the message that {service} set aside.",
        service=service,
        active=False,
        at=at,
        occurrence=message_id,
    )
