"""What the environment may say about the feed."""

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from signalbox.contracts.values import Symbol
from signalbox.runtime.settings import ServiceSettings

Interval = Literal["1m", "5m", "15m", "30m", "1d"]


class Settings(ServiceSettings):
    """The part of market-data."""

    model_config = SettingsConfigDict(hide_input_in_errors=True)  # a key may be in it

    feed: Literal["replay", "alpaca"] = Field(
        "replay", description="Where prices come from: recorded ones, or Alpaca's as they come."
    )
    replay_speed: float = Field(
        60, ge=0, le=1_000_000, description="Market seconds per wall second until configured."
    )
    replay_symbols: Annotated[tuple[Symbol, ...], NoDecode] = Field(
        ("MSFT", "IBM", "GE", "XOM", "JPM", "KO", "WMT", "PG", "JNJ", "CVX"),
        max_length=600,
        description="Names with daily bars, separated by commas; AAPL's minutes are always there.",
    )
    replay_rows: int | None = Field(
        None, gt=0, description="Replay no more than this many instants, then loop."
    )
    alpaca_data_url: str = Field(
        "https://data.alpaca.markets",
        pattern=r"^https?://",
        description="Alpaca's market data; the sandbox's is at /alpaca of its address.",
    )
    alpaca_api_key: SecretStr | None = Field(
        None, validation_alias="ALPACA_API_KEY", description="Alpaca's key id."
    )
    alpaca_api_secret: SecretStr | None = Field(
        None, validation_alias="ALPACA_API_SECRET", description="Alpaca's secret key."
    )
    alpaca_symbols: Annotated[tuple[Symbol, ...], NoDecode] = Field(
        ("AAPL", "MSFT", "SPY", "BTC/USD"),
        min_length=1,
        max_length=200,
        description="What to follow, separated by commas; pairs such as BTC/USD are crypto.",
    )
    alpaca_intervals: Annotated[tuple[Interval, ...], NoDecode] = Field(
        ("1m", "1d"), min_length=1, description="Of the bars: 1m, 5m, 15m, 30m, 1d."
    )
    alpaca_feed: Literal["iex", "sip"] = Field(
        "iex", description="Which trades of stocks: one exchange's (free), or all of them (paid)."
    )
    alpaca_quote_s: float = Field(
        5.0, ge=1, le=60, description="Between two looks at the newest quotes."
    )
    alpaca_news_s: float = Field(
        60.0, ge=0, le=3600, description="Between two looks at the news; 0 reads none."
    )
    alpaca_per_minute: float = Field(
        150.0, gt=0, description="Requests a minute; Alpaca's free plan allows 200."
    )
    alpaca_burst: int = Field(20, gt=0, description="Requests that may come at once.")

    @field_validator("replay_symbols", "alpaca_symbols", "alpaca_intervals", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        if isinstance(given, str):
            names = (name.strip() for name in given.split(","))
            return tuple(dict.fromkeys(name for name in names if name))
        return given

    @field_validator("replay_symbols")
    @classmethod
    def _aapl_has_its_own(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if "AAPL" in given:
            raise ValueError("AAPL comes from another data set; leave it out")
        return given

    @model_validator(mode="after")
    def _alpaca_needs_keys(self) -> Self:
        if self.feed == "alpaca" and not all(self.keys):
            raise ValueError("feed is alpaca: set ALPACA_API_KEY and ALPACA_API_SECRET")
        return self

    @property
    def keys(self) -> tuple[str, str]:
        """Alpaca's key and secret; empty where there is none."""
        both = (self.alpaca_api_key, self.alpaca_api_secret)
        key, secret = (one.get_secret_value() if one is not None else "" for one in both)
        return key, secret
