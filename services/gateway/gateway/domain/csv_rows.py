"""Lists as comma-separated values (RFC 4180) that a spreadsheet opens without running anything."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from gateway.domain.views import View
from signalbox.contracts.ids import plain

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
SIGNAL = (
    "id",
    "raised_at",
    "valid_until",
    "withdrawn",
    "source_type",
    "source_id",
    "own_id",
    "symbol",
    "action",
    "confidence",
    "price",
    "stop_price",
    "target_price",
    "horizon_s",
    "target",
    "reasoning",
)
DECISION = (
    "id",
    "created_at",
    "at",
    "symbol",
    "outcome",
    "action",
    "abstained",
    "confidence",
    "reasoning",
    "config_id",
    "target",
    "provider",
    "served_model",
    "prompt_version",
    "dry_run",
    "signal_id",
    "not_traded",
    "error",
    "tokens_in",
    "tokens_out",
    "cost_usd",
    "cost_is_estimated",
    "latency_ms",
)
VERDICT = (
    "id",
    "evaluated_at",
    "bot",
    "account",
    "symbol",
    "action",
    "confidence",
    "source_type",
    "source_id",
    "outcome",
    "reason",
    "explanation",
    "rule",
    "round",
    "current",
    "decided_by",
    "winner_id",
    "signal_id",
)
POSITION = (
    "bot",
    "account",
    "symbol",
    "quantity",
    "average_price",
    "mark_price",
    "unrealised_pnl",
    "realised_pnl",
    "at",
)
LOT = (
    "id",
    "opened_at",
    "bot",
    "account",
    "symbol",
    "quantity",
    "entry_price",
    "source_type",
    "source_id",
    "confidence",
    "order_id",
)
ALERT = ("id", "at", "severity", "code", "about", "message", "service", "active")
QUANTCONNECT_SIGNAL = (
    "id",
    "timestamp",
    "config_id",
    "symbol",
    "signal",
    "confidence",
    "price",
    "processed",
    "created_at",
)
TRADE = (
    "id",
    "at",
    "order_id",
    "bot",
    "account",
    "mode",
    "symbol",
    "side",
    "purpose",
    "quantity",
    "price",
    "fee",
    "realised_pnl",
    "slippage_bps",
    "source_type",
    "source_id",
    "confidence",
    "ai_confidence",
    "signal_id",
    "verdict_id",
)
ORDER = (
    "id",
    "created_at",
    "updated_at",
    "bot",
    "account",
    "mode",
    "symbol",
    "side",
    "kind",
    "limit_price",
    "stop_price",
    "purpose",
    "state",
    "final",
    "quantity",
    "filled",
    "average_price",
    "reason",
    "message",
    "source_type",
    "source_id",
    "confidence",
    "signal_id",
    "verdict_id",
    "broker",
    "broker_order_id",
)


def lines(columns: Sequence[str], views: Iterable[View]) -> str:
    """One line for each, in the order of the columns."""
    return _written([_cell(getattr(view, name)) for name in columns] for view in views)


def heading(columns: Sequence[str]) -> str:
    """The first line."""
    return _written([columns])


def _written(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cell(value: object) -> str:
    """A value as text. Numbers stay numbers; other text that a spreadsheet would take for a formula
    gets an apostrophe before it.
    """
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    text = str(value).replace("\x00", "")
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text
