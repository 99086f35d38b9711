"""Language models, their prompts, and what they answered; outcomes with whose they are."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import ExactDecimal, Json, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From the tables before."""
    _configs()
    _prompts()
    _decisions()
    _usage()
    _outcomes(
        sa.Column("source_type", sa.String(16), nullable=False),
        sa.Column("source_id", sa.String(128), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("action", sa.String(8), nullable=False),
        sa.Column("confidence", ExactDecimal, nullable=False),
    )
    op.create_index("ix_outcomes_source", "outcomes", ["source_type", "source_id", "at"])


def downgrade() -> None:
    """Back."""
    for table in (
        "llm_usage",
        "llm_trading_decisions",
        "prompt_activations",
        "prompt_versions",
        "prompts",
        "llm_trading_configs",
    ):
        op.drop_table(table)
    _outcomes()


def _outcomes(*more: sa.Column[Any]) -> None:
    """Made anew: nothing has been scored before this version, and the archive would have it."""
    op.drop_table("outcomes")
    op.create_table(
        "outcomes",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("signal_id", sa.String(36), nullable=False),
        *more,
        sa.Column("horizon_s", sa.Float, nullable=False),
        sa.Column("entry_price", ExactDecimal, nullable=False),
        sa.Column("exit_price", ExactDecimal, nullable=False),
        sa.Column("forward_return", ExactDecimal, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_outcomes_signal_id", "outcomes", ["signal_id"])


def _configs() -> None:
    op.create_table(
        "llm_trading_configs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("provider", sa.String(16), nullable=False),
        sa.Column("api_key", sa.Text, nullable=False),
        sa.Column("api_key_hint", sa.String(4), nullable=False),
        sa.Column("api_key_at", UtcDateTime),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("target", sa.String(8), nullable=False),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("prompt_template", sa.String(64), nullable=False),
        sa.Column("max_tokens", sa.Integer, nullable=False),
        sa.Column("temperature", ExactDecimal),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("settings", Json, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_llm_trading_configs_user_id", "llm_trading_configs", ["user_id"])
    op.create_index("ix_llm_trading_configs_is_active", "llm_trading_configs", ["is_active"])


def _prompts() -> None:
    op.create_table(
        "prompts",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("active_version", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "prompt_versions",
        sa.Column("prompt_id", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "prompt_activations",
        sa.Column("prompt_id", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("previous", sa.Integer),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )


def _decisions() -> None:
    name = "llm_trading_decisions"
    op.create_table(
        name,
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("config_id", sa.String(64), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("decision", sa.String(8)),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("target", sa.String(8)),
        sa.Column("reasoning", sa.Text, nullable=False),
        sa.Column("confidence", ExactDecimal),
        sa.Column("market_data", Json, nullable=False),
        sa.Column("cost", ExactDecimal, nullable=False),
        sa.Column("processed", sa.Boolean, nullable=False),
        sa.Column("provider", sa.String(128), nullable=False),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("prompt_version", sa.String(128), nullable=False),
        sa.Column("call_id", sa.String(36)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        sa.Column("signal_id", sa.String(36)),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_index(f"ix_{name}_created_at", name, ["created_at", "id"])
    op.create_index(f"ix_{name}_config_id", name, ["config_id", "created_at"])
    op.create_index(f"ix_{name}_symbol", name, ["symbol", "created_at"])
    op.create_index(f"ix_{name}_processed", name, ["processed"])
    op.create_index(f"ix_{name}_signal_id", name, ["signal_id"])


def _usage() -> None:
    sums = ("cost_usd", "estimated_usd")
    counts = (
        "decisions",
        "answered",
        "refused",
        "truncated",
        "invalid",
        "failed",
        "over_budget",
        "buys",
        "sells",
        "closes",
        "holds",
        "abstained",
        "cached",
        "dry_runs",
        "signals",
        "tokens_in",
        "tokens_out",
        "tokens_cached",
        "tokens_reasoning",
        "latency_ms",
    )
    op.create_table(
        "llm_usage",
        sa.Column("day", UtcDateTime, primary_key=True, autoincrement=False),
        sa.Column("config_id", sa.String(64), primary_key=True),
        sa.Column("symbol", sa.String(24), primary_key=True),
        sa.Column("provider", sa.String(128), primary_key=True),
        sa.Column("model", sa.String(128), primary_key=True),
        sa.Column("prompt_version", sa.String(128), primary_key=True),
        sa.Column("target", sa.String(8), primary_key=True),
        *(sa.Column(name, ExactDecimal, nullable=False) for name in sums),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in counts),
    )
