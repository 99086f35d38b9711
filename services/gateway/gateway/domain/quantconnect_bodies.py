"""What callers send about QuantConnect. Unknown fields are refused; what is left out stays."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)

from gateway.domain.bodies import ApiKey, KeyId, Plain, Secret
from signalbox.contracts.values import Confidence, Slug, Target

STRICT = ConfigDict(extra="forbid", frozen=True)


class ConnectionBody(BaseModel):
    """A QuantConnect account to follow, or by its id the fields of one to change."""

    model_config = STRICT

    id: Slug | None = None
    name: Plain | None = None
    api_key: KeyId | None = None  # QuantConnect's user id
    api_secret: ApiKey | None = None  # the API token; it is sealed and never shown again
    algorithm_id: Annotated[int, Field(gt=0, lt=1 << 62)] | None = None  # a project; none: all
    algorithm_name: Annotated[str, StringConstraints(max_length=128)] | None = None
    target: Target | None = None
    is_active: bool | None = None
    signals_from: Literal["insights", "fills"] | None = None
    default_confidence: Confidence | None = None
    max_age_s: Annotated[int, Field(gt=0, le=86_400 * 7)] | None = None


class WebhookBody(BaseModel):
    """How long the secrets before still hold."""

    model_config = STRICT

    # Seconds; 0 ends them at once, as after a leak.
    overlap_s: Annotated[int, Field(ge=0, le=86_400 * 7)] = 86_400


Parameters = Annotated[
    dict[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$")],
        Annotated[str, StringConstraints(max_length=256)],
    ],
    Field(max_length=50, description="The algorithm's own parameters, as text."),
]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]


class NotifyBody(BaseModel):
    """Where QuantConnect itself sends order events and insights."""

    model_config = STRICT

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s\x00-\x1f\x7f]{1,500}$")]
    headers: Annotated[dict[HeaderName, Secret], Field(max_length=10)] = {}


class DeployBody(BaseModel):
    """How to start a project on a live node, on QuantConnect's paper brokerage."""

    model_config = STRICT

    node_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = Field(
        None, description="A live node; without one a free one is taken."
    )
    parameters: Parameters = {}
    notify: NotifyBody | None = None

    def command(self) -> dict[str, JsonValue]:
        """The part of the command to qc-ingest; what was left out is left out."""
        body = self.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        if self.notify and self.notify.headers:
            headers = {k: v.get_secret_value() for k, v in self.notify.headers.items()}
            body["notify"] = {"url": self.notify.url, "headers": headers}
        return body


class LiquidateBody(BaseModel):
    """Selling everything wants a word of its own."""

    model_config = STRICT

    confirm: Annotated[
        Literal[True], Field(description="true: sell everything the algorithm holds, and stop it.")
    ]


class BacktestBody(BaseModel):
    """What to run over the past. The dates reach the algorithm as the parameters
    `signalbox_start` and `signalbox_end`; one that does not read them runs its own dates.
    """

    model_config = STRICT

    algorithm_id: Annotated[int, Field(gt=0, lt=1 << 62)]
    config: Slug | None = Field(None, description="Needed when several accounts hold the project.")
    name: Annotated[Plain, StringConstraints(max_length=100)] | None = None
    parameters: Parameters = {}
    start: date | None = None
    end: date | None = None

    @model_validator(mode="after")
    def _does_not_end_before_it_starts(self) -> Self:
        if self.start and self.end and self.end < self.start:
            raise ValueError("end is before start")
        return self

    def command(self, config_id: str) -> dict[str, JsonValue]:
        """The command to qc-ingest; what was left out is left out."""
        body = self.model_dump(
            mode="json",
            exclude={"config", "algorithm_id"},
            exclude_none=True,
            exclude_defaults=True,
        )
        return {**body, "project_id": self.algorithm_id, "config_id": config_id}
