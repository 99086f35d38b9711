"""Alpaca's wire forms: what its answers mean. What cannot be read is an unknown outcome."""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from executor.domain.alpaca_json import number_of, object_of, side_of, text_of, time_of
from executor.domain.broker import Answer, Asset, BrokerFill, BrokerOrder, BrokerPosition, Kind
from executor.domain.fees import is_pair
from executor.domain.money import ZERO
from executor.domain.orders import Ticket
from signalbox.contracts.errors import TransientError
from signalbox.contracts.ids import plain
from signalbox.contracts.values import OrderState

NAME = "alpaca"

_S = OrderState
_STATES = {
    "accepted": _S.ACCEPTED,
    "pending_new": _S.ACCEPTED,
    "accepted_for_bidding": _S.ACCEPTED,
    "held": _S.ACCEPTED,
    "new": _S.ACCEPTED,
    "stopped": _S.ACCEPTED,
    "suspended": _S.ACCEPTED,
    "done_for_day": _S.ACCEPTED,
    "calculated": _S.ACCEPTED,
    "pending_replace": _S.ACCEPTED,
    "partially_filled": _S.PARTIALLY_FILLED,
    "pending_cancel": _S.CANCEL_PENDING,
    "filled": _S.FILLED,
    "canceled": _S.CANCELED,
    "expired": _S.EXPIRED,
    "rejected": _S.REJECTED,
    "replaced": _S.REPLACED,
}
_OURS = re.compile(r"[0-9a-f]{32}")  # how our orders are named
_DUPLICATE = "40010001"
_QUOTES = ("USDT", "USDC", "USD", "BTC", "ETH", "EUR")  # what crypto is priced in
_WHOLE = Decimal(1)
_FRACTION = Decimal("0.000000001")
_MOST_MESSAGE = 500


def read_answer(
    status: int, content: bytes, *, request_id: str = "", retry_after_s: float = 0.0
) -> Answer:
    """What an answer means; `retry_after_s` counts where there were too many requests."""
    body = _json(content)
    if 200 <= status < 300:
        readable = body is not None or status == 204
        kind = Kind.DONE if readable else Kind.UNKNOWN
        return Answer(kind, body, message="" if readable else "unreadable", request_id=request_id)
    told = body if isinstance(body, dict) else {}
    code = str(told.get("code", ""))[:16]
    message = str(told.get("message", ""))[:_MOST_MESSAGE] or f"HTTP {status}"
    kind = _kind(status, code, message)
    return Answer(
        kind,
        code=code or str(status),
        message=message,
        request_id=request_id,
        retry_after_s=retry_after_s if kind is Kind.LIMITED else 0.0,
    )


def _kind(status: int, code: str, message: str) -> Kind:
    if status == 429:
        return Kind.LIMITED
    if status == 401 or (status == 403 and not code.startswith("4031")):
        return Kind.REFUSED
    if status == 404:
        return Kind.MISSING
    if status == 422 and _says_duplicate(code, message.lower().replace("_", " ")):
        return Kind.EXISTS
    return Kind.REJECTED if 400 <= status < 500 and status != 408 else Kind.UNKNOWN


def _says_duplicate(code: str, words: str) -> bool:
    """The wording has varied, so the code and the words are looked at."""
    taken = ("unique", "duplicate", "already")
    return "client order id" in words and (code == _DUPLICATE or any(w in words for w in taken))


def _json(content: bytes) -> object:
    try:
        found: object = json.loads(content, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
    return found


def canonical(symbol: str, asset_class: str = "") -> str:
    """The venue-neutral symbol: `BTCUSD` of asset class crypto is `BTC/USD`."""
    if asset_class != "crypto" or "/" in symbol:
        return symbol
    quote = next((q for q in _QUOTES if symbol.endswith(q) and len(symbol) > len(q)), "")
    return f"{symbol[: -len(quote)]}/{quote}" if quote else symbol


def squeezed(symbol: str) -> str:
    """The symbol as positions spell it: `BTC/USD` is `BTCUSD`."""
    return symbol.replace("/", "")


def order_body(ticket: Ticket) -> dict[str, str]:
    """The request for an order. A stop, as everything in a pair, is good till cancelled; others are
    good for the day.
    """
    order = ticket.order
    lasting = ticket.stop or is_pair(order.symbol)
    body = {
        "symbol": order.symbol,
        "qty": plain(order.quantity or ZERO),
        "side": order.side.value if order.side else "",
        "type": order.kind.value,
        "time_in_force": "gtc" if lasting else "day",
        "client_order_id": order.order_id,
    }
    prices = {"limit_price": order.limit_price, "stop_price": order.stop_price}
    return body | {name: plain(price) for name, price in prices.items() if price is not None}


def parse_order(body: object) -> BrokerOrder:
    """One order.

    Raises:
        TransientError: it cannot be read.
    """
    found = object_of(body)
    status = text_of(found, "status")
    return BrokerOrder(
        broker_id=text_of(found, "id"),
        client_id=str(found.get("client_order_id") or ""),
        symbol=canonical(text_of(found, "symbol"), str(found.get("asset_class", ""))),
        side=side_of(found),
        quantity=number_of(found, "qty"),
        filled=number_of(found, "filled_qty"),
        average_price=number_of(found, "filled_avg_price") or None,
        status=status,
        state=_STATES.get(status),
        kind=str(found.get("type") or found.get("order_type") or ""),
        limit_price=number_of(found, "limit_price") or None,
        stop_price=number_of(found, "stop_price") or None,
    )


def parse_orders(bodies: Sequence[object]) -> list[BrokerOrder]:
    """Orders; a foreign one of a kind that is not known here, as with several legs, is left out.

    Raises:
        TransientError: one that may be ours cannot be read.
    """
    found = []
    for body in bodies:
        try:
            found.append(parse_order(body))
        except TransientError:
            if _OURS.fullmatch(str(object_of(body).get("client_order_id"))):
                raise
    return found


def parse_fill(body: object) -> BrokerFill:
    """One activity of type FILL.

    Raises:
        TransientError: it cannot be read.
    """
    found = object_of(body)
    return BrokerFill(
        broker_id=text_of(found, "order_id"),
        quantity=number_of(found, "qty"),
        cumulative=number_of(found, "cum_qty"),
        price=number_of(found, "price"),
        at=time_of(found, "transaction_time"),
    )


def activity_id(body: object) -> str:
    """By what the next page is asked for.

    Raises:
        TransientError: it cannot be read.
    """
    return text_of(object_of(body), "id")


def blocked(body: object) -> str:
    """Why an account may not trade; empty when it may.

    Raises:
        TransientError: it cannot be read.
    """
    found = object_of(body)
    for name in ("trading_blocked", "account_blocked", "trade_suspended_by_user"):
        if found.get(name) is True:
            return f"the account says {name}"
    status = str(found.get("status", "ACTIVE"))
    return "" if status == "ACTIVE" else f"the account is {status[:32]}"


def parse_account(body: object) -> tuple[str, Decimal]:
    """The broker's own id of an account, and its cash.

    Raises:
        TransientError: it cannot be read.
    """
    found = object_of(body)
    text_of(found, "cash")
    return text_of(found, "id"), number_of(found, "cash")


def parse_clock(body: object) -> datetime:
    """The broker's time.

    Raises:
        TransientError: it cannot be read.
    """
    return time_of(object_of(body), "timestamp")


def parse_position(body: object) -> BrokerPosition:
    """One position.

    Raises:
        TransientError: it cannot be read.
    """
    found = object_of(body)
    quantity = number_of(found, "qty")
    short = found.get("side") == "short"
    return BrokerPosition(
        symbol=canonical(text_of(found, "symbol"), str(found.get("asset_class", ""))),
        quantity=quantity.copy_abs().copy_negate() if short else quantity,
        available=number_of(
            found, "qty_available" if "qty_available" in found else "qty"
        ).copy_abs(),
    )


def parse_asset(body: object) -> Asset:
    """What may be ordered.

    Raises:
        TransientError: it cannot be read.
    """
    found = object_of(body)
    step = number_of(found, "min_trade_increment")
    whole = _FRACTION if found.get("fractionable") is True else _WHOLE
    return Asset(
        tradable=found.get("tradable") is True,
        shortable=found.get("shortable") is True,
        step=step or whole,
        least=number_of(found, "min_order_size"),
        tick=number_of(found, "price_increment"),
    )


def parse_list(body: object) -> list[object]:
    """A list.

    Raises:
        TransientError: it is none.
    """
    if not isinstance(body, list):
        raise TransientError(f"alpaca: a list was expected, not {type(body).__name__}")
    return body
