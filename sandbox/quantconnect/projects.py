"""Projects: create, read, update, delete, libraries."""

import secrets
from collections.abc import Mapping

from sandbox.quantconnect.endpoints import (
    ORGANIZATION_ID,
    Context,
    Endpoint,
    Payload,
    check_organization,
)
from sandbox.quantconnect.files import check_room, put
from sandbox.quantconnect.formats import Json, web_time
from sandbox.quantconnect.parameters import Failure, Parameters, integer, text
from sandbox.quantconnect.project import NEW_FILES, File, Project

LEAN_VERSION = 17_000
_MOST_PROJECTS = 100
_MOST_PARAMETERS = 100


def create(context: Context, parameters: Parameters) -> Payload:
    """A new project; a taken name gets a number."""
    check_organization(parameters)
    name, language = text(parameters, "name"), text(parameters, "language")
    if language not in NEW_FILES:
        raise Failure("Invalid argument: language is one of Py, C#")
    if len(context.desk.projects) >= _MOST_PROJECTS:
        raise Failure(f"The sandbox holds at most {_MOST_PROJECTS} projects: delete one first")
    taken = {project.name for project in context.desk.projects.values()}
    number, chosen = 0, name
    while chosen in taken:
        number += 1
        chosen = f"{name} {number}"
    now = context.now
    files = {file: File(content, now) for file, content in NEW_FILES[language].items()}
    project = Project(_new_id(context), chosen, language, created=now, modified=now, files=files)
    context.desk.projects[project.id] = project
    return {"projects": [project_json(project, context)]}


def read(context: Context, parameters: Parameters) -> Payload:
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
    found = [project_json(project, context) for project in chosen]
    return {"projects": found, "versions": [{"id": LEAN_VERSION, "name": "Sandbox"}]}


def update(context: Context, parameters: Parameters) -> Payload:
    """Change what is named; an empty value clears parameters, files or libraries."""
    project = context.project(parameters)
    name = parameters.get("name")
    if name:
        others = {p.name for p in context.desk.projects.values() if p is not project}
        if text(parameters, "name") in others:
            raise Failure(f"Project name is already in use: {name}")
    new_parameters = _parameters(parameters)
    new_files = _files(parameters, context)
    if new_files is not None:
        project.files = new_files
    if name:
        project.name = str(name)
    if "description" in parameters:
        project.description = str(parameters["description"] or "")[:1000]
    if new_parameters is not None:
        project.parameters = new_parameters
    if "libraries" in parameters:
        wanted = parameters["libraries"]
        listed = wanted if isinstance(wanted, list) else []
        project.libraries = [int(i) for i in listed if str(i).isdigit()]
    if parameters.get("versionId"):
        project.lean_version = integer(parameters, "versionId")
    if parameters.get("leanEnvironment"):
        project.lean_environment = integer(parameters, "leanEnvironment")
    project.modified = context.now
    return {"projects": [project_json(project, context)]}


def delete(context: Context, parameters: Parameters) -> Payload:
    """Delete a project with everything of it; what runs is stopped."""
    project = context.project(parameters)
    for backtest in [b for b in context.runner.backtests.values() if b.project_id == project.id]:
        context.runner.delete(backtest)
    context.desk.forget(project.id)
    return {}


def add_library(context: Context, parameters: Parameters) -> Payload:
    """Use another project as a library."""
    project, library = context.project(parameters), integer(parameters, "libraryId")
    if library not in context.desk.projects or library == project.id:
        raise Failure(f"Project not found: {library}")
    if library not in project.libraries:
        project.libraries.append(library)
    return {"projects": [project_json(project, context)]}


def delete_library(context: Context, parameters: Parameters) -> Payload:
    """Use it no more."""
    project, library = context.project(parameters), integer(parameters, "libraryId")
    if library not in project.libraries:
        raise Failure(f"Library not found: {library}")
    project.libraries.remove(library)
    return {"projects": [project_json(project, context)]}


def project_json(project: Project, context: Context) -> Json:
    """A project as official readers require it."""
    libraries = [context.desk.projects[i] for i in project.libraries if i in context.desk.projects]
    return {
        "projectId": project.id,
        "organizationId": ORGANIZATION_ID,
        "name": project.name,
        "description": project.description,
        "modified": web_time(project.modified),
        "created": web_time(project.created),
        "ownerId": 123,
        "language": project.language,
        "collaborators": [],
        "leanVersionId": project.lean_version,
        "leanPinnedToMaster": project.lean_version == -1,
        "leanEnvironment": project.lean_environment,
        "parameters": [{"key": k, "value": v} for k, v in project.parameters.items()],
        "libraries": [
            {"projectId": p.id, "libraryName": p.name, "ownerName": "You", "access": True}
            for p in libraries
        ],
    }


def _new_id(context: Context) -> int:
    while True:
        found = 30_000_000 + secrets.randbelow(60_000_000)
        if found not in context.desk.projects:
            return found


def _parameters(parameters: Parameters) -> dict[str, str] | None:
    """`[{key, value}]`, or a map; None where nothing is said."""
    if "parameters" not in parameters:
        return None
    given = parameters["parameters"] or []
    if isinstance(given, Mapping):
        given = [v if isinstance(v, Mapping) else {"key": k, "value": v} for k, v in given.items()]
    rows = [row for row in given if isinstance(row, Mapping) and row.get("key")]
    if len(rows) > _MOST_PARAMETERS or len(rows) < len(given):
        raise Failure("Invalid argument: parameters is a list of key and value")
    return {str(row["key"])[:200]: str(row.get("value", ""))[:1000] for row in rows}


def _files(parameters: Parameters, context: Context) -> dict[str, File] | None:
    if "files" not in parameters:
        return None
    found: dict[str, File] = {}
    for row in parameters["files"] or []:
        if not isinstance(row, Mapping):
            raise Failure("Invalid argument: files is a list of name and content")
        put(found, row, context.now)
    check_room(found)
    return found


ENDPOINTS: dict[str, Endpoint] = {
    "projects/create": create,
    "projects/read": read,
    "projects/update": update,
    "projects/delete": delete,
    "projects/library/create": add_library,
    "projects/library/delete": delete_library,
}
