"""Secrets sealed to the one service that needs them (X25519 sealed boxes of PyNaCl)."""

import base64
import json
from typing import Protocol

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from signalbox.contracts.errors import PermanentError
from signalbox.runtime import metrics


class Box(Protocol):
    """What opens sealed secrets."""

    def open(self, sealed: str, *, config_id: str, field: str) -> str:
        """The plaintext."""


def seal(public_key: str, *, config_id: str, field: str, plaintext: str) -> str:
    """Seal a secret so that only the owner of `public_key` (base64) opens it, and only in its own
    place.
    """
    body = json.dumps({"config": config_id, "field": field, "secret": plaintext}).encode()
    box = SealedBox(PublicKey(base64.b64decode(public_key)))
    return base64.b64encode(box.encrypt(body)).decode()


class SecretBox:
    """Opens what was sealed to this service. It has no printable content."""

    def __init__(self, private_key: str) -> None:
        self._box = SealedBox(PrivateKey(base64.b64decode(private_key)))

    def __repr__(self) -> str:
        return "SecretBox(***)"

    def open(self, sealed: str, *, config_id: str, field: str) -> str:
        """The plaintext of a secret that belongs to this config and field.

        Raises:
            PermanentError: sealed to another service, damaged, or moved from another place.
        """
        try:
            body = json.loads(self._box.decrypt(base64.b64decode(sealed)))
        except (CryptoError, ValueError) as error:
            metrics.SECRET_FAILURES.inc()
            raise PermanentError(f"the {field} of {config_id} does not open: {error}") from None
        if (body["config"], body["field"]) != (config_id, field):
            metrics.SECRET_FAILURES.inc()
            raise PermanentError(f"the {field} of {config_id} was sealed for another place")
        return str(body["secret"])


class NoBox:
    """Stands where a service has no key: opens nothing."""

    def open(self, sealed: str, *, config_id: str, field: str) -> str:
        """Always refuses."""
        raise PermanentError(f"this service has no key, so the {field} of {config_id} stays shut")


def new_key_pair() -> tuple[str, str]:
    """A fresh (private, public) pair, both base64."""
    private = PrivateKey.generate()
    return (
        base64.b64encode(bytes(private)).decode(),
        base64.b64encode(bytes(private.public_key)).decode(),
    )
