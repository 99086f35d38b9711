"""How every config's provider was found last, shared by all replicas."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import Row, delete, select

from llm_decider.adapters.tables import connections
from llm_decider.domain.health import Connection
from signalbox.runtime.columns import run_many
from signalbox.runtime.db import insert_new, upsert

_SAVE = upsert(connections, ["config_id"])


def lock(sql: Sql, config_id: str) -> Connection:
    """How a config was found last, locked until the transaction ends."""
    query = select(connections).where(connections.c.config_id == config_id).with_for_update()
    row = sql.execute(query).one_or_none()
    if row is None:
        new = asdict(Connection(config_id)) | {"warnings": []}
        sql.execute(insert_new(connections), [new])
        row = sql.execute(query).one()
    return _connection(row)


def save(sql: Sql, found: Connection) -> None:
    """Remember how a config was found."""
    row = asdict(found) | {
        "warnings": list(found.warnings),
        "last_error": found.last_error[:2000],
    }
    run_many(sql, _SAVE, [row])


def load(sql: Sql) -> dict[str, Connection]:
    """How every config was found last."""
    return {row.config_id: _connection(row) for row in sql.execute(select(connections))}


def drop(sql: Sql, config_id: str) -> None:
    """Forget a config that is gone."""
    sql.execute(delete(connections).where(connections.c.config_id == config_id))


def _connection(row: Row[Any]) -> Connection:
    values = row._asdict()
    return Connection(**values | {"warnings": tuple(values["warnings"])})
