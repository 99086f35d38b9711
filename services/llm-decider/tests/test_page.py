"""docs/llm-trading.md names everything that a user may meet."""

from pathlib import Path
from typing import get_args

import pytest

from llm_decider.domain import outcomes
from llm_decider.domain.deciding import Outcome
from llm_decider.domain.variables import VARIABLES
from signalbox.contracts.config import LlmConfig

PAGE = (Path(__file__).parents[3] / "docs" / "llm-trading.md").read_text()
KINDS = {
    *outcomes._STATUSES.values(),
    *outcomes._CODES.values(),
    *(broken.value for broken in outcomes.Broken if broken is not outcomes.Broken.UNUSABLE),
    "gateway", "no_clock", "no_price", "no_question", "overloaded", "provider_error",
    "switched_off", "unknown_outcome", "unknown_price",
}  # fmt: skip
WHEN = ("interval", "every", "move", "min_gap_s", "symbols_per_call", "horizon_s", "deadline_s",
        "fallback", "cache_s", "bot", "show_signals", "price", "effort")  # fmt: skip


@pytest.mark.parametrize(
    "name", sorted({*KINDS, *get_args(Outcome), *WHEN, *(f"{{{{{v.name}}}}}" for v in VARIABLES)})
)
def test_the_page_names_it(name: str) -> None:
    assert f"`{name}`" in PAGE or f"`{name}:" in PAGE


def test_settings_are_those_of_a_model() -> None:
    assert {*WHEN} <= {*LlmConfig.model_fields}
