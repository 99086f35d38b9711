"""Messages that were set aside, and what a person says who has seen to one."""

from datetime import datetime

from gateway.domain.book_views import DeadLetterView
from signalbox.contracts.notices import DEAD_LETTER, Alert, about_letter
from signalbox.contracts.values import Severity


def seen_to(letter: DeadLetterView, *, by: str, at: datetime) -> Alert:
    """The end of its alert, in the name of the service that raised it; `at` is wall time."""
    return Alert(
        severity=Severity.INFO,
        code=DEAD_LETTER,
        about=about_letter(letter.message_id),
        message=f"{by} has seen to the message that {letter.service} set aside.",
        service=letter.service,
        active=False,
        at=at,
        occurrence=letter.id,
    )
