"""What the environment may say to qc-ingest."""

from pydantic import Field

from signalbox.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Addresses, and how often they are asked."""

    quantconnect_url: str = Field(
        "https://www.quantconnect.com/api/v2", description="The real QuantConnect."
    )
    sandbox_url: str = Field("http://127.0.0.1:5612", description="The sandbox.")
    quantconnect_poll_s: float = Field(
        60.0,
        ge=60,
        description="Between two readings; QuantConnect itself refreshes every 10 minutes.",
    )
    sandbox_poll_s: float = Field(2.0, gt=0, description="The same for the sandbox.")
    quantconnect_per_minute: float = Field(
        30.0, gt=0, description="Requests a minute of one account; none is published."
    )
    quantconnect_burst: int = Field(10, gt=0, description="Requests that may come at once.")
