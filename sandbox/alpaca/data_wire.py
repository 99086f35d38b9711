"""Alpaca's JSON of market data: prices are numbers here. Headlines are made from the prices."""

import json
import zlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import JSONResponse, Response

from sandbox.faults import Kind
from signalbox.contracts.payloads import Bar, Quote

_NEW_YORK = ZoneInfo("America/New_York")
_TENTH = Decimal("0.1")


def stamp(bar: Bar) -> datetime:
    """When a bar begins on the wire: a stock's day at midnight in New York."""
    if bar.interval != "1d" or "/" in bar.symbol:
        return bar.opened_at
    local = bar.opened_at.astimezone(_NEW_YORK)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def bar_json(bar: Bar) -> dict[str, Any]:
    """A bar."""
    prices = {"o": bar.open, "h": bar.high, "l": bar.low, "c": bar.close, "v": bar.volume}
    return {"t": _time(stamp(bar)), **{name: float(price) for name, price in prices.items()}}


def quote_json(quote: Quote) -> dict[str, Any]:
    """The newest quote."""
    return {
        "t": _time(quote.at),
        "bp": float(quote.bid),
        "bs": 1,
        "ap": float(quote.ask),
        "as": 1,
    }


def headline_json(before: Bar, bar: Bar) -> dict[str, Any]:
    """What a day's close makes of a headline: by how much it differs from the day before."""
    change = ((bar.close / before.close - 1) * 100).quantize(_TENTH)
    how = f"{abs(change)} % {'higher' if change > 0 else 'lower'}" if change else "unchanged"
    at = _time(bar.closed_at)
    return {
        "id": zlib.crc32(f"{bar.symbol}|{bar.closed_at.isoformat()}".encode()),
        "headline": f"{bar.symbol} closes {how}",
        "summary": f"{bar.symbol} closed at {bar.close}, after {before.close} the day before.",
        "author": "sandbox",
        "created_at": at,
        "updated_at": at,
        "url": "",
        "content": "",
        "images": [],
        "symbols": [bar.symbol.replace("/", "")],
        "source": "sandbox",
    }


def spoilt(body: dict[str, Any], kind: Kind | None) -> Response:
    """The answer, or what a fault makes of it."""
    match kind:
        case Kind.TRUNCATED:
            content = json.dumps(body).encode()
            return Response(content[: len(content) // 2], media_type="application/json")
        case Kind.EMPTY:
            empty = {name: type(value)() for name, value in body.items() if value is not None}
            return JSONResponse(empty | {"next_page_token": None})
        case Kind.NAN:
            return Response(_with_nan(body), media_type="application/json")
        case Kind.STRANGE:
            return JSONResponse(_with_strange(body))
        case _:
            return JSONResponse(body)


def _rows(body: dict[str, Any]) -> list[dict[str, Any]]:
    table = body.get("bars") or body.get("quotes") or body.get("news") or []
    rows = list(table.values()) if isinstance(table, dict) else table
    return [one for row in rows for one in (row if isinstance(row, list) else [row])]


def _with_nan(body: dict[str, Any]) -> bytes:
    """The first row's prices are no numbers: `NaN`, as some libraries write it."""
    for row in _rows(body)[:1]:
        row |= {name: float("nan") for name in ("c", "bp") if name in row}
    return json.dumps(body).encode()


def _with_strange(body: dict[str, Any]) -> dict[str, Any]:
    """The first row has another shape."""
    for row in _rows(body)[:1]:
        row.clear()
        row["surprise"] = True
    return body


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
