"""What protects a lot, and which trigger closed one."""

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import Json

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From the tables before; what was open before is not protected."""
    op.add_column("orders", sa.Column("trigger", sa.String(16)))
    op.add_column("orders", sa.Column("guard", Json))
    op.add_column("lots", sa.Column("protection", Json))


def downgrade() -> None:
    """Back."""
    op.drop_column("lots", "protection")
    op.drop_column("orders", "guard")
    op.drop_column("orders", "trigger")
