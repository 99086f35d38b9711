"""Trades, orders and insights of a backtest, as rows to look at. They are never acted on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

from qc_ingest.domain.insights import parse_symbol
from qc_ingest.domain.orders import parse_order
from qc_ingest.domain.wire import (
    Fields,
    Json,
    normal,
    parse_integer_or_none,
    parse_list,
    parse_map,
    parse_number_or_none,
    parse_text,
    parse_time_or_none,
    rows_of,
)
from signalbox.contracts.errors import Malformed
from signalbox.contracts.ids import plain

PAGE = 100  # what one call may ask for
Row = dict[str, JsonValue]

_TYPES = (
    "market",
    "limit",
    "stop market",
    "stop limit",
    "market on open",
    "market on close",
    "option exercise",
    "limit if touched",
    "combo market",
    "combo limit",
    "combo leg limit",
    "trailing stop",
)
_SIDES = {"0": "long", "long": "long", "1": "short", "short": "short"}
_DIRECTIONS = {"1": "up", "0": "flat", "-1": "down"}


class Rows(StrEnum):
    """Which list."""

    ORDERS = "orders"
    INSIGHTS = "insights"
    TRADES = "trades"


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and how long the list is as far as is known."""

    rows: tuple[Row, ...]
    length: int
    is_last: bool


def parse_page(kind: Rows, fields: Mapping[str, Json], start: int) -> Page:
    """A page that begins at `start`; a short one is the last, whatever `length` says."""
    sent = parse_list(fields.get(kind.value))
    read = _order if kind is Rows.ORDERS else _insight
    rows = tuple(read(row) for row in rows_of(sent))
    is_last = len(sent) < PAGE
    end = start + len(sent)
    said = parse_integer_or_none(fields.get("length"))
    return Page(rows, end if is_last or said is None else max(said, end), is_last)


def parse_trades(total_performance: Json) -> tuple[Row, ...]:
    """The closed trades of a backtest, all of them, numbered from 1."""
    rows = rows_of(normal(parse_map(total_performance)).get("closedtrades"))
    return tuple(_trade(row, number) for number, row in enumerate(rows, 1))


def pages_of(rows: Sequence[Row]) -> dict[int, Page]:
    """A whole list as pages, by where they begin; at least one."""
    length = len(rows)
    return {
        start: Page(tuple(rows[start : start + PAGE]), length, start + PAGE >= length)
        for start in range(0, max(length, 1), PAGE)
    }


def _trade(row: Fields, number: int) -> Row:
    """Amounts in account currency; the profit is before fees."""
    several = parse_list(row.get("symbols"))
    symbol = _symbol({**row, "symbol": several[0]} if several else row)
    return {
        "id": number,
        **symbol,
        "direction": _SIDES.get(parse_text(row.get("direction"), longest=16).lower()),
        "quantity": _number(row, "quantity"),
        "opened_at": _time(row, "entrytime"),
        "entry_price": _number(row, "entryprice"),
        "closed_at": _time(row, "exittime"),
        "exit_price": _number(row, "exitprice"),
        "profit": _number(row, "profitloss"),
        "fees": _number(row, "totalfees"),
    }


def _order(row: Fields) -> Row:
    kind = parse_text(row.get("type"), longest=32)
    known = kind.isdecimal() and int(kind) < len(_TYPES)
    quantity = parse_number_or_none(row.get("quantity"))
    return {
        "id": parse_integer_or_none(row.get("id")),
        **_symbol(row),
        "time": _time(row, "time", "createdtime"),
        "type": _TYPES[int(kind)] if known else kind.lower(),
        "status": _status(row),
        "side": None if not quantity else "buy" if quantity > 0 else "sell",
        "quantity": _number(row, "quantity"),
        "price": _number(row, "price"),
        "value": _number(row, "value"),
        "tag": parse_text(row.get("tag"), longest=256) or None,
    }


def _insight(row: Fields) -> Row:
    direction = parse_text(row.get("direction"), longest=16).lower()
    return {
        "id": parse_text(row.get("id"), longest=64),
        **_symbol(row),
        "time": _time(row, "generatedtime"),
        "closes_at": _time(row, "closetime"),
        "type": parse_text(row.get("type"), longest=16) or "price",
        "direction": _DIRECTIONS.get(direction, direction),
        "confidence": _number(row, "confidence"),
        "magnitude": _number(row, "magnitude"),
        "weight": _number(row, "weight"),
        "reference": _number(row, "reference"),
        "source_model": parse_text(row.get("sourcemodel"), longest=128) or None,
        "tag": parse_text(row.get("tag"), longest=256) or None,
    }


def _symbol(row: Fields) -> Row:
    try:
        symbol_id, ticker = parse_symbol(normal(row))
    except Malformed:
        return {"symbol": None, "symbol_id": None}
    return {"symbol": ticker or symbol_id.partition(" ")[0], "symbol_id": symbol_id}


def _status(row: Fields) -> str:
    try:
        return parse_order(row).status
    except Malformed:
        return parse_text(row.get("status"), longest=32).lower()


def _number(row: Fields, name: str) -> str | None:
    number = parse_number_or_none(row.get(name))
    return None if number is None else plain(number)


def _time(row: Fields, *names: str) -> str | None:
    times = (parse_time_or_none(row.get(name)) for name in names)
    return next((at.isoformat() for at in times if at is not None), None)
