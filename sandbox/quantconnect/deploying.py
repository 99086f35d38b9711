"""Starting and ending live deployments, and talking to them."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.quantconnect.algorithm import CASH, Holding
from sandbox.quantconnect.builds import GOOD
from sandbox.quantconnect.compiling import find_build
from sandbox.quantconnect.deployment import STARTING, Deployment, Target
from sandbox.quantconnect.desk import LIVE_NODES, new_deploy_id
from sandbox.quantconnect.endpoints import Context, Endpoint, Payload, check_organization
from sandbox.quantconnect.parameters import Failure, Parameters, integer, text
from sandbox.quantconnect.projects import LEAN_VERSION
from sandbox.quantconnect.rules import RuleError, make_rule

PAPER = "QuantConnectBrokerage"
_EVENTS = frozenset({"insight", "orderEvent"})
_MOST_TARGETS = 20
_LONGEST_TARGET = 4000
_LONGEST_BROKERAGE = 10_000


def create(context: Context, parameters: Parameters) -> Payload:
    """Deploy a build on a free node, on QuantConnect's own paper brokerage."""
    project, build = context.project(parameters), find_build(context, parameters)
    if build.state(context.wall()) != GOOD:
        raise Failure(f"Compile {build.id} is in state {build.state(context.wall())}")
    newest = context.desk.newest(project.id)
    if newest is not None and newest.is_alive:
        raise Failure(f"Project {project.id} is already running live as {newest.run_id}")
    node_id = _free_node(context, parameters)
    brokerage, targets = _brokerage(parameters), _targets(parameters)
    version = _version(parameters)
    deploy_id = new_deploy_id()
    try:
        rule = make_rule(build.parameters)
    except RuleError as error:
        raise Failure(f"The algorithm cannot be initialized: {error}") from error
    deployment = Deployment(
        deploy_id,
        rule,
        start_cash=_cash(brokerage),
        project_id=project.id,
        launched=context.desk.now,
        parameters=build.parameters,
        node_id=node_id,
        brokerage=brokerage,
        targets=targets,
    )
    _hold(deployment, brokerage)
    context.desk.deploy(deployment)
    if context.pace.launch_s:
        deployment.status = STARTING[0]
        context.tasks.start(deploy_id, _launch(deployment, context.pace.launch_s))
    return {
        "projectId": project.id,
        "deployId": deploy_id,
        "versionId": version,
        "source": "api-v2",
        "responseCode": "200",
        "live": {
            "projectId": project.id,
            "deployId": deploy_id,
            "status": deployment.status,
            "brokerage": "PaperBrokerage",
            "nodeId": node_id,
        },
    }


def stop(context: Context, parameters: Parameters) -> Payload:
    """End the deployment, keep its positions."""
    _alive(context, parameters).stop(context.desk.now)
    context.desk.changes += 1
    return {}


def liquidate(context: Context, parameters: Parameters) -> Payload:
    """Sell everything, then end the deployment."""
    _alive(context, parameters).stop(context.desk.now, liquidate=True)
    context.desk.changes += 1
    return {}


def command(context: Context, parameters: Parameters) -> Payload:
    """Hand a command to the algorithm. Success means that it was taken, not what came of it."""
    obey(context, _alive(context, parameters), _command(parameters))
    return {}


def broadcast(context: Context, parameters: Parameters) -> Payload:
    """Hand a command to every running algorithm of the organization."""
    check_organization(parameters, needed=True)
    excluded = integer(parameters, "excludeProjectId", 0)
    wanted = _command(parameters)
    for deployment in context.desk.alive():
        if deployment.project_id != excluded:
            obey(context, deployment, wanted)
    return {}


def obey(context: Context, deployment: Deployment, wanted: Mapping[str, Any]) -> None:
    """The built-in commands take effect; any other is noted in the log, as an algorithm would."""
    now, kind = context.desk.now, str(wanted.get("$type", ""))
    deployment.log(now, f"Received command {kind or 'without a type'}")
    if not deployment.is_running:
        return
    if kind == "LiquidateCommand":
        deployment.sell_everything(now, "Liquidated by command")
    elif kind == "QuitCommand":
        deployment.stop(now)
        context.desk.changes += 1
    elif kind == "OrderCommand":
        quantity = _number(wanted.get("quantity"))
        ticker = str(wanted.get("symbol") or wanted.get("ticker") or "").split(" ")[0]
        if ticker not in deployment.holdings or not quantity:
            deployment.log(now, f"Order command without a known symbol or quantity: {ticker[:20]}")
            return
        deployment.trade(ticker, quantity, now, str(wanted.get("tag") or "command")[:100])


async def _launch(deployment: Deployment, seconds: float) -> None:
    for status in STARTING:
        if deployment.status not in STARTING:
            return  # it was stopped meanwhile
        deployment.status = status
        await asyncio.sleep(seconds / len(STARTING))
    if deployment.status in STARTING:
        deployment.status = "Running"


def _alive(context: Context, parameters: Parameters) -> Deployment:
    deployment = context.desk.newest(context.project(parameters).id)
    if deployment is None or not deployment.is_alive:
        raise Failure(f"No running live deployment of project {parameters.get('projectId')}")
    return deployment


def _free_node(context: Context, parameters: Parameters) -> str:
    node_id = text(parameters, "nodeId")
    if node_id not in LIVE_NODES:
        raise Failure(f"Node not found: {node_id}")
    if node_id not in context.desk.free_nodes():
        raise Failure(f"Node is busy: {node_id}")
    return node_id


def _brokerage(parameters: Parameters) -> dict[str, Any]:
    brokerage = parameters.get("brokerage")
    if not isinstance(brokerage, Mapping) or brokerage.get("id") not in {PAPER, "PaperBrokerage"}:
        raise Failure(f"Invalid brokerage: the sandbox has {PAPER} only")
    if len(str(brokerage)) > _LONGEST_BROKERAGE:
        raise Failure(f"Invalid brokerage: over {_LONGEST_BROKERAGE} characters")
    return dict(brokerage)


def _cash(brokerage: Mapping[str, Any]) -> Decimal:
    listed = brokerage.get("cash") or []
    dollars = [row for row in listed if isinstance(row, Mapping) and row.get("currency") == "USD"]
    amount = _number(dollars[0].get("amount")) if dollars else CASH
    if amount is None or amount <= 0:
        raise Failure("Invalid argument: cash is an amount of USD above 0")
    return amount


def _hold(deployment: Deployment, brokerage: Mapping[str, Any]) -> None:
    """Positions to begin with; they come on top of the cash."""
    for row in brokerage.get("holdings") or []:
        quantity = _number(row.get("quantity")) if isinstance(row, Mapping) else None
        price = _number(row.get("averagePrice")) if isinstance(row, Mapping) else None
        ticker = str(row.get("symbol") or "") if isinstance(row, Mapping) else ""
        if ticker not in deployment.rule.symbols or not quantity or not price:
            names = ", ".join(deployment.rule.symbols)
            raise Failure(f"Invalid holdings: symbol (one of {names}), quantity and averagePrice")
        deployment.holdings[ticker] = Holding(quantity, price, price, price)
        deployment.start_cash += quantity * price
        deployment.ledger.book(ticker, quantity, price, deployment.launched, fee=Decimal(0))


def _targets(parameters: Parameters) -> tuple[Target, ...]:
    """The webhooks of `notification`; mail, text messages and Telegram are not sent from here."""
    notification = parameters.get("notification") or {}
    if not isinstance(notification, Mapping):
        raise Failure("Invalid argument: notification is an object")
    listed = notification.get("targets") or []
    events = frozenset(map(str, notification.get("events") or [])) & _EVENTS
    if len(listed) > _MOST_TARGETS:
        raise Failure(f"Invalid argument: at most {_MOST_TARGETS} notification targets")
    found = []
    for row in listed:
        address = str(row.get("address", "")) if isinstance(row, Mapping) else ""
        if not address.startswith(("http://", "https://")):
            continue
        headers = {str(k): str(v) for k, v in dict(row.get("headers") or {}).items()}
        if len(f"{address}{headers}") > _LONGEST_TARGET:
            raise Failure(f"Invalid argument: a target is at most {_LONGEST_TARGET} characters")
        found.append(Target(address, headers, events))
    return tuple(found)


def _version(parameters: Parameters) -> int:
    wanted = integer(parameters, "versionId", -1)
    return LEAN_VERSION if wanted == -1 else wanted


def _command(parameters: Parameters) -> Mapping[str, Any]:
    found = parameters.get("command")
    if not isinstance(found, Mapping) or not found:
        raise Failure("Invalid argument: command is required")
    return found


def _number(value: Any) -> Decimal | None:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < 1_000_000_000 else None


ENDPOINTS: dict[str, Endpoint] = {
    "live/create": create,
    "live/update/stop": stop,
    "live/update/liquidate": liquidate,
    "live/commands/create": command,
    "live/commands/broadcast": broadcast,
}
