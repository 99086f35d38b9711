"""A language model as the gateway keeps it: everything but the key itself."""

from typing import Annotated

from pydantic import Field

from gateway.domain import standard_prompt
from signalbox.contracts.config import LlmConfig, PromptVersion
from signalbox.contracts.values import Slug, Symbol, UtcTime

KIND = "llm"  # in fingerprints of keys
OWNER = "llm-decider"  # whom keys are sealed to
KEY_FIELD = "key"
TOTAL = "total"  # the budget of all models together; no config is called so


class LanguageModel(LlmConfig):
    """One row: what llm-decider is told, and what only the gateway knows.

    A key that came with the environment has no model and no symbols until a person picks them.
    """

    model: Annotated[str, Field(max_length=128)] = ""
    symbols: Annotated[tuple[Symbol, ...], Field(max_length=50)] = ()
    prompt_id: Slug = standard_prompt.ID
    owner: str = ""  # the user who made it
    key_hint: str = ""
    key_at: UtcTime | None = None  # when the key was entered
    fingerprint: str = ""
    created_at: UtcTime
    updated_at: UtcTime

    @property
    def lacks(self) -> tuple[str, ...]:
        """What a person has to pick before it can be asked."""
        return tuple(name for name in ("model", "symbols") if not getattr(self, name))

    def document(self) -> LlmConfig:
        """The part that llm-decider is told."""
        return LlmConfig.model_validate(self.model_dump())


def active_of(prompts: tuple[PromptVersion, ...], prompt_id: str) -> PromptVersion | None:
    """The active version of a prompt."""
    return next((p for p in prompts if p.prompt_id == prompt_id), None)


def lacking(model: LanguageModel) -> str:
    """What to do before a config can be asked, in words; empty when nothing is missing."""
    if not model.lacks:
        return ""
    missing = " and ".join(model.lacks)
    return f"pick {missing} first: POST /api/ai-trading/config with the id {model.id!r}"
