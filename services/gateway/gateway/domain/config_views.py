"""What the REST interface answers about configuration. Keys never come back."""

from collections.abc import Mapping

from pydantic import JsonValue

from gateway.domain.views import Number, View
from signalbox.contracts.accounts import AccountConfig, PaperSettings
from signalbox.contracts.config import StrategyInstance
from signalbox.contracts.values import UtcTime


class AccountView(View):
    """Where orders go."""

    id: str
    name: str
    broker: str
    mode: str
    target: str
    paper: PaperSettings
    crypto_fee_bps: Number
    stops_at_broker: bool
    key_hint: str | None  # the end of its key; null where it has none
    keys_at: UtcTime | None  # when they were entered
    bot: str | None  # the bot it belongs to

    @classmethod
    def of(cls, account: AccountConfig, bot: str | None) -> "AccountView":
        """Without what is sealed."""
        shown = {**account.model_dump(), "key_hint": account.key_hint or None, "bot": bot}
        return cls.model_validate(shown)


class StrategyView(View):
    """A classic strategy, and how it is doing."""

    id: str
    strategy: str
    symbols: tuple[str, ...]
    interval: str
    parameters: dict[str, Number]
    active: bool
    status: str | None = None  # in the words of strategy-runner; null until it has said
    problem: str | None = None

    @classmethod
    def of(cls, instance: StrategyInstance, told: Mapping[str, JsonValue]) -> "StrategyView":
        """With what strategy-runner last said of it."""
        status, problem = told.get("status"), told.get("problem")
        return cls(
            **instance.model_dump(),
            status=str(status) if status else None,
            problem=str(problem) if problem else None,
        )


class StrategyKindView(View):
    """A classic strategy that can be run."""

    id: str
    parameters: dict[str, Number]  # every one it takes, with its default


class MarketView(View):
    """The market clock."""

    now: UtcTime
    wall: UtcTime
    epoch: int
    replay: bool
    frozen: bool
    speed: float  # market seconds per wall second


class FlagsView(View):
    """Which kinds of sources are let in."""

    quantconnect: bool
    llm: bool
    strategy: bool
    external: bool
    manual: bool
