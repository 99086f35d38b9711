"""Builds of projects."""

from sandbox.quantconnect.builds import Build
from sandbox.quantconnect.endpoints import Context, Endpoint, Payload
from sandbox.quantconnect.parameters import Failure, Parameters, text


def create(context: Context, parameters: Parameters) -> Payload:
    """Begin a build of a project as it is now."""
    project = context.project(parameters)
    build = context.builds.make(project, context.wall() + context.pace.compile_s)
    return {
        "compileId": build.id,
        "state": build.state(context.wall()),
        "projectId": project.id,
        "parameters": [{"key": k, "value": v} for k, v in build.parameters.items()],
        "signature": build.signature,
        "signatureOrder": build.signed,
    }


def read(context: Context, parameters: Parameters) -> Payload:
    """How far a build is."""
    build = find_build(context, parameters)
    wall = context.wall()
    return {"compileId": build.id, "state": build.state(wall), "logs": build.logs(wall)}


def find_build(context: Context, parameters: Parameters) -> Build:
    """The build that a request names.

    Raises:
        Failure: there is none of that project.
    """
    project = context.project(parameters)
    build = context.builds.found.get(text(parameters, "compileId"))
    if build is None or build.project_id != project.id:
        raise Failure(f"Compile id not found: {text(parameters, 'compileId')}")
    return build


ENDPOINTS: dict[str, Endpoint] = {"compile/create": create, "compile/read": read}
