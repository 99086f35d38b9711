"""Unified diffs."""

import re
from collections.abc import Iterator, Mapping

from sandbox.quantconnect.parameters import Failure

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@")


def patched(contents: Mapping[str, str], patch: str) -> dict[str, str]:
    """The new content of every file that a patch names.

    Raises:
        Failure: a file that is not there, or a hunk that does not fit.
    """
    found: dict[str, list[str]] = {}
    name, shift = "", 0
    lines = iter(patch.splitlines())
    for line in lines:
        if line.startswith("+++ "):
            name, shift = line[4:].split("\t")[0].removeprefix("b/").strip(), 0
            if name not in contents:
                raise Failure(f"File not found: {name[:200]}")
            found[name] = contents[name].splitlines()
        elif hunk := _HUNK.match(line):
            if name not in found:
                raise Failure("Invalid argument: patch names no file")
            old, new = _sides(lines, int(hunk[2] or 1), int(hunk[3] or 1))
            at = max(int(hunk[1]) - bool(old) + shift, 0)
            if found[name][at : at + len(old)] != old:
                raise Failure(f"The patch does not fit {name} at line {at + 1}")
            found[name][at : at + len(old)] = new
            shift += len(new) - len(old)
    if not found:
        raise Failure("Invalid argument: patch is no unified diff")
    return {name: "\n".join(rows) + "\n" for name, rows in found.items()}


def _sides(lines: Iterator[str], old_count: int, new_count: int) -> tuple[list[str], list[str]]:
    """The lines of one hunk, before and after."""
    old: list[str] = []
    new: list[str] = []
    while len(old) < old_count or len(new) < new_count:
        line = next(lines, None)
        if line is None:
            raise Failure("Invalid argument: patch ends within a hunk")
        mark, content = line[:1] or " ", line[1:]
        if mark in {" ", "-"}:
            old.append(content)
        if mark in {" ", "+"}:
            new.append(content)
    return old, new
