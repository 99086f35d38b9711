"""Until when a verdict waits for a person."""

import json
from datetime import datetime

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_INDEX = "ix_rounds_waits_until"


def upgrade() -> None:
    """From the tables before, with what they hold."""
    op.add_column("rounds", sa.Column("waits_until", UtcDateTime))
    op.create_index(_INDEX, "rounds", ["waits_until", "verdict_id"])
    names = ("verdict_id", "outcome")
    rounds = sa.table(
        "rounds",
        *(sa.column(name, sa.String()) for name in names),
        sa.column("waits_until", UtcDateTime()),
    )
    events = sa.table("events", sa.column("id", sa.String()), sa.column("body", sa.Text()))
    pending = (
        sa.select(events.c.id, events.c.body)
        .join(rounds, rounds.c.verdict_id == events.c.id)
        .where(rounds.c.outcome == "pending")
    )
    sql = op.get_bind()
    for verdict_id, body in sql.execute(pending).all():
        until = datetime.fromisoformat(json.loads(body)["data"]["signal"]["valid_until"])
        mine = sa.update(rounds).where(rounds.c.verdict_id == verdict_id)
        sql.execute(mine.values(waits_until=until))


def downgrade() -> None:
    """Back."""
    op.drop_index(_INDEX, "rounds")
    op.drop_column("rounds", "waits_until")
