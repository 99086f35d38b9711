"""Reads and writes of llm-decider's own tables but the ledger's. Rows stay inside, frozen values
come out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection as Sql
from sqlalchemy import delete, func, select, tuple_, update

from llm_decider.adapters import ledger
from llm_decider.adapters.tables import cache, calls, decisions, intents, positions, watches
from llm_decider.domain.attempts import Call, Intent
from llm_decider.domain.triggers import Watch
from signalbox.contracts.payloads import Position
from signalbox.runtime.columns import run_many
from signalbox.runtime.db import UtcDateTime, insert_new, upsert

WatchKey = tuple[str, str]  # config id, symbol
_NOBODY = ""
_SAVE_WATCH = upsert(watches, ["config_id", "symbol"])
_NEW_INTENT, _NEW_CALL, _NEW_DECISION = map(insert_new, (intents, calls, decisions))


@dataclass(frozen=True, slots=True)
class Lease:
    """Who asks, and until when nobody else does. Wall times."""

    holder: str
    wall: datetime
    life: timedelta

    @property
    def until(self) -> datetime:
        """When it ends unless it is renewed."""
        return self.wall + self.life


def lock_watches(sql: Sql, keys: Iterable[WatchKey]) -> dict[WatchKey, Watch]:
    """What is known of these symbols, locked until the transaction ends."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    empty = [asdict(Watch(config_id, symbol)) for config_id, symbol in wanted]
    sql.execute(insert_new(watches), empty)
    key = (watches.c.config_id, watches.c.symbol)
    query = select(watches).where(tuple_(*key).in_(wanted)).order_by(*key).with_for_update()
    found = (Watch(**row._asdict()) for row in sql.execute(query))
    return {(watch.config_id, watch.symbol): watch for watch in found}


def save_watches(sql: Sql, changed: Sequence[Watch]) -> None:
    """Remember these, in one statement."""
    if changed:
        rows = [asdict(watch) for watch in changed]
        run_many(sql, _SAVE_WATCH, rows)


def last_asked(sql: Sql) -> dict[str, datetime]:
    """When each config's symbols were last asked about, the earliest of them. Market times."""
    query = select(watches.c.config_id, func.min(watches.c.asked_at, type_=UtcDateTime))
    rows = sql.execute(query.where(watches.c.asked_at.is_not(None)).group_by(watches.c.config_id))
    return {row[0]: row[1] for row in rows}


def add_intents(sql: Sql, wanted: Sequence[Intent]) -> None:
    """Remember which bars are to be asked about, oldest first. Only the newest question of a config
    about a symbol is kept.
    """
    if not wanted:
        return
    known = set(sql.scalars(select(decisions.c.decision_id).where(_one_of(decisions, wanted))))
    new = [intent for intent in wanted if str(intent.decision_id) not in known]
    fresh = list({(intent.config_id, intent.symbol): intent for intent in new}.values())
    for intent in fresh:
        older = (intents.c.config_id == intent.config_id) & (intents.c.symbol == intent.symbol)
        sql.execute(delete(intents).where(older))
    rows = [asdict(one) | {"decision_id": str(one.decision_id)} for one in fresh]
    if rows:
        run_many(sql, _NEW_INTENT, rows)


def waiting_intents(sql: Sql, *, lock: bool) -> list[Intent]:
    """What no call has taken yet, oldest first, but for rows that others are taking."""
    query = select(intents).order_by(intents.c.created_at, intents.c.decision_id)
    rows = sql.execute(query.with_for_update(skip_locked=True) if lock else query)
    return [Intent(**row._asdict() | {"decision_id": UUID(row.decision_id)}) for row in rows]


def add_calls(sql: Sql, made: Sequence[Call], lease: Lease) -> None:
    """Make calls of what waited for them."""
    if not made:
        return
    held = {"done": False, "holder": lease.holder, "leased_until": lease.until, "messages": None}
    rows = [
        asdict(c) | held | {"call_id": str(c.call_id), "symbols": list(c.symbols)} for c in made
    ]
    run_many(sql, _NEW_CALL, rows)
    named = [
        {
            "decision_id": str(c.decision_id(symbol)),
            "call_id": str(c.call_id),
            "symbol": symbol,
        }
        for c in made
        for symbol in c.symbols
    ]
    run_many(sql, _NEW_DECISION, named)
    gone = [one["decision_id"] for one in named]
    sql.execute(delete(intents).where(intents.c.decision_id.in_(gone)))


def is_work_left(sql: Sql, wall: datetime) -> bool:
    """Whether a call waits whose holder is gone."""
    return sql.execute(_abandoned(wall).limit(1)).first() is not None


def take_calls(sql: Sql, lease: Lease, most: int) -> list[Call]:
    """Lease calls that nobody asks, oldest first."""
    query = _abandoned(lease.wall).order_by(calls.c.created_at).limit(most)
    found = [_call(row) for row in sql.execute(query.with_for_update(skip_locked=True))]
    _lease(sql, [call.call_id for call in found], lease)
    return found


def renew_leases(sql: Sql, call_ids: Sequence[UUID], lease: Lease) -> None:
    """Go on holding these."""
    _lease(sql, call_ids, lease, calls.c.holder == lease.holder)


def drop_leases(sql: Sql, holder: str | None, wall: datetime) -> None:
    """Let others go on at once with what a holder, or anybody, had begun."""
    mine = [calls.c.done.is_(False), *([calls.c.holder == holder] if holder else [])]
    sql.execute(update(calls).where(*mine).values(holder=_NOBODY, leased_until=wall))


def is_open(sql: Sql, call_id: UUID) -> bool:
    """Whether nobody has answered a call yet; it is locked until the transaction ends."""
    query = select(calls.c.done).where(calls.c.call_id == str(call_id))
    return not sql.execute(query.with_for_update()).scalar_one()


def finish_call(sql: Sql, call_id: UUID, messages: Mapping[str, JsonValue] | None = None) -> None:
    """Nobody asks this again; `messages` is what was asked."""
    values = {"done": True, "messages": dict(messages or {})}
    sql.execute(update(calls).where(calls.c.call_id == str(call_id)).values(values))


def find_call(sql: Sql, decision_id: UUID) -> tuple[Call, dict[str, JsonValue]] | None:
    """The call that answers for a decision, and what was asked."""
    named = select(decisions.c.call_id).where(decisions.c.decision_id == str(decision_id))
    row = sql.execute(select(calls).where(calls.c.call_id.in_(named))).first()
    return (_call(row), row.messages or {}) if row else None


def decided(sql: Sql, call_ids: Iterable[UUID]) -> dict[UUID, dict[str, str]]:
    """The decisions that calls answer for, by call and symbol."""
    found: dict[UUID, dict[str, str]] = {call_id: {} for call_id in call_ids}
    of_calls = decisions.c.call_id.in_([str(call_id) for call_id in found])
    for row in sql.execute(select(decisions).where(of_calls)):
        found[UUID(row.call_id)][row.symbol] = row.decision_id
    return found


def cached(sql: Sql, key: str, wall: datetime) -> dict[str, Any] | None:
    """A whole answer that was given to the same question not long ago, by symbol."""
    fresh = select(cache.c.body).where(cache.c.key == key, cache.c.expires_at > wall)
    found: dict[str, Any] | None = sql.scalar(fresh)
    return found


def keep_answer(sql: Sql, key: str, body: dict[str, JsonValue], expires_at: datetime) -> None:
    """Remember a whole answer."""
    row = {"key": key, "body": body, "expires_at": expires_at}
    sql.execute(upsert(cache, ["key"]), [row])


def save_positions(sql: Sql, heard: Sequence[Position]) -> None:
    """Remember what bots hold; an older word does not replace a newer one."""
    for position in heard:
        row = {
            "bot": position.bot,
            "symbol": position.symbol,
            "at": position.at,
            "body": position.model_dump(mode="json"),
        }
        here = (positions.c.bot == position.bot) & (positions.c.symbol == position.symbol)
        newer = sql.execute(select(positions.c.at).where(here, positions.c.at > position.at))
        if newer.first() is None:
            sql.execute(upsert(positions, ["bot", "symbol"]), [row])


def load_positions(sql: Sql, bot: str, symbols: Sequence[str]) -> dict[str, Position]:
    """What a bot holds of these symbols."""
    here = (positions.c.bot == bot) & positions.c.symbol.in_(symbols)
    rows = sql.execute(select(positions.c.body).where(here))
    found = (Position.model_validate(row.body) for row in rows)
    return {position.symbol: position for position in found}


def forget(sql: Sql, wall: datetime, keep: timedelta, most: int = 500) -> int:
    """Drop finished calls and answers that are older than `keep`; at most `most` at once. A call
    whose cost somebody may still enter stays until the month that it counts for is over.
    """
    before = wall - keep
    old = select(calls.c.call_id).where(calls.c.created_at < before, calls.c.done.is_(True))
    awaited = calls.c.call_id.in_(ledger.unsettled(wall))
    gone = list(sql.scalars(old.where(~awaited).limit(most)))
    sql.execute(delete(cache).where(cache.c.expires_at < before))
    if gone:
        ledger.forget(sql, gone)
        sql.execute(delete(decisions).where(decisions.c.call_id.in_(gone)))
        sql.execute(delete(calls).where(calls.c.call_id.in_(gone)))
    return len(gone)


def _lease(sql: Sql, call_ids: Sequence[UUID], lease: Lease, *where: Any) -> None:
    if call_ids:
        mine = calls.c.call_id.in_([str(one) for one in call_ids])
        values = {"holder": lease.holder, "leased_until": lease.until}
        sql.execute(update(calls).where(mine, calls.c.done.is_(False), *where).values(values))


def _abandoned(wall: datetime) -> Any:
    return select(calls).where(calls.c.done.is_(False), calls.c.leased_until <= wall)


def _call(row: Any) -> Call:
    names = [name for name in Call.__dataclass_fields__ if name not in {"call_id", "symbols"}]
    values = row._asdict()
    return Call(
        call_id=UUID(row.call_id),
        symbols=tuple(row.symbols),
        **{name: values[name] for name in names},
    )


def _one_of(table: Any, wanted: Sequence[Intent]) -> Any:
    return table.c.decision_id.in_([str(intent.decision_id) for intent in wanted])
