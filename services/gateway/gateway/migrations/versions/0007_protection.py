"""What protects an open lot."""

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import Json

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From the tables before."""
    op.add_column("lots", sa.Column("protection", Json))


def downgrade() -> None:
    """Back."""
    op.drop_column("lots", "protection")
