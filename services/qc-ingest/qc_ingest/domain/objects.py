"""What lies in QuantConnect's object store."""

from dataclasses import dataclass
from datetime import datetime

from qc_ingest.domain.wire import (
    Json,
    normal,
    parse_integer_or_none,
    parse_text,
    parse_time_or_none,
    rows_of,
)
from signalbox.contracts.errors import Malformed


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a folder."""

    key: str  # with a leading slash
    is_folder: bool
    size: int | None = None  # bytes
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object, without its content."""

    key: str
    size: int | None = None  # bytes
    md5: str = ""
    mime: str = ""
    preview: str = ""
    modified: datetime | None = None


def parse_listed(rows: Json) -> list[Listed]:
    """The lines of a folder; unreadable ones are left out."""
    return [
        Listed(
            key=key,
            is_folder=row.get("folder") is True or row.get("mime") == "directory",
            size=parse_integer_or_none(row.get("size")),
            modified=parse_time_or_none(row.get("modified")),
        )
        for row in rows_of(rows)
        if (key := parse_text(row.get("key"), longest=512))
    ]


def parse_object(value: Json) -> StoredObject:
    """The properties of an object.

    Raises:
        Malformed: they name no key.
    """
    fields = normal(value)
    key = parse_text(fields.get("key"), longest=512)
    if not key:
        raise Malformed("an object has no key")
    return StoredObject(
        key=key,
        size=parse_integer_or_none(fields.get("size")),
        md5=parse_text(fields.get("md5"), longest=64),
        mime=parse_text(fields.get("mime"), longest=128),
        preview=parse_text(fields.get("preview"), longest=2000),
        modified=parse_time_or_none(fields.get("modified")),
    )
