"""The part of a service's settings that every service shares."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Read once, in `app.py`, from the environment and `.env`."""

    model_config = SettingsConfigDict(
        env_prefix="SIGNALBOX_", env_file=".env", extra="ignore", frozen=True
    )

    home: Path = Field(Path("var"), description="Where everything that must survive is kept.")
    nats_url: str | None = Field(
        None, description="An existing NATS server; unset: the embedded one."
    )
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL, as postgresql+psycopg://…; unset: SQLite files in the home."
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    retention_days: int = Field(
        30, gt=0, description="How long handled message ids and sent events are kept."
    )
