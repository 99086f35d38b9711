"""The first tables of qc-ingest."""

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import Json, UtcDateTime
from signalbox.runtime.migrate import create_runtime_tables, drop_runtime_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From nothing."""
    create_runtime_tables()
    op.create_table(
        "cursors",
        sa.Column("config_id", sa.String(64), primary_key=True),
        sa.Column("project_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("deploy_id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("next_index", sa.Integer, nullable=False),
        sa.Column("reread_from", sa.Integer, nullable=False),
        sa.Column("history", sa.Boolean, nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
    )
    op.create_table(
        "known",
        sa.Column("config_id", sa.String(64), primary_key=True),
        sa.Column("own_id", sa.String(128), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("project_id", sa.BigInteger, nullable=False),
        sa.Column("deploy_id", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(256), nullable=False),
        sa.Column("symbol", sa.String(32), nullable=False),
        sa.Column("direction", sa.String(16), nullable=False),
        sa.Column("valid_until", UtcDateTime),
        sa.Column("seen_at", UtcDateTime, nullable=False),
        sa.Column("body", Json),
    )
    op.create_index("ix_known_seen_at", "known", ["seen_at"])
    op.create_table(
        "leases",
        sa.Column("config_id", sa.String(64), primary_key=True),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "connections",
        sa.Column("config_id", sa.String(64), primary_key=True),
        sa.Column("trouble", sa.String(16)),
        sa.Column("connected", sa.Boolean, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("since", UtcDateTime),
        sa.Column("last_ok_at", UtcDateTime),
        sa.Column("last_error", sa.String(1024), nullable=False),
        sa.Column("clock_skew_s", Json),
    )


def downgrade() -> None:
    """Back to nothing."""
    for table in ("connections", "leases", "known", "cursors"):
        op.drop_table(table)
    drop_runtime_tables()
