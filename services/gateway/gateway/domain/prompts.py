"""Prompts as the gateway keeps them, and what llm-decider says against one."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from signalbox.contracts.errors import Malformed
from signalbox.contracts.values import Name, Slug, UtcTime, Value

MOST = 500  # prompts, and versions of one


class Draft(Value):
    """A template that is to become a version."""

    prompt_id: Slug
    name: Name
    system: str
    user: str

    @property
    def hash(self) -> str:
        """SHA-256 of both parts, hexadecimal."""
        return hashlib.sha256(json.dumps([self.system, self.user]).encode()).hexdigest()


class StoredVersion(Draft):
    """One version; it never changes."""

    version: int
    created_by: str
    created_at: UtcTime

    @property
    def label(self) -> str:
        """As decisions name it."""
        return f"{self.prompt_id}@{self.version}"


class SummedUp(Value):
    """A prompt without its words."""

    id: str
    name: str
    active_version: int
    latest_version: int
    created_at: UtcTime
    updated_at: UtcTime


class Activation(Value):
    """Somebody let decisions use a version."""

    version: int
    previous: int | None
    by: str
    at: UtcTime


class PromptProblem(Value):
    """What is wrong at one place of a template."""

    part: str  # system or user
    line: int = 1
    column: int = 1
    message: str


class PromptRefused(Malformed):
    """A template that cannot be used, with every place that is wrong."""

    advice = "Correct these places; GET /api/ai-trading/variables lists what a prompt may name."

    def __init__(self, problems: Sequence[PromptProblem]) -> None:
        first = problems[0]
        more = f"; and {len(problems) - 1} more" if len(problems) > 1 else ""
        where = f"{first.part}, line {first.line}, column {first.column}"
        super().__init__(f"{where}: {first.message}{more}")
        self.problems = tuple(problems)


def refuse_problems(answer: Mapping[str, JsonValue]) -> None:
    """Read llm-decider's word on a template.

    Raises:
        PromptRefused: something is wrong with it.
    """
    told = answer.get("problems")
    problems = [PromptProblem.model_validate(one) for one in told] if isinstance(told, list) else []
    if problems:
        raise PromptRefused(problems)
