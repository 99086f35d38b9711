"""Read models of signals, verdicts, orders and notices."""

import sqlalchemy as sa
from alembic import op

from signalbox.runtime.db import ExactDecimal, Json, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From the tables before."""
    _signals()
    _verdicts()
    _orders()
    _notices()
    _states()


def downgrade() -> None:
    """Back."""
    for table in (
        "states",
        "dead_letters",
        "alarms",
        "alerts",
        "order_steps",
        "orders",
        "quantconnect_signals",
        "rounds",
        "verdicts",
        "outcomes",
        "withdrawals",
        "signals",
    ):
        op.drop_table(table)


def _signals() -> None:
    op.create_table(
        "signals",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("source_type", sa.String(16), nullable=False),
        sa.Column("source_id", sa.String(128), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("action", sa.String(8), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_signals_at", "signals", ["at", "id"])
    op.create_index("ix_signals_source", "signals", ["source_type", "source_id", "at"])
    op.create_index("ix_signals_symbol", "signals", ["symbol", "at"])
    op.create_table(
        "withdrawals",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("signal_id", sa.String(36), nullable=False),
        sa.Column("valid_until", UtcDateTime, nullable=False),
    )
    op.create_index("ix_withdrawals_signal_id", "withdrawals", ["signal_id"])
    op.create_table(
        "outcomes",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("signal_id", sa.String(36), nullable=False),
        sa.Column("horizon_s", sa.Float, nullable=False),
        sa.Column("entry_price", ExactDecimal, nullable=False),
        sa.Column("exit_price", ExactDecimal, nullable=False),
        sa.Column("forward_return", ExactDecimal, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_outcomes_signal_id", "outcomes", ["signal_id"])


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("signal_id", sa.String(36), nullable=False),
        sa.Column("bot", sa.String(64), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("source_type", sa.String(16), nullable=False),
        sa.Column("source_id", sa.String(128), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_verdicts_at", "verdicts", ["at", "id"])
    op.create_index("ix_verdicts_bot", "verdicts", ["bot", "symbol", "at"])
    op.create_index("ix_verdicts_outcome", "verdicts", ["outcome", "at"])
    op.create_index("ix_verdicts_signal_id", "verdicts", ["signal_id"])
    op.create_table(
        "rounds",
        sa.Column("signal_id", sa.String(36), primary_key=True),
        sa.Column("bot", sa.String(64), primary_key=True),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("verdict_id", sa.String(36), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
    )
    op.create_index("ix_rounds_outcome", "rounds", ["outcome"])
    op.create_table(
        "quantconnect_signals",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("config_id", sa.String(64), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("signal", sa.String(8), nullable=False),
        sa.Column("confidence", ExactDecimal, nullable=False),
        sa.Column("price", ExactDecimal),
        sa.Column("timestamp", UtcDateTime, nullable=False),
        sa.Column("processed", sa.Boolean, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_quantconnect_signals_config_id", "quantconnect_signals", ["config_id"])
    op.create_index("ix_quantconnect_signals_processed", "quantconnect_signals", ["processed"])
    op.create_index("ix_quantconnect_signals_symbol", "quantconnect_signals", ["symbol"])
    op.create_index("ix_quantconnect_signals_timestamp", "quantconnect_signals", ["timestamp"])


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("bot", sa.String(64), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("side", sa.String(4)),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("final", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("source_type", sa.String(16), nullable=False),
        sa.Column("source_id", sa.String(128), nullable=False),
        sa.Column("signal_id", sa.String(36)),
        sa.Column("verdict_id", sa.String(36)),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_orders_at", "orders", ["at", "id"])
    op.create_index("ix_orders_bot", "orders", ["bot", "symbol", "at"])
    op.create_index("ix_orders_final", "orders", ["final", "bot"])
    op.create_index("ix_orders_signal_id", "orders", ["signal_id"])
    op.create_index("ix_orders_verdict_id", "orders", ["verdict_id"])
    op.create_table(
        "order_steps",
        sa.Column("event_id", sa.String(36), primary_key=True),
        sa.Column("order_id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("filled", ExactDecimal, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_order_steps_order_id", "order_steps", ["order_id"])


def _notices() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("severity", sa.String(8), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("about", sa.String(128), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_alerts_at", "alerts", ["at", "id"])
    op.create_table(
        "alarms",
        sa.Column("service", sa.String(64), primary_key=True),
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("about", sa.String(128), primary_key=True),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_alarms_active", "alarms", ["active"])


def _states() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("stream", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_dead_letters_at", "dead_letters", ["at", "id"])
    op.create_table(
        "states",
        sa.Column("service", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("body", Json, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
