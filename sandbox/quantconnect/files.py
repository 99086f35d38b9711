"""Files of a project."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.quantconnect.endpoints import Context, Endpoint, Payload
from sandbox.quantconnect.formats import Json, hex32, web_time
from sandbox.quantconnect.parameters import Failure, Parameters, text
from sandbox.quantconnect.patches import patched
from sandbox.quantconnect.project import File, Project

_MOST_FILES = 100
_MOST_CHARACTERS = 512 * 1024  # of one project


def create(context: Context, parameters: Parameters) -> Payload:
    """A new file."""
    project, name = context.project(parameters), text(parameters, "name")
    if name in project.files:
        raise Failure(f"File already exists: {name}")
    put(project.files, parameters, context.now)
    return _changed(context, project, name)


def read(context: Context, parameters: Parameters) -> Payload:
    """One file, or all."""
    project = context.project(parameters)
    if parameters.get("name"):
        _check(project, text(parameters, "name"))
        names = [text(parameters, "name")]
    else:
        names = sorted(project.files)
    return {"files": [_json(project, name) for name in names]}


def update(context: Context, parameters: Parameters) -> Payload:
    """New content, or a new name."""
    project, name = context.project(parameters), text(parameters, "name")
    _check(project, name)
    new_name = parameters.get("newName")
    if new_name:
        if new_name in project.files:
            raise Failure(f"File already exists: {new_name}")
        project.files[text(parameters, "newName")] = project.files.pop(name)
        project.modified = context.now
        return {}
    put(project.files, parameters, context.now)
    return _changed(context, project, name)


def patch(context: Context, parameters: Parameters) -> Payload:
    """Apply a unified diff to one file or several."""
    project = context.project(parameters)
    contents = {name: file.content for name, file in project.files.items()}
    new = patched(contents, text(parameters, "patch", longest=_MOST_CHARACTERS))
    for name, content in new.items():
        put(project.files, {"name": name, "content": content}, context.now)
    project.modified = context.now
    return {"files": [_json(project, name) for name in new]}


def delete(context: Context, parameters: Parameters) -> Payload:
    """Delete a file."""
    project, name = context.project(parameters), text(parameters, "name")
    _check(project, name)
    del project.files[name]
    project.modified = context.now
    return {}


def put(files: dict[str, File], row: Mapping[str, Any], now: datetime) -> None:
    """Set a file's content.

    Raises:
        Failure: no name, no content, or no room.
    """
    name, content = text(row, "name"), row.get("content")
    if not isinstance(content, str) or not content:
        raise Failure(f"File content is empty: {name}")
    before = files.get(name)
    files[name] = File(content, now)
    try:
        check_room(files)
    except Failure:
        files.pop(name)
        if before is not None:
            files[name] = before
        raise


def check_room(files: Mapping[str, File]) -> None:
    """Refuse what is too much for one project.

    Raises:
        Failure: too many files, or too long ones.
    """
    if len(files) > _MOST_FILES or sum(len(f.content) for f in files.values()) > _MOST_CHARACTERS:
        raise Failure(
            f"A project holds at most {_MOST_FILES} files and {_MOST_CHARACTERS} characters"
        )


def _check(project: Project, name: str) -> None:
    if name not in project.files:
        raise Failure(f"File not found: {name}")


def _changed(context: Context, project: Project, name: str) -> Payload:
    project.modified = context.now
    return {"files": [_json(project, name)]}


def _json(project: Project, name: str) -> Json:
    file = project.files[name]
    return {
        "id": int(hex32(project.id, name)[:7], 16),
        "projectId": project.id,
        "name": name,
        "content": file.content,
        "modified": web_time(file.modified),
        "open": False,
        "isLibrary": False,
    }


ENDPOINTS: dict[str, Endpoint] = {
    "files/create": create,
    "files/read": read,
    "files/update": update,
    "files/patch": patch,
    "files/delete": delete,
}
