"""Both providers with one key, as `app.py` adds them."""

from dataclasses import dataclass, field

from starlette.routing import Route

from sandbox.faults import Faults
from sandbox.llm.anthropic_api import AnthropicApi
from sandbox.llm.counting import PromptCache
from sandbox.llm.house import House
from sandbox.llm.openai_api import OpenAIApi

_OPENAI_LEAST, _OPENAI_S = 1024, 1800.0
_CLAUDE_LEAST, _CLAUDE_S = 512, 300.0


@dataclass(frozen=True, slots=True)
class Models:
    """What the sandbox plays, and the key that it takes."""

    key: str = field(default="sandbox-key", repr=False)
    openai: tuple[str, ...] = ("sandbox-openai", "gpt-6-luna", "gpt-5.4-mini", "gpt-4o-mini")
    claude: tuple[str, ...] = (
        "sandbox-claude",
        "claude-haiku-5-5",
        "claude-sonnet-5-5",
        "claude-haiku-4-5",
    )

    def routes(self, faults: Faults) -> list[Route]:
        """The endpoints of both providers."""
        openai = House(
            "openai", self.key, self.openai, faults, PromptCache(_OPENAI_LEAST, _OPENAI_S)
        )
        claude = House(
            "anthropic", self.key, self.claude, faults, PromptCache(_CLAUDE_LEAST, _CLAUDE_S)
        )
        return [*OpenAIApi(openai).routes(), *AnthropicApi(claude).routes()]
