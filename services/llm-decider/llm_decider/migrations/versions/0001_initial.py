"""The first tables of llm-decider."""

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
    op.create_table(
        "watches",
        sa.Column("config_id", sa.String(64), primary_key=True),
        sa.Column("symbol", sa.String(24), primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("last_opened_at", UtcDateTime),
        sa.Column("bars", sa.Integer),
        sa.Column("asked_at", UtcDateTime),
        sa.Column("asked_price", ExactDecimal),
    )
    op.create_table(
        "intents",
        sa.Column("decision_id", sa.String(36), primary_key=True),
        sa.Column("config_id", sa.String(64), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("trigger", sa.String(16), nullable=False),
        sa.Column("trigger_key", sa.String(160), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "calls",
        sa.Column("call_id", sa.String(36), primary_key=True),
        sa.Column("config_id", sa.String(64), nullable=False),
        sa.Column("trigger", sa.String(16), nullable=False),
        sa.Column("trigger_key", sa.String(160), nullable=False),
        sa.Column("symbols", Json, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("deadline", UtcDateTime, nullable=False),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        sa.Column("asked_by", sa.String(128), nullable=False),
        sa.Column("done", sa.Boolean, nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("leased_until", UtcDateTime, nullable=False),
        sa.Column("messages", Json),
    )
    op.create_index("ix_calls_created_at", "calls", ["created_at"])
    op.create_index("ix_calls_open", "calls", ["done", "leased_until"])
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.String(36), primary_key=True),
        sa.Column("call_id", sa.String(36), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
    )
    op.create_index("ix_decisions_call_id", "decisions", ["call_id"])
    op.create_table(
        "llm_attempts",
        sa.Column("attempt_id", sa.String(36), primary_key=True),
        sa.Column("call_id", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("config_id", sa.String(64), nullable=False),
        sa.Column("payers", Json, nullable=False),
        sa.Column("provider", sa.String(16), nullable=False),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("reserved_usd", ExactDecimal, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("cost_usd", ExactDecimal, nullable=False),
        sa.Column("latency_ms", sa.Float, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("error", sa.String(2000), nullable=False),
        sa.Column("usage", Json, nullable=False),
        sa.Column("raw_text", sa.Text, nullable=False),
    )
    op.create_index("ix_llm_attempts_call_id", "llm_attempts", ["call_id"])
    op.create_table(
        "purses",
        sa.Column("scope", sa.String(80), primary_key=True),
        sa.Column("period", sa.String(8), primary_key=True),
        sa.Column("key", sa.String(10), primary_key=True),
        sa.Column("spent", ExactDecimal, nullable=False),
        sa.Column("reserved", ExactDecimal, nullable=False),
        sa.Column("held", ExactDecimal, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("alerted", sa.Integer, nullable=False),
        sa.Column("alerted_of", ExactDecimal),
    )
    op.create_table(
        "cache",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("body", Json, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_cache_expires_at", "cache", ["expires_at"])
    op.create_table(
        "positions",
        sa.Column("bot", sa.String(64), primary_key=True),
        sa.Column("symbol", sa.String(24), primary_key=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("body", Json, nullable=False),
    )
    op.create_table(
        "connections",
        sa.Column("config_id", sa.String(64), primary_key=True),
        sa.Column("connected", sa.Boolean, nullable=False),
        sa.Column("trouble", sa.String(32), nullable=False),
        sa.Column("since", UtcDateTime),
        sa.Column("last_ok_at", UtcDateTime),
        sa.Column("last_error", sa.String(2000), nullable=False),
        sa.Column("warnings", Json, nullable=False),
    )


def downgrade() -> None:
    """Back to nothing."""
    for table in (
        "connections",
        "positions",
        "cache",
        "purses",
        "llm_attempts",
        "decisions",
        "calls",
        "intents",
        "watches",
    ):
        op.drop_table(table)
    drop_runtime_tables()
