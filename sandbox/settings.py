"""What the environment may say to the sandbox."""

from pydantic import Field, SecretStr

from signalbox.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """The accounts that the stand-ins accept, and how they behave."""

    sandbox_user: str = Field("123", description="QuantConnect's user id in the sandbox.")
    sandbox_token: SecretStr = Field(
        SecretStr("abc"), description="QuantConnect's API token in the sandbox."
    )
    sandbox_llm_key: SecretStr = Field(
        SecretStr("sandbox-key"), description="Key of both language-model providers."
    )
    sandbox_openai_models: tuple[str, ...] = Field(
        ("sandbox-openai", "gpt-6-luna", "gpt-5.4-mini", "gpt-4o-mini"),
        description="Models that it plays.",
    )
    sandbox_claude_models: tuple[str, ...] = Field(
        ("sandbox-claude", "claude-haiku-5-5", "claude-sonnet-5-5", "claude-haiku-4-5"),
        description="Models that it plays.",
    )
    sandbox_snapshot_delay_s: float = Field(
        0.0, ge=0, description="Age of what live endpoints show; the real one takes 600 s."
    )
    sandbox_compile_s: float = Field(1.0, ge=0, description="That a build takes.")
    sandbox_backtest_s: float = Field(5.0, ge=0, description="That a backtest takes at least.")
    sandbox_launch_s: float = Field(
        4.0, ge=0, description="From the deployment of an algorithm until it runs."
    )
    sandbox_shows_running: bool = Field(
        False, description="Say `In Progress...` of a running backtest; some clients refuse it."
    )
    sandbox_webhook_s: float = Field(
        5.0, ge=0, description="That an algorithm collects insights before it posts them."
    )
    sandbox_webhooks_per_hour: int = Field(
        3600, ge=0, description="Free posts of one deployment; beyond it each costs a credit."
    )
