"""What the environment may say to llm-decider."""

from pydantic import Field

from signalbox.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Where models are asked, and how many at once."""

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
