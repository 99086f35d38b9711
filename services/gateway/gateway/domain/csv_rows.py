"""Lists as comma-separated values (RFC 4180) that a spreadsheet opens without running anything."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from gateway.domain.views import OrderView, TradeView
from signalbox.contracts.ids import plain

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
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


def lines(columns: Sequence[str], views: Iterable[OrderView | TradeView]) -> str:
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
