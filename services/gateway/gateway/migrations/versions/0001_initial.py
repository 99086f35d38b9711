"""Users, configuration and the archive."""

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import ExactDecimal, Json, UtcDateTime
from signalbox.runtime.migrate import create_runtime_tables, drop_runtime_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From nothing."""
    create_runtime_tables()
    _users()
    _bots()
    _connections()
    _versions()
    _archive()


def downgrade() -> None:
    """Back."""
    for table in (
        "events",
        "markers",
        "config_versions",
        "switches",
        "quantconnect_configs",
        "strategies",
        "accounts",
        "bots",
        "failures",
        "sessions",
        "users",
    ):
        op.drop_table(table)
    drop_runtime_tables()


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("username", sa.String(64), nullable=False, unique=True),
        sa.Column("password_hash", sa.String(256), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "failures",
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("last_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_failures_last_at", "failures", ["last_at"])


def _bots() -> None:
    op.create_table(
        "bots",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("bound_version", sa.Integer, nullable=False),
        sa.Column("body", Json, nullable=False),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("body", Json, nullable=False),
    )
    op.create_table(
        "strategies",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("body", Json, nullable=False),
    )


def _connections() -> None:
    op.create_table(
        "quantconnect_configs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("api_key", sa.String(128), nullable=False),
        sa.Column("api_secret", sa.Text, nullable=False),
        sa.Column("api_secret_hint", sa.String(4), nullable=False),
        sa.Column("api_secret_at", UtcDateTime),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("target", sa.String(8), nullable=False),
        sa.Column("algorithm_id", sa.BigInteger),
        sa.Column("algorithm_name", sa.String(256), nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("signals_from", sa.String(16), nullable=False),
        sa.Column("default_confidence", ExactDecimal, nullable=False),
        sa.Column("max_age_s", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_quantconnect_configs_is_active", "quantconnect_configs", ["is_active"])
    op.create_index("ix_quantconnect_configs_user_id", "quantconnect_configs", ["user_id"])


def _versions() -> None:
    op.create_table(
        "switches",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("body", Json, nullable=False),
    )
    op.create_table(
        "config_versions",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("author", sa.String(128), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("documents", Json, nullable=False),
    )
    op.create_table(
        "markers",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("at", UtcDateTime, nullable=False),
    )


def _archive() -> None:
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String(36), nullable=False, unique=True),
        sa.Column("stream", sa.String(16), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("correlation_id", sa.String(36), nullable=False),
        sa.Column("bot", sa.String(64)),
        sa.Column("symbol", sa.String(24)),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_events_correlation_id", "events", ["correlation_id"])
    op.create_index("ix_events_type_seq", "events", ["type", "seq"])
