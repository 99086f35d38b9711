"""The object store: small files of the organization, and the zips that hand them out."""

import hashlib
import io
import mimetypes
import zipfile
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from sandbox.quantconnect.parameters import Failure

MOST_BYTES = 16 * 1024 * 1024  # of all objects together
_MOST_OBJECTS = 1000
_MOST_JOBS = 20


@dataclass(frozen=True, slots=True)
class Stored:
    """One object."""

    content: bytes
    created: datetime
    modified: datetime

    @property
    def md5(self) -> str:
        """What QuantConnect tells of the content."""
        return hashlib.md5(self.content, usedforsecurity=False).hexdigest()


@dataclass(slots=True)
class ObjectStore:
    """Objects by key, without a leading slash; and jobs that download some of them."""

    objects: dict[str, Stored] = field(default_factory=dict)
    jobs: dict[str, list[str]] = field(default_factory=dict)

    @property
    def used(self) -> int:
        """Bytes of all objects."""
        return sum(len(stored.content) for stored in self.objects.values())

    def put(self, key: str, content: bytes, now: datetime) -> None:
        """Store, or store anew.

        Raises:
            Failure: no room.
        """
        before = self.objects.get(key)
        rest = self.used - (len(before.content) if before else 0)
        if rest + len(content) > MOST_BYTES or (before is None and self._is_full):
            raise Failure("Object Store quota exceeded: delete objects first")
        self.objects[key] = Stored(content, before.created if before else now, now)

    def get(self, key: str) -> Stored:
        """One object.

        Raises:
            Failure: there is none under that key; directories are none.
        """
        if key not in self.objects:
            raise Failure(f"Object not found: {key[:200]}")
        return self.objects[key]

    def below(self, path: str) -> dict[str, Stored | None]:
        """Names directly below a directory: an object, or None for a directory."""
        prefix = f"{path}/" if path else ""
        found: dict[str, Stored | None] = {}
        for key, stored in sorted(self.objects.items()):
            if key.startswith(prefix):
                name, slash, _ = key[len(prefix) :].partition("/")
                found[name] = None if slash else stored
        return found

    def prepare(self, keys: list[str]) -> str:
        """A job that zips these; a directory stands for what is below it.

        Raises:
            Failure: a key that is neither object nor directory.
        """
        chosen: list[str] = []
        for key in keys:
            below = [one for one in self.objects if one == key or one.startswith(f"{key}/")]
            if not below:
                raise Failure(f"Object not found: {key[:200]}")
            chosen += below
        job = uuid4().hex
        self.jobs[job] = chosen
        while len(self.jobs) > _MOST_JOBS:
            del self.jobs[next(iter(self.jobs))]
        return job

    def zipped(self, job: str) -> bytes | None:
        """The zip of a job; None when there is no such job."""
        if job not in self.jobs:
            return None
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for key in self.jobs[job]:
                if key in self.objects:
                    archive.writestr(key, self.objects[key].content)
        return made.getvalue()

    @property
    def _is_full(self) -> bool:
        return len(self.objects) >= _MOST_OBJECTS


def mime(key: str, content: bytes) -> str:
    """By the name, else text when it is text."""
    guessed = mimetypes.guess_type(key)[0]
    if guessed:
        return guessed
    try:
        content.decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain"
