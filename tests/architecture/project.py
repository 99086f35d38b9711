"""The files of the project: what is tracked, and what is about to be."""

import re
import subprocess
from functools import cache
from pathlib import Path, PurePosixPath

from tests.architecture.checks import Source

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = {"var", "node_modules", "__pycache__"}  # where git cannot be asked


def listed_by_git() -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    return [name for name in done.stdout.split("\0") if name]


def found_on_disk() -> list[str]:
    every = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
    return [str(p) for p in every if not any(x in SKIPPED or x[0] == "." for x in p.parts)]


@cache
def files() -> tuple[PurePosixPath, ...]:
    """Every file of the project, as a path from its root."""
    try:
        names = listed_by_git()
    except (OSError, subprocess.CalledProcessError):  # a copy without its history
        names = found_on_disk()
    return tuple(PurePosixPath(name) for name in sorted(names) if (ROOT / name).is_file())


@cache
def sources() -> tuple[Source, ...]:
    """Every Python file of the project."""
    return tuple(
        Source(path, (ROOT / path).read_text(encoding="utf-8"))
        for path in files()
        if path.suffix == ".py"
    )


def text_of(path: PurePosixPath) -> str:
    """What a file says; nothing for one that is no text."""
    body = (ROOT / path).read_bytes()
    return "" if b"\0" in body[:8192] else body.decode("utf-8", errors="replace")


def alerts_in_the_runbook() -> set[str]:
    """The codes of the alerts that its table explains."""
    text = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
    table = text.partition("\n## Every alert\n")[2].partition("\n## ")[0]
    firsts = re.findall(r"^\|([^|]*)\|[^|]+\|[^|]+\|$", table, re.MULTILINE)
    return {code for first in firsts for code in re.findall(r"`(\w+)`", first)}
