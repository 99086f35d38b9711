"""The small values that every contract is made of."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints


def _to_utc(value: datetime) -> datetime:
    if value.tzinfo is UTC or not value.utcoffset():
        return value
    return value.astimezone(UTC)


UtcTime = Annotated[AwareDatetime, AfterValidator(_to_utc)]  # always aware, always UTC

# Venue-neutral, upper case: AAPL, BRK.B, BTC/USD.
Symbol = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9./:_-]{0,23}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]
# An identifier that a person or a program picks: bot, account, token.
Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]

_DIGITS = 30  # enough for any price, quantity or amount, and a bound on what is parsed

Confidence = Annotated[Decimal, Field(ge=0, le=1, max_digits=_DIGITS)]  # a source's own estimate
Price = Annotated[Decimal, Field(gt=0, max_digits=_DIGITS)]  # account currency per unit
Quantity = Annotated[Decimal, Field(gt=0, max_digits=_DIGITS)]  # units, unsigned
SignedQuantity = Annotated[Decimal, Field(max_digits=_DIGITS)]  # units; negative is short
Amount = Annotated[Decimal, Field(max_digits=_DIGITS)]  # account currency, signed


class Value(BaseModel):
    """A frozen value. Unknown fields are ignored: a producer may add one before its consumers."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class SourceType(StrEnum):
    """Who speaks. The page and the policies call `strategy` traditional."""

    QUANTCONNECT = "quantconnect"
    LLM = "llm"
    STRATEGY = "strategy"
    EXTERNAL = "external"
    MANUAL = "manual"


class Action(StrEnum):
    """What a source wants."""

    BUY = "buy"  # to be long
    SELL = "sell"  # not to be long; short only where the bot allows it
    CLOSE = "close"  # this source is flat
    HOLD = "hold"  # no opinion

    @property
    def opposite(self) -> "Action | None":
        """The action that contradicts this one, if one does."""
        return {Action.BUY: Action.SELL, Action.SELL: Action.BUY}.get(self)


class Side(StrEnum):
    """Direction of an order or a fill."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for buy, -1 for sell."""
        return 1 if self is Side.BUY else -1


class Target(StrEnum):
    """Where a configured thing lives: at the real provider or in the sandbox."""

    REAL = "real"
    SANDBOX = "sandbox"


class Outcome(StrEnum):
    """What the router made of a signal."""

    ACCEPTED = "accepted"
    PENDING = "pending"  # waits for a person
    SUPPRESSED = "suppressed"  # another source leads
    REFUSED = "refused"  # a check said no
    DECLINED = "declined"  # a person said no
    LAPSED = "lapsed"  # nobody answered in time


class Reason(StrEnum):
    """Why a verdict is what it is. Every verdict names exactly one."""

    LEADS = "leads"  # nothing speaks against it
    AGREES = "agrees"  # adds to a higher source's side, as the bot allows
    APPROVED = "approved"
    AWAITS_APPROVAL = "awaits_approval"
    DECLINED = "declined"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    NO_SUBSCRIBER = "no_subscriber"
    SOURCE_DISABLED = "source_disabled"
    BOT_DISABLED = "bot_disabled"
    SYMBOL_NOT_ALLOWED = "symbol_not_allowed"
    EXPIRED = "expired"
    STALE_WORD = "stale_word"  # older than this source's last word
    LOW_CONFIDENCE = "low_confidence"
    NO_OPINION = "no_opinion"  # a hold changes nothing
    HELD_BY_HIGHER = "held_by_higher"  # opposite side of a live signal of a higher source
    LED_BY_HIGHER = "led_by_higher"  # same side as a live signal of a higher source
    HELD_BY_EQUAL = "held_by_equal"
    BLOCKED_BY_HOLD = "blocked_by_hold"
    VETOED = "vetoed"
    NO_CONSENSUS = "no_consensus"
    OUTWEIGHED = "outweighed"
    COOLDOWN = "cooldown"
    REPLAY_FEED = "replay_feed"  # real signal while prices are replayed
    CONFIG_CHANGED = "config_changed"


class OrderKind(StrEnum):
    """What an order asks a broker for."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"


class OrderState(StrEnum):
    """Where an order stands. States only move forward; a late fill always counts."""

    PLANNED = "planned"
    DENIED = "denied"
    SUBMITTING = "submitting"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCEL_PENDING = "cancel_pending"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    REPLACED = "replaced"
    ABANDONED = "abandoned"

    @property
    def final(self) -> bool:
        """Whether nothing but a late fill may follow."""
        return self in _FINAL


_FINAL = frozenset(
    {
        OrderState.DENIED,
        OrderState.FILLED,
        OrderState.CANCELED,
        OrderState.REJECTED,
        OrderState.EXPIRED,
        OrderState.REPLACED,
        OrderState.ABANDONED,
    }
)


class Severity(StrEnum):
    """How loud an alert is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
