"""What a request for an order may ask for; what Alpaca would refuse is refused in its words."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.alpaca.venue import Order, Rejection, Terms, new_order

_PRICES = {"market": "", "limit": "limit_price", "stop": "stop_price"}  # which one a kind needs
_KINDS = {True: ("market", "limit"), False: ("market", "limit", "stop")}  # of crypto, of shares
_TIMES = {True: ("gtc", "ioc"), False: ("day", "gtc", "ioc")}
_PLACES, _SMALL_PLACES, _CRYPTO_PLACES = 2, 4, 9  # decimals of a price; below a dollar; of a pair


def read_order(body: Any, at: datetime) -> Order:
    """The order that a request asks for.

    Raises:
        Rejection: there is no such order.
    """
    try:
        quantity = Decimal(str(body["qty"]))
        symbol, side = str(body["symbol"]), str(body["side"])
    except (KeyError, TypeError, InvalidOperation):
        raise Rejection(422, 40010001, "qty, symbol and side are required") from None
    if side not in {"buy", "sell"} or not quantity.is_finite():
        raise Rejection(422, 40010001, "invalid side or qty")
    terms = _terms(body, symbol, quantity)
    name = str(body.get("client_order_id", ""))
    return new_order(symbol, side, quantity, name, at, terms=terms)


def _terms(body: Mapping[str, Any], symbol: str, quantity: Decimal) -> Terms:
    crypto = "/" in symbol
    kind, lasting = str(body.get("type")), str(body.get("time_in_force"))
    if kind not in _KINDS[crypto]:
        what = "crypto order" if crypto else "this stand-in"
        raise Rejection(422, 42210000, f"invalid order type for {what}")
    if lasting not in _TIMES[crypto]:
        what = "crypto time_in_force" if crypto else "time_in_force for this stand-in"
        raise Rejection(422, 42210000, f"invalid {what}")
    if not crypto and quantity % 1 and lasting != "day":
        raise Rejection(422, 42210000, "fractional orders must be DAY orders")
    needed = _PRICES[kind]
    for name in ("limit_price", "stop_price"):
        if (body.get(name) is not None) is not (name == needed):
            word = "require" if name == needed else "must not have"
            raise Rejection(422, 40010001, f"{kind} orders {word} a {name.replace('_', ' ')}")
    price = _price(body, needed, crypto=crypto) if needed else None
    return Terms(
        kind,
        lasting,
        limit_price=price if kind == "limit" else None,
        stop_price=price if kind == "stop" else None,
    )


def _price(body: Mapping[str, Any], name: str, *, crypto: bool) -> Decimal:
    try:
        price = Decimal(str(body[name]))
    except InvalidOperation:
        price = Decimal("NaN")
    if not price.is_finite() or price <= 0:
        raise Rejection(422, 40010001, f"{name} must be > 0")
    places = _PLACES if price >= 1 else _SMALL_PLACES
    if price != round(price, _CRYPTO_PLACES if crypto else places):
        words = "sub-penny increment does not fulfill minimum pricing criteria"
        raise Rejection(422, 42210000, f"invalid {name} {price}. {words}")
    return price
