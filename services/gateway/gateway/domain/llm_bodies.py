"""What callers send about language models. Unknown fields are refused; what is left out stays."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from gateway.domain.bodies import ApiKey, Plain
from signalbox.contracts.config import TokenPrice
from signalbox.contracts.values import Amount, Slug, Symbol, Target

_WEEK_S = 7 * 86_400


def _each_once(symbols: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(symbols))


Symbols = Annotated[
    tuple[Symbol, ...], Field(min_length=1, max_length=50), AfterValidator(_each_once)
]
Limit = Annotated[Amount, Field(ge=0)]
Text = Annotated[str, StringConstraints(max_length=8_000)]


class LlmBody(BaseModel):
    """What all of them share."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BudgetBody(LlmBody):
    """What calls may cost in US dollars. 0 allows no call, null sets no limit."""

    day_usd: Limit | None = None
    month_usd: Limit | None = None


class PriceBody(TokenPrice):
    """A price of your own, in US dollars for a million tokens, where no table knows the model."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LlmConfigBody(LlmBody):
    """A language model to ask, or by its id the fields of one to change."""

    id: Slug | None = None
    name: Plain | None = None
    provider: Literal["openai", "claude"] | None = None
    wire: Literal["responses", "chat"] | None = None  # compatible servers speak chat
    base_url: Annotated[str, StringConstraints(max_length=300)] | None = None  # null: the provider
    api_key: ApiKey | None = None  # it is sealed and never shown again
    model: Plain | None = None  # as the provider names it
    prompt_template: Slug | None = None  # id of a prompt; its active version is used
    max_tokens: Annotated[int, Field(ge=256, le=16_000)] | None = None  # of an answer
    temperature: Annotated[Decimal, Field(ge=0, le=2, max_digits=6)] | None = None
    effort: Literal["none", "low", "medium", "high"] | None = None
    symbols: Symbols | None = None
    interval: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,2}[mhd]$")] | None = None
    every: Annotated[int, Field(ge=1, le=10_000)] | None = None  # bars; null: no schedule
    move: Annotated[Decimal, Field(gt=0, le=1, max_digits=12)] | None = None  # fraction
    min_gap_s: Annotated[int, Field(ge=0, le=_WEEK_S)] | None = None  # market time
    symbols_per_call: Annotated[int, Field(ge=1, le=10)] | None = None
    horizon_s: Annotated[int, Field(ge=60, le=30 * 86_400)] | None = None  # market time
    deadline_s: Annotated[int, Field(ge=5, le=600)] | None = None  # wall time
    fallback: Slug | None = None  # the config that is asked when this one's provider fails
    bot: Slug | None = None  # whose positions the prompt shows
    show_signals: bool | None = None
    cache_s: Annotated[int, Field(ge=0, le=_WEEK_S)] | None = None  # wall time
    budget: BudgetBody | None = None
    price: PriceBody | None = None
    target: Target | None = None
    is_active: bool | None = None


class PromptBody(LlmBody):
    """A prompt to add, or by its id a further version of one. Versions never change."""

    id: Slug | None = None
    name: Plain | None = None
    system: Text = ""  # rules; no text that others wrote may stand here
    user: Annotated[Text, StringConstraints(min_length=1)]  # data; `{{name}}` stands for a value
    activate: bool = False  # whether decisions use it from now on


class ActivateBody(LlmBody):
    """Which version decisions use from now on; an older one rolls back."""

    version: Annotated[int, Field(ge=1, lt=1 << 31)]


class PreviewBody(LlmBody):
    """A prompt to render against the market as it is now: a stored one, or a draft."""

    prompt_id: Slug | None = None
    version: Annotated[int, Field(ge=1, lt=1 << 31)] | None = None  # none: the active one
    system: Text | None = None
    user: Text | None = None
    config_id: Slug | None = None  # whose model, interval, bot and horizon are used
    symbols: Annotated[Symbols, Field(max_length=10)] | None = None


class DecisionBody(LlmBody):
    """A question to ask now."""

    config_id: Slug
    symbols: Symbols | None = None  # none: all of the config's
    dry_run: bool = False  # the answer is recorded and never traded


class SettleBody(LlmBody):
    """What a call cost whose answer never came, as the provider's own page says."""

    cost_usd: Limit
