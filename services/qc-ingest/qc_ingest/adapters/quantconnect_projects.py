"""Projects, their files, and their builds."""

from collections.abc import Mapping

from qc_ingest.adapters.transport import Body, Transport
from qc_ingest.domain.projects import (
    Build,
    Project,
    SourceFile,
    parse_build,
    parse_files,
    parse_projects,
)
from signalbox.contracts.errors import NotFound, TransientError


class Projects:
    """The `projects`, `files` and `compile` endpoints."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def all(self) -> list[Project]:
        """Every project of the account that is not deleted, by name."""
        fields = await self._transport.read("projects/read", expects=("projects",))
        return parse_projects(fields.get("projects"))

    async def read(self, project_id: int) -> Project:
        """One project.

        Raises:
            NotFound: there is none of this id, or it was deleted.
        """
        body: Body = {"projectId": project_id}
        fields = await self._transport.read("projects/read", body, expects=("projects",))
        for project in parse_projects(fields.get("projects")):
            if project.id == project_id:
                return project
        raise NotFound(f"QuantConnect knows no project {project_id}, or it was deleted")

    async def create(self, name: str, language: str = "Py", organization_id: str = "") -> Project:
        """A new project; a name that is taken gets a number from QuantConnect."""
        body: Body = {"name": name, "language": language}
        if organization_id:
            body["organizationId"] = organization_id
        fields = await self._transport.change("projects/create", body, expects=("projects",))
        found = parse_projects(fields.get("projects"))
        if not found:
            raise TransientError("QuantConnect names no project that it created")
        return found[0]

    async def update(
        self,
        project_id: int,
        *,
        name: str | None = None,
        description: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        """Change what is given; `parameters` replaces all of them."""
        body: Body = {"projectId": project_id}
        if name is not None:
            body["name"] = name
        if description is not None:
            body["description"] = description
        if parameters is not None:
            body["parameters"] = [{"key": k, "value": v} for k, v in sorted(parameters.items())]
        await self._transport.change("projects/update", body)

    async def delete(self, project_id: int) -> None:
        """Into QuantConnect's recycle bin."""
        await self._transport.change("projects/delete", {"projectId": project_id})

    async def files(self, project_id: int, name: str | None = None) -> list[SourceFile]:
        """One file, or all of a project, by name."""
        body: Body = {"projectId": project_id}
        if name is not None:
            body["name"] = name
        fields = await self._transport.read("files/read", body, expects=("files",))
        return parse_files(fields.get("files"))

    async def create_file(self, project_id: int, name: str, content: str) -> None:
        """A file that is not there yet, and is not empty."""
        body: Body = {"projectId": project_id, "name": name, "content": content}
        await self._transport.change("files/create", body)

    async def update_file(self, project_id: int, name: str, content: str) -> None:
        """New content."""
        body: Body = {"projectId": project_id, "name": name, "content": content}
        await self._transport.change("files/update", body)

    async def delete_file(self, project_id: int, name: str) -> None:
        """Remove a file."""
        await self._transport.change("files/delete", {"projectId": project_id, "name": name})

    async def compile(self, project_id: int) -> Build:
        """Start a build. One too many does no harm."""
        body: Body = {"projectId": project_id}
        return parse_build(
            await self._transport.change("compile/create", body, expects=("compileid",))
        )

    async def build(self, project_id: int, compile_id: str) -> Build:
        """How a build stands."""
        body: Body = {"projectId": project_id, "compileId": compile_id}
        return parse_build(await self._transport.read("compile/read", body, expects=("compileid",)))
