"""A QuantConnect account's webhook: its secrets, who may call it, and what a call says.

The secret is either sent as a bearer token, or signs the text that a call carries. Real accounts
take signed calls only. Secrets are kept sealed; this module is handed the opened ones.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import JsonValue

from signalbox.contracts import ids
from signalbox.contracts.errors import Malformed, Refused
from signalbox.contracts.values import Target, UtcTime, Value

FIELD = "webhook"  # where its secret is sealed to
WINDOW = timedelta(minutes=5)  # between the sender's clock and ours
REMEMBERED = timedelta(days=7)  # how long a repeated call is known
_OLD_AT_MOST = 2  # replaced secrets that may still hold
_WRAPPINGS = 3  # a text in an object in a text

Proof = Literal["token", "signature"]


class OldSecret(Value):
    """A secret that was replaced and still holds for a while."""

    sealed: str
    until: UtcTime


class Webhook(Value):
    """The secret of one account's webhook, sealed to the gateway."""

    sealed: str
    hint: str  # its last characters
    made_at: UtcTime
    old: tuple[OldSecret, ...] = ()

    def still_old(self, now: datetime) -> tuple[OldSecret, ...]:
        """Replaced secrets that hold now, newest first."""
        return tuple(secret for secret in self.old if now < secret.until)

    def valid(self, now: datetime) -> tuple[str, ...]:
        """Every secret that holds now, sealed, newest first."""
        return (self.sealed, *(secret.sealed for secret in self.still_old(now)))


def renewed(
    before: Webhook | None, sealed: str, hint: str, *, at: datetime, overlap: timedelta
) -> Webhook:
    """The webhook with a new secret; the ones before hold for `overlap`, without it none does."""
    if before is None or not overlap:
        return Webhook(sealed=sealed, hint=hint, made_at=at)
    replaced = OldSecret(sealed=before.sealed, until=at + overlap)
    old = (replaced, *before.still_old(at))[:_OLD_AT_MOST]
    return Webhook(sealed=sealed, hint=hint, made_at=at, old=old)


@dataclass(frozen=True, slots=True)
class Call:
    """What came in: the body as text, and what is to prove where it comes from."""

    body: str
    token: str | None = None
    signature: str | None = None  # `sha256=` and 64 hexadecimal digits


@dataclass(frozen=True, slots=True)
class Said:
    """What a call says, out of its wrappings."""

    text: str
    value: JsonValue  # the text as JSON; null when it is none
    signed: str | None  # the text in `payload`, which is what a signature covers


def read(body: str) -> Said:
    """Take the wrappings off: `{"payload": "<text>"}`, and quotes around either."""
    text, signed = body, None
    for _ in range(_WRAPPINGS):
        value = _json(text)
        if isinstance(value, dict) and isinstance(value.get("payload"), str):
            text = str(value["payload"])
            signed = text if signed is None else signed
        elif isinstance(value, str):
            text = value
        else:
            break
    return Said(text, _json(text), signed)


def _json(text: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def proof(call: Call, said: Said, keys: Sequence[str]) -> Proof | None:
    """How the call proves that it knows one of the secrets, or None.

    Every secret is compared, each in a time that says nothing about it. A call with a signature
    is judged by that alone.
    """
    if call.signature is not None:
        given = call.signature.removeprefix("sha256=").lower()
        text = (said.signed or "").encode("utf-8", "surrogatepass")
        right = [
            hmac.compare_digest(hmac.new(k.encode(), text, hashlib.sha256).digest(), _bytes(given))
            for k in keys
        ]
        return "signature" if any(right) and said.signed is not None else None
    token = _digest(call.token or "")
    right = [hmac.compare_digest(_digest(key), token) for key in keys]
    return "token" if any(right) else None


def _bytes(digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return b""


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def admit(proven: Proof, said: Said, target: Target, now: datetime) -> None:
    """Let a proven call in.

    Raises:
        Refused: a real account wants a signature; or the call was sent too long ago, or its
            sender's clock is wrong.
        Malformed: a signed text does not say when it was sent.
    """
    if target is Target.REAL and proven != "signature":
        raise Refused(
            "signals of a real account must be signed: send the text in `payload` and"
            " X-Signalbox-Signature, as docs/quantconnect/signalbox_emitter.py does"
        )
    sent_at = _sent_at(said.value)
    if sent_at is None:
        if proven == "signature":
            raise Malformed("the signed text has no sentAt; add it, in seconds since 1970")
        return
    late_s = round((now - sent_at).total_seconds())
    if abs(late_s) > WINDOW.total_seconds():
        when = f"{late_s} s ago" if late_s > 0 else f"{-late_s} s in the future"
        raise Refused(
            f"this was sent {when}, more than {WINDOW.seconds} s from now;"
            " set the sender's clock, and send each text once, at once"
        )


def _sent_at(value: JsonValue) -> datetime | None:
    given = value.get("sentAt") if isinstance(value, dict) else None
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise Malformed("sentAt is not a number of seconds since 1970")
    try:
        return datetime.fromtimestamp(given, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Malformed("sentAt is not a number of seconds since 1970") from error


def push_id(config_id: str, said: Said) -> UUID:
    """The id of a push, by its text: the same text is the same push, however it is wrapped.

    Ids inside of it are qc-ingest's matter: an insight comes again when it ends sooner.
    """
    return ids.derive("push", config_id, _digest(said.text).hex())


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many calls an account may still make: so many at once, then one after each pause."""

    BURST = 60
    PAUSE = timedelta(milliseconds=200)

    used_until: datetime  # when the calls so far, one after each pause, would have ended

    def take(self, now: datetime) -> tuple["Allowance", timedelta]:
        """After one call, and how long to wait when it is one too many (else nothing)."""
        used_until = max(self.used_until, now) + self.PAUSE
        wait = used_until - now - self.PAUSE * self.BURST
        if wait > timedelta(0):
            return self, wait
        return Allowance(used_until), timedelta(0)
