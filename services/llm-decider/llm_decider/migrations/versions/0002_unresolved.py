"""Attempts of unknown cost are found without reading all."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_INDEX = "ix_llm_attempts_state"


def upgrade() -> None:
    """From the tables before."""
    op.create_index(_INDEX, "llm_attempts", ["state", "at", "attempt_id"])


def downgrade() -> None:
    """Back."""
    op.drop_index(_INDEX, "llm_attempts")
