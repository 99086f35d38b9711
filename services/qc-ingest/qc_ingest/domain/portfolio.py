"""What a live deployment holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from pydantic import JsonValue

from qc_ingest.domain.wire import Fields, Json, normal, parse_map, parse_number_or_none, parse_text
from signalbox.contracts.ids import plain

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Holding:
    """One position. The key of the list is the symbol id, whose ticker may be an old one."""

    symbol_id: str
    quantity: Decimal  # signed
    average_price: Decimal
    price: Decimal
    value: Decimal
    unrealized: Decimal

    def body(self) -> dict[str, JsonValue]:
        """As text."""
        return {
            "symbol": self.symbol_id.partition(" ")[0],
            "symbol_id": self.symbol_id,
            "quantity": plain(self.quantity),
            "average_price": plain(self.average_price),
            "price": plain(self.price),
            "value": plain(self.value),
            "unrealized": plain(self.unrealized),
        }


@dataclass(frozen=True, slots=True)
class Cash:
    """One currency."""

    currency: str
    amount: Decimal
    value: Decimal  # in account currency

    def body(self) -> dict[str, JsonValue]:
        """As text."""
        return {
            "currency": self.currency,
            "amount": plain(self.amount),
            "value": plain(self.value),
        }


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Positions and cash, of a snapshot that may be 10 minutes old."""

    holdings: tuple[Holding, ...] = ()
    cash: tuple[Cash, ...] = ()

    def body(self) -> dict[str, JsonValue]:
        """What is shown of it."""
        return {
            "holdings": [holding.body() for holding in self.holdings],
            "cash": [cash.body() for cash in self.cash],
        }


def parse_portfolio(value: Json) -> Portfolio:
    """The answer of `live/portfolio/read`. Left-out numbers are zero, as the engine writes them."""
    fields = normal(value)
    holdings = parse_map(fields.get("holdings"))
    cash = parse_map(fields.get("cash"))
    return Portfolio(
        tuple(_holding(symbol_id, normal(row)) for symbol_id, row in _objects(holdings)),
        tuple(_cash(currency, normal(row)) for currency, row in _objects(cash)),
    )


def _objects(rows: Mapping[str, Json]) -> list[tuple[str, Json]]:
    return sorted((key, row) for key, row in rows.items() if isinstance(row, dict))


def _number(fields: Fields, *names: str) -> Decimal:
    for name in names:
        number = parse_number_or_none(fields.get(name))
        if number is not None:
            return number
    return _NOTHING


def _holding(symbol_id: str, row: Fields) -> Holding:
    return Holding(
        symbol_id=parse_text(symbol_id, longest=128),
        quantity=_number(row, "q", "quantity"),
        average_price=_number(row, "a", "averageprice"),
        price=_number(row, "p", "marketprice"),
        value=_number(row, "v", "marketvalue"),
        unrealized=_number(row, "u", "unrealizedpnl"),
    )


def _cash(currency: str, row: Fields) -> Cash:
    amount = _number(row, "amount")
    rate = parse_number_or_none(row.get("conversionrate"))
    value = parse_number_or_none(row.get("valueinaccountcurrency"))
    if value is None:
        value = amount * (Decimal(1) if rate is None else rate)
    return Cash(parse_text(currency, longest=16), amount, value)
