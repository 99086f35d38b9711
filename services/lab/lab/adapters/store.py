"""What the lab remembers: one row per signal."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, func, select, update

from lab.adapters.tables import scores
from lab.domain.scoring import Claim, Why
from signalbox.contracts.assessments import OutcomeScore
from signalbox.contracts.events import Event
from signalbox.contracts.values import Action, SourceType
from signalbox.runtime.columns import run_many
from signalbox.runtime.db import insert_new
from signalbox.runtime.moment import Moment

WAITING, SCORED, UNSCORED = "waiting", "scored", "unscored"
KEPT = timedelta(days=30)  # wall time: how long a row can still say what came of its signal

_NEW = insert_new(scores)


@dataclass(slots=True)
class Work:
    """The signals of a batch, each with why it will never have a score, if that is known."""

    heard: list[tuple[Claim, Why | None]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one signal."""

    state: str
    why: str
    due_at: datetime
    forward_return: str | None


def load(_sql: Connection, _events: Sequence[Event], _moment: Moment[Any]) -> Work:
    """Nothing is needed to hear a signal."""
    return Work()


def save(sql: Connection, work: Work, moment: Moment[Any]) -> None:
    """Write down what is to be scored; a signal that is known stays as it is."""
    run_many(sql, _NEW, [_row(claim, why, moment) for claim, why in work.heard])


def due(sql: Connection, before: datetime, most: int) -> list[Claim]:
    """Waiting claims whose horizon lies before a market time, soonest first."""
    query = select(scores).where(scores.c.state == WAITING, scores.c.due_at < before)
    rows = sql.execute(query.order_by(scores.c.due_at, scores.c.signal_id).limit(most))
    return [_claim(row) for row in rows]


def end(
    sql: Connection, ended: Sequence[tuple[Claim, OutcomeScore | Why]], moment: Moment[Any]
) -> list[OutcomeScore]:
    """Write down what came of claims; returns the scores of those that were still waiting."""
    made = []
    for claim, result in ended:
        values: dict[str, object] = {"ended_at": moment.wall}
        if isinstance(result, OutcomeScore):
            values |= {"state": SCORED, "forward_return": result.forward_return}
        else:
            values |= {"state": UNSCORED, "why": result.value}
        mine = (scores.c.signal_id == str(claim.signal_id)) & (scores.c.state == WAITING)
        changed = sql.execute(update(scores).where(mine).values(**values)).rowcount
        if changed and isinstance(result, OutcomeScore):
            made.append(result)
    return made


def forget(sql: Connection, moment: Moment[Any]) -> None:
    """Drop the rows that ended long ago; the events tell of them for good."""
    sql.execute(delete(scores).where(scores.c.ended_at < moment.wall - KEPT))


def counts(sql: Connection) -> dict[tuple[str, str], int]:
    """How many rows there are, by state and why."""
    query = select(scores.c.state, scores.c.why, func.count()).group_by(
        scores.c.state, scores.c.why
    )
    return {(state, why): count for state, why, count in sql.execute(query)}


def one(sql: Connection, signal_id: UUID) -> Row | None:
    """What is known of a signal."""
    row = sql.execute(select(scores).where(scores.c.signal_id == str(signal_id))).one_or_none()
    if row is None:
        return None
    result = None if row.forward_return is None else str(row.forward_return)
    return Row(row.state, row.why, row.due_at, result)


def _row(claim: Claim, why: Why | None, moment: Moment[Any]) -> dict[str, object]:
    return {
        "signal_id": str(claim.signal_id),
        "source_type": claim.source_type.value,
        "source_id": claim.source_id,
        "symbol": claim.symbol,
        "action": claim.action.value,
        "confidence": claim.confidence,
        "raised_at": claim.raised_at,
        "due_at": claim.due_at,
        "epoch": claim.epoch,
        "state": UNSCORED if why else WAITING,
        "why": why.value if why else "",
        "forward_return": None,
        "ended_at": moment.wall if why else None,
    }


def _claim(row: Any) -> Claim:
    return Claim(
        signal_id=UUID(row.signal_id),
        source_type=SourceType(row.source_type),
        source_id=row.source_id,
        symbol=row.symbol,
        action=Action(row.action),
        confidence=row.confidence,
        raised_at=row.raised_at,
        due_at=row.due_at,
        epoch=row.epoch,
    )
