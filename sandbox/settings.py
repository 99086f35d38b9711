"""What the environment may say to the sandbox."""

from pydantic import Field, SecretStr

from signalbox.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """The accounts that the stand-ins accept, and how they behave."""

    sandbox_user: str = Field("123", description="QuantConnect's user id in the sandbox.")
    sandbox_token: SecretStr = Field(
        SecretStr("abc"), description="QuantConnect's API token in the sandbox."
    )
    sandbox_snapshot_delay_s: float = Field(
        0.0, ge=0, description="Age of what live endpoints show; the real one takes 600 s."
    )
