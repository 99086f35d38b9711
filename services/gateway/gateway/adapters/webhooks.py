"""Takes calls of webhooks in: who calls, how often, and then a durable record of what was said."""

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from gateway.adapters import push_store
from gateway.adapters.push_store import Door
from gateway.domain import webhooks
from gateway.domain.access_errors import NotProven, TooManyTries
from gateway.domain.webhooks import FIELD, Allowance, Call, Said
from signalbox.contracts.config import GatewayConfig
from signalbox.contracts.errors import Malformed, PermanentError
from signalbox.contracts.events import Event, PushReceived
from signalbox.contracts.payloads import Push
from signalbox.contracts.subjects import MAX_MESSAGE_BYTES
from signalbox.runtime import metrics
from signalbox.runtime.db import Database
from signalbox.runtime.moment import Moment
from signalbox.runtime.secrets import SecretBox, new_key_pair, seal
from signalbox.runtime.service import Service

log = logging.getLogger(__name__)

_TOKEN_BYTES = 32
# The same words whatever is wrong: the account, its state, the token or the signature.
_WHO = "the token or the signature is not one that this address takes"


def new_token() -> str:
    """A fresh secret of 256 bits."""
    return f"sbx_hook_{secrets.token_urlsafe(_TOKEN_BYTES)}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the newest call that was not let in was not. The sender never sees it; a person does."""

    at: datetime
    why: str


class Webhooks:
    """The door for algorithms."""

    def __init__(self, service: Service[GatewayConfig]) -> None:
        self._service = service
        self._allowances: dict[str, Allowance] = {}
        self.refusals: dict[str, Refusal] = {}
        # An unknown account costs the same work as a known one with a wrong secret.
        private, public = new_key_pair()
        self._decoy_box = SecretBox(private)
        self._decoy = seal(public, config_id="", field=FIELD, plaintext=new_token())

    async def receive(self, db: Database, config_id: str, call: Call) -> tuple[UUID, bool]:
        """Let a call in and store it: its id, and whether it was there before.

        Raises:
            NotProven: no such account, not followed, or the secret is wrong: all alike.
            TooManyTries: the account has pushed too often.
            Refused: a real account without a signature, or a call of another time.
            Malformed: nothing that can be kept.
        """
        door = await db.read(lambda sql: push_store.door(sql, config_id))
        now = self._service.moment().wall
        said = webhooks.read(call.body)
        proven = webhooks.proof(call, said, self._secrets(door, now))
        if door is None:
            raise self._unknown()
        try:
            if proven is None:
                raise self._unknown()
            self._count(config_id, now)
            webhooks.admit(proven, said, door.target, now)
            return await self._store(config_id, call, said)
        except PermanentError as error:
            self.refusals[config_id] = Refusal(now, str(error))
            if proven is not None:  # strangers do not fill the log
                log.warning("a push for %s was refused: %s", config_id, error)
            raise

    @staticmethod
    def _unknown() -> NotProven:
        metrics.AUTH_FAILURES.labels("webhook").inc()
        return NotProven(_WHO)

    def _secrets(self, door: Door | None, now: datetime) -> list[str]:
        if door is None:
            return [self._decoy_box.open(self._decoy, config_id="", field=FIELD)]
        opened = []
        for sealed in door.webhook.valid(now):
            try:
                opened.append(self._service.box.open(sealed, config_id=door.config_id, field=FIELD))
            except PermanentError as error:
                log.error("make a new secret for this webhook: %s", error)
        return opened

    def _count(self, config_id: str, now: datetime) -> None:
        before = self._allowances.get(config_id) or Allowance(now)
        self._allowances[config_id], wait = before.take(now)
        if wait:
            metrics.AUTH_FAILURES.labels("throttled").inc()
            raise TooManyTries(
                f"more than {Allowance.BURST} pushes at once, or more often than every"
                f" {Allowance.PAUSE.total_seconds():g} s; send many insights in one push",
                retry_after_s=max(1, round(wait.total_seconds())),
            )

    async def _store(self, config_id: str, call: Call, said: Said) -> tuple[UUID, bool]:
        """One transaction: known from now on, and on its way to qc-ingest."""
        _check_text(call.body)
        push_id = webhooks.push_id(config_id, said)
        fresh: list[bool] = []

        def work(sql: Connection, moment: Moment[GatewayConfig]) -> list[Event]:
            fresh.append(push_store.remember(sql, push_id, config_id, moment.wall))
            if not fresh[-1]:
                return []
            push = Push(
                push_id=push_id, config_id=config_id, body=call.body, received_at=moment.wall
            )
            event = moment.event(PushReceived, push)
            if len(event.encode()) > MAX_MESSAGE_BYTES:
                raise Malformed("the body holds too many control characters")
            return [event]

        await self._service.transact(work)
        return push_id, not fresh[-1]


def _check_text(body: str) -> None:
    if not body.strip():
        raise Malformed("the body is empty; send the insights as JSON")
    try:
        body.encode()
    except UnicodeEncodeError as error:
        raise Malformed("the body is not UTF-8") from error
