"""Where a secret could hide: every shape it may travel in, every place that keeps something."""

import base64
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, quote_plus

from chaos.streams import stored
from chaos.system import System
from chaos.voices import Voices
from signalbox.contracts.subjects import STREAMS
from signalbox.runtime.topology import BUCKETS

_SHOWN = 4  # last characters that may be shown


def shapes(secret: str) -> set[bytes]:
    """A secret raw, in base64 at any offset, URL-encoded, JSON-escaped and as hexadecimal digits.

    Without its end, which may be shown, so that a cut copy is found too.
    """
    core = secret[:-_SHOWN]
    raw = core.encode()
    found = {raw, raw.hex().encode(), quote(core, safe="").encode(), quote_plus(core).encode()}
    found.add(json.dumps(core)[1:-1].encode())
    found.add(json.dumps(json.dumps(core))[3:-3].encode())
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + raw)
        inner = whole[-(-offset * 8 // 6) : len(raw) * 8 // 6]
        found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def leaks(secrets: Iterable[str], where: str, content: bytes) -> Iterator[str]:
    """What of the secrets is in the content, by the start of its shape."""
    for secret in secrets:
        for shape in shapes(secret):
            if shape in content:
                yield f"{where} holds {shape[:8]!r}…"


def private_files(home: Path) -> set[Path]:
    """Files whose very purpose is to hold secrets."""
    keys = (home / "credentials").glob("*.json")
    return {home / "admin-password", home / "nats" / "nats.conf", *keys}


def kept_files(home: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the state directory but those: logs, databases with their WAL, streams."""
    private = private_files(home)
    for path in sorted(home.rglob("*")):
        if not path.is_file() or path in private:
            continue
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # renamed or removed meanwhile: what it held is elsewhere now
            continue
        yield str(path.relative_to(home)), content


def kept_rows(home: Path) -> Iterator[tuple[str, bytes]]:
    """Every table as text: a value may be cut in two where it lies in the file."""
    for path in sorted((home / "db").glob("*.sqlite")):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            yield f"tables of {path.stem}", "\n".join(database.iterdump()).encode()


async def kept_messages(voices: Voices) -> list[tuple[str, bytes]]:
    """Every message of every stream and bucket."""
    bus = await voices.bus("provision")
    names = [*(stream.name for stream in STREAMS), *(f"KV_{bucket}" for bucket in BUCKETS)]
    return [
        (f"stream {name}", one.subject.encode() + b"\n" + one.body)
        for name in names
        for one in await stored(bus, name, subjects=">")
    ]


def command_lines(house: System) -> Iterator[tuple[str, bytes]]:
    """What anybody on the machine sees of the processes."""
    for name, pid in house.pids().items():
        yield f"command line of {name}", Path(f"/proc/{pid}/cmdline").read_bytes()


def own_secrets(home: Path) -> list[str]:
    """Passwords and private keys that the system made for itself."""
    found = []
    for path in (home / "credentials").glob("*.json"):
        stored_ = json.loads(path.read_text())
        found += [stored_[name] for name in ("password", "private_key") if name in stored_]
    return found
