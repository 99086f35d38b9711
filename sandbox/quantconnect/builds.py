"""Builds of projects: a snapshot of code and parameters, and whether the code is Python at all."""

import ast
import warnings
from dataclasses import dataclass, field
from uuid import uuid4

from sandbox.quantconnect.formats import hex32
from sandbox.quantconnect.project import Project

QUEUED, GOOD, BAD = "InQueue", "BuildSuccess", "BuildError"
_MOST_BUILDS = 200


@dataclass(frozen=True, slots=True)
class Build:
    """One build. Its state is known at once, and shown when its time has come."""

    id: str
    project_id: int
    parameters: dict[str, str]
    honours_dates: bool
    errors: list[str]
    ready_at: float  # wall
    signature: str
    signed: list[str]  # files in the order in which they were hashed

    def state(self, wall: float) -> str:
        """What is shown of it at that time."""
        if wall < self.ready_at:
            return QUEUED
        return BAD if self.errors else GOOD

    def logs(self, wall: float) -> list[str]:
        """What the compiler says; nothing before it is done."""
        if wall < self.ready_at:
            return []
        return self.errors or [f"Build Request Successful for Project ID: {self.project_id}"]


@dataclass(slots=True)
class Builds:
    """The newest builds."""

    found: dict[str, Build] = field(default_factory=dict)

    def make(self, project: Project, ready_at: float) -> Build:
        """Build a project."""
        signed = sorted(project.files)
        signature = hex32(*(project.files[name].content for name in signed))
        build = Build(
            f"{uuid4().hex}-{signature}",
            project.id,
            parameters=dict(project.parameters),
            honours_dates=project.honours_dates,
            errors=_errors(project),
            ready_at=ready_at,
            signature=signature,
            signed=signed,
        )
        self.found[build.id] = build
        while len(self.found) > _MOST_BUILDS:
            del self.found[next(iter(self.found))]
        return build


def _errors(project: Project) -> list[str]:
    """Every Python file is parsed; nothing is run, and other languages are taken as they are."""
    found = []
    if project.language == "Py" and "main.py" not in project.files:
        found.append("Build Error: File: main.py does not exist")
    for name, file in sorted(project.files.items()):
        if not name.endswith(".py"):
            continue
        try:
            with warnings.catch_warnings(action="ignore"):
                ast.parse(file.content, name)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", None) or 0
            said = getattr(error, "msg", None) or str(error)
            found.append(f"Build Error: File: {name} Line:{line} Column:0 - {said}")
    return found
