"""The ledger's sums and market days, tokens for programs, and what was submitted under a key."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Context, Decimal, localcontext
from typing import Any

import sqlalchemy as sa
from alembic import op

from gateway.domain.curve import NOUGHT, Stretch, mark
from signalbox.runtime.db import ExactDecimal, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

Key = tuple[datetime, str, str, str, str]

_SUMS = ("traded", "measured", "slipped", "squares")
_PLACES = Decimal("0.00000001")
_DAY_KEY = ("day", "bot", "account")
_COUNTS = ("trades", "wins", "losses", "fills")
_AMOUNTS = ("realised_pnl", "fees", "gross_profit", "gross_loss")


def upgrade() -> None:
    """From the tables before, with what they hold."""
    rows, sums = _earned(), _sums()
    _earnings(*_SUMS, rows=[{**row, **sums[_key(row)]} for row in rows])
    _equity_days()
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("scopes", sa.String(64), nullable=False),
        sa.Column("created_by", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("last_used_at", UtcDateTime),
    )
    op.create_table(
        "submissions",
        sa.Column("source_type", sa.String(16), primary_key=True),
        sa.Column("source_id", sa.String(128), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("body_hash", sa.String(64), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_submissions_at", "submissions", ["at"])


def downgrade() -> None:
    """Back."""
    op.drop_table("submissions")
    op.drop_table("api_tokens")
    op.drop_table("equity_days")
    _earnings(rows=_earned())


def _earned() -> list[dict[str, Any]]:
    old = sa.table("earnings", *_earnings_columns())
    return [dict(row) for row in op.get_bind().execute(sa.select(old)).mappings()]


def _earnings(*more: str, rows: Sequence[Mapping[str, Any]]) -> None:
    op.drop_table("earnings")
    sums = (sa.Column(name, ExactDecimal, nullable=False) for name in more)
    made = op.create_table("earnings", *_earnings_columns(), *sums)
    op.bulk_insert(made, [dict(row) for row in rows])


def _earnings_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("day", UtcDateTime, primary_key=True, autoincrement=False),
        sa.Column("bot", sa.String(64), primary_key=True),
        sa.Column("symbol", sa.String(24), primary_key=True),
        sa.Column("source_type", sa.String(16), primary_key=True),
        sa.Column("source_id", sa.String(128), primary_key=True),
        *(sa.Column(name, ExactDecimal, nullable=False) for name in _AMOUNTS),
        *(sa.Column(name, sa.Integer, nullable=False) for name in _COUNTS),
    )


def _key(row: Mapping[str, Any]) -> Key:
    return row["day"], row["bot"], row["symbol"], row["source_type"], row["source_id"]


def _sums() -> Mapping[Key, dict[str, Decimal]]:
    """What the fills so far add up to, by the key of `earnings`."""
    words = ("bot", "symbol", "source_type", "source_id", "effect", "id", "fill_id")
    numbers = ("price", "quantity", "slippage_bps", "realised_pnl")
    trades, slices = (
        sa.table(
            name,
            *(sa.column(word, sa.String()) for word in words),
            *(sa.column(number, ExactDecimal()) for number in numbers),
            sa.column("at", UtcDateTime()),
        )
        for name in ("trades", "slices")
    )
    query = sa.select(
        *(slices.c[n] for n in ("at", "source_type", "source_id", "effect", "quantity")),
        slices.c.realised_pnl,
        *(trades.c[name] for name in ("bot", "symbol", "price", "slippage_bps")),
    ).join(trades, trades.c.id == slices.c.fill_id)
    sums: defaultdict[Key, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(_SUMS, NOUGHT))
    with localcontext(Context(prec=60)):
        for row in op.get_bind().execute(query).mappings():
            traded = (row["price"] * row["quantity"]).quantize(_PLACES)
            slipped = row["slippage_bps"]
            won = row["realised_pnl"] if row["effect"] == "closed" else NOUGHT
            mine = sums[_key({**row, "day": _day(row["at"])})]
            mine["traded"] += traded
            mine["measured"] += NOUGHT if slipped is None else traded
            mine["slipped"] += (traded * (slipped or NOUGHT)).quantize(_PLACES)
            mine["squares"] += (won * won).quantize(_PLACES)
    return sums


def _equity_days() -> None:
    numbers = ("first", "last", "high", "low", "peak", "trough", "exposure")
    times = ("last_at", "high_at", "low_at", "peak_at", "trough_at")
    made = op.create_table(
        "equity_days",
        sa.Column("day", UtcDateTime, primary_key=True, autoincrement=False),
        sa.Column("bot", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(64), primary_key=True),
        *(sa.Column(name, ExactDecimal, nullable=False) for name in numbers),
        *(sa.Column(name, UtcDateTime, nullable=False) for name in times),
        sa.Column("marks", sa.Integer, nullable=False),
    )
    equity = sa.table(
        "equity",
        *(sa.column(name, sa.String()) for name in ("id", "bot", "account")),
        *(sa.column(name, ExactDecimal()) for name in ("equity", "exposure_gross")),
        sa.column("at", UtcDateTime()),
    )
    days: dict[tuple[datetime, str, str], Stretch] = {}
    events = sa.table("events", sa.column("id", sa.String()), sa.column("seq", sa.BigInteger()))
    query = sa.select(equity).join(events, events.c.id == equity.c.id).order_by(events.c.seq)
    for row in op.get_bind().execute(query):
        key = (_day(row.at), row.bot, row.account)
        point = mark(row.equity, row.exposure_gross, row.at)
        days[key] = days[key].then(point) if key in days else point
    rows = [{**dict(zip(_DAY_KEY, key, strict=True)), **asdict(days[key])} for key in days]
    op.bulk_insert(made, rows)


def _day(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)
