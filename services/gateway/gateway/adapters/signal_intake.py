"""Takes signals of programs and people in: how often, once for each key, and on to the bus."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, delete, select

from gateway.adapters import config_store
from gateway.adapters.primary_tables import submissions
from gateway.adapters.read_tables import signals
from gateway.domain.access_errors import TooManyTries
from gateway.domain.submissions import (
    REMEMBERED,
    KeyReused,
    Market,
    SignalBody,
    SignalTaken,
    Speaker,
    digest,
    signal_of,
    taken,
)
from gateway.domain.webhooks import Allowance
from signalbox.contracts.config import GatewayConfig
from signalbox.contracts.errors import TransientError
from signalbox.contracts.events import Event, SignalRaised
from signalbox.runtime import metrics
from signalbox.runtime.moment import Moment
from signalbox.runtime.service import Service


class SignalIntake:
    """The door for signals that no service of ours makes."""

    def __init__(self, service: Service[GatewayConfig]) -> None:
        self._service = service
        self._allowances: dict[Speaker, Allowance] = {}

    async def submit(self, speaker: Speaker, body: SignalBody, key: str) -> SignalTaken:
        """Raise the signal, durably; the same key and body again give the same answer.

        Raises:
            TooManyTries: this sender has sent too many.
            KeyReused: the key names another signal.
            Malformed: it ends before it begins, or stands too long.
            TransientError: the market clock stands still.
        """
        self._count(speaker, self._service.moment().wall)
        answers: list[SignalTaken] = []

        def work(sql: Connection, moment: Moment[GatewayConfig]) -> list[Event]:
            known = _known(sql, speaker, key, digest(body))
            if known is not None:
                answers.append(known)
                return []
            if moment.frozen:
                raise TransientError(
                    "the market clock stands still, so nobody can say how long a signal would"
                    " hold; market-data renews it"
                )
            at = Market(moment.now, moment.epoch, moment.replay, moment.speed)
            signal = signal_of(body, speaker, key, at)
            answers.append(taken(signal))
            _refuse_old(sql, str(signal.signal_id))
            _remember(sql, speaker, key, digest(body), answer=answers[-1], at=moment.wall)
            # Whoever reads it must know at least the bots that are configured by now.
            stamped = replace(moment, version=config_store.version(sql))
            return [stamped.event(SignalRaised, signal)]

        if await self._service.transact(work):
            metrics.SIGNALS.labels(speaker.source_type, speaker.source_id, "raised").inc()
        else:
            metrics.SIGNAL_DUPLICATES.labels(speaker.source_id).inc()
        return answers[-1]

    def _count(self, speaker: Speaker, now: datetime) -> None:
        before = self._allowances.get(speaker) or Allowance(now)
        self._allowances[speaker], wait = before.take(now)
        if wait:
            raise TooManyTries(
                f"more than {Allowance.BURST} signals at once, or more often than every"
                f" {Allowance.PAUSE.total_seconds():g} s",
                retry_after_s=max(1, round(wait.total_seconds())),
            )


def _known(sql: Connection, speaker: Speaker, key: str, body_hash: str) -> SignalTaken | None:
    query = select(submissions.c.body_hash, submissions.c.answer).where(
        submissions.c.source_type == speaker.source_type.value,
        submissions.c.source_id == speaker.source_id,
        submissions.c.key == key,
    )
    row = sql.execute(query).one_or_none()
    if row is None:
        return None
    if row.body_hash != body_hash:
        raise KeyReused("this Idempotency-Key came with another body before")
    return SignalTaken.model_validate_json(row.answer)


def _refuse_old(sql: Connection, signal_id: str) -> None:
    """A key that was forgotten must not name two signals."""
    if sql.scalar(select(signals.c.id).where(signals.c.id == signal_id)) is not None:
        raise KeyReused(f"this Idempotency-Key was used more than {REMEMBERED.days} days ago")


def _remember(
    sql: Connection,
    speaker: Speaker,
    key: str,
    body_hash: str,
    *,
    answer: SignalTaken,
    at: datetime,
) -> None:
    sql.execute(delete(submissions).where(submissions.c.at < at - REMEMBERED))
    row = {
        "source_type": speaker.source_type.value,
        "source_id": speaker.source_id,
        "key": key,
        "body_hash": body_hash,
        "answer": answer.model_dump_json(),
        "at": at,
    }
    sql.execute(submissions.insert(), [row])
