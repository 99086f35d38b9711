"""The configuration's tables: one value comes out, and the differences of another go in."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, select

from gateway.adapters import llm_rows, prompt_store
from gateway.adapters.llm_tables import llm_trading_configs
from gateway.adapters.primary_tables import (
    accounts,
    bots,
    config_versions,
    markers,
    quantconnect_configs,
    strategies,
    switches,
)
from gateway.domain.connections import Connection as QuantConnect
from gateway.domain.setup import Setup
from signalbox.contracts.accounts import AccountConfig
from signalbox.contracts.config import BotConfig, StrategyInstance
from signalbox.contracts.errors import Conflict
from signalbox.contracts.subjects import MAX_MESSAGE_BYTES
from signalbox.runtime.db import upsert
from signalbox.runtime.moment import Outgoing
from signalbox.runtime.topology import CONFIG_BUCKET

Edit = Callable[[Setup, int], Setup]  # gets the configuration and the version that is being made
Step = Callable[[Connection], object]


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change led to. Without any difference the version stays and nothing goes out."""

    version: int
    setup: Setup
    messages: tuple[Outgoing, ...]


def version(sql: Connection) -> int:
    """The newest version; 0 before the first."""
    return sql.scalar(select(func.max(config_versions.c.version))) or 0


def load(sql: Connection) -> Setup:
    """All configuration as it is now."""
    given = {row.name: row.body for row in sql.execute(select(switches))}
    return Setup.model_validate(
        {
            "bots": _bodies(sql, bots),
            "accounts": _bodies(sql, accounts),
            "strategies": _bodies(sql, strategies),
            "models": llm_rows.load(sql),
            "prompts": prompt_store.active(sql),
            "connections": [
                _connection(row._asdict())
                for row in sql.execute(
                    select(quantconnect_configs).order_by(quantconnect_configs.c.id)
                )
            ],
            **given,
        }
    )


def change(
    sql: Connection, edit: Edit, *, author: str, at: datetime, first: Step | None = None
) -> Changed:
    """Make the next version, store every service's document under it, and say what to publish.

    `first` writes what lies beside the configuration and belongs to it, such as a prompt's version.

    Raises:
        Conflict: a document would not fit into one message.
    """
    before, last = load(sql), version(sql)
    if first is not None:
        first(sql)
    found = load(sql) if first is not None else before
    after = edit(found, last + 1)
    if after == before and last:
        return Changed(last, before, ())
    _write(sql, found, after)
    outgoing = messages(last + 1, after)
    _refuse_too_large(outgoing)
    documents = after.documents()
    row = {
        "version": last + 1,
        "author": author,
        "at": at,
        "documents": {name: d.model_dump(mode="json") for name, d in documents.items()},
    }
    sql.execute(config_versions.insert(), [row])
    return Changed(last + 1, after, outgoing)


def _refuse_too_large(outgoing: Iterable[Outgoing]) -> None:
    for message in outgoing:
        if len(message.body) > MAX_MESSAGE_BYTES:
            service = message.subject.rpartition(".")[2]
            raise Conflict(
                f"the configuration of {service} would take {len(message.body) // 1024} KiB, more"
                f" than the {MAX_MESSAGE_BYTES // 1024} that one message may; delete what is not"
                " used, or shorten it"
            )


def messages(number: int, setup: Setup, again: str = "") -> tuple[Outgoing, ...]:
    """Every service's document as it goes into the bucket; `again` marks a repeat."""
    return tuple(
        Outgoing(
            id=f"config|{name}|{number}{again}",
            subject=f"$KV.{CONFIG_BUCKET}.{name}",
            body=b'{"version":%d,"document":%s}' % (number, document.model_dump_json().encode()),
        )
        for name, document in setup.documents().items()
    )


def mark(sql: Connection, name: str, at: datetime) -> bool:
    """Whether this is done for the first time in this database; from now on it is not."""
    if sql.scalar(select(markers.c.name).where(markers.c.name == name)):
        return False
    sql.execute(markers.insert(), [{"name": name, "at": at}])
    return True


def _bodies(sql: Connection, table: Table) -> list[Any]:
    return list(sql.scalars(select(table.c.body).order_by(table.c.id)))


def _connection(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "user_id": row["api_key"],
        "token_sealed": row["api_secret"],
        "target": row["target"],
        "project_id": row["algorithm_id"],
        "project_name": row["algorithm_name"],
        "active": row["is_active"],
        "signals_from": row["signals_from"],
        "default_confidence": row["default_confidence"],
        "max_age_s": row["max_age_s"],
        "owner": row["user_id"],
        "secret_hint": row["api_secret_hint"],
        "secret_at": row["api_secret_at"],
        "fingerprint": row["fingerprint"],
        "webhook": row["webhook"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def _bot_row(bot: BotConfig) -> dict[str, Any]:
    return {
        "id": bot.id,
        "account": bot.account,
        "bound_version": bot.bound_version,
        "body": bot.model_dump(mode="json"),
    }


def _account_row(account: AccountConfig) -> dict[str, Any]:
    return {"id": account.id, "mode": account.mode, "body": account.model_dump(mode="json")}


def _strategy_row(instance: StrategyInstance) -> dict[str, Any]:
    return {"id": instance.id, "body": instance.model_dump(mode="json")}


def _connection_row(connection: QuantConnect) -> dict[str, Any]:
    return {
        "id": connection.id,
        "user_id": connection.owner,
        "name": connection.name,
        "api_key": connection.user_id,
        "api_secret": connection.token_sealed,
        "api_secret_hint": connection.secret_hint,
        "api_secret_at": connection.secret_at,
        "fingerprint": connection.fingerprint,
        "webhook": connection.webhook.model_dump(mode="json") if connection.webhook else None,
        "target": connection.target.value,
        "algorithm_id": connection.project_id,
        "algorithm_name": connection.project_name,
        "is_active": connection.active,
        "signals_from": connection.signals_from,
        "default_confidence": connection.default_confidence,
        "max_age_s": connection.max_age_s,
        "created_at": connection.created_at,
        "updated_at": connection.updated_at,
    }


def _write(sql: Connection, before: Setup, after: Setup) -> None:
    _differences(sql, bots, before.bots, after.bots, _bot_row)
    _differences(sql, accounts, before.accounts, after.accounts, _account_row)
    _differences(sql, strategies, before.strategies, after.strategies, _strategy_row)
    _differences(sql, quantconnect_configs, before.connections, after.connections, _connection_row)
    _differences(sql, llm_trading_configs, before.models, after.models, llm_rows.row_of)
    body = after.model_dump(mode="json", include={"flags", "kill_switch", "market", "llm_budget"})
    rows = [{"name": name, "body": value} for name, value in body.items()]
    sql.execute(upsert(switches, ["name"]), rows)


def _differences(
    sql: Connection,
    table: Table,
    before: Sequence[Any],
    after: Iterable[Any],
    row_of: Callable[[Any], dict[str, Any]],
) -> None:
    had = {item.id: item for item in before}
    have = {item.id: item for item in after}
    gone = [key for key in had if key not in have]
    changed = [item for key, item in have.items() if had.get(key) != item]
    if gone:
        sql.execute(table.delete().where(table.c.id.in_(gone)))
    if changed:
        sql.execute(upsert(table, ["id"]), [row_of(item) for item in changed])
