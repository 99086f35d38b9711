"""Configuration documents: one whole document per service under one global version.

The gateway writes them, services watch them. Secrets in them are sealed to the service that needs
them.
"""

from decimal import Decimal
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field

from signalbox.contracts.accounts import AccountConfig, KillSwitch
from signalbox.contracts.limits import Exits, Limits, Sizing
from signalbox.contracts.values import (
    Amount,
    Confidence,
    Name,
    Slug,
    SourceType,
    Symbol,
    Target,
    Value,
)

ALL_SOURCES = dict.fromkeys(SourceType, True)


class SourceRule(Value):
    """One source that a bot listens to; without an id every source of the type."""

    source_type: SourceType
    source_id: Name | None = None
    enabled: bool = True


class Policy(Value):
    """How a bot settles what its sources say."""

    kind: Literal["priority", "consensus", "weighted", "veto"] = "priority"
    priorities: dict[SourceType, int] = {  # higher leads
        SourceType.MANUAL: 50,
        SourceType.QUANTCONNECT: 40,
        SourceType.LLM: 30,
        SourceType.EXTERNAL: 20,
        SourceType.STRATEGY: 10,
    }
    thresholds: dict[SourceType, Confidence] = {  # lowest confidence that is acted on
        SourceType.LLM: Decimal("0.6"),
    }
    times_to_live_s: dict[SourceType, Annotated[int, Field(ge=1)]] = {}  # market time after a word
    # is said; it may end sooner by its own expiry, never later
    trust: dict[SourceType, Confidence] = {}  # weight of a source; one not listed counts 1
    consensus_of: int = Field(2, ge=1, le=20)  # sources that must agree
    margin: Confidence = Decimal("0.1")  # lead of the best score over the other side
    hold: Literal["abstain", "block"] = "abstain"  # what a hold from above does
    add_on_agreement: bool = False  # a lower source may add while a higher one leads
    cooldown_s: int = Field(
        0, ge=0
    )  # after an accepted verdict on the same symbol and side, market time


class BotConfig(Value):
    """One book: who it listens to, how it decides, what it may do."""

    id: Slug
    name: Name
    account: Slug
    enabled: bool = True
    symbols: tuple[Symbol, ...] = ()  # empty: every symbol
    sources: tuple[SourceRule, ...]
    strategy_source: Literal["traditional", "quantconnect", "llm", "hybrid"] = "hybrid"
    policy: Policy = Policy()
    approval: Literal["auto", "manual"] = "auto"
    allow_short: bool = False
    flatten_lower: bool = True  # a higher source's sell also closes lower sources' lots
    sizing: Sizing = Sizing()
    limits: Limits = Limits()
    exits: Exits = Exits()
    bound_version: int = 0  # config version of the last change of account or mode
    live: bool = False  # may trade real money, where its account and the executor say so too

    def listens_to(self, source_type: SourceType, source_id: str) -> bool:
        """Whether a verdict is due for this source, also when the rule is switched off."""
        return any(
            r.source_type == source_type and r.source_id in (None, source_id) for r in self.sources
        )


class RouterConfig(Value):
    """What decision-router needs."""

    bots: tuple[BotConfig, ...] = ()
    flags: dict[SourceType, bool] = ALL_SOURCES  # feature flags by source type


class ExecutorConfig(Value):
    """What executor needs."""

    bots: tuple[BotConfig, ...] = ()
    accounts: tuple[AccountConfig, ...] = ()
    kill_switch: KillSwitch = KillSwitch()


class QuantConnectConfig(Value):
    """One QuantConnect account and the deployment that is followed."""

    id: Slug
    name: Name
    user_id: Name
    token_sealed: str  # opens in qc-ingest only
    target: Target = Target.REAL
    project_id: int | None = None  # none: every live deployment of the account
    project_name: str = ""
    active: bool = True
    signals_from: Literal["insights", "fills"] = "insights"
    default_confidence: Confidence = Decimal("0.5")  # where QuantConnect gives none
    max_age_s: int = Field(
        1200, gt=0
    )  # older insights are stored as seen, never raised; market time


class IngestConfig(Value):
    """What qc-ingest needs."""

    quantconnect: tuple[QuantConnectConfig, ...] = ()


class StrategyInstance(Value):
    """One classic strategy on some symbols."""

    id: Slug
    strategy: Slug
    symbols: tuple[Symbol, ...]
    interval: str = "1m"
    parameters: dict[str, Decimal] = {}
    active: bool = True


class StrategyConfig(Value):
    """What strategy-runner needs."""

    instances: tuple[StrategyInstance, ...] = ()


class MarketConfig(Value):
    """What market-data needs."""

    # Market seconds per wall second; 0 pauses the replay, none leaves it to market-data's settings.
    speed: float | None = Field(None, ge=0, le=1_000_000)


class Budget(Value):
    """What calls may cost, in US dollars. 0 allows no call; none sets no limit."""

    day_usd: Annotated[Amount, Field(ge=0)] | None = Decimal(1)
    month_usd: Annotated[Amount, Field(ge=0)] | None = Decimal(20)


class TokenPrice(Value):
    """A price of the user's own, for models that no table prices. US dollars, million tokens."""

    input_usd: Amount = Field(ge=0)
    output_usd: Amount = Field(ge=0)


class PromptVersion(Value):
    """One version of a template. It never changes; `{{name}}` stands for a value."""

    prompt_id: Slug
    version: int = Field(ge=1)
    name: Name
    system: str = Field(max_length=8_000)
    user: str = Field(max_length=8_000)


class LlmConfig(Value):
    """One model that is asked: whom, about what, when, for how much."""

    id: Slug
    name: Name
    provider: Literal["openai", "claude"]
    wire: Literal["responses", "chat"] = "responses"  # of openai; compatible servers speak chat
    base_url: str | None = None  # a compatible server; none: the provider itself
    target: Target = Target.REAL
    key_sealed: str  # opens in llm-decider only
    model: Name
    fallback: Slug | None = None  # the config that is asked when this one's provider fails
    prompt_id: Slug
    symbols: Annotated[tuple[Symbol, ...], Field(min_length=1, max_length=50)]
    interval: str = "1m"  # of the bars that are shown and waited for
    every: int | None = Field(15, ge=1)  # bars between two calls; none: no schedule
    move: Confidence | None = None  # also when the price has moved by this fraction since
    min_gap_s: int = Field(60, ge=0)  # between two calls about one symbol, market time
    symbols_per_call: int = Field(5, ge=1, le=10)
    horizon_s: int = Field(3600, ge=60)  # the longest that a decision may name, market time
    max_tokens: int = Field(2_000, ge=256, le=16_000)  # of the answer, reasoning included
    temperature: Annotated[Decimal, Field(ge=0, le=2)] | None = None  # where the model takes one
    effort: Literal["none", "low", "medium", "high"] | None = None
    deadline_s: int = Field(60, ge=5, le=600)  # for one decision with its retries, wall time
    bot: Slug | None = None  # whose positions the prompt shows
    show_signals: bool = False  # whether it shows what other sources say
    cache_s: int = Field(300, ge=0)  # how long the same question gets the same answer, wall time
    budget: Budget = Budget()
    price: TokenPrice | None = None
    active: bool = True


class LlmDeciderConfig(Value):
    """What llm-decider needs: the models, the versions that are active, the budget of all."""

    models: tuple[LlmConfig, ...] = ()
    prompts: tuple[PromptVersion, ...] = ()
    bots: tuple[BotConfig, ...] = ()
    budget: Budget = Budget(day_usd=Decimal(5), month_usd=Decimal(100))


class LabConfig(Value):
    """What lab needs: nothing but the version."""


class GatewayConfig(Value):
    """What the gateway's own replicas need: nothing but the version."""


Document = (
    RouterConfig
    | ExecutorConfig
    | IngestConfig
    | LlmDeciderConfig
    | StrategyConfig
    | MarketConfig
    | LabConfig
    | GatewayConfig
)
DOCUMENTS: dict[str, type[Document]] = {
    "decision-router": RouterConfig,
    "executor": ExecutorConfig,
    "qc-ingest": IngestConfig,
    "llm-decider": LlmDeciderConfig,
    "strategy-runner": StrategyConfig,
    "market-data": MarketConfig,
    "lab": LabConfig,
    "gateway": GatewayConfig,
}

D = TypeVar("D", bound=Document)


class Versioned(Value, Generic[D]):
    """A document as it lies in the bucket."""

    version: int
    document: D
