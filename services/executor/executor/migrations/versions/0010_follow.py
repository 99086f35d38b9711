"""The entry that follows an exit, where both are one flip."""

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import Json

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From the tables before; exits that wait now only close."""
    op.add_column("orders", sa.Column("follow", Json))


def downgrade() -> None:
    """Back."""
    op.drop_column("orders", "follow")
