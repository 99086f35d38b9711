"""What a template would send now, without sending it."""

from collections.abc import Sequence
from dataclasses import dataclass

from llm_decider.domain import templates, tokens
from llm_decider.domain.costs import most_tokens_in
from llm_decider.domain.question import build_question
from llm_decider.domain.shapes import Market, Question
from llm_decider.domain.variables import BY_NAME
from signalbox.contracts.config import LlmConfig, PromptVersion

LEAST_CACHED = 1024  # tokens of a common beginning that a provider reuses
_MANY_TOKENS = 12_000


@dataclass(frozen=True, slots=True)
class Preview:
    """The messages of one call, their size in tokens, and what a person should look at."""

    question: Question
    tokens_estimated: int
    tokens_at_most: int
    warnings: tuple[str, ...]


def preview(
    config: LlmConfig, prompt: PromptVersion, markets: Sequence[Market], *, nonce: str
) -> Preview:
    """Render a prompt against these markets.

    Raises:
        Malformed: as `build_question`.
    """
    question = build_question(config, prompt, markets, nonce=nonce)
    likely = tokens.estimated(question)
    used = {*templates.names_used(prompt.system), *templates.names_used(prompt.user)}
    changing = [n for n in templates.names_used(prompt.system) if BY_NAME[n].changing]
    warnings = [
        f"{{{{{name}}}}} in the system part changes with every call, so the provider cannot reuse"
        " what follows it at a lower price. Move it to the user part."
        for name in changing
    ]
    if likely > _MANY_TOKENS:
        warnings.append(f"About {likely} tokens go into one call. Ask about fewer symbols at once.")
    if not used & {"market", "price", "bars"}:
        warnings.append("No price is shown. Use {{market}} or {{price}}.")
    if "signals" in used and not config.show_signals:
        warnings.append("{{signals}} stays empty: this model may not see what other sources say.")
    if "position" in used and not config.bot:
        warnings.append("{{position}} stays `none`: this model is joined to no bot.")
    warnings += question.notes
    return Preview(question, likely, most_tokens_in(question), tuple(warnings))
