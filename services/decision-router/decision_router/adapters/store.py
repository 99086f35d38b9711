"""What the router remembers: one row per (bot, symbol), and the rounds that wait for a person.

Everything is read and written for a whole batch at once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select

from decision_router.adapters.tables import rounds, states
from decision_router.domain.arbitration import NOBODY, Pending
from decision_router.domain.situation import Situation
from decision_router.domain.state import State
from signalbox.contracts.config import RouterConfig
from signalbox.contracts.errors import Conflict
from signalbox.contracts.events import Event, SignalRaised, SignalWithdrawn, VerdictReached
from signalbox.contracts.payloads import Verdict
from signalbox.contracts.values import Outcome
from signalbox.runtime.columns import rows_in, run_many
from signalbox.runtime.db import upsert
from signalbox.runtime.moment import Moment

Key = tuple[str, str]  # bot and symbol
T = TypeVar("T")

KEPT = timedelta(days=7)  # wall time: how long an ended round can still say how it ended
DUE_AT_ONCE = 200  # rounds that lapse in one transaction

_STATE: TypeAdapter[State] = TypeAdapter(State)
_EMPTY = State()
_CHUNK = 400  # signals in one query; SQLite takes 32,766 variables, older ones 999
_PUT_STATES = upsert(states, ["bot", "symbol"])
_PUT_ROUNDS = upsert(rounds, ["verdict_id"])


@dataclass(slots=True)
class Work:
    """Everything that a batch may read, and what it has changed."""

    situation: Situation
    loaded: dict[Key, State]
    changed: dict[Key, State] = field(default_factory=dict)
    waiting: dict[UUID, Pending] = field(default_factory=dict)  # by the verdict of round 0
    changed_rounds: dict[UUID, Pending] = field(default_factory=dict)
    reached: list[Verdict] = field(default_factory=list)
    waited_s: list[float] = field(default_factory=list)  # of each signal, from when it was raised

    def state(self, key: Key) -> State:
        """The state as this batch has left it so far; an empty one at first."""
        return self.changed.get(key) or self.loaded.get(key, _EMPTY)

    def waiting_for(self, signal_id: UUID) -> list[Pending]:
        """The rounds in which this signal waits, of whatever bot."""
        return [p for p in self.waiting.values() if p.verdict.signal.signal_id == signal_id]

    def keep(self, pending: Pending) -> None:
        """Write this round down; it waits on unless it has ended."""
        verdict_id = pending.verdict.verdict_id
        self.changed_rounds[verdict_id] = pending
        if pending.ended_by is None:
            self.waiting[verdict_id] = pending
        else:
            self.waiting.pop(verdict_id, None)


def situation_of(moment: Moment[RouterConfig]) -> Situation:
    """What the rules may know of this moment."""
    return Situation(
        bots=moment.config.bots,
        flags=moment.config.flags,
        now=moment.now,
        epoch=moment.epoch,
        replay=moment.replay,
    )


def load(sql: Connection, events: Sequence[Event], moment: Moment[RouterConfig]) -> Work:
    """The state of every (bot, symbol) that these events touch; absent ones start empty."""
    situation = situation_of(moment)
    waiting = _waiting_for(sql, events)
    keys = {(p.verdict.bot, p.verdict.signal.symbol): None for p in waiting}
    for event in events:
        if isinstance(event, SignalRaised | SignalWithdrawn):
            data = event.data
            bots = situation.listening((data.source_type, data.source_id))
            keys.update(((bot.id, data.symbol), None) for bot in bots)
            if not bots:
                keys[NOBODY, data.symbol] = None
    return _work(sql, situation, keys, waiting)


def save(sql: Connection, work: Work, moment: Moment[RouterConfig]) -> None:
    """Write what has changed, one statement for each table."""
    run_many(sql, _PUT_STATES, [_state_row(k, s) for k, s in work.changed.items()])
    run_many(sql, _PUT_ROUNDS, [_round_row(p, moment) for p in work.changed_rounds.values()])


def load_round(sql: Connection, verdict_id: UUID, moment: Moment[RouterConfig]) -> Work:
    """One waiting round with the state it belongs to.

    Raises:
        Conflict: nothing waits under this id; the message says how it ended, if that is known.
    """
    row = sql.execute(select(rounds).where(rounds.c.verdict_id == str(verdict_id))).one_or_none()
    if row is None:
        raise Conflict(f"verdict {verdict_id} does not wait for approval")
    if row.outcome != Outcome.PENDING:
        by = f" by {row.decided_by}" if row.decided_by else ""
        why = "" if row.reason == row.outcome else f": {row.reason.replace('_', ' ')}"
        raise Conflict(f"verdict {verdict_id} waits no longer, it was {row.outcome}{by}{why}")
    pending = _pending(row)
    key = (row.bot, row.symbol)
    return _work(sql, situation_of(moment), [key], [pending])


def load_due(sql: Connection, moment: Moment[RouterConfig]) -> Work:
    """The rounds that nobody answered in time, soonest first, at most `DUE_AT_ONCE`."""
    query = select(rounds).where(_is_due(moment)).order_by(rounds.c.expires_at, rounds.c.verdict_id)
    due = [_pending(row) for row in sql.execute(query.limit(DUE_AT_ONCE))]
    keys = {(p.verdict.bot, p.verdict.signal.symbol): None for p in due}
    return _work(sql, situation_of(moment), keys, due)


def count_waiting(sql: Connection) -> int:
    """How many rounds wait for a person."""
    query = select(func.count()).where(rounds.c.outcome == Outcome.PENDING)
    return sql.scalar(query) or 0


def anything_to_do(sql: Connection, moment: Moment[RouterConfig]) -> bool:
    """Whether a round is due to lapse or to be forgotten."""
    query = select(rounds.c.verdict_id).where(or_(_is_due(moment), _is_old(moment)))
    return sql.execute(query.limit(1)).first() is not None


def forget(sql: Connection, moment: Moment[RouterConfig]) -> None:
    """Drop the rounds that ended long ago; the events tell of them for good."""
    sql.execute(delete(rounds).where(_is_old(moment)))


def _is_due(moment: Moment[RouterConfig]) -> ColumnElement[bool]:
    exchanged = and_(rounds.c.epoch != moment.epoch, rounds.c.evaluated_at > moment.now)
    return and_(
        rounds.c.outcome == Outcome.PENDING, or_(rounds.c.expires_at <= moment.now, exchanged)
    )


def _is_old(moment: Moment[RouterConfig]) -> ColumnElement[bool]:
    return rounds.c.ended_at < moment.wall - KEPT


def _work(
    sql: Connection, situation: Situation, keys: Iterable[Key], waiting: Iterable[Pending]
) -> Work:
    loaded = {
        key: state.on_clock(situation.now, situation.epoch) for key, state in _states(sql, keys)
    }
    return Work(situation, loaded, waiting={p.verdict.verdict_id: p for p in waiting})


def _states(sql: Connection, keys: Iterable[Key]) -> Iterator[tuple[Key, State]]:
    symbols: dict[str, list[str]] = {}
    for bot, symbol in keys:
        symbols.setdefault(bot, []).append(symbol)
    query = "SELECT symbol, body FROM states WHERE bot = ? AND symbol"
    for bot, some in symbols.items():
        for symbol, body in rows_in(sql, query, some, bot):
            yield (bot, symbol), _STATE.validate_json(body)


def _waiting_for(sql: Connection, events: Sequence[Event]) -> list[Pending]:
    """The waiting rounds of the signals that are withdrawn in this batch."""
    withdrawn = {str(e.data.signal_id) for e in events if isinstance(e, SignalWithdrawn)}
    found: list[Pending] = []
    for chunk in _chunks(sorted(withdrawn)):
        query = select(rounds).where(
            rounds.c.signal_id.in_(chunk), rounds.c.outcome == Outcome.PENDING
        )
        found.extend(_pending(row) for row in sql.execute(query.order_by(rounds.c.verdict_id)))
    return found


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))


def _pending(row: Any) -> Pending:
    event = VerdictReached.model_validate_json(row.event)
    return Pending(event, row.expires_at, row.epoch)


def _state_row(key: Key, state: State) -> dict[str, object]:
    body = _STATE.dump_json(state, exclude_none=True).decode()
    return {"bot": key[0], "symbol": key[1], "sequence": state.sequence, "body": body}


def _round_row(pending: Pending, moment: Moment[RouterConfig]) -> dict[str, object]:
    first, last = pending.verdict, pending.ended_by or pending.verdict
    return {
        "verdict_id": str(first.verdict_id),
        "signal_id": str(first.signal.signal_id),
        "bot": first.bot,
        "symbol": first.signal.symbol,
        "epoch": pending.epoch,
        "evaluated_at": first.evaluated_at,
        "expires_at": pending.expires_at,
        "event": pending.event.encode().decode(),
        "outcome": last.outcome.value,
        "reason": last.reason.value,
        "decided_by": last.decided_by or "",
        "ended_at": None if pending.ended_by is None else moment.wall,
    }
