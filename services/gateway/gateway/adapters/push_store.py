"""Webhooks as a call needs them, and the calls that came in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, func, select

from gateway.adapters.primary_tables import pushes, quantconnect_configs
from gateway.domain.webhooks import REMEMBERED, Webhook
from signalbox.contracts.values import Target
from signalbox.runtime.db import insert_new


@dataclass(frozen=True, slots=True)
class Door:
    """The webhook of one account that is followed."""

    config_id: str
    target: Target
    webhook: Webhook


def door(sql: Connection, config_id: str) -> Door | None:
    """The webhook of this account; None when it has none, is not followed, or is not there."""
    table = quantconnect_configs
    query = select(table.c.target, table.c.webhook).where(
        table.c.id == config_id, table.c.is_active.is_(True)
    )
    row = sql.execute(query).one_or_none()
    if row is None or row.webhook is None:
        return None
    return Door(config_id, Target(row.target), Webhook.model_validate(row.webhook))


def remember(sql: Connection, push: UUID, config_id: str, at: datetime) -> bool:
    """Whether this push is new; from now on it is not. Very old ones are forgotten."""
    sql.execute(delete(pushes).where(pushes.c.received_at < at - REMEMBERED))
    row = {"id": str(push), "config_id": config_id, "received_at": at}
    made = sql.execute(insert_new(pushes).values(row).returning(pushes.c.id)).first()
    return made is not None


def last_pushes(sql: Connection) -> Mapping[str, datetime]:
    """When each account last pushed something new, in the last days."""
    newest = func.max(pushes.c.received_at).label("at")
    query = select(pushes.c.config_id, newest).group_by(pushes.c.config_id)
    return {row.config_id: row.at for row in sql.execute(query)}
