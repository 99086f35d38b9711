"""What the environment may say to llm-decider."""

from pydantic import Field

from signalbox.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Where models are asked, and how many at once and a minute."""

    sandbox_url: str = Field("http://127.0.0.1:5612", description="The sandbox.")
    openai_base_url: str = Field(
        "https://api.openai.com/v1",
        validation_alias="OPENAI_BASE_URL",
        description="OpenAI's API, or a server that speaks the same.",
    )
    anthropic_base_url: str = Field(
        "https://api.anthropic.com",
        validation_alias="ANTHROPIC_BASE_URL",
        description="Anthropic's API.",
    )
    llm_in_flight: int = Field(20, gt=0, le=100, description="Calls at once with one key.")
    llm_requests_per_minute: int | None = Field(
        None, gt=0, description="Requests a minute with one key; unset: as its provider tells."
    )
    llm_tokens_per_minute: int | None = Field(
        None, gt=0, description="Tokens a minute with one key, in and out; unset: likewise."
    )
