"""Which account at its broker an account of ours is."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NAME = "broker_accounts"


def upgrade() -> None:
    """From the tables before. Some databases have this one already: it was once made by 0005."""
    if not sa.inspect(op.get_bind()).has_table(_NAME):
        op.create_table(
            _NAME,
            sa.Column("account", sa.String(64), primary_key=True),
            sa.Column("broker_id", sa.String(128), nullable=False),
        )


def downgrade() -> None:
    """Back; an account is bound anew at its next look."""
    op.drop_table(_NAME)
