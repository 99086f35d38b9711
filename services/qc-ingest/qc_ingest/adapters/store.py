"""Reads and writes of qc-ingest's own tables. Rows stay inside, frozen values come out."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, tuple_, update
from sqlalchemy import Connection as Sql

from qc_ingest.adapters.tables import connections, cursors, known, leases
from qc_ingest.domain.health import Connection, NotTaken, Trouble
from qc_ingest.domain.judge import Known, Status
from qc_ingest.domain.pages import Cursor, Kind
from signalbox.runtime.columns import run_many
from signalbox.runtime.db import insert_new, upsert

_MOST_BODY = 16_384  # characters of JSON kept of one item
_CURSOR_KEYS = ["config_id", "project_id", "deploy_id", "kind"]
_SAVE_KNOWN = upsert(known, ["config_id", "own_id"])


def load_cursor(sql: Sql, start: Cursor) -> Cursor:
    """The stored cursor of the list that `start` names, else `start` itself."""
    row = sql.execute(select(cursors).where(_same_list(start))).one_or_none()
    if row is None:
        return start
    return Cursor(**{**row._asdict(), "kind": Kind(row.kind)})


def save_cursor(sql: Sql, cursor: Cursor) -> None:
    """Remember how far a list has been read."""
    sql.execute(upsert(cursors, _CURSOR_KEYS), [{**asdict(cursor), "kind": cursor.kind.value}])


def close_cursors(sql: Sql, config_id: str, project_id: int, *, keep: str = "") -> None:
    """Close the cursors of a project's deployments other than `keep`."""
    others = and_(
        cursors.c.config_id == config_id,
        cursors.c.project_id == project_id,
        cursors.c.deploy_id != keep,
        cursors.c.closed.is_(False),
    )
    sql.execute(update(cursors).where(others).values(closed=True))


def open_lists(sql: Sql, config_id: str) -> list[tuple[int, str]]:
    """Project and deployment of every list that is not read to its end."""
    here = and_(cursors.c.config_id == config_id, cursors.c.closed.is_(False))
    query = select(cursors.c.project_id, cursors.c.deploy_id).where(here).distinct()
    return [(row.project_id, row.deploy_id) for row in sql.execute(query)]


def load_known(sql: Sql, config_id: str, own_ids: Iterable[str]) -> dict[str, Known]:
    """What one config remembers of these words, by their own ids."""
    wanted = sorted(set(own_ids))
    found: dict[str, Known] = {}
    for start in range(0, len(wanted), 400):
        some = known.c.own_id.in_(wanted[start : start + 400])
        for row in sql.execute(select(known).where(known.c.config_id == config_id, some)):
            found[row.own_id] = Known(
                **{**row._asdict(), "kind": Kind(row.kind), "status": Status(row.status)}
            )
    return found


def save_known(sql: Sql, words: Sequence[Known]) -> None:
    """Remember these words, in one statement."""
    run_many(sql, _SAVE_KNOWN, [_known_row(word) for word in words])


def load_not_taken(sql: Sql, config_id: str, since: datetime) -> NotTaken | None:
    """What was refused or is held back of a config's words since a wall time."""
    these = and_(
        known.c.seen_at > since,
        known.c.config_id == config_id,
        known.c.status.in_([Status.REFUSED.value, Status.HELD.value]),
    )
    count = sql.execute(select(func.count()).select_from(known).where(these)).scalar_one()
    newest = select(known.c.project_id, known.c.reason).where(these)
    row = sql.execute(newest.order_by(known.c.seen_at.desc()).limit(1)).first()
    return NotTaken(count, row.project_id, row.reason) if row else None


def forget_known(sql: Sql, before: datetime, most: int = 2000) -> int:
    """Drop words that were seen before a wall time; at most `most` at once. Returns how many."""
    old = select(known.c.config_id, known.c.own_id).where(known.c.seen_at < before).limit(most)
    keys = [tuple(row) for row in sql.execute(old)]
    if not keys:
        return 0
    where = tuple_(known.c.config_id, known.c.own_id).in_(keys)
    return sql.execute(delete(known).where(where)).rowcount


def take_lease(sql: Sql, config_id: str, holder: str, wall: datetime, life: timedelta) -> bool:
    """Whether `holder` may poll a config until `wall + life`: nobody else does."""
    mine = {"holder": holder, "expires_at": wall + life}
    free = or_(leases.c.holder == holder, leases.c.expires_at <= wall)
    renewed = sql.execute(update(leases).where(leases.c.config_id == config_id, free).values(mine))
    if renewed.rowcount:
        return True
    first = insert_new(leases).values(config_id=config_id, **mine)
    return sql.execute(first.returning(leases.c.holder)).first() is not None


def drop_leases(sql: Sql, holder: str) -> None:
    """Let another replica go on at once."""
    sql.execute(delete(leases).where(leases.c.holder == holder))


def load_connections(sql: Sql) -> dict[str, Connection]:
    """How every config was found last."""
    found = {}
    for row in sql.execute(select(connections)):
        trouble = None if row.trouble is None else Trouble(row.trouble)
        found[row.config_id] = Connection(**{**row._asdict(), "trouble": trouble})
    return found


def save_connection(sql: Sql, connection: Connection) -> None:
    """Remember how a config was found."""
    trouble = connection.trouble and connection.trouble.value
    sql.execute(upsert(connections, ["config_id"]), [{**asdict(connection), "trouble": trouble}])


def drop_connection(sql: Sql, config_id: str) -> None:
    """Forget a config that is no longer polled."""
    sql.execute(delete(connections).where(connections.c.config_id == config_id))


def _known_row(word: Known) -> dict[str, object]:
    fits = len(str(word.body)) <= _MOST_BODY
    return {
        "config_id": word.config_id,
        "own_id": word.own_id,
        "kind": word.kind.value,
        "project_id": word.project_id,
        "deploy_id": word.deploy_id,
        "digest": word.digest,
        "status": word.status.value,
        "reason": word.reason[:256],
        "symbol": word.symbol,
        "direction": word.direction,
        "valid_until": word.valid_until,
        "seen_at": word.seen_at,
        "body": word.body if fits else None,
    }


def _same_list(cursor: Cursor) -> ColumnElement[bool]:
    return and_(
        cursors.c.config_id == cursor.config_id,
        cursors.c.project_id == cursor.project_id,
        cursors.c.deploy_id == cursor.deploy_id,
        cursors.c.kind == cursor.kind.value,
    )
