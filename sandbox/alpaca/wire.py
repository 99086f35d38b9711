"""Alpaca's JSON: numbers as text, times in RFC 3339."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.alpaca.venue import ZERO, Account, Execution, Order, available
from signalbox.contracts.ids import plain


def account_json(account: Account, buying_power: Decimal) -> dict[str, Any]:
    """An account."""
    cash = plain(account.cash)
    return {
        "id": account.id,
        "status": "ACTIVE",
        "currency": "USD",
        "cash": cash,
        "equity": cash,
        "buying_power": plain(buying_power),
        "trading_blocked": False,
        "account_blocked": False,
        "trade_suspended_by_user": False,
    }


def order_json(order: Order) -> dict[str, Any]:
    """An order."""
    average = order.paid / order.filled if order.filled else None
    crypto, terms = "/" in order.symbol, order.terms
    return {
        "id": order.id,
        "client_order_id": order.client_id,
        "created_at": _time(order.at),
        "symbol": order.symbol,
        "asset_class": "crypto" if crypto else "us_equity",
        "qty": plain(order.quantity),
        "filled_qty": plain(order.filled),
        "filled_avg_price": None if average is None else plain(round(average, 6)),
        "type": terms.kind,
        "order_type": terms.kind,
        "limit_price": None if terms.limit_price is None else plain(terms.limit_price),
        "stop_price": None if terms.stop_price is None else plain(terms.stop_price),
        "side": order.side,
        "time_in_force": terms.time_in_force,
        "status": order.status,
        "replaced_by": None,
    }


def fill_json(execution: Execution) -> dict[str, Any]:
    """An activity of type FILL."""
    order = execution.order
    partial = execution.cumulative != order.quantity
    return {
        "id": f"{execution.number:012d}::{order.id}",
        "activity_type": "FILL",
        "transaction_time": _time(execution.at),
        "type": "partial_fill" if partial else "fill",
        "price": plain(execution.price),
        "qty": plain(execution.quantity),
        "cum_qty": plain(execution.cumulative),
        "leaves_qty": plain(order.quantity - execution.cumulative),
        "side": order.side,
        "symbol": order.symbol,
        "order_id": order.id,
        "order_status": order.status,
    }


def position_json(account: Account, symbol: str) -> dict[str, Any]:
    """A position; crypto is spelled without the slash here."""
    quantity = account.positions[symbol]
    return {
        "symbol": symbol.replace("/", ""),
        "asset_class": "crypto" if "/" in symbol else "us_equity",
        "qty": plain(quantity),
        "qty_available": plain(available(account, symbol)),
        "side": "long" if quantity > 0 else "short",
        "avg_entry_price": plain(round(account.costs.get(symbol, ZERO), 6)),
    }


def asset_json(symbol: str) -> dict[str, Any]:
    """What may be ordered of a symbol."""
    crypto = "/" in symbol
    found: dict[str, Any] = {
        "symbol": symbol,
        "class": "crypto" if crypto else "us_equity",
        "status": "active",
        "tradable": True,
        "fractionable": True,
        "shortable": not crypto,
        "easy_to_borrow": not crypto,
    }
    if crypto:
        least = "0.000000001"
        found |= {"min_order_size": least, "min_trade_increment": least, "price_increment": least}
    return found


def _time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
