"""What can go wrong, and what happens then.

SignalboxError                                               message      HTTP
├── PermanentError   trying again cannot help                dead letter  400
│   ├── Malformed    does not fit its contract               dead letter  422
│   ├── NotFound     names a thing that is not there         dead letter  404
│   ├── Refused      the caller may not do this              dead letter  403
│   └── Conflict     the thing has moved on since            dead letter  409
├── TransientError   trying again may help                   retry later  503
│   ├── RateLimited  the other side said when to come back   retry later  503
│   └── OutOfOrder   came before what it follows             read again   503
└── InvariantBroken  our own books contradict themselves     stop         500
"""


class SignalboxError(Exception):
    """Anything that Signalbox itself raises; the message is fit for a person to read."""

    status = 500


class PermanentError(SignalboxError):
    """Trying again cannot help."""

    status = 400


class Malformed(PermanentError):
    """Does not fit its contract."""

    status = 422


class NotFound(PermanentError):
    """Names a thing that is not there."""

    status = 404


class Refused(PermanentError):
    """The caller may not do this."""

    status = 403


class Conflict(PermanentError):
    """The thing has moved on since."""

    status = 409


class TransientError(SignalboxError):
    """Trying again may help."""

    status = 503


class RateLimited(TransientError):
    """The other side said when to come back."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class OutOfOrder(TransientError):
    """Came before a message that it follows; reading again from the first one may help."""


class InvariantBroken(SignalboxError):
    """Our own books contradict themselves."""


def error_named(kind: str, message: str) -> SignalboxError:
    """Rebuild an error that travelled as its class name; an unknown name is a `SignalboxError`."""
    if kind == "RateLimited":
        return RateLimited(message, retry_after_s=1)
    known = (
        PermanentError,
        Malformed,
        NotFound,
        Refused,
        Conflict,
        TransientError,
        InvariantBroken,
    )
    return next((k for k in known if k.__name__ == kind), SignalboxError)(message)
