"""Live deployments: state, insights, orders, portfolio, logs, and ending them."""

from decimal import Decimal

from sandbox.quantconnect.deployment import CASH, Deployment, web_time
from sandbox.quantconnect.endpoints import Context, Endpoint, Json
from sandbox.quantconnect.parameters import Failure, Parameters, integer, span

_MOST_INSIGHTS, _MOST_ORDERS, _MOST_LOGS = 100, 1000, 250
_STATUSES = ("Running", "Stopped", "RuntimeError", "Liquidated")


def read_live(context: Context, parameters: Parameters) -> Json:
    """The newest deployment of a project, flat."""
    deployment = context.deployment(parameters)
    project = context.project(parameters)
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
        "runtimeStatistics": _statistics(deployment) if deployment.is_running else [],
        "charts": {"Strategy Equity": {"name": "Strategy Equity"}},
    }


def list_live(context: Context, parameters: Parameters) -> Json:
    """Every deployment, past and present."""
    status = parameters.get("status") or None
    if status is not None and status not in _STATUSES:
        raise Failure(f"Invalid argument: status is one of {', '.join(_STATUSES)}")
    chosen = sorted(context.desk.projects)
    if parameters.get("projectId"):
        chosen = [context.project(parameters).id]
    rows = [_row(d) for project_id in chosen for d in context.desk.deployments(project_id)]
    return {"live": [row for row in rows if status in {None, row["status"]}]}


def read_insights(context: Context, parameters: Parameters) -> Json:
    """A page of insights, oldest first; `start` may be left out for the first hundred."""
    start, end = span(parameters, _MOST_INSIGHTS)
    found = context.snapshot(context.deployment(parameters)).insights
    return {"insights": found[start:end], "length": len(found)}


def read_orders(context: Context, parameters: Parameters) -> Json:
    """A page of orders with their events, oldest first; `length` is of the whole list."""
    start, end = span(parameters, _MOST_ORDERS, default_start=None)
    found = context.snapshot(context.deployment(parameters)).orders
    return {"orders": found[start:end], "length": len(found)}


def read_portfolio(context: Context, parameters: Parameters) -> Json:
    """What is held."""
    return {"portfolio": context.snapshot(context.deployment(parameters)).portfolio}


def read_logs(context: Context, parameters: Parameters) -> Json:
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


def stop(context: Context, parameters: Parameters) -> Json:
    """End the deployment, keep its positions."""
    _running(context, parameters).stop(context.desk.now)
    return {}


def liquidate(context: Context, parameters: Parameters) -> Json:
    """Sell everything, then end the deployment."""
    _running(context, parameters).stop(context.desk.now, liquidate=True)
    return {}


def _running(context: Context, parameters: Parameters) -> Deployment:
    deployment = context.desk.newest(context.project(parameters).id)
    if deployment is None or not deployment.is_running:
        raise Failure(f"No running live deployment of project {parameters.get('projectId')}")
    return deployment


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


def _statistics(deployment: Deployment) -> dict[str, str]:
    holdings = sum((h.value for h in deployment.holdings.values()), Decimal(0))
    unrealized = sum((h.unrealized for h in deployment.holdings.values()), Decimal(0))
    profit = deployment.equity - CASH
    return {
        "Equity": _money(deployment.equity),
        "Fees": _money(-deployment.fees),
        "Holdings": _money(holdings),
        "Net Profit": _money(profit - unrealized),
        "Probabilistic Sharpe Ratio": "0%",
        "Return": f"{profit / CASH * 100:.2f} %",
        "Unrealized": _money(unrealized),
        "Volume": _money(deployment.volume),
    }


def _money(value: Decimal) -> str:
    sign = "-" if value < 0 else ""
    return f"{sign}${abs(value):,.2f}"


ENDPOINTS: dict[str, Endpoint] = {
    "live/read": read_live,
    "live/list": list_live,
    "live/insights/read": read_insights,
    "live/orders/read": read_orders,
    "live/portfolio/read": read_portfolio,
    "live/logs/read": read_logs,
    "live/update/stop": stop,
    "live/update/liquidate": liquidate,
    # Spellings from before 2024.
    "live/read/insights": read_insights,
    "live/read/orders": read_orders,
    "live/read/portfolio": read_portfolio,
    "live/read/log": read_logs,
}
