"""What the environment may say about the feed."""

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from signalbox.contracts.values import Symbol
from signalbox.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """The part of market-data."""

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

    @field_validator("replay_symbols", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        if isinstance(given, str):
            return tuple(name.strip() for name in given.split(",") if name.strip())
        return given

    @field_validator("replay_symbols")
    @classmethod
    def _aapl_has_its_own(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if "AAPL" in given:
            raise ValueError("AAPL comes from another data set; leave it out")
        return given
