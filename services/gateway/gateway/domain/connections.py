"""A QuantConnect account as the gateway keeps it: everything but the token itself."""

import hashlib

from gateway.domain.webhooks import Webhook
from signalbox.contracts.config import QuantConnectConfig
from signalbox.contracts.values import UtcTime


def hint(secret: str) -> str:
    """The end of a secret that may be shown: four characters, and never more than half of it."""
    return secret[len(secret) - min(4, len(secret) // 2) :]


def fingerprint(kind: str, key: str, secret: str) -> str:
    """What tells whether a key is stored already, without giving the key away."""
    return hashlib.sha256("|".join((kind, key, secret)).encode()).hexdigest()


class Connection(QuantConnectConfig):
    """One row: what qc-ingest is told, and what only the gateway knows."""

    owner: str = ""  # the user who made it
    secret_hint: str = ""
    secret_at: UtcTime | None = None  # when the token was entered
    fingerprint: str = ""
    webhook: Webhook | None = None  # none was made yet
    created_at: UtcTime
    updated_at: UtcTime

    def document(self) -> QuantConnectConfig:
        """The part that qc-ingest is told."""
        return QuantConnectConfig.model_validate(self.model_dump())
