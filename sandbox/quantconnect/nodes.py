"""Machines: live ones that deployments hold, and those for backtests and research."""

from sandbox.quantconnect.deployment import Deployment
from sandbox.quantconnect.desk import LIVE_NODES
from sandbox.quantconnect.endpoints import Context, Endpoint, Payload, check_organization
from sandbox.quantconnect.formats import Json, hex32
from sandbox.quantconnect.parameters import Failure, Parameters
from sandbox.quantconnect.project import Project
from sandbox.quantconnect.runner import BACKTEST_NODES

_RESEARCH_NODES = (f"RN-{hex32('research node')}",)


def read(context: Context, parameters: Parameters) -> Payload:
    """Every node, and who uses it."""
    check_organization(parameters, needed=True)
    return _nodes(context)


def read_project(context: Context, parameters: Parameters) -> Payload:
    """Every node, and which of them a project may use; none chosen means any."""
    return _chosen(context, context.project(parameters))


def update_project(context: Context, parameters: Parameters) -> Payload:
    """Choose the nodes of a project; none: any."""
    project = context.project(parameters)
    wanted = parameters.get("nodes") or []
    known = {*LIVE_NODES, *BACKTEST_NODES, *_RESEARCH_NODES}
    if not isinstance(wanted, list) or not known.issuperset(map(str, wanted)):
        raise Failure("Invalid argument: nodes names a node that does not exist")
    project.nodes = [str(node) for node in wanted]
    return _chosen(context, project)


def _nodes(context: Context) -> dict[str, list[Json]]:
    holders = {deployment.node_id: deployment for deployment in context.desk.alive()}
    backtests = {b.node: b for b in context.runner.backtests.values() if not b.is_over and b.node}
    projects = context.desk.projects
    return {
        "backtest": [
            _node(
                node,
                f"B-MICRO node {place}",
                "B-MICRO",
                projects[backtests[node].project_id] if node in backtests else None,
            )
            for place, node in enumerate(BACKTEST_NODES, start=1)
        ],
        "research": [_node(node, "R1-4 node", "R1-4", None) for node in _RESEARCH_NODES],
        "live": [
            _node(node, f"L-MICRO node {place}", "L-MICRO", _project(context, holders.get(node)))
            for place, node in enumerate(LIVE_NODES, start=1)
        ],
    }


def _chosen(context: Context, project: Project) -> Payload:
    nodes = {
        kind: [node | {"active": node["id"] in project.nodes} for node in found]
        for kind, found in _nodes(context).items()
    }
    return {"nodes": nodes, "autoSelectNode": not project.nodes}


def _project(context: Context, deployment: Deployment | None) -> Project | None:
    return context.desk.projects.get(deployment.project_id) if deployment else None


def _node(id_: str, name: str, sku: str, used_by: Project | None) -> Json:
    return {
        "id": id_,
        "name": name,
        "projectName": used_by.name if used_by else "",
        "description": "Sandbox node",
        "usedBy": "Sandbox" if used_by else "",
        "sku": sku,
        "busy": used_by is not None,
        "price": {"monthly": 0, "yearly": 0},
        "speed": 2.0,
        "cpu": 1,
        "ram": 0.5,
        "assets": 20,
        "active": True,
        "hasGpu": 0,
        "projectId": used_by.id if used_by else None,
    }


ENDPOINTS: dict[str, Endpoint] = {
    "nodes/read": read,
    "projects/nodes/read": read_project,
    "projects/nodes/update": update_project,
}
