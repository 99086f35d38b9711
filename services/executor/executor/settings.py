"""What the environment may say to the executor. Limits, accounts and switches come with the
configuration, so that they have a version.
"""

from pydantic import Field

from signalbox.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Where brokers are, and whether this process may trade real money at all."""

    sandbox_url: str = Field("http://127.0.0.1:5612", description="The sandbox.")
    alpaca_url: str = Field(
        "https://paper-api.alpaca.markets", description="Alpaca's trading API, paper accounts."
    )
    alpaca_live_url: str = Field(
        "https://api.alpaca.markets", description="Alpaca's trading API, live accounts."
    )
    max_broker_orders_per_minute: int = Field(
        120, gt=0, description="Entries that may leave for brokers in a minute, of all bots."
    )
    allow_live: bool = Field(
        False, description="One of three switches for real money; account and bot say so too."
    )
