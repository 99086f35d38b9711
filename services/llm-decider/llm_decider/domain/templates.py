"""The grammar of prompts: `{{name}}` and nothing else.

A name is a small letter followed by up to 63 small letters, digits or underscores; spaces may stand
around it. Everything else is literal text. There are no expressions, filters or loops.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from llm_decider.domain.variables import BY_NAME, NAMING
from signalbox.contracts.errors import Malformed

MAX_CHARS = 8_000  # of one part

_MARK = re.compile(
    r"\{\{ *(?P<name>[a-z][a-z0-9_]{0,63}) *\}\}"  # a placeholder
    r"|\{\{(?P<wrong>[^{}\n]{0,80})\}\}"  # what looks like one
    r"|\{\{|\}\}"
)
_NAME_RULE = "a name is a small letter followed by small letters, digits or _"

Part = Literal["system", "user"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps a template from being saved, and where. Line and column count from 1."""

    part: Part
    line: int
    column: int
    message: str


def check(system: str, user: str) -> tuple[Problem, ...]:
    """Every problem of a template, in reading order; none means that it can be rendered."""
    found = [*_problems("system", system), *_problems("user", user)]
    if not user.strip():
        found.append(Problem("user", 1, 1, "The user part is empty."))
    elif not {*names_used(user)} & {*NAMING}:
        wanted = ", ".join(f"{{{{{name}}}}}" for name in NAMING)
        message = f"The user part does not say which symbols are meant. Use one of {wanted}."
        found.append(Problem("user", 1, 1, message))
    return tuple(found)


def names_used(text: str) -> tuple[str, ...]:
    """The names in a text, each once, in reading order."""
    return tuple(dict.fromkeys(m["name"] for m in _MARK.finditer(text) if m["name"]))


def render(template: str, values: Mapping[str, str]) -> str:
    """The template with every placeholder replaced, in one pass: values are never read again.

    Raises:
        Malformed: a placeholder has no value, or `{{` or `}}` belongs to none.
    """

    def replace(mark: re.Match[str]) -> str:
        name = mark["name"]
        if name is None:
            line, column = _place(template, mark.start())
            raise Malformed(f"{mark[0]} in line {line}, column {column} is no placeholder")
        if name not in values:
            raise Malformed(f"there is no value for {{{{{name}}}}}")
        return values[name]

    return _MARK.sub(replace, template)


def _problems(part: Part, text: str) -> Iterator[Problem]:
    if len(text) > MAX_CHARS:
        message = f"The {part} part has {len(text)} characters; at most {MAX_CHARS} are allowed."
        yield Problem(part, *_place(text, MAX_CHARS), message)
        return
    found = [*_wrong_characters(text), *_wrong_marks(part, text)]
    for position, message in sorted(found):
        yield Problem(part, *_place(text, position), message)


def _wrong_characters(text: str) -> Iterator[tuple[int, str]]:
    for position, char in enumerate(text):
        if unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\r\t":
            yield position, f"The character U+{ord(char):04X} cannot be sent. Delete it."
            return


def _wrong_marks(part: Part, text: str) -> Iterator[tuple[int, str]]:
    blocks: set[str] = set()
    for mark in _MARK.finditer(text):
        name = mark["name"]
        message = _wrong_name(part, name) if name else _wrong_mark(mark)
        if not message and BY_NAME[name].kind == "block":
            if name in blocks:
                message = f"{{{{{name}}}}} stands here a second time. Use it once."
            blocks.add(name)
        if message:
            yield mark.start(), message


def _wrong_name(part: Part, name: str) -> str:
    variable = BY_NAME.get(name)
    if variable is None:
        near = difflib.get_close_matches(name, BY_NAME, 1)
        hint = f"Did you mean {{{{{near[0]}}}}}?" if near else f"There are {', '.join(BY_NAME)}."
        return f"There is no variable {{{{{name}}}}}. {hint}"
    if part == "system" and not variable.trusted:
        return (
            f"{{{{{name}}}}} holds text that others wrote, so it may not stand among the rules."
            " Move it to the user part."
        )
    return ""


def _wrong_mark(mark: re.Match[str]) -> str:
    if mark["wrong"] is not None:
        return f"{mark[0]} is no placeholder: {_NAME_RULE}."
    if mark[0] == "{{":
        return "{{ is not followed by a name and }}. For a brace of your own put a space between."
    return "}} closes nothing. For braces of your own put a space between them."


def _place(text: str, position: int) -> tuple[int, int]:
    """Line and column of a position, from 1."""
    before = text[:position]
    return before.count("\n") + 1, position - before.rfind("\n")
