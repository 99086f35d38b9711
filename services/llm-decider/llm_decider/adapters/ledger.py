"""The budget ledger: attempts and the purses that pay for them, always changed together.

Every function runs in the caller's transaction. Purses are locked in the order of their key, so
that replicas wait for each other and never for ever.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import BigInteger, Select, delete, func, insert, select, tuple_, type_coerce
from sqlalchemy import Connection as Sql

from llm_decider.adapters.tables import llm_attempts, purses
from llm_decider.domain import budget
from llm_decider.domain.attempts import Attempt, State
from llm_decider.domain.budget import Purse, PurseKey, Refusal
from llm_decider.domain.shapes import Booking
from signalbox.contracts.config import LlmDeciderConfig
from signalbox.contracts.errors import Conflict, NotFound
from signalbox.runtime.columns import run_many
from signalbox.runtime.db import insert_new, upsert

Place = tuple[int, str]  # in a list of attempts: of one the time, in microseconds, and the id
_NOTHING = Decimal(0)
_EMPTY: dict[str, Any] = {
    "spent": _NOTHING,
    "reserved": _NOTHING,
    "held": _NOTHING,
    "calls": 0,
    "tokens": 0,
    "alerted": 0,
    "alerted_of": None,
}
_ATTEMPT = tuple(field.name for field in fields(Attempt))
_NEW_PURSE = insert_new(purses)
_SAVE_PURSE = upsert(purses, ["scope", "period", "key"])
_NEW_ATTEMPT = insert(llm_attempts)
_SAVE_ATTEMPT = upsert(llm_attempts, ["attempt_id"])
_STATES = {
    Booking.SETTLE: State.SETTLED,
    Booking.RELEASE: State.RELEASED,
    Booking.HOLD: State.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Crossing:
    """A threshold of a budget that was reached; it is told once."""

    purse: Purse
    threshold: int  # per cent


@dataclass(frozen=True, slots=True)
class Ended:
    """How one attempt ended."""

    attempt: Attempt
    booking: Booking
    cost_usd: Decimal
    latency_ms: float
    outcome: str
    error: str = ""
    status: int | None = None
    request_id: str = ""
    usage: dict[str, JsonValue] | None = None
    raw_text: str = ""


def begin(
    sql: Sql, config: LlmDeciderConfig, attempt: Attempt
) -> tuple[Refusal | None, list[Crossing]]:
    """Reserve the worst case in every purse and mark the attempt as started, or neither. An attempt
    that is there already cannot begin again: the database refuses it.
    """
    keys = budget.purse_keys(attempt.payers, attempt.at)
    run_many(sql, _NEW_PURSE, [asdict(key) | _EMPTY for key in keys])  # before any is locked
    found = _read(sql, config, keys, lock=True)
    after = budget.reserve(found, attempt.reserved_usd)
    if isinstance(after, Refusal):
        full = [purse for purse in found if not purse.fits(attempt.reserved_usd)]
        return after, _tell(sql, full, refused=True)
    _save(sql, after)
    run_many(sql, _NEW_ATTEMPT, [_row(attempt)])
    return None, []


def end(sql: Sql, config: LlmDeciderConfig, ended: Ended) -> list[Crossing]:
    """Move an attempt's money where its end says; a second end changes nothing.

    The exception is an attempt that was given up as unknown and whose answer came after all: its
    cost is settled.
    """
    stored = _stored(sql, ended.attempt.attempt_id)
    late = stored.state is State.UNKNOWN and ended.booking is not Booking.HOLD
    if stored.state is not State.STARTED and not late:
        return []
    after = replace(
        stored,
        state=_STATES[ended.booking],
        cost_usd=ended.cost_usd,
        latency_ms=ended.latency_ms,
        status=ended.status,
        request_id=ended.request_id[:128],
        outcome=ended.outcome,
        error=ended.error[:2000],
        usage=ended.usage or {},
        raw_text=ended.raw_text,
    )
    _update(sql, after)
    return _change(sql, config, stored, _move(stored, ended))


def _move(stored: Attempt, ended: Ended) -> Callable[[Purse], Purse]:
    """What an end does to every purse."""
    reserved, cost, tokens = stored.reserved_usd, ended.cost_usd, _tokens(ended.usage)
    if stored.state is State.UNKNOWN:
        return lambda purse: budget.resolve(purse, reserved, cost, tokens)
    if ended.booking is Booking.SETTLE:
        return lambda purse: budget.settle(purse, reserved, cost, tokens)
    if ended.booking is Booking.RELEASE:
        return lambda purse: budget.release(purse, reserved)
    return lambda purse: budget.hold(purse, reserved)


def resolve(sql: Sql, config: LlmDeciderConfig, wanted: UUID, cost: Decimal) -> list[Crossing]:
    """Put the known cost in the place of an unknown one.

    Raises:
        NotFound: no such attempt.
        Conflict: its outcome is known.
    """
    stored = _stored(sql, wanted)
    if stored.state is not State.UNKNOWN:
        raise Conflict(f"attempt {wanted} is {stored.state.value}; only unknown ones are settled")
    _update(sql, replace(stored, state=State.RESOLVED, cost_usd=cost))
    return _change(sql, config, stored, lambda p: budget.resolve(p, stored.reserved_usd, cost))


def attempts_of(sql: Sql, call_id: UUID) -> list[Attempt]:
    """Every attempt at a call, in order."""
    here = llm_attempts.c.call_id == str(call_id)
    rows = sql.execute(select(llm_attempts).where(here).order_by(llm_attempts.c.number))
    return [_attempt(row) for row in rows]


def unresolved(sql: Sql, most: int, after: Place | None) -> tuple[list[Attempt], Place | None]:
    """Attempts whose cost nobody knows, newest first, and where the list goes on."""
    at_us, key = type_coerce(llm_attempts.c.at, BigInteger), llm_attempts.c.attempt_id
    query = select(llm_attempts, at_us.label("at_us"))
    query = query.where(llm_attempts.c.state == State.UNKNOWN.value)
    if after is not None:
        query = query.where(tuple_(at_us, key) < after)
    rows = sql.execute(query.order_by(at_us.desc(), key.desc()).limit(most + 1)).all()
    shown = rows[:most]
    last = shown[-1] if len(rows) > most else None
    return [_attempt(row) for row in shown], last and (last.at_us, last.attempt_id)


def next_number(sql: Sql, call_id: UUID) -> int:
    """The number of the next attempt at a call, from 1."""
    highest = select(func.max(llm_attempts.c.number)).where(llm_attempts.c.call_id == str(call_id))
    return (sql.scalar(highest) or 0) + 1


def standing(sql: Sql, config: LlmDeciderConfig, wall: datetime) -> list[Purse]:
    """Every budget as it stands in the present day and month; changes nothing."""
    keys = budget.purse_keys((model.id for model in config.models), wall)
    found = {purse.at: purse for purse in _read(sql, config, keys, lock=False)}
    return [found.get(at) or Purse(at, _limit(config, at)) for at in keys]


def unsettled(wall: datetime) -> Select[tuple[str]]:
    """The calls of this month with an attempt whose cost nobody knows."""
    month = wall.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    here = (llm_attempts.c.state == State.UNKNOWN.value, llm_attempts.c.at >= month)
    return select(llm_attempts.c.call_id).where(*here)


def forget(sql: Sql, calls: Sequence[str]) -> None:
    """Drop the attempts at these calls; the purses keep what they cost."""
    if calls:
        sql.execute(delete(llm_attempts).where(llm_attempts.c.call_id.in_(calls)))


def _change(
    sql: Sql, config: LlmDeciderConfig, attempt: Attempt, change: Callable[[Purse], Purse]
) -> list[Crossing]:
    keys = budget.purse_keys(attempt.payers, attempt.at)
    after = [change(purse) for purse in _read(sql, config, keys, lock=True)]
    _save(sql, after)
    return _tell(sql, after)


def _tell(sql: Sql, found: Iterable[Purse], *, refused: bool = False) -> list[Crossing]:
    new = [(purse, budget.crossed(purse, refused=refused)) for purse in found]
    told = [Crossing(purse, threshold) for purse, threshold in new if threshold is not None]
    marks = [replace(one.purse, alerted=one.threshold, alerted_of=one.purse.limit) for one in told]
    _save(sql, marks)
    return told


def _read(
    sql: Sql, config: LlmDeciderConfig, keys: Sequence[PurseKey], *, lock: bool
) -> list[Purse]:
    """Those of these purses that are there, in the order of their keys."""
    key = (purses.c.scope, purses.c.period, purses.c.key)
    wanted = [(k.scope, k.period, k.key) for k in keys]
    query = select(purses).where(tuple_(*key).in_(wanted)).order_by(*key)
    found = []
    for row in sql.execute(query.with_for_update() if lock else query):
        at = PurseKey(row.scope, row.period, row.key)
        values = {name: row._mapping[name] for name in _EMPTY}
        found.append(Purse(at, _limit(config, at), **values))
    return sorted(found, key=lambda purse: purse.at)


def _limit(config: LlmDeciderConfig, at: PurseKey) -> Decimal | None:
    if at.scope == budget.TOTAL:
        return budget.limit_of(config.budget, at.period)
    named = budget.config_of(at.scope)
    found = next((model.budget for model in config.models if model.id == named), None)
    return budget.limit_of(found, at.period) if found else Decimal(0)


def _save(sql: Sql, changed: Sequence[Purse]) -> None:
    if changed:
        rows = [
            asdict(purse.at) | {name: getattr(purse, name) for name in _EMPTY} for purse in changed
        ]
        run_many(sql, _SAVE_PURSE, rows)


def _stored(sql: Sql, wanted: UUID) -> Attempt:
    query = select(llm_attempts).where(llm_attempts.c.attempt_id == str(wanted))
    row = sql.execute(query.with_for_update()).first()
    if row is None:
        raise NotFound(f"no attempt {wanted}")
    return _attempt(row)


def _attempt(row: Any) -> Attempt:
    values = {name: row._mapping[name] for name in _ATTEMPT}
    return Attempt(
        **values
        | {
            "attempt_id": UUID(row.attempt_id),
            "call_id": UUID(row.call_id),
            "payers": tuple(row.payers),
            "state": State(row.state),
        }
    )


def _update(sql: Sql, attempt: Attempt) -> None:
    run_many(sql, _SAVE_ATTEMPT, [_row(attempt)])


def _row(attempt: Attempt) -> dict[str, Any]:
    return {name: getattr(attempt, name) for name in _ATTEMPT} | {
        "attempt_id": str(attempt.attempt_id),
        "call_id": str(attempt.call_id),
        "payers": list(attempt.payers),
        "state": attempt.state.value,
    }


def _tokens(usage: dict[str, JsonValue] | None) -> int:
    found = [(usage or {}).get(name) for name in ("input_total", "output_total")]
    return sum(value for value in found if isinstance(value, int))
