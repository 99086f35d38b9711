"""Account, organization, and what the engine offers."""

from sandbox.quantconnect.endpoints import (
    ORGANIZATION_ID,
    Context,
    Endpoint,
    Payload,
    check_organization,
)
from sandbox.quantconnect.formats import hex32, web_time
from sandbox.quantconnect.parameters import Parameters
from sandbox.quantconnect.project import CREATED
from sandbox.quantconnect.projects import LEAN_VERSION

_NAME = "Sandbox"


def authenticate(_context: Context, _parameters: Parameters) -> Payload:
    """The signature was good."""
    return {}


def read_account(context: Context, parameters: Parameters) -> Payload:
    """What the account has."""
    check_organization(parameters)
    return {"organizationId": ORGANIZATION_ID, "creditBalance": context.credit}


def list_organizations(_context: Context, _parameters: Parameters) -> Payload:
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


def read_organization(context: Context, parameters: Parameters) -> Payload:
    """The one organization, whole."""
    check_organization(parameters)
    member = {"id": 123, "name": _NAME, "isAdmin": True, "email": "sandbox@example.invalid"}
    organization = {
        "id": ORGANIZATION_ID,
        "name": _NAME,
        "seats": 1,
        "type": "Sandbox",
        "credit": {"movements": [], "balance": context.credit},
        "products": [],
        "data": {"signedTime": None, "current": True},
        "members": [member],
    }
    return {"organization": organization}


def read_versions(_context: Context, _parameters: Parameters) -> Payload:
    """The engine's versions."""
    version = {
        "id": LEAN_VERSION,
        "created": web_time(CREATED),
        "description": "Sandbox",
        "leanHash": hex32("lean"),
        "leanCloudHash": hex32("lean cloud"),
        "name": "Sandbox",
        "ref": "refs/heads/master",
        "public": True,
    }
    return {"versions": [version]}


def read_environments(_context: Context, _parameters: Parameters) -> Payload:
    """The Python environments."""
    default = {"id": 1, "name": "Default", "path": None, "description": "", "public": True}
    return {"environments": [default]}


def list_optimizations(context: Context, parameters: Parameters) -> Payload:
    """None: the sandbox has no optimizer."""
    context.project(parameters)
    return {"optimizations": []}


def list_encryption_keys(_context: Context, parameters: Parameters) -> Payload:
    """None."""
    check_organization(parameters)
    return {"keys": []}


ENDPOINTS: dict[str, Endpoint] = {
    "authenticate": authenticate,
    "account/read": read_account,
    "organizations/list": list_organizations,
    "organizations/read": read_organization,
    "lean/versions/read": read_versions,
    "lean/environments/read": read_environments,
    "optimizations/list": list_optimizations,
    "organizations/encryption/keys/list": list_encryption_keys,
}
