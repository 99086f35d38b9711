"""Deployments and backtests that are asked for, and how live deployments did."""

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import ExactDecimal, Json, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Four tables more."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("config_id", sa.String(64), nullable=False),
        sa.Column("project_id", sa.BigInteger, nullable=False),
        sa.Column("target", sa.String(16), nullable=False),
        sa.Column("requested_by", sa.String(128), nullable=False),
        sa.Column("asked", Json, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("step_since", UtcDateTime, nullable=False),
        sa.Column("percent", sa.Integer, nullable=False),
        sa.Column("message", sa.String(2048), nullable=False),
        sa.Column("project_name", sa.String(128), nullable=False),
        sa.Column("organization_id", sa.String(64), nullable=False),
        sa.Column("compile_id", sa.String(80), nullable=False),
        sa.Column("node_id", sa.String(64), nullable=False),
        sa.Column("earlier_id", sa.String(64), nullable=False),
        sa.Column("sent_at", UtcDateTime),
        sa.Column("quantconnect_id", sa.String(64), nullable=False),
        sa.Column("found", Json, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failing_since", UtcDateTime),
        sa.Column("finished_at", UtcDateTime),
        sa.Column("cancel", sa.Boolean, nullable=False),
        sa.Column("due_at", UtcDateTime),
        sa.Column("holder", sa.String(64)),
        sa.Column("expires_at", UtcDateTime),
    )
    op.create_index("ix_jobs_config_id", "jobs", ["config_id"])
    op.create_index("ix_jobs_due_at", "jobs", ["due_at"])
    op.create_table(
        "results",
        sa.Column("backtest_id", sa.String(36), primary_key=True),
        sa.Column("performance", Json, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("stacktrace", sa.Text, nullable=False),
        sa.Column("notes", Json, nullable=False),
        sa.Column("equity", Json, nullable=False),
        sa.Column("benchmark", Json, nullable=False),
        sa.Column("drawdown", Json, nullable=False),
    )
    op.create_table(
        "pages",
        sa.Column("backtest_id", sa.String(36), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("start", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("length", sa.Integer, nullable=False),
        sa.Column("is_last", sa.Boolean, nullable=False),
        sa.Column("rows", Json, nullable=False),
    )
    op.create_table(
        "performance",
        sa.Column("config_id", sa.String(64), primary_key=True),
        sa.Column("project_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", UtcDateTime, primary_key=True),
        sa.Column("deploy_id", sa.String(64), nullable=False),
        sa.Column("equity", ExactDecimal),
        sa.Column("holdings", ExactDecimal),
        sa.Column("unrealized", ExactDecimal),
        sa.Column("net_profit", ExactDecimal),
        sa.Column("fees", ExactDecimal),
        sa.Column("total_return", ExactDecimal),
    )


def downgrade() -> None:
    """Without them."""
    for table in ("performance", "pages", "results", "jobs"):
        op.drop_table(table)
