"""What a source takes back: entries that it asked for end sooner."""

from dataclasses import replace
from datetime import datetime

from executor.domain.orders import Ticket
from executor.domain.scene import Denial


def taken_back(source: str, until: datetime, now: datetime) -> Denial | None:
    """Why nothing is opened on a signal that stands `until` then only; None while it stands."""
    if now < until:
        return None
    words = f"{source} has taken its signal back: it was to be acted on until {until} only"
    numbers = {"limit": until.isoformat(), "observed": now.isoformat()}
    return Denial("signal_withdrawn", words, numbers)


def shortened(ticket: Ticket, until: datetime) -> Ticket:
    """The entry with an earlier expiry; a later one changes nothing."""
    if ticket.expires_at is not None and ticket.expires_at <= until:
        return ticket
    return replace(ticket, expires_at=until)
