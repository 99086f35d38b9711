"""What the environment may say to the gateway."""

from pydantic import Field, SecretStr

from signalbox.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """The part of the gateway."""

    admin_password: SecretStr | None = Field(
        None, description="Of the first user, admin; unset: made, and written to the home."
    )
    demo: bool = Field(False, description="Fill an empty database with a demo on the sandbox.")
    quantconnect_api_key: str | None = Field(
        None, validation_alias="QUANTCONNECT_API_KEY", description="QuantConnect's user id."
    )
    quantconnect_api_secret: SecretStr | None = Field(
        None, validation_alias="QUANTCONNECT_API_SECRET", description="QuantConnect's API token."
    )
    openai_api_key: SecretStr | None = Field(
        None, validation_alias="OPENAI_API_KEY", description="OpenAI's key."
    )
    anthropic_api_key: SecretStr | None = Field(
        None, validation_alias="ANTHROPIC_API_KEY", description="Anthropic's key."
    )
    llm_private_urls: bool = Field(
        False,
        description="Allow model servers on this machine and in private networks, without TLS too.",
    )
