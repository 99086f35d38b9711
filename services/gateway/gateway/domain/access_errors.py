"""What keeps a caller out. Each carries the status that HTTP answers."""

from signalbox.contracts.errors import Refused


class NotSignedIn(Refused):
    """No credentials, or none that hold any more."""

    status = 401


class NotProven(NotSignedIn):
    """A webhook's caller does not show that it knows the secret, whatever the cause."""

    advice = (
        "Copy address and secret into the algorithm again, or make a new secret; and see that the"
        " account is active."
    )


class TooManyTries(Refused):
    """Too many failed sign-ins; the next try counts later."""

    status = 429

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
