"""What the rules about bad days and repeated orders remember."""

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import Json

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From the tables before; the day begins with the next order or minute."""
    op.add_column("books", sa.Column("risk", Json))
    op.add_column("tracks", sa.Column("repeat", Json))


def downgrade() -> None:
    """Back."""
    op.drop_column("tracks", "repeat")
    op.drop_column("books", "risk")
