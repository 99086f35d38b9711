"""What the environment may say."""

from signalbox.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """The router has no settings of its own: policies and flags come with the configuration."""
