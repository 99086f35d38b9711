"""Backtests: start, read, list, change, delete, and the pages of their results."""

from collections.abc import Mapping
from html import escape
from typing import Any
from uuid import uuid4

from sandbox.quantconnect import charts
from sandbox.quantconnect.backtest import Backtest
from sandbox.quantconnect.builds import GOOD
from sandbox.quantconnect.compiling import find_build
from sandbox.quantconnect.curve import Curve
from sandbox.quantconnect.endpoints import ORGANIZATION_ID, Context, Endpoint, Payload
from sandbox.quantconnect.formats import Json, hex32, web_time
from sandbox.quantconnect.parameters import Failure, Parameters, span, text

_MOST_ROWS = 100
_MOST_LINES = 200
_MOST_TAGS = 20
_LONGEST_PARAMETERS = 20_000


def create(context: Context, parameters: Parameters) -> Payload:
    """Queue a backtest of a build, its parameters overlaid by those that are sent."""
    project, build = context.project(parameters), find_build(context, parameters)
    if build.state(context.wall()) != GOOD:
        raise Failure(f"Compile {build.id} is in state {build.state(context.wall())}")
    asked = parameters.get("parameters") or []
    if not isinstance(asked, Mapping | list) or (isinstance(asked, list) and asked):
        raise Failure("Invalid argument: parameters is a map of text to text")
    if len(str(asked)) > _LONGEST_PARAMETERS:
        raise Failure(f"Invalid argument: parameters has over {_LONGEST_PARAMETERS} characters")
    backtest = Backtest(
        id=uuid4().hex,
        project_id=project.id,
        name=text(parameters, "backtestName"),
        created=context.now,
        asked=asked,
        parameters=build.parameters | {str(k): str(v) for k, v in dict(asked).items()},
        honours_dates=build.honours_dates,
    )
    context.runner.start(backtest)
    return {"backtest": _json(backtest, context), "debugging": False}


def read(context: Context, parameters: Parameters) -> Payload:
    """One backtest; statistics when it has them."""
    return {"backtest": _json(_find(context, parameters), context)}


def list_backtests(context: Context, parameters: Parameters) -> Payload:
    """The backtests of a project, oldest first."""
    project = context.project(parameters)
    mine = [b for b in context.runner.backtests.values() if b.project_id == project.id]
    with_figures = str(parameters.get("includeStatistics", "")).lower() in {"true", "1"}
    rows = [_summary(backtest, with_figures) for backtest in mine]
    return {"backtests": rows, "count": len(rows)}


def update(context: Context, parameters: Parameters) -> Payload:
    """Change name or note."""
    backtest = _find(context, parameters)
    if parameters.get("name"):
        backtest.name = text(parameters, "name")
    if "note" in parameters:
        backtest.note = str(parameters["note"] or "")[:2000]
    return {}


def update_tags(context: Context, parameters: Parameters) -> Payload:
    """Set the tags."""
    tags = parameters.get("tags") or []
    if not isinstance(tags, list) or len(tags) > _MOST_TAGS:
        raise Failure(f"Invalid argument: tags is a list of at most {_MOST_TAGS}")
    _find(context, parameters).tags = [str(tag)[:50] for tag in tags]
    return {}


def delete(context: Context, parameters: Parameters) -> Payload:
    """Cancel it where it runs, and forget it."""
    context.runner.delete(_find(context, parameters))
    return {}


def read_orders(context: Context, parameters: Parameters) -> Payload:
    """A page of orders, oldest first; `length` is of the whole list."""
    start, end = span(parameters, _MOST_ROWS, default_start=None)
    found, length = _find(context, parameters).page("orders", start, end)
    return {"orders": found, "length": length}


def read_insights(context: Context, parameters: Parameters) -> Payload:
    """A page of insights, oldest first."""
    start, end = span(parameters, _MOST_ROWS, default_start=None)
    found, length = _find(context, parameters).page("insights", start, end)
    return {"insights": found, "length": length}


def read_chart(context: Context, parameters: Parameters) -> Payload:
    """One chart; `loading` while the backtest runs."""
    backtest = _find(context, parameters)
    if not backtest.is_over:
        return {"status": "loading", "progress": backtest.progress}
    return charts.read(_curve(backtest), parameters)


def read_log(context: Context, parameters: Parameters) -> Payload:
    """Lines of the log that hold a text."""
    start, end = span(parameters, _MOST_LINES, default_start=None)
    query = str(parameters.get("query") or "").lower()
    lines = [line for line in _find(context, parameters).logs if query in line.lower()]
    return {"logs": lines[start:end], "length": len(lines)}


def read_report(context: Context, parameters: Parameters) -> Payload:
    """The statistics as a page; `generating` while the backtest runs."""
    backtest = _find(context, parameters)
    if not backtest.is_over:
        return {"generating": True}
    if backtest.result is None:
        raise Failure("A failed backtest has no report")
    rows = "".join(
        f"<tr><th>{escape(key)}</th><td>{escape(value)}</td></tr>"
        for key, value in backtest.result.statistics.items()
    )
    title = escape(backtest.name)
    page = f"<!doctype html><title>{title}</title><h1>{title}</h1><table>{rows}</table>"
    return {"report": page}


def _find(context: Context, parameters: Parameters) -> Backtest:
    project = context.project(parameters)
    backtest = context.runner.backtests.get(text(parameters, "backtestId"))
    if backtest is None or backtest.project_id != project.id:
        raise Failure(f"Backtest not found: {text(parameters, 'backtestId')}")
    return backtest


def _curve(backtest: Backtest) -> Curve:
    if backtest.result is not None:
        return backtest.result.curve
    return backtest.run.curve if backtest.run is not None else Curve()


def _json(backtest: Backtest, context: Context) -> Json:
    result = backtest.result
    mine = [b for b in context.runner.backtests.values() if b.project_id == backtest.project_id]
    performance: Any = result.total.page(0, 1)[0] if result else None
    return {
        "backtestId": backtest.id,
        "projectId": backtest.project_id,
        "organizationId": ORGANIZATION_ID,
        "name": backtest.name,
        "note": backtest.note,
        "created": web_time(backtest.created),
        "status": backtest.status,
        "completed": backtest.is_over,
        "progress": backtest.progress,
        "error": backtest.error,
        "stacktrace": backtest.error,
        "hasInitializeError": backtest.error is not None and backtest.start is None,
        "tradeableDates": result.days if result else 0,
        "researchGuide": {"minutes": 0, "backtestCount": len(mine), "parameters": 0},
        "backtestStart": _local(backtest.start),
        "backtestEnd": _local(backtest.end),
        "snapshotId": hex32(backtest.id, "snapshot"),
        "optimizationId": None,
        "parameterSet": backtest.asked,
        "charts": charts.names(_curve(backtest)),
        "statistics": result.statistics if result else None,
        "runtimeStatistics": result.runtime if result else None,
        "totalPerformance": performance,
        "rollingWindow": [] if result else None,
        "nodeName": backtest.node,
        "outOfSampleMaxEndDate": None,
        "outOfSampleDays": None,
        "tags": backtest.tags,
    }


def _local(at: Any) -> str | None:
    """A time of the algorithm, in its own zone."""
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else None


def _summary(backtest: Backtest, with_figures: bool) -> Json:
    row: Json = {
        "backtestId": backtest.id,
        "status": backtest.status,
        "name": backtest.name,
        "created": web_time(backtest.created),
        "progress": backtest.progress,
        "tags": backtest.tags,
        "parameterSet": backtest.asked,
    }
    result = backtest.result
    if not with_figures or result is None:
        return row
    figures = result.figures
    return row | {
        "sharpeRatio": figures["sharpeRatio"],
        "alpha": figures["alpha"],
        "beta": figures["beta"],
        "compoundingAnnualReturn": figures["compoundingAnnualReturn"],
        "drawdown": figures["drawdown"],
        "lossRate": figures["lossRate"],
        "netProfit": figures["totalNetProfit"],
        "parameters": len(backtest.asked),
        "psr": figures["probabilisticSharpeRatio"],
        "securityTypes": "Equity",
        "sortinoRatio": figures["sortinoRatio"],
        "trades": len(result.orders),
        "treynorRatio": figures["treynorRatio"],
        "winRate": figures["winRate"],
    }


ENDPOINTS: dict[str, Endpoint] = {
    "backtests/create": create,
    "backtests/read": read,
    "backtests/list": list_backtests,
    "backtests/update": update,
    "backtests/tags/update": update_tags,
    "backtests/delete": delete,
    "backtests/orders/read": read_orders,
    "backtests/read/insights": read_insights,
    "backtests/chart/read": read_chart,
    "backtests/read/log": read_log,
    "backtests/read/report": read_report,
    # Other spellings in use.
    "backtests/read/orders": read_orders,
    "backtests/insights/read": read_insights,
}
