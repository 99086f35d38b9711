"""Account, organization, nodes and projects."""

from sandbox.quantconnect.deployment import web_time
from sandbox.quantconnect.desk import CREATED, ORGANIZATION_ID, Project
from sandbox.quantconnect.endpoints import Context, Endpoint, Json
from sandbox.quantconnect.parameters import Failure, Parameters, integer

_NAME = "Sandbox"


def authenticate(_context: Context, _parameters: Parameters) -> Json:
    """The signature was good."""
    return {}


def read_account(_context: Context, _parameters: Parameters) -> Json:
    """What the account has."""
    return {"organizationId": ORGANIZATION_ID, "creditBalance": 0}


def list_organizations(_context: Context, _parameters: Parameters) -> Json:
    """The one organization."""
    found = {
        "id": ORGANIZATION_ID,
        "name": _NAME,
        "type": "Sandbox",
        "ownerName": "You",
        "members": 1,
        "preferred": True,
    }
    return {"organizations": [found]}


def read_organization(_context: Context, parameters: Parameters) -> Json:
    """The one organization, whole."""
    _check_organization(parameters)
    member = {"id": 123, "name": _NAME, "isAdmin": True, "email": "sandbox@example.invalid"}
    organization = {
        "id": ORGANIZATION_ID,
        "name": _NAME,
        "seats": 1,
        "type": "Sandbox",
        "credit": {"movements": [], "balance": 0},
        "products": [],
        "data": {"signedTime": None, "current": True},
        "members": [member],
    }
    return {"organization": organization}


def read_nodes(context: Context, parameters: Parameters) -> Json:
    """A live node for each project, a free one, and one each for backtests and research."""
    if not parameters.get("organizationId"):
        raise Failure("Invalid argument: organizationId is required")
    _check_organization(parameters)
    live = []
    for place, project in enumerate(context.desk.projects.values(), start=1):
        newest = context.desk.newest(project.id)
        busy = newest is not None and newest.is_running
        live.append(_node(f"LN-{place}", busy=busy, project=project))
    live.append(_node(f"LN-{len(live) + 1}", busy=False))
    backtest = [_node("BN-1", busy=False)]
    return {"backtest": backtest, "research": [_node("RN-1", busy=False)], "live": live}


def read_projects(context: Context, parameters: Parameters) -> Json:
    """One project, a range of them, or all."""
    if parameters.get("projectId"):
        chosen = [context.project(parameters)]
    else:
        chosen = sorted(context.desk.projects.values(), key=lambda project: project.id)
        if "start" in parameters or "end" in parameters:
            start = integer(parameters, "start", 0)
            end = integer(parameters, "end", len(chosen))
            if start < 0 or start >= end:
                raise Failure("Invalid argument: start must be smaller than end")
            chosen = chosen[start:end]
    return {"projects": [_project(project) for project in chosen], "versions": []}


def _check_organization(parameters: Parameters) -> None:
    if parameters.get("organizationId") not in {None, "", ORGANIZATION_ID}:
        raise Failure("Organization not found")


def _project(project: Project) -> Json:
    return {
        "projectId": project.id,
        "organizationId": ORGANIZATION_ID,
        "name": project.name,
        "description": project.description,
        "modified": web_time(CREATED),
        "created": web_time(CREATED),
        "ownerId": 123,
        "language": "Py",
        "collaborators": [],
        "leanVersionId": 1,
        "leanPinnedToMaster": True,
        "leanEnvironment": 1,
        "parameters": [],
        "libraries": [],
    }


def _node(name: str, *, busy: bool, project: Project | None = None) -> Json:
    used = project if busy else None
    return {
        "id": name,
        "name": name,
        "projectName": used.name if used else "",
        "description": "Sandbox node",
        "usedBy": _NAME if used else "",
        "sku": "L-MICRO" if name.startswith("LN") else "B-MICRO",
        "busy": busy,
        "price": {"monthly": 0, "yearly": 0},
        "speed": 2.0,
        "cpu": 1,
        "ram": 0.5,
        "assets": 20,
        "active": True,
        "hasGpu": 0,
        "projectId": used.id if used else None,
    }


ENDPOINTS: dict[str, Endpoint] = {
    "authenticate": authenticate,
    "account/read": read_account,
    "organizations/list": list_organizations,
    "organizations/read": read_organization,
    "nodes/read": read_nodes,
    "projects/read": read_projects,
}
