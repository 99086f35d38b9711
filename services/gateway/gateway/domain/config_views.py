"""What the REST interface answers about configuration. Keys never come back."""

from collections.abc import Mapping

from pydantic import JsonValue

from gateway.domain.connections import Connection, hint
from gateway.domain.views import Number, View
from signalbox.contracts.config import AccountConfig, PaperSettings, StrategyInstance
from signalbox.contracts.values import UtcTime


class AccountView(View):
    """Where orders go."""

    id: str
    name: str
    broker: str
    mode: str
    target: str
    paper: PaperSettings
    bot: str | None  # the bot it belongs to

    @classmethod
    def of(cls, account: AccountConfig, bot: str | None) -> "AccountView":
        """Without what is sealed."""
        return cls.model_validate({**account.model_dump(), "bot": bot})


class ConnectionView(View):
    """A QuantConnect account; of its keys only the ends and the dates."""

    id: str
    name: str
    api_key_hint: str
    api_secret_hint: str
    api_secret_at: UtcTime | None
    target: str
    algorithm_id: int | None
    algorithm_name: str
    is_active: bool
    signals_from: str
    default_confidence: Number
    max_age_s: int
    created_at: UtcTime
    updated_at: UtcTime

    @classmethod
    def of(cls, connection: Connection) -> "ConnectionView":
        """Without what is sealed."""
        return cls(
            id=connection.id,
            name=connection.name,
            api_key_hint=hint(connection.user_id),
            api_secret_hint=connection.secret_hint,
            api_secret_at=connection.secret_at,
            target=connection.target.value,
            algorithm_id=connection.project_id,
            algorithm_name=connection.project_name,
            is_active=connection.active,
            signals_from=connection.signals_from,
            default_confidence=connection.default_confidence,
            max_age_s=connection.max_age_s,
            created_at=connection.created_at,
            updated_at=connection.updated_at,
        )


class ConnectionTest(View):
    """Whether QuantConnect accepts a config."""

    connected: bool
    message: str
    projects: tuple[dict[str, JsonValue], ...] = ()


class ConnectionStatus(View):
    """How a QuantConnect account stands, with its algorithms."""

    config_id: str
    name: str
    target: str
    is_active: bool
    connected: bool
    last_ok_at: UtcTime | None = None
    last_error: str | None = None
    clock_skew_s: float | None = None
    rate_limit: dict[str, JsonValue] | None = None
    algorithms: tuple["AlgorithmView", ...] = ()


class AlgorithmView(View):
    """A live algorithm as QuantConnect last described it."""

    id: str
    config_id: str
    name: str
    status: str
    target: str = ""
    deploy_id: str = ""
    launched: str = ""
    stopped: str = ""
    brokerage: str = ""
    message: str = ""
    performance: dict[str, str] = {}  # QuantConnect's own numbers, as it words them
    updated_at: UtcTime


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
