"""What the environment may say: nothing beyond what every service shares."""

from signalbox.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """The part of strategy-runner; strategies are configured in the page."""
