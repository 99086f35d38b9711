"""Projects of an account, their files, and the builds that are made of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from qc_ingest.domain.wire import (
    Json,
    parse_integer_or_none,
    parse_list,
    parse_text,
    parse_time_or_none,
    rows_of,
)
from signalbox.contracts.errors import TransientError

_DELETED = "Recycle Bin/"
_BUILT, _FAILED = "buildsuccess", "builderror"
_MOST_LOG = 1500
_ERROR = re.compile(r"error", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Project:
    """A project of the account. Times are QuantConnect's."""

    id: int
    name: str
    organization_id: str = ""
    description: str = ""
    language: str = ""
    created: datetime | None = None
    modified: datetime | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a project; its content stays at QuantConnect unless it is asked for."""

    name: str
    content: str = field(repr=False)
    modified: datetime | None = None

    def body(self) -> dict[str, JsonValue]:
        """What is shown of it; the size is in bytes."""
        modified = self.modified.isoformat() if self.modified else None
        return {"name": self.name, "size": len(self.content.encode()), "modified": modified}


@dataclass(frozen=True, slots=True)
class Build:
    """One compilation. The state is QuantConnect's own text."""

    id: str
    state: str
    logs: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether it can run."""
        return self.state.lower() == _BUILT

    @property
    def has_failed(self) -> bool:
        """Whether it never will."""
        return self.state.lower() == _FAILED

    def complaint(self) -> str:
        """What the compiler said, errors first."""
        errors = [line for line in self.logs if _ERROR.search(line)]
        return " ".join(errors or self.logs)[:_MOST_LOG] or "The log is empty."


def parse_projects(rows: Json) -> list[Project]:
    """Projects by name; deleted ones and unreadable rows are left out."""
    found = [
        _project(number, row)
        for row in rows_of(rows)
        if (number := parse_integer_or_none(row.get("projectid"))) is not None
    ]
    return sorted((p for p in found if not p.name.startswith(_DELETED)), key=lambda p: p.name)


def parse_files(rows: Json) -> list[SourceFile]:
    """Files by name; unreadable rows are left out."""
    found = [
        SourceFile(
            name=name,
            content=parse_text(row.get("content"), longest=1_000_000),
            modified=parse_time_or_none(row.get("modified")),
        )
        for row in rows_of(rows)
        if (name := parse_text(row.get("name"), longest=256))
    ]
    return sorted(found, key=lambda file: file.name)


def parse_build(fields: Mapping[str, Json]) -> Build:
    """The answer of `compile/create` or `compile/read`.

    Raises:
        TransientError: no compile id.
    """
    compile_id = parse_text(fields.get("compileid"), longest=80)
    if not compile_id:
        raise TransientError("the answer about a build names none")
    logs = parse_list(fields.get("logs"))
    return Build(
        id=compile_id,
        state=parse_text(fields.get("state"), longest=32),
        logs=tuple(text for line in logs if (text := parse_text(line, longest=500))),
    )


def parse_parameters(value: Json) -> dict[str, str]:
    """Parameters by name: a list of `{key, value}`, or a map to values or to such objects."""
    if isinstance(value, list):
        pairs: list[tuple[Json, Json]] = [(r.get("key"), r.get("value")) for r in rows_of(value)]
    elif isinstance(value, dict):
        pairs = [(k, v.get("value") if isinstance(v, dict) else v) for k, v in value.items()]
    else:
        pairs = []
    named = ((parse_text(k, longest=128), parse_text(v, longest=512)) for k, v in pairs)
    return {key: text for key, text in named if key}


def _project(number: int, row: Mapping[str, Json]) -> Project:
    return Project(
        id=number,
        name=parse_text(row.get("name"), longest=128),
        organization_id=parse_text(row.get("organizationid"), longest=64),
        description=parse_text(row.get("description"), longest=1000),
        language=parse_text(row.get("language"), longest=16),
        created=parse_time_or_none(row.get("created")),
        modified=parse_time_or_none(row.get("modified")),
        parameters=parse_parameters(row.get("parameters")),
    )
