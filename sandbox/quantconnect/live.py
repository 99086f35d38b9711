"""Live deployments as they are read: state, insights, orders, portfolio, logs, charts."""

from sandbox.quantconnect import charts, performance
from sandbox.quantconnect.deployment import Deployment
from sandbox.quantconnect.endpoints import Context, Endpoint, Payload
from sandbox.quantconnect.formats import Json, web_time
from sandbox.quantconnect.parameters import Failure, Parameters, integer, span

_MOST_INSIGHTS, _MOST_ORDERS, _MOST_LOGS, _MOST_TRADES = 100, 1000, 250, 1000
_STATUSES = ("Running", "Stopped", "RuntimeError", "Liquidated")


def read_live(context: Context, parameters: Parameters) -> Payload:
    """The newest deployment of a project, flat."""
    deployment = context.deployment(parameters)
    project = context.project(parameters)
    found = performance.Summary.of(deployment, deployment.launched, context.desk.now)
    return {
        "status": deployment.status,
        "deployId": deployment.deploy_id,
        "launched": web_time(deployment.launched),
        "stopped": web_time(deployment.stopped) if deployment.stopped else None,
        "brokerage": "PaperBrokerage",
        "message": "",
        "cloneId": 1,
        "projectName": project.name,
        "securityTypes": "Equity",
        "datacenter": "NY7",
        "public": False,
        "isPublicStreaming": False,
        "files": [],
        "runtimeStatistics": performance.runtime_texts(found) if deployment.is_running else [],
        "charts": charts.names(deployment.curve),
    }


def list_live(context: Context, parameters: Parameters) -> Payload:
    """Every deployment, past and present."""
    status = parameters.get("status") or None
    if status is not None and status not in _STATUSES:
        raise Failure(f"Invalid argument: status is one of {', '.join(_STATUSES)}")
    chosen = sorted(context.desk.projects)
    if parameters.get("projectId"):
        chosen = [context.project(parameters).id]
    rows = [_row(d) for project_id in chosen for d in context.desk.deployments(project_id)]
    return {"live": [row for row in rows if status in {None, row["status"]}]}


def read_insights(context: Context, parameters: Parameters) -> Payload:
    """A page of insights, oldest first; `start` may be left out for the first hundred."""
    start, end = span(parameters, _MOST_INSIGHTS)
    found = context.snapshot(context.deployment(parameters)).insights
    return {"insights": found[start:end], "length": len(found)}


def read_orders(context: Context, parameters: Parameters) -> Payload:
    """A page of orders with their events, oldest first; `length` is of the whole list."""
    start, end = span(parameters, _MOST_ORDERS, default_start=None)
    found = context.snapshot(context.deployment(parameters)).orders
    return {"orders": found[start:end], "length": len(found)}


def read_portfolio(context: Context, parameters: Parameters) -> Payload:
    """What is held."""
    return {"portfolio": context.snapshot(context.deployment(parameters)).portfolio}


def read_logs(context: Context, parameters: Parameters) -> Payload:
    """Lines of one deployment's log."""
    if not parameters.get("algorithmId"):
        raise Failure("Invalid argument: algorithmId is required")
    start = integer(parameters, "startLine")
    end = integer(parameters, "endLine")
    if start < 0 or start >= end:
        raise Failure("Invalid argument: startLine must be smaller than endLine")
    if end - start > _MOST_LOGS:
        raise Failure(f"Invalid argument: at most {_MOST_LOGS} lines can be read at once")
    logs = context.snapshot(context.deployment(parameters)).logs
    return {"logs": logs[start:end], "length": len(logs), "deploymentOffset": 0}


def read_chart(context: Context, parameters: Parameters) -> Payload:
    """One chart of the newest deployment."""
    return charts.read(context.deployment(parameters).curve, parameters)


def read_trades(context: Context, parameters: Parameters) -> Payload:
    """A page of closed trades, oldest first."""
    if "deployId" in parameters and parameters["deployId"] is None:
        raise Failure("Invalid argument: deployId is a text")
    start, end = span(parameters, _MOST_TRADES, default_start=None)
    found = context.deployment(parameters).ledger.closed
    return {"trades": [trade.json() for trade in found[start:end]], "length": len(found)}


def _row(deployment: Deployment) -> Json:
    return {
        "projectId": deployment.project_id,
        "deployId": deployment.deploy_id,
        "status": deployment.status,
        "launched": web_time(deployment.launched),
        "stopped": web_time(deployment.stopped) if deployment.stopped else None,
        "brokerage": "PaperBrokerage",
        "subscription": "",
        "equity": float(deployment.equity),
        "environment": "paper",
        "description": "",
        "error": "",
        "leagues": [],
    }


ENDPOINTS: dict[str, Endpoint] = {
    "live/read": read_live,
    "live/list": list_live,
    "live/insights/read": read_insights,
    "live/orders/read": read_orders,
    "live/portfolio/read": read_portfolio,
    "live/logs/read": read_logs,
    "live/chart/read": read_chart,
    "live/trades/read": read_trades,
    # Spellings from before 2024.
    "live/read/insights": read_insights,
    "live/read/orders": read_orders,
    "live/read/portfolio": read_portfolio,
    "live/read/log": read_logs,
}
