"""What docs/llm-trading.md says is so."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from gateway.domain.llm_bodies import DecisionBody, LlmBody, LlmConfigBody
from llm_decider.domain import templates
from llm_decider.domain.variables import VARIABLES
from signalbox.contracts.assessments import LlmDecision

PAGE = (Path(__file__).parents[2] / "docs" / "llm-trading.md").read_text(encoding="utf-8")
BODIES: dict[str, type[LlmBody]] = {
    "/api/ai-trading/config": LlmConfigBody,
    "/api/ai-trading/decision": DecisionBody,
}
CALLS = re.findall(r"curl -X POST \S+?(/api/\S+) .*?-d '(.*?)'", PAGE, re.S)


def test_every_kind_of_setup_has_an_example() -> None:
    assert len(CALLS) == 4


@pytest.mark.parametrize(("path", "body"), CALLS)
def test_examples_are_what_the_gateway_takes(path: str, body: str) -> None:
    filled = json.loads(body.replace("<id>", "some-id"))
    assert BODIES[path].model_validate(filled).model_fields_set == {*filled}


def test_the_table_of_variables_is_complete() -> None:
    table = PAGE[PAGE.index("| variable |") : PAGE.index("```text")]
    assert {*templates.names_used(table)} == {variable.name for variable in VARIABLES}


def test_the_example_of_a_prompt_can_be_saved() -> None:
    (prompt,) = re.findall(r"```text\n(.*?)```", PAGE, re.S)
    assert templates.check("", prompt) == ()


def test_every_outcome_is_explained() -> None:
    outcomes = get_args(LlmDecision.model_fields["outcome"].annotation)
    table = PAGE[PAGE.index("| `outcome` |") : PAGE.index("An answer is invalid")]
    assert re.findall(r"^\| `(\w+)` \|", table, re.M)[1:] == [*outcomes]


def test_every_setting_that_is_named_exists() -> None:
    table = PAGE[PAGE.index("| setting |") : PAGE.index("## What it costs")]
    first = [line.split("|")[1] for line in table.splitlines()[2:] if line.startswith("|")]
    named = {name for cell in first for name in re.findall(r"`(\w+)`", cell)}
    assert named <= {*LlmConfigBody.model_fields}
