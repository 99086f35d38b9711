"""The whole curve of each book in one row, and the days of one book together."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from alembic import op

from gateway.domain.curve import STRETCH, Stretch
from signalbox.runtime.db import ExactDecimal, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_INDEX = "ix_equity_days_book"


def upgrade() -> None:
    """From the tables before, with what they hold."""
    op.create_index(_INDEX, "equity_days", ["bot", "account", "day"])
    curves = op.create_table(
        "equity_curves",
        sa.Column("bot", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(64), primary_key=True),
        *(sa.Column(name, _type(name), nullable=False) for name in STRETCH),
    )
    whole: dict[tuple[str, str], Stretch] = {}
    for row in _days():
        key = row["bot"], row["account"]
        day = Stretch(*(row[name] for name in STRETCH))
        whole[key] = whole[key].then(day) if key in whole else day
    rows = [{"bot": bot, "account": of, **asdict(all_)} for (bot, of), all_ in whole.items()]
    op.bulk_insert(curves, rows)


def downgrade() -> None:
    """Back."""
    op.drop_table("equity_curves")
    op.drop_index(_INDEX, "equity_days")


def _days() -> list[Mapping[str, Any]]:
    days = sa.table(
        "equity_days",
        *(sa.column(name, sa.String()) for name in ("bot", "account")),
        sa.column("day", UtcDateTime()),
        *(sa.column(name, _type(name)()) for name in STRETCH),
    )
    found = op.get_bind().execute(sa.select(days).order_by(days.c.day))
    return [dict(row) for row in found.mappings()]


def _type(name: str) -> type[sa.types.TypeEngine[Any]]:
    if name == "marks":
        return sa.Integer
    return UtcDateTime if name.endswith("_at") else ExactDecimal
