"""What the REST interface answers about QuantConnect accounts. Keys never come back."""

from datetime import datetime

from pydantic import Field, JsonValue

from gateway.domain.algorithm_views import AlgorithmView
from gateway.domain.connections import Connection, hint
from gateway.domain.views import Number, View
from signalbox.contracts.values import Target, UtcTime


class WebhookView(View):
    """Where an account's algorithms push to, and how that goes."""

    path: str = Field(description="On this server's public address.")
    must_sign: bool = Field(description="Whether a bearer token alone is refused.")
    secret_hint: str
    made_at: UtcTime
    old_until: UtcTime | None = Field(description="Until when a secret before still holds.")
    last_push_at: UtcTime | None = None
    refused_at: UtcTime | None = Field(None, description="Of the newest call not let in.")
    refused_why: str | None = None

    @classmethod
    def of(cls, connection: Connection, now: datetime, **seen: object) -> "WebhookView | None":
        """Without the secret itself; `seen` is what is known of calls."""
        webhook = connection.webhook
        if webhook is None:
            return None
        return cls.model_validate(
            {
                "path": hook_path(connection.id),
                "must_sign": connection.target is Target.REAL,
                "secret_hint": webhook.hint,
                "made_at": webhook.made_at,
                "old_until": max((s.until for s in webhook.still_old(now)), default=None),
                **seen,
            }
        )


def hook_path(config_id: str) -> str:
    """Where this account's algorithms push to."""
    return f"/hooks/quantconnect/{config_id}"


class WebhookMade(View):
    """A webhook's address and its new secret, which is shown this once."""

    url: str = Field(description="As this request reached us; QuantConnect needs the public one.")
    token: str = Field(description="Bearer token, or the key that signs. It is not shown again.")
    must_sign: bool
    old_until: UtcTime | None
    snippet: str = Field(description="The file to paste into an algorithm.")


class PushTaken(View):
    """A push that is stored."""

    push_id: str
    repeated: bool  # it was there already, and counts once


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
    webhook: WebhookView | None = None  # none was made yet

    @classmethod
    def of(cls, connection: Connection, webhook: WebhookView | None = None) -> "ConnectionView":
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
            webhook=webhook,
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
    webhook: WebhookView | None = None
    algorithms: tuple[AlgorithmView, ...] = ()
