"""What callers send to configure things. Unknown fields are refused; what is left out stays."""

import re
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)

from signalbox.contracts.accounts import PaperSettings
from signalbox.contracts.config import Policy, SourceRule
from signalbox.contracts.limits import Exits, Limits, Sizing
from signalbox.contracts.values import Name, Slug, Symbol, Target

_MOST_SYMBOLS = 500
_STRICT = ConfigDict(extra="forbid", frozen=True)
# What fits into headers and files: no control characters.
Plain = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,128}$")]
Parameter = Annotated[Decimal, Field(max_digits=30, ge=-1_000_000, le=1_000_000)]
Secret = Annotated[SecretStr, StringConstraints(min_length=1, max_length=512)]


def _sendable(key: SecretStr | str) -> SecretStr | str:
    text = key if isinstance(key, str) else key.get_secret_value()
    if not text.isascii() or not text.isprintable() or " " in text:
        words = "it has a character that no key has (blank, invisible or accented): copy it again"
        raise ValueError(words)
    return key


KeyId = Annotated[Plain, AfterValidator(_sendable)]
ApiKey = Annotated[Secret, AfterValidator(_sendable)]


class StrictRule(SourceRule):
    """One source that a bot listens to; without an id every source of the type."""

    model_config = _STRICT


class StrictPolicy(Policy):
    """How a bot settles what its sources say."""

    model_config = _STRICT


class StrictSizing(Sizing):
    """How much an entry buys."""

    model_config = _STRICT

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if len(self.increments) > _MOST_SYMBOLS:
            raise ValueError(f"increments names more than {_MOST_SYMBOLS} symbols")
        return self


class StrictLimits(Limits):
    """What a bot may do at most."""

    model_config = _STRICT

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if len(self.restricted) > _MOST_SYMBOLS:
            raise ValueError(f"restricted names more than {_MOST_SYMBOLS} symbols")
        return self


class StrictExits(Exits):
    """What protects a lot whose signal names no stop or target itself; none protects nothing."""

    model_config = _STRICT


class StrictPaper(PaperSettings):
    """How the paper broker fills."""

    model_config = _STRICT


class BotBody(BaseModel):
    """A bot to add, or by its id the fields of one to change."""

    model_config = _STRICT

    id: Slug | None = None  # without one it is made from the name
    name: Plain | None = None
    account: Slug | None = None  # without one a new bot gets a paper account of its own
    enabled: bool | None = None
    symbols: Annotated[tuple[Symbol, ...], Field(max_length=500)] | None = None  # empty: all
    sources: Annotated[tuple[StrictRule, ...], Field(min_length=1, max_length=100)] | None = None
    strategy_source: Literal["traditional", "quantconnect", "llm", "hybrid"] | None = None
    policy: StrictPolicy | None = None
    approval: Literal["auto", "manual"] | None = None
    allow_short: bool | None = None
    flatten_lower: bool | None = None
    sizing: StrictSizing | None = None
    limits: StrictLimits | None = None
    exits: StrictExits | None = None
    live: bool | None = None  # may trade real money, where account and executor say so too


class AccountBody(BaseModel):
    """An account to add, or by its id the fields of one to change. One at a broker needs both of
    its keys; they are sealed and never shown again.
    """

    model_config = _STRICT

    id: Slug | None = None
    name: Plain | None = None
    broker: Literal["paper", "alpaca"] | None = None  # paper unless said otherwise
    mode: Literal["paper", "live"] | None = None
    target: Target | None = None  # of a broker; real unless said otherwise
    paper: StrictPaper | None = None
    crypto_fee_bps: Annotated[Decimal, Field(ge=0, le=1000, max_digits=30)] | None = None
    stops_at_broker: bool | None = None  # a lot's stop rests there as an order where it can
    api_key: KeyId | None = None
    api_secret: ApiKey | None = None


class StrategyBody(BaseModel):
    """A strategy to run, or by its id the fields of one to change."""

    model_config = _STRICT

    id: Slug | None = None
    strategy: Slug | None = None  # which one: sma-cross, rsi-reversion
    symbols: Annotated[tuple[Symbol, ...], Field(min_length=1, max_length=500)] | None = None
    interval: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,2}[mhd]$")] | None = None
    parameters: Annotated[dict[Slug, Parameter], Field(max_length=50)] | None = None
    active: bool | None = None


class KillSwitchBody(BaseModel):
    """What may not trade from now on. What is left out is released."""

    model_config = _STRICT

    everything: bool = False
    accounts: Annotated[frozenset[Slug], Field(max_length=1000)] = frozenset()
    bots: Annotated[frozenset[Slug], Field(max_length=1000)] = frozenset()
    reason: Annotated[str, StringConstraints(max_length=500)] = ""


class FlagsBody(BaseModel):
    """Which kinds of sources are let in; what is left out stays as it is."""

    model_config = _STRICT

    quantconnect: bool | None = None
    llm: bool | None = None
    strategy: bool | None = None
    external: bool | None = None
    manual: bool | None = None


class MarketBody(BaseModel):
    """How fast the replay runs, in market seconds per wall second; 0 pauses it."""

    model_config = _STRICT

    speed: Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


def slug_of(name: str) -> str:
    """An id made from a name: `Demo: my bot` gives `demo-my-bot`."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64]


def free_id(given: str | None, name: Name | None, taken: frozenset[str], what: str) -> str:
    """The given id, else one from the name that nothing has yet."""
    if given is not None:
        return given
    base = slug_of(name or "") or what
    numbered = (base if n == 1 else f"{base[:60]}-{n}" for n in range(1, len(taken) + 2))
    return next(candidate for candidate in numbered if candidate not in taken)
