"""Charts of an equity curve."""

from sandbox.quantconnect.curve import Curve, Point, thin
from sandbox.quantconnect.formats import Json, number
from sandbox.quantconnect.parameters import Failure, Parameters, integer, text

_LINE, _CANDLE, _BAR = 0, 2, 3
_MOST_POINTS = 10_000
NAMES = ("Strategy Equity", "Drawdown", "Benchmark")


def names(curve: Curve) -> Json | list[Json]:
    """Which charts there are; none before the first point."""
    return {name: {"name": name} for name in NAMES} if curve.points else []


def read(curve: Curve, parameters: Parameters) -> Json:
    """One chart between two times, thinned to so many points.

    Raises:
        Failure: no such chart, or times that are not in order.
    """
    name = text(parameters, "name")
    count = integer(parameters, "count")
    start, end = integer(parameters, "start"), integer(parameters, "end")
    if name not in NAMES:
        raise Failure(f"Chart not found: {name}")
    if start > end:
        raise Failure("Invalid argument: start must not be after end")
    if not 0 < count <= _MOST_POINTS:
        raise Failure(f"Invalid argument: count is a number from 1 to {_MOST_POINTS}")
    points = thin([p for p in curve.points if start <= p.at <= end], count)
    return {"chart": {"name": name, "chartType": 0, "series": _series(name, curve, points)}}


def _series(name: str, curve: Curve, points: list[Point]) -> Json:
    if name == "Strategy Equity":
        first = curve.points[0].open if curve.points else 0
        returns = [[p.at, round(number(p.close / first - 1) * 100, 4)] for p in points if first]
        return {
            "Equity": _one("Equity", "$", _CANDLE, [_candle(p) for p in points]),
            "Return": _one("Return", "%", _BAR, returns, index=1),
        }
    if name == "Drawdown":
        values = [[p.at, round(number(p.drawdown) * 100, 4)] for p in points]
        return {"Equity Drawdown": _one("Equity Drawdown", "%", _LINE, values)}
    values = [[p.at, round(number(p.benchmark), 4)] for p in points]
    return {"Benchmark": _one("Benchmark", "$", _LINE, values)}


def _candle(point: Point) -> list[float]:
    prices = (point.open, point.high, point.low, point.close)
    return [point.at, *(round(number(price), 4) for price in prices)]


def _one(name: str, unit: str, kind: int, values: list[list[float]], *, index: int = 0) -> Json:
    return {
        "name": name,
        "unit": unit,
        "index": index,
        "seriesType": kind,
        "values": values,
        "color": "",
        "scatterMarkerSymbol": "none",
    }
