"""Whether a round waits is kept once; only those that do are indexed."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_WAITS, _OUTCOME = "ix_rounds_waits_until", "ix_rounds_outcome"
_COLUMNS = ["waits_until", "verdict_id"]
_WAITING = sa.text("waits_until IS NOT NULL")


def upgrade() -> None:
    """From the tables before, with what they hold."""
    op.drop_index(_WAITS, "rounds")
    op.drop_index(_OUTCOME, "rounds")
    op.drop_column("rounds", "outcome")
    op.create_index(_WAITS, "rounds", _COLUMNS, sqlite_where=_WAITING, postgresql_where=_WAITING)


def downgrade() -> None:
    """Back; the outcome of a round is that of its verdict."""
    op.drop_index(_WAITS, "rounds")
    op.add_column("rounds", sa.Column("outcome", sa.String(16), nullable=False, server_default=""))
    rounds, verdicts = (
        sa.table(name, *map(sa.column, ("id", "verdict_id", "outcome")))
        for name in ("rounds", "verdicts")
    )
    reached = sa.select(verdicts.c.outcome).where(verdicts.c.id == rounds.c.verdict_id)
    op.get_bind().execute(sa.update(rounds).values(outcome=reached.scalar_subquery()))
    op.create_index(_OUTCOME, "rounds", ["outcome"])
    op.create_index(_WAITS, "rounds", _COLUMNS)
